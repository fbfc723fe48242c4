"""A shop at work while its keys are rotated: it sells, delivers, reveals, imports and looks codes up, and every answer is held against what
must be. The test plays it small, `python -m tests.bench.rotation` with 100,000 codes."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import uuid4

from checkout_core import tokens
from checkout_core.ids import decode
from tenants import delivery
from tenants.db import tenant_tx
from tenants.vault import lookup
from tenants.vault.codes import unpack
from tests.shop import Store
from tests.tenants.rotations.scenes import begin, bring_in, carry_out, contents, key_ids, read

BROUGHT = 100  # codes of an import: as many are new as are in the vault already


class Figures(NamedTuple):
    rotation_s: float
    renewed: int
    done: Counter[str]


class Busy:
    """`known` are the codes that the vault must hold, each once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.known: list[str] = []
        self.all: set[str] = set()
        self.done: Counter[str] = Counter()
        self._over = asyncio.Event()

    async def open(self, codes: int) -> None:
        self.sku = await self.store.sku()
        self.known = [uuid4().hex for _ in range(codes)]
        self.all.update(self.known)
        report = await bring_in(self.store, self.sku, self.known)
        assert report.loaded == codes
        self.sale = await self.store.sale(codes // 2, sku_id=self.sku)

    async def play(self) -> Figures:
        """Rotate both keys, and meanwhile do everything else over and over. Any error, any wrong answer ends it."""
        async with asyncio.TaskGroup() as group:
            rotating = group.create_task(self._rotate())
            for work in (self._sell, self._sell, self._bring, self._find):
                group.create_task(self._until_over(work))
        seconds, renewed = rotating.result()
        return Figures(seconds, renewed, self.done)

    async def judge(self) -> None:
        """Every code opens, none is there twice, and nothing refers to the keys before."""
        found = (await contents(self.store))["code"]
        assert sorted(unpack(each, 0).code for each in found) == sorted(self.known)
        assert await key_ids(self.store) == {("seal", 2), ("fingerprint", 2)}

    async def _rotate(self) -> tuple[float, int]:
        began = time.perf_counter()
        rotation_id = await begin(self.store)
        while (rotation := await read(self.store, rotation_id)).state != "done":
            await carry_out(self.store, rotation_id)
            if rotation.progress.turn == 1:  # the first pass is over; half a second of work beside keys that may go at any moment
                await asyncio.sleep(0.5)
        self._over.set()
        return time.perf_counter() - began, rotation.progress.renewed

    async def _until_over(self, work: Callable[[], Awaitable[None]]) -> None:
        while not self._over.is_set():
            await work()

    async def _sell(self) -> None:
        shopper = await self.store.guest()
        order = await self.store.order(shopper, self.sale)
        order_id = decode("ord", order)
        shopper_id = tokens.verify(self.store.process.keys.shoppers, shopper["Authorization"].removeprefix("Bearer ")).id
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            now = await tx.conn.fetchval("SELECT now()")
            await delivery.deliver(tx, order_id, shopper_id, now)
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            [revealed] = await delivery.reveal(tx, self.store.process.keyring, order_id, actor="test", shopper_id=shopper_id)
        assert revealed.content.code in self.all
        self.done["sold and revealed"] += 1

    async def _bring(self) -> None:
        new, again = [uuid4().hex for _ in range(BROUGHT)], random.sample(self.known, BROUGHT)
        report = await bring_in(self.store, self.sku, random.sample(new + again, 2 * BROUGHT))
        assert (report.loaded, report.duplicates_in_vault, report.malformed_count) == (BROUGHT, BROUGHT, 0)
        self.known += new
        self.all.update(new)
        self.done["imported"] += BROUGHT
        self.done["refused as duplicates"] += BROUGHT

    async def _find(self) -> None:
        code = random.choice(self.known)
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            assert await lookup.find(tx, self.store.process.keyring, code, actor="test") is not None
            assert await lookup.find(tx, self.store.process.keyring, uuid4().hex, actor="test") is None
        self.done["looked up"] += 2
        await asyncio.sleep(0.005)
