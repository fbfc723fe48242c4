"""Refunds: a row with its number first, then the provider is asked with that number until it says yes or no."""

from uuid import UUID

from checkout_core.errors import Conflict
from checkout_core.ids import encode
from tenants import exceptions, ledger, types
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import allot, index, release
from tenants.payments import confirm
from tenants.payments.accounts import Providers
from tenants.payments.provider import ProviderRefused


async def request(tx: TenantTx, order_id: UUID, *, actor: str) -> None:
    """Refund a paid order, whole. Its units are quarantined at once: whoever saw them may have used them, so nobody gets them again.

    What was still to be done of it is not done any more. Raises `NotFound`, and `Conflict` (`not_refundable`) unless the order is paid.
    """
    order = await release.lock(tx, order_id)
    if order["state"] in ("refunding", "refunded"):
        return
    if order["state"] not in ("delivered", "paid"):
        raise Conflict(f"The order is {order['state']}: there is nothing to refund.", code="not_refundable", state=order["state"])
    await types.revoke(tx, order_id)
    sql = "SELECT sale_id FROM order_line WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"
    for (sale_id,) in await tx.conn.fetch(sql, tx.tenant_id, order_id):
        sale = await allot.lock_sale(tx, sale_id)
        assert sale is not None, "a line's foreign key names its sale"
        await allot.quarantine(tx, sale, order_id, order["shopper_id"])
    sql = "SELECT id, amount_minor, currency FROM payment WHERE tenant_id = $1 AND order_id = $2 AND disposition = 'applied'"
    payment_id, amount_minor, currency = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
    await confirm.schedule_refund(tx, payment_id, order_id, "requested", amount_minor, currency)
    await tx.conn.execute("UPDATE orders SET state = 'refunding' WHERE tenant_id = $1 AND id = $2", tx.tenant_id, order_id)
    await tx.emit("order.refund_requested", {"order_id": order_id})
    await index.note(tx, [order_id])
    await tx.audit(actor, "order.refund_requested", encode("ord", order_id), amount_minor=amount_minor, currency=currency)


async def pay_back(pool: Pool, providers: Providers, tenant_id: UUID, refund_id: UUID) -> None:
    """The duty of a refund: ask the provider, with the number that was committed, and book what it says.

    Raises `ProviderUnavailable` while the outcome is unknown; the same number is asked again.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        sql = """UPDATE refund SET next_try_at = now() + interval '10 seconds', tries = tries + 1
                 WHERE tenant_id = $1 AND id = $2 AND state = 'requested' AND next_try_at <= now()
                 RETURNING payment_id, out_refund_no, amount_minor, currency, reason"""
        row = await tx.conn.fetchrow(sql, tenant_id, refund_id)
        if row is None:
            return
        # Not joined: on a young database a join may read all of a tenant's attempts, and keeps its plan.
        sql = """SELECT account_id, amount_minor,
                        (SELECT out_trade_no FROM payment_attempt WHERE tenant_id = $1 AND id = payment.attempt_id)
                 FROM payment WHERE tenant_id = $1 AND id = $2"""
        account_id, paid_minor, out_trade_no = await tx.conn.fetchrow(sql, tenant_id, row["payment_id"])
    adapter = await providers.get(tenant_id, account_id)
    try:
        answer = await adapter.refund(
            out_trade_no=out_trade_no,
            out_refund_no=row["out_refund_no"],
            amount_minor=row["amount_minor"],
            total_minor=paid_minor,
            currency=row["currency"],
            reason=row["reason"],
        )
    except ProviderRefused as error:
        async with tenant_tx(pool, tenant_id) as tx:
            await _failed(tx, refund_id, error.provider_code)
        return
    if answer.state == "succeeded":
        async with tenant_tx(pool, tenant_id) as tx:
            await succeeded(tx, row["out_refund_no"])
    elif answer.state == "failed":
        async with tenant_tx(pool, tenant_id) as tx:
            await _failed(tx, refund_id, "failed")


async def succeeded(tx: TenantTx, out_refund_no: str) -> str:
    """The money is back with the shopper: book it, once."""
    sql = "SELECT id, order_id, reason, amount_minor, currency, state FROM refund WHERE tenant_id = $1 AND out_refund_no = $2 FOR UPDATE"
    refund = await tx.conn.fetchrow(sql, tx.tenant_id, out_refund_no)
    if refund is None or refund["state"] == "succeeded":
        return "known"
    sql = "UPDATE refund SET state = 'succeeded', finished_at = now(), next_try_at = NULL WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, refund["id"])
    source = ledger.REVENUE if refund["reason"] == "requested" else ledger.UNAPPLIED
    await ledger.book(tx, "refund", refund["id"], refund["currency"], refund["amount_minor"], debit=source, credit=ledger.CLEARING)
    if refund["reason"] == "requested":
        sql = "UPDATE orders SET state = 'refunded' WHERE tenant_id = $1 AND id = $2 AND state = 'refunding'"
        await tx.conn.execute(sql, tx.tenant_id, refund["order_id"])
        await index.note(tx, [refund["order_id"]])
    await tx.emit("refund.succeeded", {"refund_id": refund["id"], "order_id": refund["order_id"]})
    return "refunded"


async def doubted(tx: TenantTx, out_refund_no: str) -> str:
    """A notice says the refund failed: ask the provider again, now."""
    sql = "UPDATE refund SET next_try_at = now() WHERE tenant_id = $1 AND out_refund_no = $2 AND state = 'requested'"
    await tx.conn.execute(sql, tx.tenant_id, out_refund_no)
    return "doubted"


async def _failed(tx: TenantTx, refund_id: UUID, why: str) -> None:
    """The provider said a definite no: the row ends, and a person decides."""
    sql = """UPDATE refund SET state = 'failed', finished_at = now(), next_try_at = NULL
             WHERE tenant_id = $1 AND id = $2 AND state = 'requested'"""
    await tx.conn.execute(sql, tx.tenant_id, refund_id)
    await exceptions.report(tx, "refund_refused", encode("ref", refund_id), why=why)
