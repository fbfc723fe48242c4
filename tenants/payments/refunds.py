"""Refunds: a row with its number first, then the provider is asked with that number until it says yes or no.

An order is refunded whole or in parts, each a refund of its own at the provider. It is `refunding` once nothing of it is the shopper's any
more, and `refunded` when all the money is back. docs/decisions/0038-part-refunds.md.
"""

from collections.abc import Collection
from uuid import UUID

import asyncpg

from checkout_core.errors import Conflict
from checkout_core.ids import encode
from tenants import delivery, exceptions, ledger, types
from tenants.coupons import uses
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import allot, index, release
from tenants.payments import confirm, parts
from tenants.payments.accounts import Providers
from tenants.payments.provider import ProviderRefused
from tenants.points import earnings


async def request(
    tx: TenantTx, order_id: UUID, *, units: Collection[int] | None = None, sale_ids: Collection[UUID] | None = None, actor: str
) -> None:
    """Refund of a paid order these units, or all that is left of these lines, or all that is left: what was paid for it.

    What is refunded is quarantined at once: whoever saw it may have used it, so nobody gets it again. What was still to be done of it is
    not done any more. All that is left, asked for again, is refunded once.
    Raises `NotFound`; `Conflict` (`not_refundable`) unless the order is paid, and for parts as `parts.asked` does.
    """
    order = await release.lock(tx, order_id)
    if order["state"] in ("refunding", "refunded"):
        if units is None and sale_ids is None:
            return
        raise Conflict("All of the order was refunded before. Nothing more was refunded.", code="already_refunded", state=order["state"])
    if order["state"] not in ("delivered", "paid"):
        raise Conflict(f"The order is {order['state']}: there is nothing to refund.", code="not_refundable", state=order["state"])
    lines = await parts.left(tx, order)
    part = await parts.asked(tx, order_id, lines, units, sale_ids)
    await types.revoke(tx, order_id, {sale_id: list(paid) for sale_id, paid in part.items()})
    if all(line.paid.keys() == part.get(line.sale_id, {}).keys() for line in lines):
        amount_minor, currency = await _take_back(tx, order, part, None)
        await tx.conn.execute("UPDATE orders SET state = 'refunding' WHERE tenant_id = $1 AND id = $2", tx.tenant_id, order_id)
        await tx.emit("order.refund_requested", {"order_id": order_id})
        await index.note(tx, [order_id])
    else:
        amount_minor, currency = await _take_back(tx, order, part, sum(sum(paid.values()) for paid in part.values()))
        await delivery.complete(tx, order_id)
    await earnings.refunded(tx, order_id)
    told = {} if units is None and sale_ids is None else {"units": sorted(unit for paid in part.values() for unit in paid)}
    await tx.audit(actor, "order.refund_requested", encode("ord", order_id), amount_minor=amount_minor, currency=currency, **told)


async def _take_back(tx: TenantTx, order: asyncpg.Record, part: parts.Part, amount_minor: int | None) -> tuple[int, str]:
    """The units of `part` leave their sales, and its money is on its way: `amount_minor`, or all that is left. How much, and in what."""
    sql = """SELECT id, currency, amount_minor - (SELECT coalesce(sum(amount_minor), 0) FROM refund
                                                  WHERE tenant_id = $1 AND order_id = $2 AND reason = 'requested')::bigint
             FROM payment WHERE tenant_id = $1 AND order_id = $2 AND disposition = 'applied'"""
    payment_id, currency, left_minor = await tx.conn.fetchrow(sql, tx.tenant_id, order["id"])
    amount_minor = left_minor if amount_minor is None else amount_minor
    assert 0 < amount_minor <= left_minor, "refunds are at most what was paid"
    refund_id = await confirm.schedule_refund(tx, payment_id, order["id"], "requested", amount_minor, currency)
    for sale_id, paid in part.items():
        sale = await allot.lock_sale(tx, sale_id)
        assert sale is not None, "a line's foreign key names its sale"
        moved = await allot.quarantine(tx, sale, order["id"], order["shopper_id"], list(paid), reason=f"refund:{refund_id.hex}")
        assert moved == len(paid), "under the order's lock nobody else moves what it bought"
        sql = """INSERT INTO refund_unit (tenant_id, refund_id, order_id, sale_id, unit_id, amount_minor)
                 SELECT $1, $2, $3, $4, * FROM unnest($5::bigint[], $6::bigint[])"""
        await tx.conn.execute(sql, tx.tenant_id, refund_id, order["id"], sale_id, list(paid), list(paid.values()))
    return amount_minor, currency


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
    """The money is back with the shopper: book it, once. With the last of it the order is refunded."""
    sql = "SELECT order_id FROM refund WHERE tenant_id = $1 AND out_refund_no = $2"
    order_id = await tx.conn.fetchval(sql, tx.tenant_id, out_refund_no)
    if order_id is None:
        return "known"
    await release.lock(tx, order_id)  # two parts that succeed at once: the later one sees that all is back
    sql = "SELECT id, reason, amount_minor, currency, state FROM refund WHERE tenant_id = $1 AND out_refund_no = $2 FOR UPDATE"
    refund = await tx.conn.fetchrow(sql, tx.tenant_id, out_refund_no)
    if refund["state"] == "succeeded":
        return "known"
    sql = "UPDATE refund SET state = 'succeeded', finished_at = now(), next_try_at = NULL WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, refund["id"])
    requested = refund["reason"] == "requested"
    source = ledger.REVENUE if requested else ledger.UNAPPLIED
    await ledger.book(tx, "refund", refund["id"], refund["currency"], refund["amount_minor"], debit=source, credit=ledger.CLEARING)
    whole = requested and await _all_is_back(tx, order_id)
    await tx.emit("refund.succeeded", {"refund_id": refund["id"], "order_id": order_id, "part": requested and not whole})
    return "refunded"


async def _all_is_back(tx: TenantTx, order_id: UUID) -> bool:
    """Whether that was the last of an order's refunds, and nothing of it is left; then it is refunded."""
    sql = """UPDATE orders SET state = 'refunded' WHERE tenant_id = $1 AND id = $2 AND state = 'refunding' AND NOT EXISTS (
                 SELECT FROM (
                     SELECT state FROM refund WHERE tenant_id = $1 AND order_id = $2 AND reason = 'requested' OFFSET 0) AS asked
                 WHERE state <> 'succeeded')"""
    if await tx.conn.execute(sql, tx.tenant_id, order_id) != "UPDATE 1":
        return False
    await uses.refunded(tx, order_id)
    await index.note(tx, [order_id])
    return True


async def doubted(tx: TenantTx, out_refund_no: str) -> str:
    """A notice says the refund failed: ask the provider again, now."""
    sql = "UPDATE refund SET next_try_at = now() WHERE tenant_id = $1 AND out_refund_no = $2 AND state = 'requested'"
    await tx.conn.execute(sql, tx.tenant_id, out_refund_no)
    return "doubted"


async def _failed(tx: TenantTx, refund_id: UUID, why: str) -> None:
    """The provider said a definite no: the row ends, and a person decides."""
    sql = """UPDATE refund SET state = 'failed', finished_at = now(), next_try_at = NULL
             WHERE tenant_id = $1 AND id = $2 AND state = 'requested' RETURNING order_id, reason, amount_minor, currency"""
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, refund_id):
        about = {"order": encode("ord", row["order_id"]), "reason": row["reason"], "amount_minor": row["amount_minor"]}
        await exceptions.report(tx, "refund_refused", encode("ref", refund_id), why=why, currency=row["currency"], **about)
