"""The list of what shoppers choose by: 100,000 seats with a unit each, and one pick with 100,000 units.

    python -m tests.bench.picks [--picks 100000] [--rounds 300]

The target is 50 ms for a page of a hundred, at the 99th percentile, with Postgres on the same machine. Prints a line for each way to ask,
before and after Postgres has statistics, and once nearly all units of the one pick are sold and nothing is vacuumed.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.config import Settings
from checkout_core.ids import new_id
from tenants import picks
from tenants.db import Pool, TenantTx, create_pool, dsn_for, tenant_tx
from tenants.migrate import migrate
from tenants.picks import Listed
from tessera.embedded import Servers

PAGE = 101  # a hundred, and one that tells whether there are more
A_SESSION = 1_000  # seats
Ask = Callable[[TenantTx], Awaitable[list[Listed]]]


class Hall(NamedTuple):
    """A tenant with a SKU of many seats, some sessions over, and one whose units are all alike."""

    tenant: UUID
    seats: UUID
    alike: UUID

    @classmethod
    async def build(cls, admin: asyncpg.Connection, count: int) -> "Hall":
        hall = cls(new_id(), new_id(), new_id())
        product = new_id()
        await admin.execute("INSERT INTO tenant (id, slug) VALUES ($1, 'bench')", hall.tenant)
        await admin.execute("INSERT INTO store (tenant_id, slug, name) VALUES ($1, 'bench', 'bench')", hall.tenant)
        await admin.execute("INSERT INTO product (tenant_id, id, name) VALUES ($1, $2, 'bench')", hall.tenant, product)
        for sku in (hall.seats, hall.alike):
            await hall._sku(admin, product, sku, count)
        name = f"'s' || n / {A_SESSION} || '.box.' || n % {A_SESSION}"
        until = f"now() + (n / {A_SESSION} - 20) * interval '1 day'"
        sql = f"""INSERT INTO pick (tenant_id, sku_id, pick, label, offered_until)
                  SELECT $1, $2, {name}, 'Seat ' || n, {until} FROM generate_series(0, $3 - 1) AS n"""
        await admin.execute(sql, hall.tenant, hall.seats, count)
        await admin.execute("INSERT INTO pick (tenant_id, sku_id, pick, label) VALUES ($1, $2, 'any', 'Any')", hall.tenant, hall.alike)
        for sku, pick in ((hall.seats, name), (hall.alike, "'any'")):
            sql = f"""INSERT INTO unit (tenant_id, id, sku_id, batch_id, sale_id, pick)
                      SELECT $1, nextval('unit_id_seq'), $2, $2, $2, {pick} FROM generate_series(0, $3 - 1) AS n"""
            await admin.execute(sql, hall.tenant, sku, count)
        return hall

    async def _sku(self, admin: asyncpg.Connection, product: UUID, sku: UUID, count: int) -> None:
        """With its batch and its sale, which have the same id."""
        sql = """INSERT INTO sku (tenant_id, id, product_id, name, price_minor, currency, type, stock, picked)
                 VALUES ($1, $2, $3, 'bench', 100, 'CNY', 'ticket', 'made', true)"""
        await admin.execute(sql, self.tenant, sku, product)
        sql = """INSERT INTO vault_batch (tenant_id, id, sku_id, state, kind, sealed, operator, loaded)
                 VALUES ($1, $2, $2, 'loaded', 'made', false, 'bench', $3)"""
        await admin.execute(sql, self.tenant, sku, count)
        sql = """INSERT INTO sale (tenant_id, id, sku_id, name, price_minor, currency, starts_at, limit_per_shopper, hold_s, allotted)
                 VALUES ($1, $2, $2, 'bench', 100, 'CNY', now(), 0, 900, $3)"""
        await admin.execute(sql, self.tenant, sku, count)


async def timed(pool: Pool, tenant: UUID, what: str, ask: Ask, rounds: int) -> None:
    took_ms = []
    for _ in range(rounds):
        began = time.perf_counter()
        async with tenant_tx(pool, tenant) as tx:
            rows = len(await ask(tx))
        took_ms.append((time.perf_counter() - began) * 1000)
    took_ms.sort()
    p50, p99 = took_ms[rounds // 2], took_ms[rounds * 99 // 100]
    print(f"{what:45} {rows:4} rows   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms", flush=True)


async def measure(settings: Settings, count: int, rounds: int) -> None:
    await migrate(settings)
    admin = await asyncpg.connect(settings.database_url)
    pool = await create_pool(dsn_for(settings, "tessera_app"), size=2)
    try:
        hall = await Hall.build(admin, count)
        turned: list[Listed] = []

        async def next_page(tx: TenantTx) -> list[Listed]:
            after = turned[-1].key if len(turned) == PAGE else None
            turned[:] = await picks.offered(tx, hall.seats, "api", limit=PAGE, after=after)
            return turned

        ways: dict[str, Ask] = {
            "a shopper's first page": lambda tx: picks.offered(tx, hall.seats, "api", limit=PAGE),
            "his next pages, to the end": next_page,
            "one pick with all units": lambda tx: picks.offered(tx, hall.alike, "api", limit=PAGE),
            "the staff's first page": lambda tx: picks.listed(tx, hall.seats, limit=PAGE),
        }
        for when in ("without statistics", "with statistics"):
            print(when)
            for what, ask in ways.items():
                await timed(pool, hall.tenant, what, ask, rounds)
            await admin.execute("VACUUM ANALYZE")
        sql = "UPDATE unit SET state = 'sold', order_id = $1, shopper_id = $1 WHERE sku_id = $1 AND id % 100 <> 0"
        await admin.execute(sql, hall.alike)
        print("99 of 100 sold a moment ago")
        await timed(pool, hall.tenant, "one pick with all units", ways["one pick with all units"], rounds)
    finally:
        await pool.close()
        await admin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=300)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        Path(folder).chmod(0o755)
        with Servers(Path(folder) / "servers", environ={}) as servers:
            settings = Settings(
                database_url=servers.database_url, redis_url=servers.redis_url, arq_redis_url=servers.arq_redis_url,
                secret=b"\x11" * 32, environment="test",
            )  # fmt: skip
            asyncio.run(measure(settings, args.picks, args.rounds))


if __name__ == "__main__":
    main()
