"""What a payment asks of Postgres: few round trips, and never all rows of a table."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from checkout_core.ids import decode
from tenants.db import Pool, tenant_tx
from tenants.orders import release
from tenants.payments import attempts, expire, inbox, refunds
from tests.api.till import app, process, till
from tests.plans import scans
from tests.provider import Merchant, Sandbox, Sink, sandbox, sandbox_process, sink
from tests.shop import Store

__all__ = ["app", "process", "sandbox", "sandbox_process", "sink", "till"]


class Till:
    """Payments of one store over one connection, whose statements are kept."""

    def __init__(self, store: Store, sandbox: Sandbox, sink: Sink, conn: Any) -> None:
        self.store, self.sandbox, self.sink, self.conn = store, sandbox, sink, conn
        self.providers, self.tenant_id = store.process.providers, store.tenant_id
        self.asked: list[str] = []

    def hear(self, record: asyncpg.connection.LoggedQuery) -> None:
        if "typeinfo_tree" not in record.query:  # asyncpg asks once a connection what a type of ours is
            self.asked.append(record.query)

    async def told(self) -> int:
        """Round trips since the last time."""
        await asyncio.sleep(0)  # the logger is told in the loop's next turn
        count, self.told_before = len(self.asked) - self.told_before, len(self.asked)
        return count

    told_before = 0

    async def order(self) -> UUID:
        return decode("ord", await self.store.order(await self.store.guest(), await self.store.sale()))

    async def start(self, order_id: UUID) -> attempts.Attempt:
        return await attempts.start(self.conn, self.providers, self.tenant_id, order_id, notify_base=self.sink.url, return_url="")

    async def receive(self, attempt: attempts.Attempt) -> UUID:
        """Pay, and take the notice."""
        seen = len(self.sink.received)
        assert attempt.pay_url is not None
        await asyncio.to_thread(self.sandbox.pay, attempt.pay_url)
        notice = (await self.sink.wait(seen + 1))[-1]
        inbox_id = await inbox.receive(self.conn, self.providers, self.tenant_id, attempt.account_id, notice.headers, notice.body)
        assert inbox_id is not None
        return inbox_id

    async def due(self, table: str) -> list[UUID]:
        """Rows of the store that are due from now on."""
        async with tenant_tx(self.store.process.app_pool, self.tenant_id) as tx:
            sql = f"""UPDATE {table} SET next_try_at = now() - interval '1 second'
                      WHERE tenant_id = $1 AND next_try_at IS NOT NULL RETURNING id"""
            return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id)]


@pytest.fixture
async def payments(acme: Store, till: Merchant, sandbox: Sandbox, sink: Sink) -> AsyncIterator[Till]:
    async with acme.process.app_pool.acquire() as conn:
        payments = Till(acme, sandbox, sink, conn)
        await payments.start(await payments.order())  # the account's keys are read once
        with conn.query_logger(payments.hear):
            yield payments


async def test_round_trips(payments: Till) -> None:
    """Each costs our process and Postgres some 100 µs together: one more is to be noticed."""
    order_id = await payments.order()
    attempt = await payments.start(order_id)
    assert await payments.told() == 8, "begin, lock, look, insert, commit; the provider; begin, update, commit"
    assert await payments.start(order_id) == attempt
    assert await payments.told() == 4, "begin, lock, look, commit"
    inbox_id = await payments.receive(attempt)
    assert await payments.told() == 3, "begin, insert, commit"
    await inbox.digest(payments.conn, payments.tenant_id, inbox_id)
    assert await payments.told() == 12, "one of them asks for coupons"


async def test_no_statement_reads_a_whole_table(payments: Till, young: Pool) -> None:
    """In a payment's whole life. The database is young, and the plans it makes now would be kept while it grows."""
    conn, tenant_id, providers = payments.conn, payments.tenant_id, payments.providers
    paid, left, cancelled, odd = [await payments.order() for _ in range(4)]
    started = [await payments.start(order_id) for order_id in (paid, left, cancelled, odd)]
    for attempt_id in await payments.due("payment_attempt"):
        await attempts.inquire(conn, providers, tenant_id, attempt_id)
    await inbox.digest(conn, tenant_id, await payments.receive(started[0]))
    await asyncio.to_thread(payments.sandbox.pay, started[3].pay_url or "", amount=1)
    for attempt_id in await payments.due("payment_attempt"):
        await attempts.inquire(conn, providers, tenant_id, attempt_id)
    async with tenant_tx(payments.store.process.app_pool, tenant_id) as tx:
        await tx.conn.execute("UPDATE orders SET hold_until = now() WHERE tenant_id = $1 AND id = $2", tenant_id, left)
    await expire.expire(conn, providers, tenant_id, left)
    async with tenant_tx(conn, tenant_id) as tx:
        assert await release.cancel(tx, cancelled) == "closing"
        await refunds.request(tx, paid, actor="test")
    for refund_id in await payments.due("refund"):
        await refunds.pay_back(conn, providers, tenant_id, refund_id)
    await payments.told()
    statements = {sql for sql in payments.asked if not sql.startswith(("BEGIN", "COMMIT"))}
    assert len(statements) >= 30
    found = {sql: scanned for sql in statements if (scanned := await scans(young, tenant_id, sql))}
    assert {index for scanned in found.values() for index in scanned} <= {"provider_account_pkey"}, found  # a store has a few accounts


async def test_a_scan_would_be_seen(payments: Till, young: Pool) -> None:
    """Whatever the planner knows of the table: no index leads to an order by its contact."""
    sql = "SELECT id FROM orders WHERE tenant_id = $1 AND contact = $2 FOR UPDATE"
    [index] = await scans(young, payments.tenant_id, sql)
    assert index.startswith("orders_"), "which of the table's indexes is read whole, is the planner's choice of the moment"
