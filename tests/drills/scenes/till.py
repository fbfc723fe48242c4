"""A store that takes money: a real provider in a process of its own, whose notices are caught on their way to us.

So a scenario decides when, how often and in which order they arrive; the bytes and the signatures stay the provider's.
"""

import asyncio
import datetime as dt
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
from redis.asyncio import Redis

from checkout_core.admission import Gatekeeper
from checkout_core.errors import Unavailable
from checkout_core.intents import Outcome, SaleKey
from checkout_core.partitions import Partitions
from tenants import duties, orders
from tenants.db import create_pool, dsn_for, tenant_tx
from tenants.invariants.look import Options
from tenants.payments import accounts, attempts, inbox, refunds
from tenants.payments.accounts import Providers
from tenants.payments.attempts import Attempt
from tenants.payments.sandbox import SandboxCredentials
from tenants.webhooks.sender import Sender
from tests.drills.scenes.market import ACTOR, TRIES, Market, Store
from tests.provider import Merchant, Received, Sandbox, Sink
from workers.duties import Services, attend
from workers.mails import Mailer
from workers.relay import Relay
from workers.sweep import Sweep
from workers.webhooks import Postman

KINDS = {"TRANSACTION.SUCCESS": "paid", "TRANSACTION.CLOSED": "closed", "REFUND.SUCCESS": "refunded", "REFUND.ABNORMAL": "refund failed"}
DUTIES = {
    "payment_inbox": "notice ->> 'out_trade_no' IN (SELECT out_trade_no FROM payment_attempt WHERE order_id = ANY ($2))",
    "payment_attempt": "order_id = ANY ($2)",
    "orders": "id = ANY ($2) AND (state <> 'awaiting' OR hold_until <= now())",
    "refund": "order_id = ANY ($2)",
}
MAY_STAY = {"payment_attempt": "AND (state <> 'open' OR expires_at < now())"}
PATIENCE_S = 20
TELLINGS_MAX = 15


class Till:
    def __init__(self, market: Market, sandbox: Sandbox, merchant: Merchant, services: Services) -> None:
        self.market = market
        self.sandbox = sandbox
        self.merchant = merchant
        self.services = services
        self.sink = Sink(self._catch)
        self._caught: dict[tuple[str, str], list[Received]] = defaultdict(list)
        self._accounts: dict[UUID, UUID] = {}

    @classmethod
    async def open(cls, market: Market) -> "Till":
        """A provider, and the way to it; both live as long as the market."""
        stack = market.stack
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-"))
        sandbox = Sandbox(Path(folder))
        stack.callback(sandbox.stop)
        market.asked = Options(at_rest=True, provider_url=sandbox.url, provider_token=sandbox.admin_token)
        settings = msgspec.structs.replace(market.settings, provider_url=sandbox.url)
        providers = Providers(settings, market.pool, market.keyring)
        stack.push_async_callback(providers.aclose)
        redis = Redis.from_url(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        partitions = await stack.enter_async_context(Partitions(settings.redis_url))
        mailer, postman = Mailer(market.settings, market.pool), Postman(market.pool, market.keyring, Sender(connections_max=1))
        stack.push_async_callback(postman.aclose)
        services = Services(market.pool, providers, Relay(market.pool, redis), Gatekeeper(partitions), market.keyring, mailer, postman)
        till = cls(market, sandbox, sandbox.register(), services)
        sweep = Sweep(services, await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_sweeper"), size=2)))
        market.before_checks.append(lambda: asyncio.gather(*(sweep.once(table) for table in duties.TABLES)))
        server = await asyncio.start_server(till.sink.serve, "127.0.0.1", 0)
        stack.callback(server.close)
        till.sink.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/notices"
        return till

    @property
    def notify_base(self) -> str:
        return self.sink.url.removesuffix("/notices")

    async def open_account(self, store: Store, merchant: Merchant | None = None) -> UUID:
        """Connect the store to the provider, as this till's merchant or another."""
        credentials = msgspec.convert((merchant or self.merchant).credentials, SandboxCredentials)
        async with tenant_tx(self.market.pool, store.tenant_id) as tx:
            account = await accounts.create(tx, self.market.keyring, credentials, actor=ACTOR)
        self._accounts[store.tenant_id] = account.id
        return account.id

    # Notices

    def _catch(self, notice: Received) -> int:
        about = self.merchant.open(notice.body)["out_trade_no"]
        self._caught[about, KINDS[notice.event_type]].append(notice)
        return 204

    async def caught(self, out_trade_no: str, kind: str) -> Received:
        """The provider's notice, once it is there."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._caught[out_trade_no, kind]:  # noqa: ASYNC110 - the sink is not worth a condition of its own
                await asyncio.sleep(0.005)
        return self._caught[out_trade_no, kind][0]

    async def receive(self, tenant_id: UUID, notice: Received) -> None:
        """A notice arrives: the API remembers it, the bell rings, a worker acts. A provider that is told "later" sends it again."""
        account, providers = self._accounts[tenant_id], self.services.providers
        for _ in range(TELLINGS_MAX):
            try:
                inbox_id = await inbox.receive(self.market.pool, providers, tenant_id, account, notice.headers, notice.body)
            except Unavailable:
                continue
            if inbox_id is not None:
                await attend(self.services, "payment_inbox", tenant_id, inbox_id)
            return

    def take(self, prepay_id: str, how: dict[str, Any]) -> bool:
        """Pay at the provider's back office, which refuses when the payment is closed. Blocks for some milliseconds."""
        headers = {"Authorization": f"Bearer {self.sandbox.admin_token}"}
        status, _, answer = self.sandbox.request("POST", f"/admin/pay/{prepay_id}", json.dumps(how).encode(), headers)
        assert status in (200, 409), answer
        return status == 200

    # Duties

    async def do(self, table: str, tenant_id: UUID, row_id: UUID) -> None:
        """A duty, now: its time is moved here, and a worker attends to it."""
        sql = f"UPDATE {table} SET next_try_at = now() WHERE tenant_id = $1 AND id = $2 AND next_try_at IS NOT NULL"
        await self.market.admin.execute(sql, tenant_id, row_id)
        await attend(self.services, table, tenant_id, row_id)

    async def rest(self, purchases: Sequence["Purchase"]) -> list[str]:
        """Do now all that is scheduled for these orders, as the sweep would in its time; a hold that runs may stay. What would not end."""
        orders = [purchase.order_id for purchase in purchases]
        tenant_id = purchases[0].tenant_id
        ending = time.monotonic() + PATIENCE_S
        while True:
            left: dict[str, int] = {}
            for table, of_orders in DUTIES.items():
                scheduled = f"FROM {table} WHERE tenant_id = $1 AND {of_orders} AND next_try_at IS NOT NULL"
                rows = await self.market.admin.fetch(f"SELECT id {scheduled}", tenant_id, orders)
                await asyncio.gather(*(self.do(table, tenant_id, row["id"]) for row in rows))
                sql = f"SELECT count(*) {scheduled} {MAY_STAY.get(table, '')}"
                if count := await self.market.admin.fetchval(sql, tenant_id, orders):
                    left[table] = count
            if not left:
                return []
            if time.monotonic() > ending:
                return [f"no rest: {left}"]
            await asyncio.sleep(0.02)


class Purchase:
    """One shopper, one order, and what happens to it at the provider."""

    def __init__(self, till: Till, sale: SaleKey, order_id: UUID, hold_until: dt.datetime) -> None:
        self.till = till
        self.sale = sale
        self.tenant_id = sale.tenant_id
        self.order_id = order_id
        self.hold_until = hold_until
        self.attempt: Attempt

    @classmethod
    async def reserve(cls, till: Till, sale: SaleKey) -> "Purchase":
        """A reservation, not yet being paid."""
        wish = till.market.wish(sale, uuid4())
        for _ in range(TRIES):
            [answer] = await till.market.press(sale, [wish])
            if answer != "Unavailable":
                break
        assert not isinstance(answer, str), answer
        assert answer.outcome == Outcome.RESERVED, answer
        assert answer.hold_until is not None
        return cls(till, sale, answer.order_id, answer.hold_until)

    @classmethod
    async def begin(cls, till: Till, sale: SaleKey) -> "Purchase":
        """A reservation, and a payment that waits to be made."""
        purchase = await cls.reserve(till, sale)
        await purchase.start()
        return purchase

    async def start(self) -> Attempt:
        self.attempt = await attempts.start(
            self.till.market.pool, self.till.services.providers, self.tenant_id, self.order_id,
            notify_base=self.till.notify_base, return_url="",
        )  # fmt: skip
        return self.attempt

    async def pay(self, attempt: Attempt | None = None, **how: Any) -> bool:
        """The shopper pays at the provider; whether it took the money."""
        pay_url = (attempt or self.attempt).pay_url
        assert pay_url is not None
        return await asyncio.to_thread(self.till.take, pay_url.rsplit("/", 1)[1], how)

    async def ask(self) -> None:
        """The active query."""
        await self.till.do("payment_attempt", self.tenant_id, self.attempt.id)

    async def lapse(self) -> None:
        """The hold runs out, now."""
        sql = "UPDATE orders SET hold_until = now(), next_try_at = now() WHERE tenant_id = $1 AND id = $2 AND state = 'awaiting'"
        await self.till.market.admin.execute(sql, self.tenant_id, self.order_id)
        await attend(self.till.services, "orders", self.tenant_id, self.order_id)

    async def cancel(self) -> None:
        """By the shopper."""
        async with tenant_tx(self.till.market.pool, self.tenant_id) as tx:
            await orders.cancel(tx, self.order_id)
        await attend(self.till.services, "orders", self.tenant_id, self.order_id)

    async def ask_for_refund(self) -> None:
        """The merchant refunds, and the provider is asked to."""
        async with tenant_tx(self.till.market.pool, self.tenant_id) as tx:
            await refunds.request(tx, self.order_id, actor=ACTOR)
        await self.pay_back()

    async def pay_back(self) -> None:
        """The duty of the order's refund, once there is one."""
        sql = "SELECT id FROM refund WHERE tenant_id = $1 AND order_id = $2"
        async with asyncio.timeout(PATIENCE_S):
            while (refund_id := await self.till.market.admin.fetchval(sql, self.tenant_id, self.order_id)) is None:
                await self.ask()  # nothing is asked unless a query is due: a notice was doubted, or a query failed
                await asyncio.sleep(0.01)
        await self.till.do("refund", self.tenant_id, refund_id)

    async def outcome(self) -> str:
        """How it ended, in one line: the order's state, payments by disposition, refunds by state, units delivered."""
        sql = """SELECT o.state,
                     (SELECT string_agg(disposition, ' ' ORDER BY disposition) FROM payment WHERE tenant_id = $1 AND order_id = $2),
                     (SELECT string_agg(state, ' ' ORDER BY state) FROM refund WHERE tenant_id = $1 AND order_id = $2),
                     (SELECT count(*) FROM delivery WHERE tenant_id = $1 AND order_id = $2)
                 FROM orders o WHERE tenant_id = $1 AND id = $2"""
        state, payments, refunds, delivered = await self.till.market.admin.fetchrow(sql, self.tenant_id, self.order_id)
        return f"{state}, paid: {payments or 'no'}, refunds: {refunds or 'none'}, units: {delivered}"
