"""A shopper of a store with points, what he does, and what the duties make of it."""

from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from checkout_core import tokens
from checkout_core.ids import decode, encode
from tenants.db import tenant_tx
from tenants.points import earnings
from tests.paying import pay
from tests.security.world import bearer
from tests.shop import Store

PRICE = 1_000
PROGRAM = "/v1/points/program"
# A point for 3.00: an order of three units at 10.00 earns ten, which no part of it divides.
RULES = {"enabled": True, "earn_points": 1, "earn_minor": 300, "growth_points": 1, "growth_minor": 100}


async def program(store: Store, *levels: dict[str, Any], **rules: Any) -> Any:
    return await store.ask("PUT", PROGRAM, store.merchant | {"If-Match": "*"}, RULES | rules | {"levels": list(levels)})


async def rows(store: Store, sql: str, *values: Any) -> list[Any]:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return list(await tx.conn.fetch(sql, tx.tenant_id, *values))


async def work(store: Store) -> None:
    """What the relay and the sweep would do by now."""
    pool = store.process.app_pool
    sql = "SELECT id FROM orders WHERE tenant_id = $1 AND delivered_at IS NOT NULL"
    delivered = [row[0] for row in await rows(store, sql)]
    async with tenant_tx(pool, store.tenant_id) as tx:
        await earnings.delivered(tx, delivered)
    for (order_id,) in await rows(store, "SELECT id FROM points_order WHERE tenant_id = $1 AND next_try_at <= now() ORDER BY id"):
        await earnings.settle(pool, store.tenant_id, order_id)
    for (shopper_id,) in await rows(store, "SELECT id FROM points_account WHERE tenant_id = $1 AND next_try_at <= now()"):
        await earnings.tend(pool, store.tenant_id, shopper_id)


class Member(NamedTuple):
    store: Store
    headers: dict[str, str]
    sale: str
    orders: dict[str, str]

    @classmethod
    async def of(cls, store: Store, sale: str = "") -> "Member":
        if not sale:
            sale = await store.sale(200, sku_id=await store.sku(200, price_minor=PRICE))
        return cls(store, await store.guest(), sale, {})

    @property
    def id(self) -> UUID:
        return tokens.verify(self.store.process.keys.shoppers, bearer(self.headers)).id

    @property
    def path(self) -> str:
        return f"/v1/shoppers/{encode('shp', self.id)}/points"

    async def buy(self, name: str = "a", units: int = 3) -> None:
        self.orders[name] = await self.store.order(self.headers, self.sale, units)
        assert await pay(self.store, self.orders[name]) == "applied"

    async def refund(self, name: str = "a", units: int = 0) -> None:
        """So many of its units, or all that is left."""
        sql = """SELECT id FROM unit WHERE tenant_id = $1 AND order_id = $2 AND state = 'sold' ORDER BY id LIMIT $3"""
        found = await rows(self.store, sql, decode("ord", self.orders[name]), units)
        body = {"units": [row[0] for row in found]} if units else {}
        await self.store.ask("POST", f"/v1/orders/{self.orders[name]}/refund", self.store.merchant, body)

    async def adjust(self, amount: int) -> Any:
        body = {"amount": amount, "reason": "for patience"}
        return await self.store.client.post(f"{self.path}/entries", headers=self.store.merchant, json=body)

    async def age(self, days: int) -> None:
        """As so many days later: his lots were given so much earlier."""
        sql = """UPDATE points_lot SET ready_at = ready_at - $3 * interval '1 day', expires_at = expires_at - $3 * interval '1 day'
                 WHERE tenant_id = $1 AND shopper_id = $2"""
        await self.as_operator(sql, days)
        await self.as_operator("UPDATE points_account SET next_try_at = now() WHERE tenant_id = $1 AND id = $2 AND $3 > 0", days)

    async def as_operator(self, sql: str, *values: Any) -> None:
        """What no program of ours may: written by the superuser."""
        conn = await asyncpg.connect(self.store.process.settings.database_url)
        try:
            await conn.execute(sql, self.store.tenant_id, self.id, *values)
        finally:
            await conn.close()

    async def account(self) -> Any:
        return await self.store.ask("GET", self.path, self.store.merchant)

    async def kinds(self) -> list[tuple[str, int]]:
        sql = "SELECT kind, amount FROM points_entry WHERE tenant_id = $1 AND shopper_id = $2 ORDER BY seq"
        return [(row[0], row[1]) for row in await rows(self.store, sql, self.id)]
