"""Where the safeties are tried: a real Postgres, several "processes" that sell at once, a store with stock, and the checker at the end.

Everything that happens to an order here happens through the product's own functions. What the stage adds is stock in bulk and hurry.
"""

import asyncio
import functools
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID, uuid4

from redis.asyncio import Redis

from checkout_core import intents
from checkout_core.batcher import Batcher
from checkout_core.config import Settings
from checkout_core.ids import new_id
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from checkout_core.secrets import derive
from tenants import accounts, catalog, orders, sales, vault
from tenants.db import Pool, create_pool, dsn_for, tenant_tx
from tenants.invariants import run
from tenants.invariants.look import Options
from tenants.invariants.report import Report, Status
from tenants.keys import Keyring
from tenants.migrate import migrate
from tenants.passwords import Passwords
from workers.relay import Relay

POOL_SIZES = (32, 4, 4, 4, 4, 4, 4, 4)  # connections of each process
PRICE_MINOR = 9900
ACTOR = "the stage"


class Store(NamedTuple):
    tenant_id: UUID
    sku_id: UUID


class Stage:
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
        self.seen: Counter[str] = Counter()  # how things ended, for whoever reads the result
        self._order_key = derive(settings.secret, "orders")

    async def open_store(self, units: int) -> Store:
        """A merchant signs up; a SKU with `units` codes in its vault."""
        name = uuid4().hex[:16]
        signed_up = await accounts.sign_up(
            self.platform, self.pool, passwords=Passwords(), pepper=derive(self.settings.secret, "api-keys"), base_domain="localhost",
            store=name, slug=f"s-{name}", mail=f"{name}@example.org", password=name,
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

    async def open_sale(self, store: Store, *, units: int, limit: int = 0, hold_s: int = 900) -> SaleKey:
        async with tenant_tx(self.pool, store.tenant_id) as tx:
            sale = await sales.create(
                tx, sku_id=store.sku_id, name="a sale", units=units, limit_per_shopper=limit, price_minor=None, starts_at=None,
                ends_at=None, hold_s=hold_s, actor=ACTOR,
            )  # fmt: skip
        return SaleKey(store.tenant_id, sale.id)

    def wish(self, sale: SaleKey, shopper: UUID, key: str = "", quantity: int = 1) -> Intent:
        """A press of "buy": the same shopper and key are the same wish, asked again."""
        order = intents.order_id(self._order_key, sale.tenant_id, shopper, key or uuid4().hex)
        body = blake2b(quantity.to_bytes(4, "big") + sale.sale_id.bytes, digest_size=16).digest()
        return Intent(order, new_id(), shopper, quantity, body, None)

    async def press(self, sale: SaleKey, wishes: list[Intent]) -> list[Decision | str]:
        """All wishes at once, dealt to the doors in turn; an error is answered by its name."""
        futures = [self.doors[n % len(self.doors)].submit(sale, wish) for n, wish in enumerate(wishes)]
        answers = await asyncio.gather(*futures, return_exceptions=True)
        named = [type(answer).__name__ if isinstance(answer, BaseException) else answer for answer in answers]
        self.seen.update(map(told, named))
        return named

    async def check(self) -> Report:
        """The checker's word on this database, once its events have left and nothing moves."""
        redis = Redis.from_url(self.settings.redis_url)
        relay = Relay(self.pool, redis)
        while tenants := await self.admin.fetch("SELECT DISTINCT tenant_id FROM outbox WHERE next_try_at <= now()"):
            for (tenant_id,) in tenants:
                await relay.send(tenant_id)
        await redis.aclose()
        return await run.check(self.settings, self.asked)


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


def told(answer: Decision | str) -> str:
    """The outcome by name, or the error."""
    return answer if isinstance(answer, str) else Outcome(answer.outcome).name


def violations(report: Report) -> list[str]:
    """What the checker found, a line each; and what it could not look at although it was asked to."""
    lines = [
        f"{verdict.name}: {claim.sentence}: {claim.violations} of {claim.looked_at}, such as {claim.rows[0]}"
        for verdict in report.verdicts
        for claim in verdict.claims
        if claim.status is Status.VIOLATED
    ]
    return lines + [f"could not check: {failure}" for failure in report.failures]


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """A stage over the database that the environment names; its schema is made if need be."""
    settings = Settings.from_env(os.environ)
    await migrate(settings)
    async with AsyncExitStack() as stack:
        pools = [await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_app"), size=size)) for size in POOL_SIZES]
        platform = await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_platform"), size=1))
        admin = await stack.enter_async_context(await create_pool(dsn_for(settings, "tessera_migrator"), size=2))
        stage = Stage(settings, stack, pools, platform, admin)
        for door in stage.doors:
            stack.push_async_callback(door.aclose)
        yield stage
