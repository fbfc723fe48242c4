"""A delivered code that does not work: the shopper gets another one, once.

The faulty unit is quarantined, a fresh one of the SKU is sold and delivered to the same order, and the old delivery names it. The order
owns as many as it paid for, before and after; a refund quarantines the substitute like any unit of the order.
"""

from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode
from tenants.db import TenantTx
from tenants.orders import allot, release
from tenants.units import aside, issue


class Replaced(msgspec.Struct, frozen=True):
    unit: int
    replaced_by: int
    order_id: UUID


async def replace(tx: TenantTx, unit_id: int, *, actor: str, reason: str) -> Replaced:
    """Give the order that `unit_id` was delivered to another unit: a loose one, in the SKU's order, or else a free one of the order's sale.

    Raises `NotFound`, and `Conflict` (`not_delivered`, `already_replaced`, `not_enough_stock`).
    """
    [unit] = await aside.units(tx, [unit_id])
    given = "SELECT order_id, sale_id, replaced_by FROM delivery WHERE tenant_id = $1 AND unit_id = $2"
    row = await tx.conn.fetchrow(given, tx.tenant_id, unit_id)
    if row is None:
        raise Conflict(f"Unit {unit_id} was never delivered: there is nobody to replace it for.", code="not_delivered")
    order_id, sale_id, _ = row
    order = await release.lock(tx, order_id)
    sale = await allot.lock_sale(tx, sale_id)
    if sale is None:
        raise NotFound("There is no such sale.")
    await aside.lock(tx, [], [unit.sku_id])
    if replaced_by := (await tx.conn.fetchrow(given, tx.tenant_id, unit_id))["replaced_by"]:
        raise Conflict(f"Unit {unit_id} was replaced by unit {replaced_by} already.", code="already_replaced", replaced_by=replaced_by)
    sql = "SELECT 1 FROM refund_unit WHERE tenant_id = $1 AND unit_id = $2"
    if await tx.conn.fetchval(sql, tx.tenant_id, unit_id):
        raise Conflict(f"Unit {unit_id} was refunded: it is nobody's to replace. Nothing was changed.", code="already_refunded")
    if order["state"] != "delivered":
        raise Conflict(f"The order is {order['state']}: nothing of it is replaced.", code="not_delivered", state=order["state"])
    fresh = await issue.next_loose(tx, await issue.order_of(tx, unit.sku_id), unit.sku_id)
    if fresh is None:
        fresh = await issue.next_of_sale(tx, sale_id, sale.last_unit)
        if fresh is None:
            raise Conflict("No unit of this SKU is left to replace it with. Load more, or refund the order.", code="not_enough_stock")
        await aside.shrink(tx, {sale_id: 1})
    await _swap(tx, unit_id, fresh, order_id, sale_id)
    sql = """WITH stands AS (INSERT INTO delivery (tenant_id, unit_id, order_id, sale_id) VALUES ($1, $3, $4, $5)),
             told AS (INSERT INTO unit_event (tenant_id, unit_id, actor, act, from_state, to_state, reason)
                      VALUES ($1, $2, $6, 'replace', 'sold', 'quarantined', $7), ($1, $3, $6, 'stand_in', 'available', 'sold', $7))
             UPDATE delivery SET replaced_by = $3, replaced_at = now(), replace_actor = $6, replace_reason = $7
             WHERE tenant_id = $1 AND unit_id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, unit_id, fresh, order_id, sale_id, actor, reason)
    await tx.emit("order.code_replaced", {"order_id": order_id})
    await tx.audit(actor, "unit.replaced", encode("ord", order_id), unit=unit_id, replaced_by=fresh)
    return Replaced(unit_id, fresh, order_id)


async def _swap(tx: TenantTx, old: int, new: int, order_id: UUID, sale_id: UUID) -> None:
    """The faulty unit leaves the sale for good, the other takes its place, its slot and what was paid: the sale's figures stay as they
    are, and a refund gives back the same."""
    sql = "SELECT shopper_id, slot, paid_minor FROM unit WHERE tenant_id = $1 AND id = $2 AND order_id = $3 AND state = 'sold'"
    shopper_id, slot, paid_minor = await tx.conn.fetchrow(sql, tx.tenant_id, old, order_id)
    sql = """UPDATE unit SET state = 'quarantined', order_id = NULL, shopper_id = NULL, slot = NULL, sale_id = NULL, paid_minor = NULL
             WHERE tenant_id = $1 AND id = $2 AND state = 'sold'"""
    await tx.conn.execute(sql, tx.tenant_id, old)
    sql = """UPDATE unit SET state = 'sold', sale_id = $3, order_id = $4, shopper_id = $5, slot = $6, paid_minor = $7
             WHERE tenant_id = $1 AND id = $2 AND state = 'available'"""
    await tx.conn.execute(sql, tx.tenant_id, new, sale_id, order_id, shopper_id, slot, paid_minor)
