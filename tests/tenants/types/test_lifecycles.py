"""Whatever happens to orders of picked types, in whatever order: no unit is lost, none is sold twice, and the checker finds nothing.

Real services on a database of their own, so that the checker looks at nothing else. A step that is refused changes nothing.
"""

import datetime as dt
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from api.app import create_app
from api.process import open_process
from checkout_core.config import Settings
from checkout_core.errors import AppError
from checkout_core.ids import decode
from tenants.db import tenant_tx
from tenants.invariants import run
from tenants.invariants.look import Options
from tenants.migrate import migrate
from tenants.orders import release
from tenants.payments import refunds
from tenants.payments.expire import expire
from tests.paying import fulfil, pay
from tests.shop import PLATFORM_HOST, Store, open_store
from tests.tenants.types.picked import make, night, room, session, ticket
from tests.tenants.types.test_chosen import load

STEPS = ("pay", "cancel", "expire", "fulfil", "refund", "admit")
EACH = 3  # at a time, of all permutations of four


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute("DROP DATABASE IF EXISTS lifecycles")
    await admin.execute("CREATE DATABASE lifecycles")
    await admin.close()
    url = settings.database_url.replace("/shop?", "/lifecycles?")
    own = msgspec.structs.replace(settings, database_url=url)
    await migrate(own)
    app = create_app(own)
    async with open_process(own) as app.state.process:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{PLATFORM_HOST}") as client:
            yield await open_store(client, app.state.process)


async def of_tickets(store: Store, units: int) -> str:
    sku = await ticket(store)
    await make(store, sku, units, picks=[session()])
    return sku


async def of_rooms(store: Store, units: int) -> str:
    sku = await room(store)
    await make(store, sku, units, picks=[{"pick": night(0)}])
    return sku


async def of_codes(store: Store, units: int) -> str:
    sku = await store.sku(type="chosen")
    await load(store, sku, "".join(f"CODE-{n:06},{n % 7}\n" for n in range(units)), columns="code,pick", header="false")
    return sku


class Life:
    """An order and what is done to it."""

    def __init__(self, store: Store, order: str, act: str) -> None:
        self.store, self.order, self.act, self.id = store, order, act, decode("ord", order)
        self.pool, self.tenant_id = store.process.app_pool, store.tenant_id

    async def step(self, name: str) -> None:
        with suppress(AppError):
            await getattr(self, name)()

    async def pay(self) -> None:
        await pay(self.store, self.order)

    async def cancel(self) -> None:
        async with tenant_tx(self.pool, self.tenant_id) as tx:
            await release.cancel(tx, self.id)

    async def expire(self) -> None:
        async with tenant_tx(self.pool, self.tenant_id) as tx:
            sql = """UPDATE orders SET hold_until = now() - interval '1 second', next_try_at = now()
                     WHERE tenant_id = $1 AND id = $2 AND state = 'awaiting'"""
            await tx.conn.execute(sql, tx.tenant_id, self.id)
        await expire(self.pool, self.store.process.providers, self.tenant_id, self.id)

    async def fulfil(self) -> None:
        await fulfil(self.store, self.order, at=dt.timedelta(days=1))

    async def refund(self) -> None:
        async with tenant_tx(self.pool, self.tenant_id) as tx:
            await refunds.request(tx, self.id, actor="test")

    async def admit(self) -> None:
        shown = await self.store.client.get(f"/v1/orders/{self.order}/codes", headers=self.store.merchant)
        if self.act and shown.is_success:
            body = {"code": shown.json()["codes"][0]["code"]}
            answer = await self.store.ask("POST", self.act, self.store.merchant, body)
            assert answer["result"] in ("admitted", "already", "checked_in", "too_early")


async def units(store: Store, sku: str) -> dict[str, int]:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """SELECT state, count(*) FROM unit WHERE tenant_id = $1 AND sku_id = $2 GROUP BY 1"""
        return dict(await tx.conn.fetch(sql, tx.tenant_id, decode("sku", sku)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stock", "act", "comes_back"),
    [
        (of_tickets, "/v1/types/ticket/check_in", True),
        (of_rooms, "/v1/types/booking/check_in", True),
        (of_codes, "", False),
    ],
    ids=["ticket", "booking", "chosen"],
)
async def test_in_every_order(store: Store, stock: Any, act: str, comes_back: bool) -> None:
    lives = list(itertools.permutations(STEPS, 4))[::EACH]
    capacity = 2 * len(lives)
    sku = await stock(store, capacity)
    sale = await store.sale(capacity, sku_id=sku)
    for steps in lives:
        # Somebody else each time: money that comes late buys no other seat, and whose orders lapse again and again must wait.
        life = Life(store, await store.order(await store.guest(), sale, 2), act)
        for name in (*steps, *steps[:2]):  # and the first two again
            await life.step(name)
    counted = await units(store, sku)
    kept = counted.get("available", 0) + counted.get("held", 0) + counted.get("sold", 0)
    assert kept + (0 if comes_back else counted.get("quarantined", 0)) == capacity, "capacity is what it was"
    assert counted.get("quarantined", 0) > 0, "something was refunded"
    assert counted.get("sold", 0) > 0, "and something was not"
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """SELECT count(*) FROM entitlement e WHERE tenant_id = $1 AND (state = 'revoked') =
                     (SELECT state = 'sold' FROM unit WHERE tenant_id = $1 AND id = e.unit_id)"""
        assert await tx.conn.fetchval(sql, tx.tenant_id) == 0, "what is sold entitles, what is refunded does not"
    report = await run.check(store.process.settings, Options())
    assert {name: word for name, word in report.summary().items() if word == "violated"} == {}
