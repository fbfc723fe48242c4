"""Confirm: money that arrived meets its order, in one transaction. Notice and query both end here, in any order and any number."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg

from checkout_core import safeties
from checkout_core.decide import decide
from checkout_core.ids import new_id
from checkout_core.intents import Outcome
from tenants import delivery, exceptions, ledger
from tenants.coupons import uses
from tenants.db import TenantTx
from tenants.orders import allot, gates, release
from tenants.orders.cart import split
from tenants.orders.survey import Ask, survey

HELD = ("awaiting", "closing")
LAPSED = ("expired", "cancelled")


class Receipt(NamedTuple):
    """The provider's word that money arrived, verified. Amount in minor units."""

    account_id: UUID
    out_trade_no: str
    txn_id: str
    amount_minor: int
    currency: str
    paid_at: dt.datetime


async def confirm(tx: TenantTx, receipt: Receipt, *, by_notice: bool = False) -> str:
    """Record the receipt and do what follows from it; what was done:

    `applied` (delivered), `late` / `double` / `mismatch` (recorded, refund scheduled), `known` (told before), `unknown` (exception case),
    `doubted` (a notice of another amount than the order's: the provider is asked, and its books count, not the notice).
    """
    sql = "SELECT id, order_id FROM payment_attempt WHERE tenant_id = $1 AND account_id = $2 AND out_trade_no = $3"
    attempt = await tx.conn.fetchrow(sql, tx.tenant_id, receipt.account_id, receipt.out_trade_no)
    if attempt is None:
        about = {"out_trade_no": receipt.out_trade_no, "amount_minor": receipt.amount_minor, "currency": receipt.currency}
        await exceptions.report(tx, "payment_without_attempt", receipt.txn_id, **about)
        return "unknown"
    order = await release.lock(tx, attempt["order_id"])
    txn_id = receipt.txn_id if safeties.on("inbox") else uuid4().hex
    sql = "SELECT 1 FROM payment WHERE tenant_id = $1 AND account_id = $2 AND txn_id = $3"
    if await tx.conn.fetchval(sql, tx.tenant_id, receipt.account_id, txn_id):
        sql = "UPDATE payment_attempt SET next_try_at = NULL WHERE tenant_id = $1 AND id = $2 AND state = 'paid'"
        await tx.conn.execute(sql, tx.tenant_id, attempt["id"])
        return "known"
    exact = receipt.amount_minor == order["amount_minor"] and receipt.currency == order["currency"]
    if not exact and by_notice and safeties.on("amount_check"):
        sql = "UPDATE payment_attempt SET next_try_at = now() WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, tx.tenant_id, attempt["id"])
        return "doubted"
    disposition = await _disposition(tx, order, exact=exact or not safeties.on("amount_check"))
    payment_id = new_id()
    sql = """WITH paid AS (UPDATE payment_attempt SET state = 'paid', next_try_at = NULL WHERE tenant_id = $1 AND id = $4)
             INSERT INTO payment (tenant_id, id, account_id, attempt_id, order_id, txn_id, amount_minor, currency, disposition, paid_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
    await tx.conn.execute(
        sql, tx.tenant_id, payment_id, receipt.account_id, attempt["id"], order["id"], txn_id,
        receipt.amount_minor, receipt.currency, disposition, receipt.paid_at,
    )  # fmt: skip
    if disposition == "applied":
        await delivery.deliver(tx, order["id"], order["shopper_id"], receipt.paid_at)
        await uses.paid(tx, order["id"])
        await ledger.book(tx, "sale", payment_id, receipt.currency, receipt.amount_minor, debit=ledger.CLEARING, credit=ledger.REVENUE)
    else:
        await ledger.book(tx, "receipt", payment_id, receipt.currency, receipt.amount_minor, debit=ledger.CLEARING, credit=ledger.UNAPPLIED)
        await schedule_refund(tx, payment_id, order["id"], disposition, receipt.amount_minor, receipt.currency)
    return disposition


async def schedule_refund(tx: TenantTx, payment_id: UUID, order_id: UUID, reason: str, amount_minor: int, currency: str) -> UUID:
    """A refund row with its number, before anybody is asked for it; the duty asks until the provider has an answer."""
    refund_id = new_id()
    sql = """INSERT INTO refund (tenant_id, id, payment_id, order_id, out_refund_no, reason, amount_minor, currency)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
    await tx.conn.execute(sql, tx.tenant_id, refund_id, payment_id, order_id, refund_id.hex, reason, amount_minor, currency)
    return refund_id


async def _disposition(tx: TenantTx, order: asyncpg.Record, *, exact: bool) -> str:
    if not exact:
        return "mismatch"
    if order["state"] in HELD:
        return "applied"
    if order["state"] in LAPSED:
        return "applied" if await _allot_again(tx, order) else "late"
    return "double"


async def _allot_again(tx: TenantTx, order: asyncpg.Record) -> bool:
    """Units for an order whose hold is over, by the rules of the commit: under the sale's lock, within limit and stock, all or none."""
    sql = """SELECT sale_id, quantity, unit_price_minor, amount_minor, (SELECT picked FROM sku WHERE tenant_id = $1 AND id = l.sku_id)
             FROM order_line AS l WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"""
    given = allot.Given()
    shopper = order["shopper_id"]
    at_gates = []
    dear = []
    for sale_id, quantity, unit_minor, amount_minor, picked in await tx.conn.fetch(sql, tx.tenant_id, order["id"]):
        if picked:
            return False  # which ones he chose went with the hold, and another seat is not what he paid for
        sale = await allot.lock_sale(tx, sale_id)
        assert sale is not None, "a line's foreign key names its sale"
        [seen], _ = await survey(tx, [Ask(sale, quantity, [shopper])], [])
        [(outcome, slots)] = decide([(shopper, quantity)], seen.taken, sale.limit_per_shopper, len(seen.units))
        if outcome != Outcome.RESERVED:
            return False
        given.begin(sale)
        given.add(seen.units, seen.ranks[-1], order["id"], shopper, slots)
        if amount_minor is not None:
            dear += [(unit, paid) for unit, paid in zip(seen.units, split(amount_minor, quantity), strict=True) if paid != unit_minor]
        if sale.door == "gate":
            at_gates.append(sale.id)
    await allot.give(tx, given)
    await allot.price(tx, dear)
    for sale_id in at_gates:
        await gates.bump(tx, sale_id)  # units left without the gate's knowing
    return True
