"""Prices on a list, by SKU and least quantity. Each is a version: a new price begins where the old one ends, and none is ever changed."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import encode, new_id
from tenants.db import NEWEST, OLDEST, TenantTx
from tenants.prices import lists

AT_ONCE_MAX: Final = 1_000
ENTRIES_MAX: Final = 50_000  # current ones, of a list
TIERS_MAX: Final = 20  # least quantities of a SKU on a list


class Wanted(NamedTuple):
    """What one costs from `least_quantity` of them on; `unit_minor` None takes the price off the list."""

    sku_id: UUID
    least_quantity: int
    unit_minor: int | None


class Entry(msgspec.Struct, frozen=True):
    """A version of a price. `until` None is the current one."""

    id: UUID
    list_id: UUID
    sku_id: UUID
    least_quantity: int
    unit_minor: int
    since: dt.datetime
    until: dt.datetime | None


class Version(msgspec.Struct, frozen=True):
    """And the list it stands on, by its name."""

    entry: Entry
    list_name: str


class Put(msgspec.Struct, frozen=True):
    """How many prices are new, how many were taken off, and how many said what was so already."""

    set: int
    ended: int
    unchanged: int


class Problem(NamedTuple):
    """`place` counts from 0."""

    place: int
    why: str


class Planned(msgspec.Struct):
    """Versions that end, prices that are new, and how many of what was wanted are taken off, and so already."""

    over: list[UUID]
    new: list[Wanted]
    ended: int
    unchanged: int
    problems: list[Problem]


_COLUMNS = ", ".join(Entry.__struct_fields__)
# The order says by which index: on a young database the planner may take another that has the same condition, and reads it whole.
_OF_LIST: Final = "FROM price_entry WHERE tenant_id = $1 AND list_id = $2 AND until IS NULL ORDER BY sku_id, least_quantity"
Place = tuple[UUID, int]


async def put(tx: TenantTx, list_id: UUID, wanted: Sequence[Wanted], *, actor: str) -> Put:
    """All of them from now on, or none. What is not named stays.

    Raises `NotFound`, `Unprocessable` (`entries_refused`) with what is wrong at which place, and `Conflict` (`too_many_entries`).
    """
    assert len(wanted) <= AT_ONCE_MAX
    planned = await plan(tx, list_id, wanted)
    if planned.problems:
        detail = f"{len(planned.problems)} of {len(wanted)} prices cannot be set. Nothing was changed; correct them and send all again."
        raise Unprocessable(detail, code="entries_refused", problems=[each._asdict() for each in planned.problems])
    report = await write(tx, list_id, planned)
    if report.set or report.ended:
        await tx.audit(actor, "price_entries.set", encode("prl", list_id), **msgspec.structs.asdict(report))
    return report


async def plan(tx: TenantTx, list_id: UUID, wanted: Sequence[Wanted]) -> Planned:
    """What `write` would do; from here on nobody else changes the list until the commit. Raises `NotFound`."""
    await lists.get(tx, list_id, lock=True)
    there = await _there(tx, list_id, sorted({(each.sku_id, each.least_quantity) for each in wanted}))
    planned = Planned([], [], 0, 0, await _problems(tx, list_id, wanted, there))
    for each in wanted:
        known = there.get((each.sku_id, each.least_quantity))
        if (known.unit_minor if known else None) == each.unit_minor:
            planned.unchanged += 1
            continue
        if known:
            planned.over.append(known.id)
        if each.unit_minor is None:
            planned.ended += 1
        else:
            planned.new.append(each)
    return planned


async def write(tx: TenantTx, list_id: UUID, planned: Planned) -> Put:
    """Raises `Conflict` (`too_many_entries`)."""
    assert not planned.problems
    if planned.over or planned.new:
        # One moment for all of them: where the old price ends the new one begins.
        sql = """SELECT greatest(clock_timestamp(), max(since)) FROM unnest($2::uuid[]) AS x(id) CROSS JOIN LATERAL (
                     SELECT since FROM price_entry WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS p"""
        at = await tx.conn.fetchval(sql, tx.tenant_id, planned.over)
        sql = "UPDATE price_entry SET until = $3 WHERE tenant_id = $1 AND id = ANY($2)"
        await tx.conn.execute(sql, tx.tenant_id, planned.over, at)
        sql = """INSERT INTO price_entry (tenant_id, id, list_id, sku_id, least_quantity, unit_minor, since)
                 SELECT $1, x.id, $2, x.sku_id, x.least_quantity, x.unit_minor, $3
                 FROM unnest($4::uuid[], $5::uuid[], $6::integer[], $7::bigint[]) AS x(id, sku_id, least_quantity, unit_minor)"""
        columns = [[getattr(each, name) for each in planned.new] for name in Wanted._fields]
        await tx.conn.execute(sql, tx.tenant_id, list_id, at, [new_id() for _ in planned.new], *columns)
    # What was just written is among what is counted.
    sql = f"SELECT count(*) FROM (SELECT 1 {_OF_LIST} LIMIT $3) AS counted"
    if planned.new and await tx.conn.fetchval(sql, tx.tenant_id, list_id, ENTRIES_MAX + 1) > ENTRIES_MAX:
        raise Conflict(f"A list has at most {ENTRIES_MAX:,} prices. Nothing was changed; make another list.", code="too_many_entries")
    return Put(len(planned.new), planned.ended, planned.unchanged)


async def listed(tx: TenantTx, list_id: UUID, *, limit: int, after: Place | None = None) -> list[Entry]:
    """At most `limit` of the current ones, by SKU and least quantity, behind that place. Raises `NotFound`."""
    await lists.get(tx, list_id)
    sql = f"""SELECT {_COLUMNS} FROM price_entry
              WHERE tenant_id = $1 AND list_id = $2 AND until IS NULL AND (sku_id, least_quantity) > ($3::uuid, $4::integer)
              ORDER BY sku_id, least_quantity LIMIT $5"""
    return [Entry(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, list_id, *(after or (OLDEST, 0)), limit)]


async def history(tx: TenantTx, sku_id: UUID, *, limit: int, before: UUID | None = None) -> list[Version]:
    """At most `limit` versions of a SKU's prices on whatever lists, newest first, older than the version `before`. Raises `NotFound`."""
    if not await tx.conn.fetchval("SELECT 1 FROM sku WHERE tenant_id = $1 AND id = $2", tx.tenant_id, sku_id):
        raise NotFound("There is no such SKU.")
    sql = f"""SELECT {_COLUMNS}, (SELECT name FROM price_list WHERE tenant_id = $1 AND id = p.list_id) FROM price_entry AS p
              WHERE tenant_id = $1 AND sku_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4"""
    return [Version(Entry(*entry), name) for *entry, name in await tx.conn.fetch(sql, tx.tenant_id, sku_id, before or NEWEST, limit)]


async def _there(tx: TenantTx, list_id: UUID, places: Sequence[Place]) -> dict[Place, Entry]:
    sql = f"""SELECT {", ".join(f"p.{name}" for name in Entry.__struct_fields__)}
              FROM unnest($3::uuid[], $4::integer[]) AS x(sku_id, least_quantity) CROSS JOIN LATERAL (
                  SELECT {_COLUMNS} FROM price_entry WHERE tenant_id = $1 AND list_id = $2 AND sku_id = x.sku_id
                  AND least_quantity = x.least_quantity AND until IS NULL OFFSET 0) AS p"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, list_id, [sku for sku, _ in places], [least for _, least in places])
    return {(row["sku_id"], row["least_quantity"]): Entry(*row) for row in rows}


async def _problems(tx: TenantTx, list_id: UUID, wanted: Sequence[Wanted], there: dict[Place, Entry]) -> list[Problem]:
    """In the order of their places."""
    sql = """SELECT k.id FROM unnest($2::uuid[]) AS x(id) CROSS JOIN LATERAL (
                 SELECT id FROM sku WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS k"""
    skus = {row["id"] for row in await tx.conn.fetch(sql, tx.tenant_id, sorted({each.sku_id for each in wanted}))}
    sql = """SELECT sku_id, least_quantity FROM unnest($3::uuid[]) AS x(id) CROSS JOIN LATERAL (
                 SELECT sku_id, least_quantity FROM price_entry
                 WHERE tenant_id = $1 AND list_id = $2 AND sku_id = x.id AND until IS NULL OFFSET 0) AS p"""
    tiers = {(row["sku_id"], row["least_quantity"]) for row in await tx.conn.fetch(sql, tx.tenant_id, list_id, sorted(skus))}
    tiers -= {(each.sku_id, each.least_quantity) for each in wanted if each.unit_minor is None}
    tiers |= {(each.sku_id, each.least_quantity) for each in wanted if each.unit_minor is not None}
    many = Counter(sku_id for sku_id, _ in tiers)
    said: dict[Place, int] = {}
    found: list[Problem] = []
    for place, each in enumerate(wanted):
        key = (each.sku_id, each.least_quantity)
        if each.sku_id not in skus:
            found.append(Problem(place, "There is no such SKU."))
        elif said.setdefault(key, place) != place:
            found.append(Problem(place, "This SKU and quantity were named before."))
        elif many[each.sku_id] > TIERS_MAX and each.unit_minor is not None and key not in there:
            found.append(Problem(place, f"A SKU has at most {TIERS_MAX} least quantities on a list."))
    return found
