"""Requests of several stores, interleaved over one connection, that end in every way a request can; and what each of them saw."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import asyncpg
import httpx

from api.process import Process
from checkout_core.errors import Unavailable
from tenants.db import tenant_tx
from tests.shop import Store

AT_ONCE = 16
EVERYTHING = "SELECT name FROM product"  # no word of a tenant
OUTSIDE = "SELECT coalesce(current_setting('app.tenant_id', true), '') AS tenant, (SELECT count(*) FROM product) AS rows"


class Own(NamedTuple):
    store: Store
    word: str  # the name of its product
    product: str


class Broken(Exception):
    """A handler of ours that fails."""


class Drill:
    """`leaks` says who saw what; `ended` counts how requests ended, by kind."""

    def __init__(self, process: Process, client: httpx.AsyncClient, owns: list[Own], seed: int) -> None:
        self.pool = process.app_pool
        self.client = client
        self.owns = owns
        self.dice = random.Random(seed)
        self.leaks: list[str] = []
        self.ended: Counter[str] = Counter()
        self.kinds: list[Callable[[Own, Own], Awaitable[None]]] = [
            self.lists, self.reads_a_foreign_one, self.is_malformed, self.reads_everything, self.nests, self.divides_by_zero,
            self.raises, self.takes_too_long_for_postgres, self.takes_too_long_for_us, self.is_killed,
        ]  # fmt: skip

    async def run(self, requests: int) -> None:
        left = iter(range(requests))

        async def work() -> None:
            for _ in left:
                await self.one()
                await self.look_outside()

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    async def one(self) -> None:
        own, other = self.dice.sample(self.owns, 2)
        # A backend that is ended costs a new connection: now and then is often enough.
        weights = [10, 10, 4, 10, 4, 4, 4, 2, 4, 1]
        [kind] = self.dice.choices(self.kinds, weights)
        task = asyncio.ensure_future(kind(own, other))
        impatient = self.dice.random() < 0.3
        if impatient:
            if self.dice.random() < 0.5:
                for _ in range(self.dice.randrange(40)):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(self.dice.random() * 0.02)
            task.cancel()
        try:
            await task
            how = "answered"
        except asyncio.CancelledError:
            how = "cancelled"
        except (asyncpg.PostgresError, asyncpg.InterfaceError, Unavailable, Broken, TimeoutError) as error:
            how = type(error).__name__
        self.ended[f"{kind.__name__}: {how}"] += 1

    async def look_outside(self) -> None:
        """Between two requests the connection belongs to nobody, and shows nothing."""
        try:
            async with self.pool.acquire(timeout=20) as conn:
                tenant, rows = await conn.fetchrow(OUTSIDE)
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
            return  # it was the one whose backend was ended
        self.ended["looked outside"] += 1
        if tenant or rows:
            self.leaks.append(f"outside a transaction: tenant {tenant!r}, {rows} rows")

    def saw(self, own: Own, what: str, *, something: bool = False) -> None:
        foreign = [each.store.slug for each in self.owns if each is not own and each.word in what]
        if foreign:
            self.leaks.append(f"{own.store.slug} saw {foreign}: {what[:200]}")
        if something and own.word not in what:
            self.leaks.append(f"{own.store.slug} did not see its own: {what[:200]}")

    async def lists(self, own: Own, other: Own) -> None:
        response = await self.client.get("/v1/products", headers=own.store.merchant)
        self.saw(own, response.text, something=response.status_code == 200)

    async def reads_a_foreign_one(self, own: Own, other: Own) -> None:
        response = await self.client.get(f"/v1/products/{other.product}", headers=own.store.merchant)
        self.saw(own, response.text)
        if response.status_code not in (404, 503):
            self.leaks.append(f"{own.store.slug} was answered {response.status_code} for a product of {other.store.slug}")

    async def is_malformed(self, own: Own, other: Own) -> None:
        response = await self.client.get("/v1/orders?cursor=nonsense", headers=own.store.merchant)
        self.saw(own, response.text)

    async def reads_everything(self, own: Own, other: Own) -> None:
        async with tenant_tx(self.pool, own.store.tenant_id) as tx:
            self.saw(own, str([row[0] for row in await tx.conn.fetch(EVERYTHING)]), something=True)

    async def nests(self, own: Own, other: Own) -> None:
        async with tenant_tx(self.pool, own.store.tenant_id) as tx:
            async with tenant_tx(tx.conn, own.store.tenant_id) as inner:
                await inner.conn.fetchval("SELECT 1")
            self.saw(own, str([row[0] for row in await tx.conn.fetch(EVERYTHING)]), something=True)

    async def divides_by_zero(self, own: Own, other: Own) -> None:
        async with tenant_tx(self.pool, own.store.tenant_id) as tx:
            await tx.conn.fetchval("SELECT 1 / (SELECT count(*) - 1 FROM product)")

    async def raises(self, own: Own, other: Own) -> None:
        async with tenant_tx(self.pool, own.store.tenant_id) as tx:
            await tx.conn.fetchval("SELECT 1")
            raise Broken

    async def takes_too_long_for_postgres(self, own: Own, other: Own) -> None:
        async with tenant_tx(self.pool, own.store.tenant_id) as tx:
            await tx.conn.execute("SET LOCAL statement_timeout = 2")
            await tx.conn.execute("SELECT pg_sleep(1)")

    async def takes_too_long_for_us(self, own: Own, other: Own) -> None:
        async with asyncio.timeout(0.001), tenant_tx(self.pool, own.store.tenant_id) as tx:
            await tx.conn.execute("SELECT pg_sleep(0.003)")

    async def is_killed(self, own: Own, other: Own) -> None:
        async with tenant_tx(self.pool, own.store.tenant_id) as tx:
            await tx.conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
