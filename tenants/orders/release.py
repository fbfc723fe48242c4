"""The end of a hold that was not paid. Units return in the transaction that ends the order, under the order's lock and then the sale's; and
its coupons, after those."""

from uuid import UUID

import asyncpg

from checkout_core import safeties
from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode
from tenants.coupons import uses
from tenants.db import TenantTx
from tenants.orders import allot, index

_LOCK = "FOR UPDATE" if safeties.on("order_lock") else ""


async def lock(tx: TenantTx, order_id: UUID) -> asyncpg.Record:
    """Lock an order's row. Whoever locks an order and a sale locks the order first. Raises `NotFound`."""
    sql = f"""SELECT id, shopper_id, state, amount_minor, currency, hold_until, ends_as, created_at, clock_timestamp() AS now
              FROM orders WHERE tenant_id = $1 AND id = $2 {_LOCK}"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
    if row is None:
        raise NotFound("There is no such order.")
    return row


async def cancel(
    tx: TenantTx, order_id: UUID, *, shopper_id: UUID | None = None, actor: str | None = None, reason: str | None = None
) -> str:
    """End an unpaid order; its new state. An `actor` who is not the shopper goes on record, with his `reason`, a word of the API's.

    With a payment under way the order only starts closing: the provider is asked first, and a payment that won the race counts.
    Raises `NotFound`, and `Conflict` (`not_cancellable`) for an order that is paid or over.
    """
    order = await lock(tx, order_id)
    if shopper_id is not None and order["shopper_id"] != shopper_id:
        raise NotFound("There is no such order.")
    if order["state"] in ("cancelled", "closing"):
        return str(order["state"])
    if order["state"] != "awaiting":
        raise Conflict(f"The order is {order['state']} and can no longer be cancelled.", code="not_cancellable")
    if actor is not None:
        await tx.audit(actor, "order.cancelled", encode("ord", order_id), **({"reason": reason} if reason else {}))
    sql = "SELECT 1 FROM payment_attempt WHERE tenant_id = $1 AND order_id = $2 AND state IN ('creating', 'open') LIMIT 1"
    if await tx.conn.fetchval(sql, tx.tenant_id, order_id):
        sql = "UPDATE orders SET state = 'closing', ends_as = 'cancelled', next_try_at = now() WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, tx.tenant_id, order_id)
        await index.note(tx, [order_id])
        return "closing"
    await release(tx, order, "cancelled")
    return "cancelled"


async def release(tx: TenantTx, order: asyncpg.Record, state: str) -> None:
    """Give the units of a locked, unpaid order back, and end it as `state`."""
    sql = "SELECT sale_id FROM order_line WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"
    sale_ids = [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, order["id"])]
    for sale_id in sale_ids:
        sale = await allot.lock_sale(tx, sale_id)
        assert sale is not None, "a line's foreign key names its sale"
        await allot.take_back(tx, sale, order["id"], order["shopper_id"])
    await uses.give_back(tx, order["id"])
    sql = "UPDATE orders SET state = $3, ended_at = now(), next_try_at = NULL WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, order["id"], state)
    await index.note(tx, [order["id"]])
    await tx.emit("order.ended", {"order_id": order["id"], "state": state, "sale_ids": sale_ids})
