"""The end of a hold: awaiting → closing → closed at the provider → units back. A payment that won the race is confirmed instead."""

from uuid import UUID

from checkout_core import safeties
from tenants.db import Pool, tenant_tx
from tenants.orders import index, release
from tenants.payments import attempts
from tenants.payments.accounts import Providers


async def expire(pool: Pool, providers: Providers, tenant_id: UUID, order_id: UUID) -> None:
    """The duty of an order whose hold is over, or whose shopper cancelled. Only Postgres' clock decides that it is due.

    Raises `ProviderUnavailable` while the provider cannot be asked; the order stays `closing` and is tried again.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        order = await release.lock(tx, order_id)
        if order["state"] == "awaiting" and order["now"] < order["hold_until"]:
            return
        if order["state"] not in ("awaiting", "closing"):
            return
        if not safeties.on("closing"):
            await release.release(tx, order, order["ends_as"])
            return
        sql = """UPDATE orders SET state = 'closing', next_try_at = now() + interval '10 seconds'
                 WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tenant_id, order_id)
        await index.note(tx, [order_id])
        open_ones = await attempts.open_ones(tx, order_id)
    for attempt in open_ones:
        adapter = await providers.get(tenant_id, attempt.account_id)
        # "closed" is the provider's promise that no money comes any more; "paid" says that it has come: then ask how much.
        await adapter.close(attempt.out_trade_no)
        answer = await adapter.query(attempt.out_trade_no)
        async with tenant_tx(pool, tenant_id) as tx:
            await attempts.settle(tx, attempt, answer)
    async with tenant_tx(pool, tenant_id) as tx:
        order = await release.lock(tx, order_id)
        if order["state"] == "closing" and not await attempts.open_ones(tx, order_id):
            await release.release(tx, order, order["ends_as"])
