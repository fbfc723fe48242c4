"""Picks: what shoppers choose units of a SKU by. A night, a seat of a session, a number somebody likes.

The unit says which it is, and is what is sold; here is what is said of it: its label, what it costs on top, until when it is offered. What
a pick of a type looks like, the type says (`tenants.types`).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import encode
from tenants import vault
from tenants.db import EARLIEST, LATEST, TenantTx
from tenants.units import shelving

BEYOND: Final = LATEST + dt.timedelta(days=1)  # what is offered for ever is offered until LATEST
AVAILABLE_MAX: Final = 100  # so far free units are counted; whoever wants more is told by the checkout


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """`surcharge_minor` is per unit, on top of the price. It is offered until `offered_until`, for ever without one."""

    name: str
    label: str = ""
    surcharge_minor: int | None = None  # 0, or what it was
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    offered_until: dt.datetime | None = None
    is_on: bool = True


class Listed(NamedTuple):
    """A pick with the units that are free, counted up to AVAILABLE_MAX; `key` is its place in the list."""

    pick: Pick
    available: int

    @property
    def key(self) -> tuple[dt.datetime, str]:
        return self.pick.offered_until or LATEST, self.pick.name


_COLUMNS = "pick, label, surcharge_minor, starts_at, ends_at, nullif(offered_until, '9999-01-01 00:00:00+00'), is_on"


def _read(row: Sequence[object]) -> Pick:
    return Pick(**dict(zip(Pick.__struct_fields__, row, strict=True)))  # type: ignore[arg-type]


async def put(tx: TenantTx, sku_id: UUID, given: Sequence[Pick]) -> None:
    """Keep what is said of picks, new ones and known ones. Their times stay for ever: people bought them for these.

    The SKU's row is locked by the caller. Raises `Unprocessable` (`other_times`) with the first that is known with other times.
    """
    sql = """WITH given AS MATERIALIZED (
                 SELECT * FROM unnest($3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[])
                 AS given (name, label, surcharge, starts_at, ends_at, offered_until))
             INSERT INTO pick (tenant_id, sku_id, pick, label, surcharge_minor, starts_at, ends_at, offered_until)
             SELECT $1, $2, name, label, coalesce(surcharge, (SELECT surcharge_minor FROM pick
                                                              WHERE tenant_id = $1 AND sku_id = $2 AND pick.pick = name), 0),
                    starts_at, ends_at, coalesce(offered_until, '9999-01-01 00:00:00+00') FROM given ORDER BY name
             ON CONFLICT (tenant_id, sku_id, pick) DO UPDATE SET label = excluded.label, surcharge_minor = excluded.surcharge_minor
             WHERE (pick.starts_at, pick.ends_at) IS NOT DISTINCT FROM (excluded.starts_at, excluded.ends_at) RETURNING pick.pick"""
    columns = ([getattr(pick, name) for pick in given] for name in Pick.__struct_fields__[:-1])
    kept = {row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, sku_id, *columns)}
    if other := [pick.name for pick in given if pick.name not in kept]:
        raise Unprocessable(f"{other[0]} is known with other times already. Nothing was made.", code="other_times", pick=other[0])


async def change(tx: TenantTx, sku_id: UUID, given: Sequence[Pick], *, actor: str) -> None:
    """Say something else of picks that are there: label, surcharge, whether they are offered.

    Who holds or bought one keeps it as it was sold to him. Raises `NotFound` with the first that is not there; then none is changed.
    """
    sql = """UPDATE pick SET label = coalesce(nullif(given.label, ''), pick.label), is_on = given.is_on,
                             surcharge_minor = coalesce(given.surcharge, pick.surcharge_minor)
             FROM unnest($3::text[], $4::text[], $5::bigint[], $6::boolean[]) AS given (name, label, surcharge, is_on)
             WHERE tenant_id = $1 AND sku_id = $2 AND pick.pick = given.name RETURNING pick.pick"""
    columns = ([getattr(pick, name) for pick in given] for name in ("name", "label", "surcharge_minor", "is_on"))
    found = {row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, sku_id, *columns)}
    if missing := [pick.name for pick in given if pick.name not in found]:
        raise NotFound(f"This SKU has no {missing[0]}. Nothing was changed.")
    await tx.audit(actor, "picks.changed", encode("sku", sku_id), picks=len(given))


async def listed(
    tx: TenantTx, sku_id: UUID, *, limit: int, after: tuple[dt.datetime, str] | None = None,
    since: dt.datetime | None = None, until: dt.datetime | None = None,
) -> list[Listed]:  # fmt: skip
    """At most `limit` picks, what is offered longest last, behind `after`; with those bounds what is offered until a moment within them.

    Free is what nobody holds or bought, whether a sale has it or not.
    """
    rows = await tx.conn.fetch(_page(""), tx.tenant_id, sku_id, *_behind(after, since), until or BEYOND, limit)
    return await _counted(tx, sku_id, rows, "", ())


async def offered(
    tx: TenantTx, sku_id: UUID, channel: str, *, limit: int, after: tuple[dt.datetime, str] | None = None,
    since: dt.datetime | None = None, until: dt.datetime | None = None,
) -> list[Listed]:  # fmt: skip
    """The same as a shopper sees it: what is on and not past, with the units that a running sale has for him.

    Raises `NotFound` for a SKU that `channel` shows in no sale, and for one whose units nobody chooses.
    """
    sales = await _on_sale(tx, sku_id, channel)
    now = await tx.conn.fetchval("SELECT now()")
    rows = await tx.conn.fetch(_page("AND is_on"), tx.tenant_id, sku_id, *_behind(after, max(now, since or now)), until or BEYOND, limit)
    return await _counted(tx, sku_id, rows, "AND sale_id = ANY($4)", (sales,))


async def free(tx: TenantTx, sku_id: UUID, channel: str, names: Sequence[str]) -> list[Listed]:
    """Those of the named ones that are offered at this moment, by name. Raises as `offered`."""
    sales = await _on_sale(tx, sku_id, channel)
    sql = f"""SELECT {_COLUMNS} FROM pick WHERE tenant_id = $1 AND sku_id = $2 AND pick = ANY($3) AND is_on AND offered_until > now()
              ORDER BY pick"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, sku_id, list(names))
    return await _counted(tx, sku_id, rows, "AND sale_id = ANY($4)", (sales,))


async def named(tx: TenantTx, sku_id: UUID, names: Sequence[str]) -> list[Listed]:
    """Those of the named ones that are there, by name, counted as `listed` counts."""
    sql = f"SELECT {_COLUMNS} FROM pick WHERE tenant_id = $1 AND sku_id = $2 AND pick = ANY($3) ORDER BY pick"
    return await _counted(tx, sku_id, await tx.conn.fetch(sql, tx.tenant_id, sku_id, list(names)), "", ())


async def of(tx: TenantTx, sku_id: UUID, names: Sequence[str]) -> dict[str, Pick]:
    """What is said of these; those that are not there are left out."""
    sql = f"SELECT {_COLUMNS} FROM pick WHERE tenant_id = $1 AND sku_id = $2 AND pick = ANY($3)"
    return {row[0]: _read(row) for row in await tx.conn.fetch(sql, tx.tenant_id, sku_id, list(names))}


async def choose(tx: TenantTx, sku_id: UUID, names: Sequence[str]) -> dict[str, Pick]:
    """What a shopper chooses, for whoever prices and reserves it. Raises `Conflict` (`not_offered`) with those that he cannot have."""
    known, now = await of(tx, sku_id, names), await tx.conn.fetchval("SELECT now()")
    offered = {name: pick for name, pick in known.items() if pick.is_on and (pick.offered_until or LATEST) > now}
    if gone := sorted({name for name in names if name not in offered}):
        raise Conflict(f"{gone[0][:64]} is not offered. Nothing was reserved; choose another.", code="not_offered", picks=gone)
    return offered


async def of_units(tx: TenantTx, units: Sequence[int]) -> dict[int, Pick]:
    """Of those units that have a pick, by unit."""
    # What has none is left out here: asked for those that have one, a young database reads the index of all of them, and keeps its plan.
    sql = "SELECT id, sku_id, pick FROM unit WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id"
    rows = [row for row in await tx.conn.fetch(sql, tx.tenant_id, list(units)) if row["pick"] is not None]
    known = {
        sku_id: await of(tx, sku_id, [row["pick"] for row in rows if row["sku_id"] == sku_id]) for sku_id in {r["sku_id"] for r in rows}
    }
    return {row["id"]: known[row["sku_id"]][row["pick"]] for row in rows}


async def taken(tx: TenantTx, sku_id: UUID, names: Sequence[str]) -> list[str]:
    """Those among the picks of which there is a unit that is for sale, may be again, or is somebody's."""
    sql = """SELECT DISTINCT pick FROM unit WHERE tenant_id = $1 AND sku_id = $2 AND pick = ANY($3)
               AND state NOT IN ('void', 'quarantined', 'expired') ORDER BY pick"""
    return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, sku_id, list(names))]


async def renew(tx: TenantTx, units: Sequence[int]) -> None:
    """What came back from a refund is offered again: as new units of the same picks, for as long as these are offered.

    The units themselves stay what they are: sold once, they are never sold again. Their order is locked, and no sale yet.
    """
    await shelving.lock_of_orders(tx, units)
    now = await tx.conn.fetchval("SELECT now()")
    sql = "SELECT id, sku_id FROM unit WHERE tenant_id = $1 AND id = ANY($2) ORDER BY sku_id, id"
    rows, known = await tx.conn.fetch(sql, tx.tenant_id, list(units)), await of_units(tx, units)
    again: dict[UUID, list[str]] = {}
    for unit, sku_id in rows:
        if unit in known and (known[unit].offered_until or LATEST) > now:
            again.setdefault(sku_id, []).append(known[unit].name)
    for sku_id, names in again.items():
        batch_id = await vault.make(tx, sku_id, len(names), actor="refund", note="Came back from a refund.", picks=names)
        if shelf := await shelving.that_takes(tx, sku_id):
            await shelving.fill(tx, sku_id, shelf, batch_id, actor="refund")


def _page(which: str) -> str:
    return f"""SELECT {_COLUMNS} FROM pick WHERE tenant_id = $1 AND sku_id = $2 AND (offered_until, pick) > ($3, $4)
                 AND offered_until < $5 {which} ORDER BY offered_until, pick LIMIT $6"""


def _behind(after: tuple[dt.datetime, str] | None, since: dt.datetime | None) -> tuple[dt.datetime, str]:
    """Where a list begins that shows what is offered until `since` or later; no pick is empty."""
    return max(after or (EARLIEST, ""), (since or EARLIEST, ""))


def _counting(where: str) -> str:
    # A count for each, from the index alone and no further than its bound: of a pick with a million units it reads a hundred.
    return f"""SELECT (SELECT count(*) FROM (SELECT FROM unit WHERE tenant_id = $1 AND sku_id = $2 AND unit.pick = asked.name
                                               AND state = 'available' {where} LIMIT {AVAILABLE_MAX}) AS counted)
               FROM unnest($3::text[]) WITH ORDINALITY AS asked (name, place) ORDER BY place"""


async def _counted(tx: TenantTx, sku_id: UUID, rows: Sequence[Sequence[object]], where: str, more: Sequence[object]) -> list[Listed]:
    picks = [_read(row) for row in rows]
    counts = await tx.conn.fetch(_counting(where), tx.tenant_id, sku_id, [pick.name for pick in picks], *more)
    return [Listed(pick, row[0]) for pick, row in zip(picks, counts, strict=True)]


# Sales that have not ended, of a SKU whose units are chosen, and which of them run.
_ON_SALE = """SELECT s.id, s.state = 'open' AND s.starts_at <= now() FROM sale s
              WHERE s.tenant_id = $1 AND s.sku_id = $2 AND s.state <> 'ended' AND (s.ends_at IS NULL OR s.ends_at > now())
                AND (SELECT picked FROM sku WHERE tenant_id = $1 AND id = $2)
                AND NOT EXISTS (SELECT 1 FROM visibility v WHERE v.tenant_id = $1 AND $3 <> ALL (v.channels)
                                AND v.subject_id IN (s.id, (SELECT product_id FROM sku WHERE tenant_id = $1 AND id = $2)))"""


async def _on_sale(tx: TenantTx, sku_id: UUID, channel: str) -> list[UUID]:
    """The sales that run. Raises `NotFound` when the channel shows none, not even one to come."""
    rows = await tx.conn.fetch(_ON_SALE, tx.tenant_id, sku_id, channel)
    if not rows:
        raise NotFound("There is no such SKU on offer.")
    return [sale_id for sale_id, running in rows if running]
