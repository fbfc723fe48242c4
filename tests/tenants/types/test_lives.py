"""Orders of every type, through every order of what may befall them, over the real services; then the checker looks at all of it.

Steps come from Hypothesis, so a failure is shown as the shortest list of steps that leads to it. No step may ever take a unit back from
sold to stock, and what is left of each life must be as the invariants say.
"""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.process import Process, open_process
from checkout_core.config import Settings
from checkout_core.ids import decode
from tenants import types
from tenants.db import TenantTx, tenant_tx
from tenants.invariants.look import Options
from tenants.invariants.report import Status, as_text
from tenants.invariants.run import check
from tenants.orders import allot
from tenants.payments import expire, refunds
from tessera.embedded import Servers
from tests.paying import fulfil, pay
from tests.security.database import own_database
from tests.shop import PLATFORM_HOST, Store, open_store
from tests.tenants.types.recipes import RECIPES, put_on_sale, wish

EXAMPLES = 12
STEPS = ("order", "say", "cancel", "lapse", "pay", "pay again", "fulfil", "complete", "fail", "refund a part", "refund", "repay")
UNITS = 6
# From which state a unit may come into which. What was sold is never stock again, whoever asks.
MOVES = {
    ("available", "held"), ("held", "available"), ("held", "sold"), ("sold", "quarantined"), ("available", "sold"),
}  # fmt: skip
lives = st.lists(st.sampled_from(STEPS), min_size=3, max_size=12)


@pytest.fixture(scope="module")
async def town(servers: Servers) -> AsyncIterator[tuple[Settings, Process, httpx.AsyncClient]]:
    """An API over a database that no other test writes to."""
    async with own_database(servers, "lives") as found:
        app = create_app(found)
        async with open_process(found) as app.state.process:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{PLATFORM_HOST}") as client:
                yield found, app.state.process, client


class Life:
    """One shopper's orders at a sale, and what was seen of its units."""

    def __init__(self, store: Store, client: httpx.AsyncClient, name: str) -> None:
        self.store, self.client, self.name = store, client, name
        self.orders: list[str] = []
        self.seen: dict[int, str] = {}
        self.moves: set[tuple[str, str]] = set()

    async def begin(self) -> None:
        self.sale = await put_on_sale(self.store, self.name, UNITS)
        self.who = await self.store.guest()
        await self.look()

    async def take(self, step: str) -> None:
        if step == "order":
            key = {"Idempotency-Key": str(len(self.orders))}
            path, body = await wish(self.store, self.sale, 2)
            answer = await self._ask("POST", path, body, self.who | key)
            self.orders += [answer["id"]] if "id" in answer else []
        elif self.orders:
            await getattr(self, f"_{step.replace(' ', '_')}")(self.orders[-1])
        await self.look()

    async def look(self) -> None:
        sql = "SELECT id, state FROM unit WHERE tenant_id = $1"
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            now = dict(await tx.conn.fetch(sql, tx.tenant_id))
        self.moves |= {(self.seen[unit], state) for unit, state in now.items() if unit in self.seen and self.seen[unit] != state}
        self.seen = now

    async def _ask(self, method: str, path: str, body: Any, who: dict[str, str] | None = None) -> Any:
        """What is answered: a refusal is as good as another answer, a failure is not."""
        answer = await self.client.request(method, path, json=body, headers=who or self.store.merchant)
        assert answer.status_code < 500, answer.text
        return answer.json() if answer.content else {}

    async def _say(self, order: str) -> None:
        said = RECIPES[self.name].input
        asked = (await self._ask("GET", f"/v1/orders/{order}/inputs", None, self.who)).get("forms", [])
        for sale in [form["sale_id"] for form in asked] or [self.sale]:
            await self._ask("PUT", f"/v1/orders/{order}/inputs/{sale}", {"values": said}, self.who)

    async def _cancel(self, order: str) -> None:
        await self._ask("POST", f"/v1/orders/{order}/cancel", {}, self.who)

    async def _lapse(self, order: str) -> None:
        pool, tenant_id, order_id = self.store.process.app_pool, self.store.tenant_id, decode("ord", order)
        async with tenant_tx(pool, tenant_id) as tx:
            sql = "UPDATE orders SET hold_until = now() WHERE tenant_id = $1 AND id = $2 AND state = 'awaiting'"
            await tx.conn.execute(sql, tenant_id, order_id)
        await expire.expire(pool, self.store.process.providers, tenant_id, order_id)

    async def _pay(self, order: str) -> None:
        """Money that comes when it comes: in time, late, or for what was cancelled."""
        await pay(self.store, order)

    _pay_again = _pay

    async def _fulfil(self, order: str) -> None:
        await fulfil(self.store, order, at=dt.timedelta(days=400))

    async def _fulfilment(self, order: str) -> str | None:
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            sql = "SELECT id FROM fulfilment WHERE tenant_id = $1 AND order_id = $2 LIMIT 1"
            found = await tx.conn.fetchval(sql, tx.tenant_id, decode("ord", order))
        return f"ful_{found.hex}" if found else None

    async def _complete(self, order: str) -> None:
        if found := await self._fulfilment(order):
            await self._ask("POST", f"/v1/fulfilments/{found}/complete", {"contents": RECIPES[self.name].told})

    async def _fail(self, order: str) -> None:
        if found := await self._fulfilment(order):
            await self._ask("POST", f"/v1/fulfilments/{found}/fail", {"problem": "out of order"})

    async def _refund(self, order: str) -> None:
        await self._ask("POST", f"/v1/orders/{order}/refund", {})

    async def _refund_a_part(self, order: str) -> None:
        """One unit of what the order has, or had."""
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            sql = "SELECT min(id) FROM unit WHERE tenant_id = $1 AND order_id = $2"
            unit = await tx.conn.fetchval(sql, tx.tenant_id, decode("ord", order))
        await self._ask("POST", f"/v1/orders/{order}/refund", {"units": [unit or min(self.seen)]})

    async def _repay(self, order: str) -> None:
        """The provider says yes to whatever was asked of it."""
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            sql = "SELECT out_refund_no FROM refund WHERE tenant_id = $1 AND order_id = $2 AND state = 'requested'"
            for (number,) in await tx.conn.fetch(sql, tx.tenant_id, decode("ord", order)):
                await refunds.succeeded(tx, number)


def test_every_type_has_a_recipe() -> None:
    assert RECIPES.keys() == types.TYPES.keys()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", sorted(types.TYPES))
class TestLife:
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(steps=lives)
    async def test_leaves_the_books_in_order(self, town: tuple[Settings, Process, httpx.AsyncClient], name: str, steps: list[str]) -> None:
        found, process, client = town
        life = Life(await open_store(client, process), client, name)
        await life.begin()
        for step in ("order", *steps):
            await life.take(step)
        assert life.moves <= MOVES
        report = await check(found, Options())
        assert [verdict.name for verdict in report.verdicts if verdict.status is Status.VIOLATED] == [], as_text(report)


async def test_a_way_back_to_stock_would_be_seen(
    town: tuple[Settings, Process, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refund that lays what was sold on the shelf again: both look-outs see it."""

    async def shelve(tx: TenantTx, sale: allot.Sale, order_id: UUID, shopper_id: UUID, units: list[int], *, reason: str) -> int:
        sql = """UPDATE unit SET state = 'available', order_id = NULL, shopper_id = NULL, slot = NULL
                 WHERE tenant_id = $1 AND order_id = $2"""
        await tx.conn.execute(sql, tx.tenant_id, order_id)
        sql = "UPDATE sale SET committed = committed - 2, last_unit = 0 WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, tx.tenant_id, sale.id)
        return 2

    monkeypatch.setattr(allot, "quarantine", shelve)
    found, process, client = town
    life = Life(await open_store(client, process), client, "code")
    await life.begin()
    for step in ("order", "pay", "refund"):
        await life.take(step)
    assert life.moves - MOVES == {("sold", "available")}
    report = await check(found, Options())
    assert "I4" in [verdict.name for verdict in report.verdicts if verdict.status is Status.VIOLATED]
