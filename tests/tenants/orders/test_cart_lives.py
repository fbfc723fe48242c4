"""Any days of a shelf: carts of any lines, paid, cancelled, left to lapse, refunded, while the merchant adds, withdraws and pauses. Then
the checker looks at all of it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.process import Process, open_process
from checkout_core.config import Settings
from checkout_core.ids import decode, encode
from tenants.db import tenant_tx
from tenants.invariants.look import Options
from tenants.invariants.report import Status, as_text
from tenants.invariants.run import check
from tenants.orders import Order, allot
from tenants.payments import expire
from tessera.embedded import Servers
from tests.paying import fulfil, pay
from tests.security.database import own_database
from tests.shop import PLATFORM_HOST, Store, open_store
from tests.tenants.orders.carts import Lines, Shelf
from tests.tenants.types import picked

EXAMPLES = 12
PICKS = ("gala.stalls", "gala.box", "late.stalls")
some = st.integers(1, 2)
carts = st.fixed_dictionaries(
    {}, optional={"a": some, "b": some, "hall": st.lists(st.sampled_from(PICKS), min_size=1, max_size=3)}
).filter(bool)  # fmt: skip
steps = st.one_of(
    st.tuples(st.just("order"), st.sampled_from(["ann", "bob", "eve"]), carts),
    st.tuples(st.sampled_from(["pay", "cancel", "lapse", "refund", "fulfil"]), st.integers(0, 9), st.just(None)),
    st.tuples(st.sampled_from(["add", "withdraw", "limit", "pause", "resume"]), st.sampled_from(["a", "hall"]), st.just(None)),
)
BODIES = {"add": {"add": 1}, "withdraw": {"withdraw": 1}, "limit": {"limit_per_shopper": 2}}
PATHS = {"add": "stock", "withdraw": "stock", "limit": "limit", "pause": "pause", "resume": "resume"}


@pytest.fixture(scope="module")
async def town(servers: Servers) -> AsyncIterator[tuple[Settings, Process, httpx.AsyncClient]]:
    """An API over a database that no other test writes to."""
    async with own_database(servers, "carts") as found:
        app = create_app(found)
        async with open_process(found) as app.state.process:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{PLATFORM_HOST}") as client:
                yield found, app.state.process, client


class Days:
    """What happens to one shelf."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.shelf = Shelf(store)
        self.orders: list[Order] = []

    async def begin(self) -> None:
        for name, count in {"a": 4, "b": 3}.items():
            sku = await self.store.sku(type="licence", config={"days": 30}, name=name)
            await picked.make(self.store, sku, count + 2)
            await self.shelf.add(name, sku, count, limit_per_shopper=3)
        await self.shelf.hall("hall", {"gala.stalls": (2, 0), "gala.box": (2, 2500), "late.stalls": (1, 1)}, takes_new_stock=True)

    async def take(self, what: str, which: str | int, lines: Lines | None) -> None:
        if what == "order":
            assert lines is not None
            wish = self.shelf.wish(str(which), lines)
            if await self.shelf.told(wish) == "reserved":
                self.orders.append(await self.shelf.place(wish))
        elif what in PATHS:
            path = f"/v1/sales/{self.shelf.sales[str(which)]}/{PATHS[what]}"
            answer = await self.store.client.post(path, headers=self.store.merchant, json=BODIES.get(what, {}))
            assert answer.status_code < 500, answer.text
        elif self.orders:
            await getattr(self, f"_{what}")(self.orders[int(which) % len(self.orders)])
        await self.shelf.left()

    async def _pay(self, order: Order) -> None:
        await pay(self.store, encode("ord", order.id))

    async def _fulfil(self, order: Order) -> None:
        await fulfil(self.store, encode("ord", order.id))

    async def _cancel(self, order: Order) -> None:
        await self.store.client.post(f"/v1/orders/{encode('ord', order.id)}/cancel", headers=self.store.merchant, json={})

    async def _refund(self, order: Order) -> None:
        answer = await self.store.client.post(f"/v1/orders/{encode('ord', order.id)}/refund", headers=self.store.merchant)
        assert answer.status_code < 500, answer.text

    async def _lapse(self, order: Order) -> None:
        pool, tenant_id = self.store.process.app_pool, self.store.tenant_id
        async with tenant_tx(pool, tenant_id) as tx:
            sql = "UPDATE orders SET hold_until = now() WHERE tenant_id = $1 AND id = $2 AND state = 'awaiting'"
            await tx.conn.execute(sql, tenant_id, order.id)
        await expire.expire(pool, self.store.process.providers, tenant_id, order.id)


Steps = list[tuple[str, str | int, Lines | None]]


@pytest.mark.timeout(240)
class TestDays:
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(taken=st.lists(steps, min_size=4, max_size=16))
    async def test_leave_the_books_in_order(self, town: tuple[Settings, Process, httpx.AsyncClient], taken: Steps) -> None:
        found, process, client = town
        days = Days(await open_store(client, process))
        await days.begin()
        for step in (("order", "ann", {"a": 2, "hall": ["gala.box", "gala.stalls"]}), *taken):
            await days.take(*step)
        report = await check(found, Options())
        assert [verdict.name for verdict in report.verdicts if verdict.status is Status.VIOLATED] == [], as_text(report)


async def test_a_low_water_mark_beyond_what_is_free_would_be_seen(town: tuple[Settings, Process, httpx.AsyncClient]) -> None:
    """Had a chosen unit moved the mark of its sale, as one that was next does, those before it would be found by no commit."""
    found, process, client = town
    days = Days(await open_store(client, process))
    await days.begin()
    order = await days.shelf.place(days.shelf.wish("ann", {"hall": ["late.stalls"]}))
    async with tenant_tx(process.app_pool, days.store.tenant_id) as tx:
        sale = await allot.lock_sale(tx, decode("sal", days.shelf.sales["hall"]))
        assert sale is not None
        sql = "UPDATE sale SET last_unit = (SELECT rank FROM unit WHERE tenant_id = $1 AND order_id = $3) WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, tx.tenant_id, sale.id, order.id)
    report = await check(found, Options())
    assert "I9" in [verdict.name for verdict in report.verdicts if verdict.status is Status.VIOLATED]
