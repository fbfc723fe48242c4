"""Units to orders and back, under the lock of the sale's row. Nobody else changes `unit.order_id` or `sale.committed`."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from checkout_core import safeties
from tenants.db import TenantTx
from tenants.orders import gates
from tenants.orders.sale import Sale

_LOCK = "FOR UPDATE" if safeties.on("row_lock") else ""
_LOCK_SALE = f"SELECT {', '.join(Sale._fields[:-1])}, clock_timestamp() AS now FROM sale WHERE tenant_id = $1 AND id = $2 {_LOCK}"
# Available units of the sale, locked, in the order they were loaded: $1 tenant, $2 sale, $3 low-water mark, $4 how many.
NEXT_UNITS = f"""SELECT id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'available' AND id > $3
                 ORDER BY id LIMIT $4 {_LOCK}"""
# The slots that shoppers hold in the sale: $1 tenant, $2 sale, $5 shoppers.
SLOTS = "SELECT shopper_id, slot FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id = ANY($5) AND slot IS NOT NULL"
# Units to orders, and the sale's counters moved: $1 tenant, $2 sale, $3 units, $4 orders, $5 shoppers, $6 slots.
# By what was taken, never to a number read earlier: the CHECK (committed ≤ allotted) then judges the sum of all commits.
_GIVE = """WITH given AS (
               UPDATE unit SET state = 'held', order_id = x.order_id, shopper_id = x.shopper_id, slot = x.slot
               FROM unnest($3::bigint[], $4::uuid[], $5::uuid[], $6::integer[]) AS x(id, order_id, shopper_id, slot)
               WHERE unit.tenant_id = $1 AND unit.id = x.id),
           counted AS (
               UPDATE sale SET committed = committed + cardinality($3), last_unit = greatest(last_unit, $3[cardinality($3)])
               WHERE tenant_id = $1 AND id = $2 AND cardinality($3) > 0)"""


class Given(NamedTuple):
    """Units that orders get, in the order in which they were locked; as columns."""

    units: list[int]
    order_ids: list[UUID]
    shopper_ids: list[UUID]
    slots: list[int | None]


async def lock_sale(tx: TenantTx, sale_id: UUID) -> Sale | None:
    """Lock the sale's row: fence, allotment and low-water mark in one."""
    row = await tx.conn.fetchrow(_LOCK_SALE, tx.tenant_id, sale_id)
    return Sale(*row) if row else None


def masks(slots: Iterable[tuple[UUID, int]]) -> dict[UUID, int]:
    """Bit masks of the slots that each shopper holds."""
    found: dict[UUID, int] = {}
    for shopper, slot in slots if safeties.on("unique_slot") else ():
        found[shopper] = found.get(shopper, 0) | 1 << (slot - 1)
    return found


def giving(sale: Sale) -> str:
    """The head of a statement that gives units to orders."""
    return _GIVE if safeties.on("allotment") else _GIVE.replace("committed + ", f"{sale.committed} + ")


async def give(tx: TenantTx, sale: Sale, given: Given) -> None:
    """Units → held by orders."""
    await tx.conn.execute(f"{giving(sale)} SELECT", tx.tenant_id, sale.id, *given)


async def take_back(tx: TenantTx, sale: Sale, order_id: UUID, shopper_id: UUID) -> int:
    """The held units of an order return to its sale, or to the shelf if the sale has ended; how many they were."""
    ended = sale.state == "ended"
    sql = f"""UPDATE unit SET state = 'available', order_id = NULL, shopper_id = NULL, slot = NULL{", sale_id = NULL" if ended else ""}
              WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id = $3 AND order_id = $4 AND state = 'held' RETURNING id"""
    ids = [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, sale.id, shopper_id, order_id)]
    if ids:
        gone = len(ids) if ended else 0
        sql = """UPDATE sale SET committed = committed - $3, allotted = allotted - $4, last_unit = least(last_unit, $5)
                 WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tx.tenant_id, sale.id, len(ids), gone, min(ids) - 1)
        await gates.give_back(tx, sale, [gates.Return(f"order:{order_id.hex}", shopper_id, 0 if ended else len(ids), len(ids))])
    return len(ids)


async def quarantine(tx: TenantTx, sale: Sale, order_id: UUID, shopper_id: UUID) -> int:
    """The sold units of an order leave the sale for good: they were delivered once and are never offered again."""
    sql = """UPDATE unit SET state = 'quarantined', order_id = NULL, shopper_id = NULL, slot = NULL, sale_id = NULL
             WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id = $3 AND order_id = $4 AND state = 'sold' RETURNING id"""
    count = len(await tx.conn.fetch(sql, tx.tenant_id, sale.id, shopper_id, order_id))
    sql = "UPDATE sale SET committed = committed - $3, allotted = allotted - $3 WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, sale.id, count)
    await gates.give_back(tx, sale, [gates.Return(f"order:{order_id.hex}", shopper_id, 0, count)])
    return count
