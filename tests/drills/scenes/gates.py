"""Flash sales on the market: several "processes", each with its own way to Redis and to Postgres, a worker, and a Valkey that may be hurt.

Everything happens through the product's own functions: doors, scripts, the commit, the duty of a sale.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from api.doors import Doors
from api.process import FLIGHTS
from checkout_core.admission import Admission, Gatekeeper
from checkout_core.batcher import Batcher
from checkout_core.bell import Bell
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from checkout_core.partitions import Partitions
from checkout_core.resp import Closed, Unknown
from tenants import sales
from tenants.db import tenant_tx
from tenants.orders import allot, commit_batch, release
from tessera.embedded import Servers
from tests.drills.scenes.market import ACTOR, Market, Store, told
from workers import gatekeeping

PROCESSES = 4
PATIENCE_S = 20
AOF = "appendonlydir"


class Gates:
    """The market's doors to flash sales."""

    def __init__(self, market: Market, valkey: Servers, partitions: list[Partitions], bell: Bell) -> None:
        self.market = market
        self.valkey = valkey
        self.gatekeepers = [Gatekeeper(each) for each in partitions]
        self.gatekeeper = self.gatekeepers[0]  # the worker's
        self._bell = bell
        self.doors = [self._new_doors(process) for process in range(PROCESSES)]
        self.batchers = [Batcher(each.decide, flights=FLIGHTS) for each in self.doors]
        self.sales: list[SaleKey] = []  # that may still run

    def _new_doors(self, process: int) -> Doors:
        return Doors(self.market.pools[1 + process], self.gatekeepers[process], self._bell)

    async def aclose(self) -> None:
        for each in [*self.doors, *self.batchers]:
            await each.aclose()

    async def open_sale(self, units: int, limit: int = 0, store: Store | None = None, spare: int = 0) -> SaleKey:
        """A flash sale of a new store (with `spare` units beside it) or of the one given, its gate loaded."""
        store = store or await self.market.open_store(units + spare)
        key = await self.market.open_sale(store, units=units, limit=limit, door="gate")
        self.sales.append(key)
        await self.tend(key)
        return key

    # Shoppers

    async def press(self, sale: SaleKey, wishes: Sequence[Intent]) -> list[Decision | str]:
        """All wishes at once, dealt to the processes in turn; an error is answered by its name."""
        return await self.market.press(sale, wishes, self.batchers)

    async def crowd(self, sale: SaleKey, size: int) -> list[str]:
        """What as many new shoppers are told."""
        return [told(answer) for answer in await self.press(sale, [self.market.wish(sale, uuid4()) for _ in range(size)])] if size else []

    async def ask(self, process: int, sale: SaleKey, wish: Intent) -> Decision | str:
        """One wish at one process, as the API takes it: what it knows by heart comes first."""
        if self.doors[process].sold_out.says(sale, wish.shopper_id):
            self.market.write_down(sale, wish, Outcome.SOLD_OUT)
            return Outcome.SOLD_OUT.name
        [answer] = await self.market.press(sale, [wish], [self.batchers[process]])
        return answer

    async def admit(self, sale: SaleKey, wish: Intent) -> Intent:
        """The first half of a press, by a process that then stands still or dies: the gate has admitted the wish."""
        admission: Admission = await self.gatekeeper.admit(sale, [wish])
        assert [answer.code.name for answer in admission.answers] == ["ADMITTED"], admission
        return wish._replace(epoch=admission.epoch)

    async def commit(self, sale: SaleKey, wish: Intent) -> str:
        """The second half."""
        return told((await commit_batch(self.market.pool, sale, [wish]))[0])

    # The merchant and the worker

    async def tend(self, sale: SaleKey) -> None:
        """The duty of the sale, now."""
        sql = "UPDATE sale SET next_try_at = now() - interval '1 second' WHERE tenant_id = $1 AND id = $2"
        await self.market.admin.execute(sql, *sale)
        await gatekeeping.tend(self.market.pool, self.gatekeeper, *sale)

    async def tend_all(self) -> None:
        """As a worker would have done meanwhile; and what befell Redis befell the sales of earlier rounds too."""
        for sale in self.sales:
            await self.tend(sale)

    async def empty_redis(self) -> None:
        await self.gatekeeper._partitions.link(0).call("FLUSHALL")

    async def settle(self, sale: SaleKey) -> None:
        """Until the gate is loaded, nothing is left in its journal and every return has reached it: the worker's patience is over."""
        gatekeeping.LEFT_AFTER_MS = 0
        for _ in range(3):
            await self.tend(sale)
        gatekeeping.LEFT_AFTER_MS = 3_000

    async def pause_and_resume(self, sale: SaleKey) -> None:
        async with tenant_tx(self.market.pool, sale.tenant_id) as tx:
            await sales.pause(tx, sale.sale_id, actor=ACTOR)
            await sales.resume(tx, sale.sale_id, actor=ACTOR)

    async def cancel(self, sale: SaleKey, order_id: UUID) -> None:
        async with tenant_tx(self.market.pool, sale.tenant_id) as tx:
            await release.cancel(tx, order_id)

    async def sell_the_rest(self, sale: SaleKey) -> list[str]:
        """Shoppers come until it is sold out; what is not as promised then: every unit is held, and the gate knows it."""
        await self.settle(sale)
        ending = time.monotonic() + PATIENCE_S
        while True:
            answers = await self.crowd(sale, 20)
            if set(answers) == {"SOLD_OUT"}:
                break
            if time.monotonic() > ending:
                return [f"not sold out: {answers}"]
            await self.tend(sale)
        await self.settle(sale)
        async with tenant_tx(self.market.pool, sale.tenant_id) as tx:
            row = await allot.lock_sale(tx, sale.sale_id)
        assert row is not None
        view = await self.gatekeeper.view(sale)
        found = (row.committed, view and (view.avail, view.undecided))
        return [] if found == (row.allotted, (0, 0)) else [f"of {row.allotted} units {found[0]} were sold, and the gate counts {found[1]}"]

    # What may happen to Redis

    @property
    def aof(self) -> Path:
        return self.valkey.folder / "valkey" / AOF

    async def stop_valkey(self) -> None:
        await asyncio.to_thread(self.valkey.stop, "valkey")

    async def start_valkey(self) -> None:
        """Start it again, and wait until every process has its link back."""
        await asyncio.to_thread(self.valkey.resume, "valkey")
        await self.linked()

    async def keep_aof(self, copy: Path) -> None:
        await self.stop_valkey()
        await asyncio.to_thread(shutil.copytree, self.aof, copy, dirs_exist_ok=True)
        await self.start_valkey()

    async def restore_aof(self, copy: Path) -> None:
        """An older file of Redis is put back, as after the restoration of a backup."""
        await self.stop_valkey()
        await asyncio.to_thread(put_back, copy, self.aof)
        await self.start_valkey()

    def kill(self, process: int) -> None:
        """What the process is at ends where it stands: its transactions roll back, nobody is answered. Another begins in its place."""
        committer = self.doors[process]._committer
        flights = [task for flying in self.batchers[process]._flushing.values() for task in flying]
        for task in [*flights, *committer._going.values(), *committer._lines._heads.values()]:
            task.cancel()
        self.doors[process] = self._new_doors(process)
        self.batchers[process] = Batcher(self.doors[process].decide, flights=FLIGHTS)

    async def linked(self) -> None:
        anybody = SaleKey(uuid4(), uuid4())
        async with asyncio.timeout(PATIENCE_S):
            for gatekeeper in self.gatekeepers:
                while True:
                    try:
                        await gatekeeper.view(anybody)
                        break
                    except (Closed, Unknown):
                        await asyncio.sleep(0.02)


def put_back(copy: Path, folder: Path) -> None:
    """Replace `folder` by its copy; its owner, who may be somebody else than we, stays its owner."""
    owner = folder.stat()
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner.st_uid, owner.st_gid)


@asynccontextmanager
async def open_gates(market: Market, valkey: Servers) -> AsyncIterator[Gates]:
    market.settings = msgspec.structs.replace(market.settings, redis_url=valkey.redis_url, arq_redis_url=valkey.arq_redis_url)
    async with AsyncExitStack() as stack:
        partitions = [await stack.enter_async_context(Partitions(valkey.redis_url)) for _ in range(PROCESSES)]
        bell = Bell(valkey.arq_redis_url)
        stack.push_async_callback(bell.aclose)
        gates = Gates(market, valkey, partitions, bell)
        stack.push_async_callback(gates.aclose)
        market.before_checks.append(gates.tend_all)
        yield gates
