"""`order.reserved` is found in the rows: each once, before whatever else is told of the order; and the checkout does not pay for it."""

import asyncio
import datetime as dt
import json
import time

import pytest

from api.process import Process
from checkout_core.ids import decode, new_id
from checkout_core.intents import Intent, Outcome, SaleKey
from tenants.db import Pool, create_pool, dsn_for, tenant_tx
from tenants.duties import due
from tenants.orders.commit import commit, commit_batch
from tenants.webhooks import reservations
from tests.plans import scans
from tests.postbox import Postbox
from tests.receiver import Hook
from tests.shop import Store
from workers.sweep import EVERY_S

ORDERS = ["order.reserved", "order.cancelled", "order.delivered"]


async def look(store: Store, postbox: Postbox) -> None:
    """The duty, when it is due, some seconds from now."""
    sql = "UPDATE webhook_watch SET next_try_at = now() WHERE tenant_id = $1 AND next_try_at IS NOT NULL"
    await postbox.rows(store, sql)
    for endpoint_id in await reservations.look(postbox.pool, store.tenant_id):
        await postbox.postman.call(store.tenant_id, endpoint_id)
    await postbox.postman.settled()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the second that a session takes to say it has begun: here they begin one after the other."""
    monkeypatch.setattr(reservations, "_HORIZON", reservations._HORIZON.replace("now() - interval '1 second'", "clock_timestamp()"))


@pytest.mark.usefixtures("now")
class TestLook:
    async def test_each_order_is_told_of_once(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook, *ORDERS)
        sale = await acme.sale(5)
        orders = [await acme.order(await acme.guest(), sale) for _ in range(3)]
        await look(acme, postbox)
        orders.append(await acme.order(await acme.guest(), sale))
        await look(acme, postbox)
        await look(acme, postbox)
        assert hook.types() == ["order.reserved"] * 4
        bodies = [json.loads(received["body"]) for received in hook.book()]
        assert [body["data"]["order_id"] for body in bodies] == orders
        assert [line["sale_id"] for line in bodies[0]["data"]["lines"]] == [sale]
        assert (bodies[0]["data"]["amount_minor"], bodies[0]["data"]["paid_at"]) == (9900, None)

    async def test_before_whatever_else_is_told_of_the_order(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook, *ORDERS)
        shopper = await acme.guest()
        order = await acme.order(shopper, await acme.sale(1))
        await acme.ask("POST", f"/v1/orders/{order}/cancel", shopper)
        await postbox.run(acme)
        await look(acme, postbox)
        assert hook.types() == ["order.reserved", "order.cancelled"]

    async def test_all_of_them_however_many_at_once(
        self, acme: Store, hook: Hook, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reservations, "AT_ONCE", 3)
        await postbox.endpoint(acme, hook, "order.reserved")
        sale = await acme.sale(8)
        for _ in range(8):
            await acme.order(await acme.guest(), sale)
        for _ in range(5):
            await look(acme, postbox)
        assert hook.types() == ["order.reserved"] * 8

    async def test_star_does_not_mean_it_and_nobody_looks(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook, "*")
        await acme.order(await acme.guest(), await acme.sale(1))
        await postbox.run(acme)
        assert hook.types() == ["sale.published"]
        assert await postbox.rows(acme, "SELECT 1 FROM webhook_watch WHERE tenant_id = $1") == []

    async def test_the_duty_ends_with_the_endpoint_and_begins_again_with_it(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        path = f"/v1/webhook-endpoints/{await postbox.endpoint(acme, hook, 'order.reserved')}"
        sale = await acme.sale(3)
        await acme.ask("PATCH", path, acme.merchant, {"enabled": False})
        await look(acme, postbox)
        assert await postbox.rows(acme, "SELECT 1 FROM webhook_watch WHERE tenant_id = $1 AND next_try_at IS NOT NULL") == []
        await acme.order(await acme.guest(), sale)
        await acme.ask("PATCH", path, acme.merchant, {"enabled": True})
        await acme.order(await acme.guest(), sale)
        await look(acme, postbox)
        assert hook.types() == ["order.reserved"]


class TestWhen:
    """How soon after the first order of a sale somebody looks."""

    async def wait_s(self, store: Store, postbox: Postbox) -> float:
        sql = "SELECT extract(epoch FROM next_try_at - now())::float8 FROM webhook_watch WHERE tenant_id = $1"
        [[wait_s]] = await postbox.rows(store, sql)
        return float(wait_s)

    async def test_while_no_sale_is_open_seldom(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook, "order.reserved")
        await look(acme, postbox)
        assert 25 < await self.wait_s(acme, postbox) <= reservations.IDLE_S

    async def test_at_once_when_one_is_opened(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook, "order.reserved")
        await look(acme, postbox)
        sale = await acme.sale(1)
        assert await self.wait_s(acme, postbox) <= 0
        await look(acme, postbox)
        assert 0 < await self.wait_s(acme, postbox) <= reservations.EVERY_S
        await acme.ask("POST", f"/v1/sales/{sale}/pause", acme.merchant)
        await look(acme, postbox)
        assert await self.wait_s(acme, postbox) > 25
        await acme.ask("POST", f"/v1/sales/{sale}/resume", acme.merchant)
        assert await self.wait_s(acme, postbox) <= 0

    async def test_when_a_planned_one_begins(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        await postbox.endpoint(acme, hook, "order.reserved")
        for seconds in (3600, 7):
            await acme.sale(1, starts_at=(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).isoformat())
        await look(acme, postbox)
        assert 5 < await self.wait_s(acme, postbox) <= 7

    async def test_nobody_looks_whom_nobody_asked(self, acme: Store, postbox: Postbox) -> None:
        await acme.sale(1)
        assert await postbox.rows(acme, "SELECT 1 FROM webhook_watch WHERE tenant_id = $1") == []

    async def test_the_first_order_of_a_sale_is_told_of_within_two_seconds(
        self, acme: Store, process: Process, hook: Hook, postbox: Postbox
    ) -> None:
        """By a worker that sweeps, with the second of the horizon, after nothing was sold for a while."""
        await postbox.endpoint(acme, hook, "order.reserved")
        await look(acme, postbox)
        async with await create_pool(dsn_for(process.settings, "tessera_sweeper"), size=2) as sweeper:
            sweeping = asyncio.create_task(sweep(postbox, sweeper, acme))
            await acme.order(await acme.guest(), await acme.sale(1))
            began = time.monotonic()
            while not hook.types():
                assert time.monotonic() - began < 10
                await asyncio.sleep(0.02)
            sweeping.cancel()
        assert hook.types() == ["order.reserved"]
        assert time.monotonic() - began < 2.5, "two seconds, and half a one for a busy machine"


async def sweep(postbox: Postbox, sweeper: Pool, store: Store) -> None:
    """The worker's sweep of one table, at its own pace; other stores' duties are left to other tests."""
    while True:
        for each in await due(sweeper, "webhook_watch", 1000):
            if each.tenant_id == store.tenant_id:
                for endpoint_id in await reservations.look(postbox.pool, store.tenant_id):
                    await postbox.postman.call(store.tenant_id, endpoint_id)
        await asyncio.sleep(EVERY_S)


class TestHorizon:
    """A commit that takes long becomes visible after younger ones: nothing may be passed over meanwhile."""

    async def late(self, store: Store, hook: Hook, postbox: Postbox) -> list[str]:
        """What is told of, when one of two orders commits only after a look."""
        await postbox.endpoint(store, hook, "order.reserved")
        sale = SaleKey(store.tenant_id, decode("sal", await store.sale(2)))
        [late, early] = [Intent(new_id(), new_id(), new_id(), 1, bytes(16), None) for _ in range(2)]
        async with tenant_tx(postbox.pool, store.tenant_id) as tx:
            # The transaction begins and waits; the other sells, and is looked for.
            await commit_batch(postbox.pool, sale, [early])
            await asyncio.sleep(0.01)
            await look(store, postbox)
            [decision] = await commit(tx, sale.sale_id, [late])
            assert decision.outcome == Outcome.RESERVED
        await look(store, postbox)
        return hook.types()

    @pytest.mark.usefixtures("now")
    async def test_waits_for_who_began_before(self, acme: Store, hook: Hook, postbox: Postbox) -> None:
        assert await self.late(acme, hook, postbox) == ["order.reserved"] * 2

    async def test_without_it_one_is_lost(self, acme: Store, hook: Hook, postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reservations, "_HORIZON", "SELECT clock_timestamp()")
        assert await self.late(acme, hook, postbox) == ["order.reserved"]


async def test_a_checkout_asks_the_same_of_postgres_whoever_listens(acme: Store, hook: Hook, postbox: Postbox) -> None:
    """Statement by statement, with their arguments' number: the commit knows nothing of webhooks."""

    async def asked() -> list[str]:
        sale = SaleKey(acme.tenant_id, decode("sal", await acme.sale(1)))
        heard: list[str] = []
        async with postbox.pool.acquire() as conn:
            with conn.query_logger(lambda record: heard.append(record.query)):
                [decision] = await commit_batch(conn, sale, [Intent(new_id(), new_id(), new_id(), 1, bytes(16), None)])
                await asyncio.sleep(0)
        assert decision.outcome == Outcome.RESERVED
        return heard

    before = await asked()
    await postbox.endpoint(acme, hook, "*", *ORDERS)
    assert await asked() == before
    assert len(before) == 1
    assert not any("webhook" in sql or "outbox" in sql for sql in before)


async def test_a_look_reads_no_whole_table_but_the_sales(acme: Store, hook: Hook, postbox: Postbox) -> None:
    await postbox.endpoint(acme, hook, "order.reserved")
    await acme.order(await acme.guest(), await acme.sale(1))
    heard: set[str] = set()
    async with postbox.pool.acquire() as conn:
        with conn.query_logger(lambda record: heard.add(record.query)):
            await reservations.look(conn, acme.tenant_id)
            await asyncio.sleep(0)
    statements = [sql for sql in heard if not sql.startswith(("BEGIN", "COMMIT")) and "pg_stat" not in sql]
    found = {index for sql in statements for index in await scans(postbox.pool, acme.tenant_id, sql)}
    assert found <= {"sale_pkey", "webhook_endpoint_pkey"}
