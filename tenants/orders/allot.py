"""Units to orders and back, under the lock of the sale's row. Nobody else changes `unit.order_id` or `sale.committed`."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from checkout_core import safeties
from tenants.db import TenantTx
from tenants.orders import gates
from tenants.orders.sale import Sale

_LOCK = "FOR UPDATE" if safeties.on("row_lock") else ""
# By what was taken, never to a number read earlier: the CHECK (committed ≤ allotted) then judges the sum of all commits.
_COMMITTED = "committed + $4" if safeties.on("allotment") else "$5::bigint + $4"


class Given(NamedTuple):
    unit: int
    order_id: UUID
    shopper_id: UUID
    slot: int | None


async def lock_sale(tx: TenantTx, sale_id: UUID) -> Sale | None:
    """Lock the sale's row: fence, allotment and low-water mark in one."""
    sql = f"SELECT {', '.join(Sale._fields[:-1])}, clock_timestamp() AS now FROM sale WHERE tenant_id = $1 AND id = $2 {_LOCK}"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, sale_id)
    return Sale(*row) if row else None


async def pick(tx: TenantTx, sale: Sale, wanted: int) -> list[int]:
    """Lock up to `wanted` available units of the sale, in the order they were loaded."""
    sql = f"""SELECT id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'available' AND id > $3
              ORDER BY id LIMIT $4 {_LOCK}"""
    if sale.committed >= sale.allotted:
        return []
    return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, sale.id, sale.last_unit, wanted)]


async def slots_taken(tx: TenantTx, sale: Sale, shoppers: Iterable[UUID]) -> dict[UUID, int]:
    """Bit masks of the slots that `shoppers` hold in the sale."""
    masks: dict[UUID, int] = {}
    if sale.limit_per_shopper and safeties.on("unique_slot"):
        sql = "SELECT shopper_id, slot FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id = ANY($3) AND slot IS NOT NULL"
        for shopper, slot in await tx.conn.fetch(sql, tx.tenant_id, sale.id, list(shoppers)):
            masks[shopper] = masks.get(shopper, 0) | 1 << (slot - 1)
    return masks


async def give(tx: TenantTx, sale: Sale, given: Sequence[Given]) -> None:
    """Units → held by orders. `given` are units that `pick` locked, in its order."""
    sql = """UPDATE unit SET state = 'held', order_id = x.order_id, shopper_id = x.shopper_id, slot = x.slot
             FROM unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::integer[]) AS x(id, order_id, shopper_id, slot)
             WHERE unit.tenant_id = $1 AND unit.id = x.id"""
    await tx.conn.execute(sql, tx.tenant_id, *map(list, zip(*given, strict=True)))
    sql = f"UPDATE sale SET committed = {_COMMITTED}, last_unit = greatest(last_unit, $3) WHERE tenant_id = $1 AND id = $2"
    values = [tx.tenant_id, sale.id, given[-1].unit, len(given)]
    await tx.conn.execute(sql, *values, *([] if safeties.on("allotment") else [sale.committed]))


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
