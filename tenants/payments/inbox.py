"""The inbox: a provider's notice is verified over its raw bytes, remembered, answered. What follows from it happens later, elsewhere."""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core.ids import new_id
from tenants.db import Pool, tenant_tx
from tenants.payments import refunds
from tenants.payments.accounts import Providers
from tenants.payments.confirm import Receipt, confirm
from tenants.payments.provider import ForgedNotice, Notice, RawHeaders

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Notice).decode


async def receive(pool: Pool, providers: Providers, tenant_id: UUID, account_id: UUID, headers: RawHeaders, raw: bytes) -> UUID | None:
    """Verify and remember a notice; the id of its inbox row, or None if it is there already.

    Raises `NotFound` for an unknown account, `ForgedNotice` for anything the provider has not signed as it stands.
    """
    adapter = await providers.get(tenant_id, account_id)
    notice = adapter.verify_notice(headers, raw, dt.datetime.now(dt.UTC))
    if notice.mch_id != adapter.mch_id:
        raise ForgedNotice("another merchant's notice")
    async with tenant_tx(pool, tenant_id) as tx:
        # The bell is rung for it now. Due for the sweep at once, every other notice of a rush was taken up twice.
        sql = """INSERT INTO payment_inbox (tenant_id, id, account_id, event_id, notice, raw, next_try_at)
                 VALUES ($1, $2, $3, $4, $5, $6, now() + interval '1 second')
                 ON CONFLICT (tenant_id, account_id, event_id) DO NOTHING RETURNING id"""
        inbox_id: UUID | None = await tx.conn.fetchval(sql, tenant_id, new_id(), account_id, notice.event_id, _encode(notice).decode(), raw)
    return inbox_id


async def digest(pool: Pool, tenant_id: UUID, inbox_id: UUID) -> None:
    """The duty of an inbox row: act on the notice and mark it done, in one transaction."""
    async with tenant_tx(pool, tenant_id) as tx:
        sql = """SELECT account_id, notice FROM payment_inbox
                 WHERE tenant_id = $1 AND id = $2 AND state = 'new' FOR UPDATE SKIP LOCKED"""
        row = await tx.conn.fetchrow(sql, tenant_id, inbox_id)
        if row is None:
            return
        notice = _decode(row["notice"])
        match notice.kind:
            case "payment.paid":
                assert notice.txn_id is not None
                assert notice.occurred_at is not None
                receipt = Receipt(
                    row["account_id"], notice.out_trade_no, notice.txn_id, notice.amount_minor, notice.currency, notice.occurred_at
                )
                outcome = await confirm(tx, receipt, by_notice=True)
            case "refund.succeeded":
                assert notice.out_refund_no is not None
                outcome = await refunds.succeeded(tx, notice.out_refund_no)
            case "refund.failed":
                assert notice.out_refund_no is not None
                outcome = await refunds.doubted(tx, notice.out_refund_no)
            case _:
                # A closed payment is learnt by asking, at the provider's deadline or ours: a notice of it changes nothing.
                outcome = "noted"
        sql = "UPDATE payment_inbox SET state = 'done', outcome = $3, next_try_at = NULL WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, tenant_id, inbox_id, outcome)
