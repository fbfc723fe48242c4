"""Price lists: for whom, in which channel and when their entries are prices. One that is removed stays for the orders it has priced."""

import datetime as dt
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound, PreconditionFailed, Unprocessable
from checkout_core.ids import encode, new_id
from tenants import channels
from tenants.db import TenantTx
from tenants.prices import groups

LISTS_MAX: Final = 200  # of a store
ON, OFF, REMOVED = "on", "off", "removed"


class PriceList(msgspec.Struct, frozen=True):
    """`group_id` None is for everyone, `channel` None for all of them. It holds from `starts_at` until before `ends_at`."""

    id: UUID
    name: str
    group_id: UUID | None
    channel: str | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    state: str
    version: int
    created_at: dt.datetime


_COLUMNS = ", ".join(PriceList.__struct_fields__)
CHANGEABLE: Final = frozenset({"name", "group_id", "channel", "starts_at", "ends_at", "state"})


async def all_of(tx: TenantTx) -> list[PriceList]:
    """By name; there are at most `LISTS_MAX`."""
    sql = f"SELECT {_COLUMNS} FROM price_list WHERE tenant_id = $1 AND state <> 'removed' ORDER BY lower(name)"
    return [PriceList(*row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def get(tx: TenantTx, list_id: UUID, *, lock: bool = False) -> PriceList:
    """With `lock`, nobody else changes it or its entries until the commit. Raises `NotFound`, also for one that was removed."""
    sql = f"SELECT {_COLUMNS} FROM price_list WHERE tenant_id = $1 AND id = $2 AND state <> 'removed' {'FOR NO KEY UPDATE' if lock else ''}"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, list_id):
        return PriceList(*row)
    raise NotFound("There is no such price list. GET /v1/price-lists lists those there are.")


async def create(
    tx: TenantTx,
    *,
    name: str,
    actor: str,
    group_id: UUID | None = None,
    channel: str | None = None,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    state: str = OFF,
) -> PriceList:
    """Raises `NotFound` for an unknown group, `Unprocessable` (`unknown_channel`, `bad_window`), `Conflict` (`price_list_taken` for a name
    that another has in whatever capitals, `too_many_price_lists`).
    """
    await tx.in_line()
    sql = "SELECT count(*) FROM price_list WHERE tenant_id = $1 AND state <> 'removed'"
    if await tx.conn.fetchval(sql, tx.tenant_id) >= LISTS_MAX:
        raise Conflict(f"A store has at most {LISTS_MAX} price lists. Remove one that is over.", code="too_many_price_lists")
    await _check(tx, group_id, channel, starts_at, ends_at)
    sql = f"""INSERT INTO price_list (tenant_id, id, name, group_id, channel, starts_at, ends_at, state)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}"""
    try:
        row = await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), name, group_id, channel, starts_at, ends_at, state)
    except asyncpg.UniqueViolationError:
        raise _taken(name) from None
    made = PriceList(*row)
    await tx.audit(actor, "price_list.created", encode("prl", made.id), name=name, state=state)
    return made


async def change(tx: TenantTx, list_id: UUID, changes: dict[str, Any], *, version: int | None, actor: str) -> PriceList:
    """Set what `changes` names of `CHANGEABLE`. `version` is the one that was read, None for whichever is current.

    Raises `PreconditionFailed`, and as `create`.
    """
    assert changes.keys() <= CHANGEABLE, changes.keys()
    before = await get(tx, list_id, lock=True)
    if version not in (None, before.version):
        raise PreconditionFailed("The price list was changed since you read it. Nothing was overwritten; read it again.")
    after = msgspec.structs.replace(before, **changes)
    changed = sorted(name for name in changes if getattr(after, name) != getattr(before, name))
    if not changed:
        return before
    group_id = after.group_id if "group_id" in changed else None
    await _check(tx, group_id, after.channel if "channel" in changed else None, after.starts_at, after.ends_at)
    sql = f"""UPDATE price_list SET {", ".join(f"{name} = ${n}" for n, name in enumerate(changed, 3))}, version = version + 1
              WHERE tenant_id = $1 AND id = $2 RETURNING {_COLUMNS}"""
    try:
        row = await tx.conn.fetchrow(sql, tx.tenant_id, list_id, *(getattr(after, name) for name in changed))
    except asyncpg.UniqueViolationError:
        raise _taken(after.name) from None
    await tx.audit(actor, "price_list.changed", encode("prl", list_id), fields=changed)
    return PriceList(*row)


async def remove(tx: TenantTx, list_id: UUID, *, actor: str) -> None:
    """Its prices end. Orders that were priced by it go on naming it. Raises `NotFound`."""
    await get(tx, list_id, lock=True)
    sql = """UPDATE price_entry SET until = greatest(clock_timestamp(), since)
             WHERE tenant_id = $1 AND id = ANY(ARRAY(
                 SELECT id FROM price_entry WHERE tenant_id = $1 AND list_id = $2 AND until IS NULL ORDER BY sku_id, least_quantity))"""
    await tx.conn.execute(sql, tx.tenant_id, list_id)
    # Its group may go too: whoever removes that asks which lists are for it.
    sql = "UPDATE price_list SET state = 'removed', group_id = NULL, version = version + 1 WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, list_id)
    await tx.audit(actor, "price_list.removed", encode("prl", list_id))


async def _check(
    tx: TenantTx, group_id: UUID | None, channel: str | None, starts_at: dt.datetime | None, ends_at: dt.datetime | None
) -> None:
    if group_id is not None:
        await groups.hold(tx, group_id)
    if channel is not None:
        channels.check(frozenset(each.code for each in await channels.all_of(tx)), channel)
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise Unprocessable("The list would end before it starts. Nothing was changed.", code="bad_window")


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a price list {name!r} already. Nothing was changed.", code="price_list_taken")
