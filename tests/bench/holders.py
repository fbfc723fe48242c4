"""What "sold out" from memory costs an API process, with many who hold an order in the sale.

    python -m tests.bench.holders [holders, 500000] [probes, 5]

The holders are written by SQL, the gate in a real Valkey is loaded with nothing left. "Load" is the first time the process learns that the
sale is sold out, a "probe" each later second, "asked" one press answered from memory. CPU time of this process and of its Postgres
connection, which other work on the machine does not change; but for "longest", the longest the process was deaf meanwhile (wall time).
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

import asyncpg
import uvloop

from api.soldout import SoldOut
from checkout_core.admission import Count, Gatekeeper
from checkout_core.config import Settings
from checkout_core.ids import new_id
from checkout_core.partitions import Partitions
from tenants.db import Pool, create_pool, dsn_for
from tenants.migrate import migrate
from tessera.embedded import Servers
from tests.bench.redis_core import cpu_s
from tests.tenants.orders.million import FILL, Million

HELD = """
    SET session_replication_role = replica;
    INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, amount_minor, currency, body_hash, channel, hold_until, next_try_at)
    SELECT {tenant}, overlay(md5(n::text || 'order') placing '7' from 13)::uuid, md5(n::text)::uuid, md5(n::text || 'shopper')::uuid,
           'awaiting', 9900, 'CNY', '', 'web', now() + interval '1 h', now() + interval '1 h' FROM generate_series(1, {units} / 2) n;
    INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor)
    SELECT {tenant}, id, {sale}, {sku}, 1, 9900 FROM orders;
    UPDATE unit SET state = 'held', order_id = overlay(md5(id::text || 'order') placing '7' from 13)::uuid,
           shopper_id = md5(id::text || 'shopper')::uuid, slot = 1 WHERE sale_id = {sale};
    UPDATE sale SET committed = {units} / 2, last_unit = {units} / 2 WHERE id = {sale};
    RESET session_replication_role;
"""


class Meter:
    """CPU seconds of this process and of the backends of `pool`, and the longest silence of the loop."""

    def __init__(self, backends: list[int]) -> None:
        self._backends = backends

    async def of(self, learning: "asyncio.Future[None]") -> tuple[float, float, float]:
        own, theirs = time.process_time(), sum(map(cpu_s, self._backends))
        longest, last = 0.0, time.perf_counter()
        while not learning.done():
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        learning.result()
        return time.process_time() - own, sum(map(cpu_s, self._backends)) - theirs, longest


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def measure(settings: Settings, holders: int, probes: int) -> None:
    await migrate(settings)
    admin = await asyncpg.connect(settings.database_url)
    pool: Pool
    async with await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool, Partitions(settings.redis_url) as partitions:
        million = Million(pool, admin, 2 * holders)
        await million.run(FILL)
        await million.run(HELD)
        await admin.execute("VACUUM ANALYZE")
        gatekeeper = Gatekeeper(partitions)
        await gatekeeper.load(million.sale, Count(1, "open", 0, 2), [])
        sold_out = SoldOut(pool, gatekeeper)
        meter = Meter([await pool.fetchval("SELECT pg_backend_pid()")])

        async def learned() -> None:
            sold_out.learn(million.sale, 1)
            await asyncio.gather(*sold_out._loading.values())

        def show(what: str, own: float, theirs: float, longest: float) -> None:
            print(f"{what:24} {1e3 * own:9.2f} ms here {1e3 * theirs:9.2f} ms in Postgres, longest {1e3 * longest:7.1f} ms")

        before = resident_mb()
        show("load", *await meter.of(asyncio.ensure_future(learned())))
        print(f"{'memory':24} {resident_mb() - before:9.1f} MB")
        for _ in range(probes):
            await asyncio.sleep(1.05)
            assert not sold_out.says(million.sale, new_id())
            show("probe", *await meter.of(asyncio.ensure_future(learned())))
        winner = await admin.fetchval("SELECT shopper_id FROM unit WHERE sale_id = $1 LIMIT 1", million.sale_id)
        assert not sold_out.says(million.sale, winner)
        crowd = [UUID(bytes=os.urandom(16)) for _ in range(100_000)]
        began = time.process_time()
        said = sum(sold_out.says(million.sale, who) for who in crowd)
        print(f"{'asked':24} {1e6 * (time.process_time() - began) / len(crowd):9.3f} µs each ({said} of {len(crowd)} turned away)")
    await admin.close()


def main() -> None:
    holders, probes = (int(argument) for argument in [*sys.argv[1:], *("500000", "5")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        Path(folder).chmod(0o755)
        with Servers(folder) as servers:
            environ = servers.environment | {"TESSERA_SECRET": "5e" * 32, "TESSERA_ENV": "test"}
            uvloop.run(measure(Settings.from_env(environ), holders, probes))


if __name__ == "__main__":
    main()
