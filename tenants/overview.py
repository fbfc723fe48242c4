"""A store at a glance, for the people who run it: what there is to sell, what is on sale, and how far it has sold."""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants.db import TenantTx
from tenants.orders import tally

RUNNING_MAX = 20
COUNTED_MAX = 1_000  # of what waits for a person: beyond, "at least"


class StoreCard(msgspec.Struct, frozen=True):
    slug: str
    name: str
    currency: str
    zone: str


async def store(tx: TenantTx) -> StoreCard:
    """Raises `NotFound`."""
    if row := await tx.conn.fetchrow("SELECT slug, name, currency, zone FROM store WHERE tenant_id = $1", tx.tenant_id):
        return StoreCard(*row)
    raise NotFound("There is no such store.")


async def held(tx: TenantTx, sale_id: UUID) -> bool:
    """Whether shoppers hold units of the sale that they have not paid: then what is gone may come back.

    Reads the whole sale when nobody does, so ask seldom.
    """
    sql = "SELECT EXISTS (SELECT 1 FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'held')"
    return bool(await tx.conn.fetchval(sql, tx.tenant_id, sale_id))


class Figures(msgspec.Struct, frozen=True):
    """Of a stretch of time, in one currency. Orders are made when they hold units; money is paid when the provider says so; refunded is
    what went back because it was asked for."""

    made: int = 0
    paid: int = 0
    paid_minor: int = 0
    delivered: int = 0
    refunds: int = 0
    refunded_minor: int = 0


class Hour(msgspec.Struct, frozen=True):
    starts_at: dt.datetime
    made: int
    paid: int


class Day(msgspec.Struct, frozen=True):
    """Today so far, and yesterday up to the same time of day, by currency; the store's own is always there. `hours` are the last 24, in
    the store's zone, the oldest first."""

    day: dt.date
    zone: str
    as_of: dt.datetime
    today: dict[str, Figures]
    before: dict[str, Figures]
    hours: list[Hour]


class Selling(msgspec.Struct, frozen=True):
    """A sale that is open or paused. `committed` of the `allotted` units are held or sold."""

    sale_id: UUID
    name: str
    state: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    allotted: int
    committed: int


# Yesterday ends at the same time of day, to the minute.
_CLOCK = """clock AS (
    SELECT date_trunc('day', now(), $3) AS day,
           (date_trunc('day', now() AT TIME ZONE $3) - interval '1 day') AT TIME ZONE $3 AS day_before,
           date_trunc('minute', now() AT TIME ZONE $3 - interval '1 day') AT TIME ZONE $3 AS until_before,
           date_trunc('hour', now(), $3) - interval '23 hours' AS first_hour)"""
_MINUTES = f"""
    WITH {_CLOCK}, {tally.TAIL},
    known AS (
        SELECT minute, currency, made, paid, paid_minor, delivered, refunds, refunded_minor FROM order_minute
        WHERE tenant_id = $1 AND minute >= (SELECT least(day_before, first_hour) FROM clock)
        UNION ALL SELECT *, 0, 0 FROM ({tally.MINUTES.format(changed="tail")}) AS fresh)
    SELECT CASE WHEN minute >= day THEN 'today' WHEN minute >= day_before AND minute < until_before THEN 'before' END AS part, currency,
           CASE WHEN minute >= first_hour THEN date_trunc('hour', minute, $3) END AS hour,
           sum(made)::bigint AS made, sum(paid)::bigint AS paid, sum(paid_minor)::bigint AS paid_minor, sum(delivered)::bigint AS delivered,
           sum(refunds)::bigint AS refunds, sum(refunded_minor)::bigint AS refunded_minor
    FROM known, clock GROUP BY 1, 2, 3"""


async def day(tx: TenantTx, *, own: StoreCard) -> Day:
    """Figures of today, beside those of yesterday. Reads a row for each minute in which something was sold, whatever the store has sold."""
    at = await tally.reach(tx)
    parts: dict[str, dict[str, dict[str, int]]] = {"today": {own.currency: {}}, "before": {own.currency: {}}}
    today, first = await tx.conn.fetchrow(
        "SELECT (now() AT TIME ZONE $1)::date, date_trunc('hour', now(), $1) - interval '23 hours'", own.zone
    )
    hours = {first + dt.timedelta(hours=n): [0, 0] for n in range(24)}
    for part, currency, hour, *sums in await tx.conn.fetch(_MINUTES, tx.tenant_id, at.tail, own.zone):
        if part:
            _add(parts[part].setdefault(currency, {}), dict(zip(Figures.__struct_fields__, sums, strict=True)))
        if hour in hours:
            hours[hour] = [hours[hour][0] + sums[0], hours[hour][1] + sums[1]]
    figures = {part: {currency: Figures(**sums) for currency, sums in found.items()} for part, found in parts.items()}
    return Day(today, own.zone, at.as_of, figures["today"], figures["before"], [Hour(at, *sums) for at, sums in hours.items()])


def _add(sums: dict[str, int], more: dict[str, int]) -> None:
    for name, value in more.items():
        sums[name] = sums.get(name, 0) + value


async def open_cases(tx: TenantTx) -> int:
    """How many exceptions wait for a person, COUNTED_MAX at most."""
    sql = "SELECT count(*) FROM (SELECT FROM exception_case WHERE tenant_id = $1 AND state = 'open' LIMIT $2) AS found"
    return int(await tx.conn.fetchval(sql, tx.tenant_id, COUNTED_MAX))


async def low_stock(tx: TenantTx) -> int:
    """How many SKUs have as few units left as their watch says."""
    sql = "SELECT count(*) FROM (SELECT FROM stock_watch WHERE tenant_id = $1 AND low_since IS NOT NULL LIMIT $2) AS found"
    return int(await tx.conn.fetchval(sql, tx.tenant_id, COUNTED_MAX))


async def selling(tx: TenantTx) -> list[Selling]:
    """The newest sales that are open or paused and not over, at most RUNNING_MAX; what lies on the shelf is none."""
    sql = f"""SELECT id, {", ".join(Selling.__struct_fields__[1:])} FROM sale
              WHERE tenant_id = $1 AND state <> 'ended' AND door <> 'shelf' AND (ends_at IS NULL OR ends_at > now())
              ORDER BY id DESC LIMIT $2"""
    return [Selling(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, RUNNING_MAX)]
