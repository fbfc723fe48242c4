"""Where the safeties are tried: a real Postgres, several "processes" that sell at once, a store with stock, and the checker at the end.

Everything that happens to an order here happens through the product's own functions. What the market adds is stock in bulk and hurry.
"""

import asyncio
import functools
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import UUID, uuid4

import msgspec
from redis.asyncio import Redis

from checkout_core import intents
from checkout_core.batcher import Batcher
from checkout_core.config import Settings
from checkout_core.errors import Unavailable
from checkout_core.ids import new_id
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from checkout_core.secrets import derive
from tenants import accounts, catalog, orders, sales, vault
from tenants.db import Pool, create_pool, dsn_for, platform_tx, tenant_tx
from tenants.invariants import run
from tenants.invariants.history import Told
from tenants.invariants.look import Options
from tenants.keys import Keyring
from tests.drills.drill import violations
from workers.relay import Relay

T = TypeVar("T")
POOL_SIZES = (32, 4, 4, 4, 4, 4, 4, 4)  # connections of each process
PRICE_MINOR = 9900
ACTOR = "the market"
TRIES = 20
SAID = {Outcome.RESERVED: "reserved", Outcome.SOLD_OUT: "sold_out", Outcome.LIMIT: "limit"}  # as clients write it down


class Store(NamedTuple):
    tenant_id: UUID
    sku_id: UUID


class Market:
    """One database, several doors to it. Each door is what an API process is to a sale: a batcher over a pool of its own."""

    def __init__(self, settings: Settings, stack: AsyncExitStack, pools: list[Pool], platform: Pool, admin: Pool) -> None:
        self.settings = settings
        self.stack = stack
        self.pools = pools
        self.pool = pools[0]  # the first process is roomier, and does the duties too
        self.platform = platform
        self.admin = admin
        self.keyring = Keyring(settings.secret)
        self.doors = [Batcher(functools.partial(orders.commit_batch, pool)) for pool in pools]
        self.asked = Options(at_rest=True)  # what the checker is told to look at; a till adds the provider's books
        self.before_checks: list[Callable[[], Awaitable[object]]] = []  # what a worker would have done meanwhile
        self.seen: Counter[str] = Counter()  # how things ended, for whoever reads the result
        self.history: list[Told] = []  # what shoppers were told, for the checker
        self._opening = asyncio.Lock()  # sales of one SKU are opened one after another: each takes its units
        self._keys: dict[UUID, str] = {}  # of orders that are asked for again
        self._order_key = derive(settings.secret, "orders")

    async def open_store(self, units: int) -> Store:
        """A merchant signs up; a SKU with `units` codes in its vault."""
        name = uuid4().hex[:16]
        async with platform_tx(self.platform) as conn:
            signed_up = await accounts.open_account(
                conn, self.pool, pepper=derive(self.settings.secret, "api-keys"), base_domain="localhost",
                store=name, slug=f"s-{name}", mail=f"{name}@example.org", password_hash="nobody signs in",
            )  # fmt: skip
        async with tenant_tx(self.pool, signed_up.tenant_id) as tx:
            product = await catalog.create_product(tx, name="Steam 100", description="", actor=ACTOR)
            sku = await catalog.create_sku(
                tx, product_id=product.id, name="100", price_minor=PRICE_MINOR, currency="CNY", code_pattern=None, actor=ACTOR
            )
        lines = "".join(f"{uuid4().hex}\n" for _ in range(units)).encode()
        origin = vault.Origin(operator=ACTOR)
        await vault.run(self.pool, self.keyring, signed_up.tenant_id, sku.id, _chunks(lines), vault.Wishes(), origin)
        return Store(signed_up.tenant_id, sku.id)

    async def open_sale(self, store: Store, *, units: int, limit: int = 0, hold_s: int = 900, door: str = "direct") -> SaleKey:
        async with self._opening:
            sale = await patiently(lambda: self._open_sale(store, units=units, limit=limit, hold_s=hold_s, door=door))
        return SaleKey(store.tenant_id, sale.id)

    async def _open_sale(self, store: Store, *, units: int, limit: int, hold_s: int, door: str) -> sales.Sale:
        async with tenant_tx(self.pool, store.tenant_id) as tx:
            return await sales.create(
                tx, sku_id=store.sku_id, name="a sale", units=units, limit_per_shopper=limit, price_minor=None, starts_at=None,
                ends_at=None, hold_s=hold_s, actor=ACTOR, door=door,
            )  # fmt: skip

    def wish(self, sale: SaleKey, shopper: UUID, key: str = "", quantity: int = 1) -> Intent:
        """A press of "buy": the same shopper and key are the same wish, asked again."""
        order = intents.order_id(self._order_key, sale.tenant_id, shopper, key or uuid4().hex)
        if key:
            self._keys[order] = f"{shopper} {key}"
        body = blake2b(quantity.to_bytes(4, "big") + sale.sale_id.bytes, digest_size=16).digest()
        return Intent(order, new_id(), shopper, quantity, body, None)

    def ask(self, door: Batcher, sale: SaleKey, wish: Intent) -> asyncio.Future[Decision]:
        """The answer to one wish, which its shopper writes down."""
        future = door.submit(sale, wish)
        future.add_done_callback(functools.partial(self._heard, sale, wish))
        return future

    async def press(self, sale: SaleKey, wishes: Sequence[Intent], doors: Sequence[Batcher] = ()) -> list[Decision | str]:
        """All wishes at once, dealt to the doors in turn; an error is answered by its name."""
        doors = doors or self.doors
        futures = [self.ask(doors[n % len(doors)], sale, wish) for n, wish in enumerate(wishes)]
        answers = await asyncio.gather(*futures, return_exceptions=True)
        named = [type(answer).__name__ if isinstance(answer, BaseException) else answer for answer in answers]
        self.seen.update(map(told, named))
        return named

    async def crowd(self, sale: SaleKey, size: int) -> list[str]:
        """What as many new shoppers are told, who press at once."""
        return [told(answer) for answer in await self.press(sale, [self.wish(sale, uuid4()) for _ in range(size)])]

    async def check(self) -> list[str]:
        """The checker's findings on this database and on what shoppers were told, once events have left and nothing moves."""
        for duty in self.before_checks:
            await duty()
        redis = Redis.from_url(self.settings.redis_url)
        relay = Relay(self.pool, redis)
        while tenants := await self.admin.fetch("SELECT DISTINCT tenant_id FROM outbox WHERE next_try_at <= now()"):
            for (tenant_id,) in tenants:
                await relay.send(tenant_id)
        await redis.aclose()
        with tempfile.NamedTemporaryFile(prefix="history-") as file:
            Path(file.name).write_bytes(b"\n".join(map(msgspec.json.encode, self.history)))
            return violations(await run.check(self.settings, msgspec.structs.replace(self.asked, history=file.name)))

    def write_down(self, sale: SaleKey, wish: Intent, outcome: int) -> None:
        """What a shopper notes of an answer."""
        if said := SAID.get(Outcome(outcome)):
            key, order = self._keys.get(wish.order_id), wish.order_id.hex
            self.history.append(Told(order, said, time.time(), key, sale.sale_id.hex, wish.quantity))

    def _heard(self, sale: SaleKey, wish: Intent, answer: asyncio.Future[Decision]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            self.write_down(sale, wish, answer.result().outcome)


async def patiently(act: Callable[[], Awaitable[T]]) -> T:
    """Whoever is told that the database is away asks again: this machine may be at its limit."""
    for _ in range(TRIES):
        try:
            return await act()
        except Unavailable:
            await asyncio.sleep(0.2)
    return await act()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


def told(answer: Decision | str) -> str:
    """The outcome by name, or the error."""
    return answer if isinstance(answer, str) else Outcome(answer.outcome).name


@asynccontextmanager
async def open_market() -> AsyncIterator[Market]:
    """A market over the database that the environment names; its schema is there."""
    settings = Settings.from_env(os.environ)
    async with AsyncExitStack() as stack:
        pools = [await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_app"), size=size)) for size in POOL_SIZES]
        platform = await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_platform"), size=1))
        admin = await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_migrator"), size=2))
        market = Market(settings, stack, pools, platform, admin)
        for door in market.doors:
            stack.push_async_callback(door.aclose)
        yield market
