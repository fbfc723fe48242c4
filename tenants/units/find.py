"""Lists of units, and one unit with all that became of it. Codes are masked; who may read them asks elsewhere.

Newest batch first, and in a batch the unit that was loaded last. No index holds all units in this order, for each sale would write to it:
a list goes through its batches, whose units have neighbouring ids. Those aside have an index of their own. In the states that come and
go with sales a page looks through LOOK units at most, and may be short or empty though another follows.
"""

import datetime as dt
from typing import Any, Final
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants.db import NEWEST, TenantTx
from tenants.keys import Keyring, unit_place
from tenants.vault.codes import mask, unpack

LOOK: Final = 5_000  # units, some 5 ms
BATCHES: Final = 50  # that a page goes through
LAST: Final = (1 << 63) - 1
ASIDE: Final = ("locked", "void", "expired", "quarantined")
STATES: Final = ("available", "held", "sold", *ASIDE)

Key = tuple[UUID, int]
"""Where a page ended: batch and unit."""


class Unit(msgspec.Struct, frozen=True):
    id: int
    sku_id: UUID
    batch_id: UUID
    state: str
    sale_id: UUID | None
    order_id: UUID | None
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    masked: str | None = None


class Event(msgspec.Struct, frozen=True):
    """What happened to a unit. `from_state` and `to_state` where it moved, `order_id` where an order had it."""

    at: dt.datetime
    act: str
    actor: str | None = None
    from_state: str | None = None
    to_state: str | None = None
    reason: str = ""
    order_id: UUID | None = None


_COLUMNS: Final = ", ".join(Unit.__struct_fields__[:-1])
_IN_BATCH: Final = f"""SELECT {_COLUMNS} FROM unit
    WHERE tenant_id = $1 AND id >= $3 AND id <= $4 AND batch_id = $2 ORDER BY id DESC LIMIT $5"""
# With what was looked at last, and how much was.
_IN_STATE: Final = f"""WITH seen AS MATERIALIZED ({_IN_BATCH})
    SELECT ARRAY(SELECT ROW(s.*) FROM (SELECT * FROM seen WHERE state = $6 ORDER BY id DESC LIMIT $7) s), count(*), min(id) FROM seen"""


async def latest(
    tx: TenantTx,
    keyring: Keyring,
    sku_id: UUID,
    *,
    batch_id: UUID | None = None,
    state: str | None = None,
    limit: int,
    after: Key | None = None,
) -> tuple[list[Unit], Key | None]:
    """At most `limit` units of a SKU, or of one of its batches, behind `after`; and where the next page begins, None behind the last.

    Raises `NotFound` for a SKU or a batch of it that does not exist.
    """
    sql = """SELECT EXISTS (SELECT FROM sku WHERE tenant_id = $1 AND id = $2)
             AND ($3::uuid IS NULL OR EXISTS (SELECT FROM vault_batch WHERE tenant_id = $1 AND id = $3 AND sku_id = $2))"""
    if not await tx.conn.fetchval(sql, tx.tenant_id, sku_id, batch_id):
        raise NotFound("There is no such SKU, or no such batch of it.")
    if state in ASIDE:
        found, key = await _aside(tx, sku_id, batch_id, state, limit, after or (NEWEST, LAST))
    else:
        found, key = await _through_batches(tx, sku_id, batch_id, state, limit, after)
    masks = await _masked(tx, keyring, found)
    return [msgspec.structs.replace(unit, masked=masks.get(unit.id)) for unit in found], key


async def get(tx: TenantTx, keyring: Keyring, unit_id: int) -> Unit:
    """Raises `NotFound`."""
    row = await tx.conn.fetchrow(f"SELECT {_COLUMNS} FROM unit WHERE tenant_id = $1 AND id = $2", tx.tenant_id, unit_id)
    if row is None:
        raise NotFound("There is no such unit.")
    unit = Unit(*row)
    return msgspec.structs.replace(unit, masked=(await _masked(tx, keyring, [unit])).get(unit.id))


async def history(tx: TenantTx, unit: Unit) -> list[Event]:
    """All that became of a unit, in order: its import, what staff and the sweep did, who holds or got it."""
    sql = "SELECT created_at, 'load', operator FROM vault_batch WHERE tenant_id = $1 AND id = $2"
    events = [Event(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, unit.batch_id)]
    sql = """SELECT at, act, actor, from_state, to_state, reason FROM unit_event WHERE tenant_id = $1 AND unit_id = $2 ORDER BY id"""
    events += [Event(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, unit.id)]
    if unit.order_id is not None:
        sql = "SELECT created_at FROM orders WHERE tenant_id = $1 AND id = $2"
        events.append(Event(await tx.conn.fetchval(sql, tx.tenant_id, unit.order_id), "hold", to_state="held", order_id=unit.order_id))
    sql = "SELECT order_id, delivered_at, revealed_at FROM delivery WHERE tenant_id = $1 AND unit_id = $2"
    for order_id, delivered_at, revealed_at in await tx.conn.fetch(sql, tx.tenant_id, unit.id):
        events.append(Event(delivered_at, "deliver", to_state="sold", order_id=order_id))
        if revealed_at is not None:
            events.append(Event(revealed_at, "reveal", order_id=order_id))
    return sorted(events, key=lambda event: event.at)


async def _aside(tx: TenantTx, sku_id: UUID, batch_id: UUID | None, state: str, limit: int, after: Key) -> tuple[list[Unit], Key | None]:
    # The state stands in the text: an index of some states is used for what is known to be one of them.
    only = "AND batch_id = $6" if batch_id else ""
    sql = f"""SELECT {_COLUMNS} FROM unit WHERE tenant_id = $1 AND sku_id = $2 AND state = '{state}' AND (batch_id, id) < ($3, $4) {only}
              ORDER BY batch_id DESC, id DESC LIMIT $5"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, sku_id, *after, limit + 1, *([batch_id] if batch_id else []))
    found = [Unit(*row) for row in rows[:limit]]
    return found, (found[-1].batch_id, found[-1].id) if len(rows) > limit else None


async def _through_batches(
    tx: TenantTx, sku_id: UUID, batch_id: UUID | None, state: str | None, limit: int, after: Key | None
) -> tuple[list[Unit], Key | None]:
    sql = """SELECT id, unit_from, unit_to FROM vault_batch WHERE tenant_id = $1 AND sku_id = $2 AND id <= $3 AND id >= $4
             ORDER BY id DESC LIMIT $5"""
    newest, oldest = (batch_id, batch_id) if batch_id else (NEWEST, UUID(int=0))
    batches = await tx.conn.fetch(sql, tx.tenant_id, sku_id, after[0] if after else newest, oldest, BATCHES + 1)
    found: list[Unit] = []
    look = LOOK
    for its_id, first, last in batches[:BATCHES]:
        top = min(last or LAST, after[1] - 1) if after and its_id == after[0] else last or LAST
        among = (tx.tenant_id, its_id, first or 0, top)
        if state is None:
            found += [Unit(*row) for row in await tx.conn.fetch(_IN_BATCH, *among, limit + 1 - len(found))]
        else:
            rows, seen, lowest = await tx.conn.fetchrow(_IN_STATE, *among, look, state, limit + 1 - len(found))
            found += [Unit(*row) for row in rows]
            look -= seen
            if look <= 0 and len(found) <= limit:
                return found, (its_id, lowest)
        if len(found) > limit:
            return found[:limit], (found[limit - 1].batch_id, found[limit - 1].id)
    return found, (batches[BATCHES][0], LAST) if len(batches) > BATCHES else None


async def _masked(tx: TenantTx, keyring: Keyring, units: list[Unit]) -> dict[int, str]:
    sql = "SELECT unit_id, key_id, sealed FROM code WHERE tenant_id = $1 AND unit_id = ANY($2)"
    rows: list[Any] = await tx.conn.fetch(sql, tx.tenant_id, [unit.id for unit in units])
    if not rows:
        return {}
    keys, skus = await keyring.to_open(tx, *{row["key_id"] for row in rows}), {unit.id: unit.sku_id for unit in units}
    return {
        unit: mask(unpack(keys.open_(key_id, sealed, unit_place(tx.tenant_id, skus[unit], unit)), unit).code)
        for unit, key_id, sealed in rows
    }
