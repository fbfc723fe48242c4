"""Orders paid without a provider: the money's word is put where a verified notice would put it."""

import datetime as dt
from uuid import UUID, uuid4

from checkout_core.ids import decode, new_id
from tenants import fulfilments
from tenants.db import TenantTx, tenant_tx
from tenants.payments.confirm import Receipt, confirm
from tests.shop import Store


async def pay(store: Store, order: str) -> str:
    """Pay all of an order; what `confirm` says was done."""
    order_id = decode("ord", order)
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = "SELECT amount_minor, currency FROM orders WHERE tenant_id = $1 AND id = $2"
        amount, currency = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
        account_id, attempt_id = await _account(tx), new_id()
        sql = """INSERT INTO payment_attempt (tenant_id, id, order_id, account_id, out_trade_no, state, amount_minor, currency, notify_url,
                                              return_url, expires_at)
                 VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, '', '', now() + interval '1 hour')"""
        await tx.conn.execute(sql, tx.tenant_id, attempt_id, order_id, account_id, attempt_id.hex, amount, currency)
        receipt = Receipt(account_id, attempt_id.hex, uuid4().hex, amount, currency, dt.datetime.now(dt.UTC))
        return await confirm(tx, receipt)


async def _account(tx: TenantTx) -> UUID:
    sql = "SELECT id FROM provider_account WHERE tenant_id = $1 LIMIT 1"
    if account_id := await tx.conn.fetchval(sql, tx.tenant_id):
        return UUID(bytes=account_id.bytes)
    sql = """INSERT INTO provider_account (tenant_id, id, provider, mch_id, credentials, key_id) VALUES ($1, $2, 'sandbox', $3, '', 1)
             RETURNING id"""
    made: UUID = await tx.conn.fetchval(sql, tx.tenant_id, new_id(), uuid4().hex)
    return made


async def fulfil(store: Store, order: str, *, at: dt.timedelta = dt.timedelta()) -> list[str]:
    """What the sweep would do of an order's fulfilments that are due, or will be within `at`; their states afterwards."""
    order_id, pool = decode("ord", order), store.process.app_pool
    async with tenant_tx(pool, store.tenant_id) as tx:
        sql = """UPDATE fulfilment SET next_try_at = now() - interval '1 second'
                 WHERE tenant_id = $1 AND order_id = $2 AND next_try_at <= now() + $3 RETURNING id"""
        due = [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, order_id, at)]
    for fulfilment_id in due:
        await fulfilments.carry_out(pool, store.process.keyring, store.tenant_id, fulfilment_id)
    async with tenant_tx(pool, store.tenant_id) as tx:
        return [each.state for each in await fulfilments.of_order(tx, order_id)]
