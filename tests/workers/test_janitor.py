"""Keys of a sale that is over come back with an older file of Redis, and go again."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from checkout_core import keys
from checkout_core.admission import Gatekeeper
from checkout_core.config import Settings
from checkout_core.ids import decode, new_id
from checkout_core.intents import Intent, Outcome, SaleKey
from checkout_core.partitions import Partitions
from checkout_core.resp import Closed, Unknown
from tenants import duties
from tenants.db import create_pool, dsn_for, tenant_tx
from tenants.orders import commit_batch
from tessera.embedded import Servers
from tests.drills.valkey import put_back
from tests.shop import Store
from workers import gatekeeping, janitor

AOF = "appendonlydir"


@pytest.fixture
def valkey(settings: Settings) -> Iterator[Servers]:
    """One of its own, that may be stopped."""
    with tempfile.TemporaryDirectory(prefix="tessera-janitor-") as folder:
        Path(folder).chmod(0o755)
        with Servers(Path(folder), environ={"DATABASE_URL": settings.database_url}) as servers:
            yield servers


@pytest.fixture
async def partitions(valkey: Servers) -> AsyncIterator[Partitions]:
    async with Partitions(valkey.redis_url) as partitions:
        yield partitions


class Worker:
    """What a worker does for sales, step by step."""

    def __init__(self, store: Store, partitions: Partitions) -> None:
        self.store = store
        self.pool = store.process.app_pool
        self.partitions = partitions
        self.gatekeeper = Gatekeeper(partitions)

    async def sweep(self) -> None:
        """All sales of the store that are due, once; as the sweep finds them."""
        async with await create_pool(dsn_for(self.store.process.settings, "tessera_sweeper"), size=1) as sweeper:
            for due in await duties.due(sweeper, "sale", 10_000):
                if due.tenant_id == self.store.tenant_id:
                    await gatekeeping.tend(self.pool, self.gatekeeper, due.tenant_id, due.id)

    async def keys_of(self, sale: SaleKey) -> int:
        names = keys.of(sale)
        count: int = await self.partitions.link(names.partition).call("EXISTS", *names[1:])
        return count

    async def linked(self) -> None:
        async with asyncio.timeout(20):
            while True:
                try:
                    await self.gatekeeper.view(SaleKey(uuid4(), uuid4()))
                    return
                except (Closed, Unknown):
                    await asyncio.sleep(0.02)


class TestOnce:
    async def test_keys_of_a_sale_that_is_over_go_also_when_an_older_file_brings_them_back(
        self, acme: Store, valkey: Servers, partitions: Partitions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gatekeeping, "LEFT_AFTER_MS", 0)
        worker = Worker(acme, partitions)
        over, running = [SaleKey(acme.tenant_id, decode("sal", await acme.sale(5, door="gate"))) for _ in range(2)]
        await worker.sweep()
        left = Intent(new_id(), new_id(), new_id(), 1, bytes(16), None)
        admission = await worker.gatekeeper.admit(over, [left])
        # The file is kept with an intent that nobody has decided; then it is, and the sale ends.
        folder = valkey.folder / "valkey" / AOF
        await asyncio.to_thread(valkey.stop, "valkey")
        shutil.copytree(folder, tmp_path / AOF)
        await asyncio.to_thread(valkey.resume, "valkey")
        await worker.linked()
        [decision] = await commit_batch(worker.pool, over, [left._replace(epoch=admission.epoch)])
        assert decision.outcome == Outcome.RESERVED
        await acme.ask("POST", f"/v1/sales/sal_{over.sale_id.hex}/end", acme.merchant)
        await worker.sweep()
        assert await worker.keys_of(over) == 0

        await asyncio.to_thread(valkey.stop, "valkey")
        await asyncio.to_thread(put_back, tmp_path / AOF, folder)
        await asyncio.to_thread(valkey.resume, "valkey")
        await worker.linked()
        await worker.sweep()
        assert await worker.keys_of(over) == 3  # nobody looks after it

        assert await janitor.once(worker.pool, partitions) == 1
        await worker.sweep()
        assert await worker.keys_of(over) == 0
        assert await worker.keys_of(running) > 0
        assert await janitor.once(worker.pool, partitions) == 0

    async def test_what_redis_knows_of_a_later_day_than_postgres_goes_too(self, acme: Store, partitions: Partitions) -> None:
        """Postgres was restored, Redis was not: its epoch is the newer one."""
        worker = Worker(acme, partitions)
        sale = SaleKey(acme.tenant_id, decode("sal", await acme.sale(5, door="gate")))
        await worker.sweep()
        await acme.ask("POST", f"/v1/sales/sal_{sale.sale_id.hex}/end", acme.merchant)
        async with tenant_tx(worker.pool, acme.tenant_id) as tx:
            await tx.conn.execute("UPDATE sale SET epoch = 1 WHERE tenant_id = $1 AND id = $2", *sale)
        await worker.sweep()
        assert await worker.keys_of(sale) == 0

    async def test_a_sale_that_is_not_in_this_postgres_is_left_alone(self, acme: Store, partitions: Partitions) -> None:
        stranger = keys.of(SaleKey(uuid4(), uuid4()))
        link = partitions.link(stranger.partition)
        await link.call("HSET", stranger.sale, "epoch", 1)
        assert await janitor.once(acme.process.app_pool, partitions) == 0
        assert await link.call("EXISTS", stranger.sale) == 1


def test_a_key_tells_its_sale() -> None:
    sale = SaleKey(uuid4(), uuid4())
    assert {keys.sale_of(name) for name in keys.of(sale)[1:]} == {sale}
    assert keys.sale_of(b"{p07}:other:" + b"0" * 32 + b":" + b"0" * 32) is None
    assert keys.sale_of(b"arq:queue") is None
