"""What an order costs Postgres while 500,000 units are sold one by one: flat, since the low-water mark leads past what is sold.

    python -m tests.bench.low_water_mark [units, 500000] [batch, 400]

Sells all units of a sale (in a store of twice as many) through the product's commit, batch after batch on one connection, and prints for
each tenth what an order cost: CPU of that connection's backend and of all of Postgres (writers and autovacuum, which run as they please),
and pages touched. CPU and pages do not depend on what else the machine does. Exit code 1 when the last tenth costs the backend more than
`FLAT` times the first, by either measure. About three minutes.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import asyncpg
import uvloop

from checkout_core.config import Settings
from checkout_core.intents import Outcome
from loadtests.loader import cpu
from tenants.db import create_pool, dsn_for
from tenants.migrate import migrate
from tenants.orders import commit_batch
from tessera.embedded import Servers
from tests.tenants.orders.million import FILL, Million

FLAT = 1.2  # a tree of keys grows a level now and then: half a million rows are worth some pages, and no more
PARTS = 10


class Look(NamedTuple):
    """Sums since the beginning: seconds, pages, runs."""

    at: float
    backend_s: float
    postgres_s: float
    pages: int
    vacuums: int


class Cost(NamedTuple):
    """Of one order."""

    sold: int
    backend_us: float
    postgres_us: float
    pages: float
    wall_us: float
    vacuums: int
    dead_rows: int


class Meter:
    """Looks at Postgres from outside the connection that sells."""

    def __init__(self, admin: asyncpg.Connection, backend: int, postgres: int) -> None:
        self._admin = admin
        self._pids = {"backend": [backend], "postgres": [postgres]}

    async def look(self) -> Look:
        # All statements of the role that sells; those of triggers and rules are within them.
        pages = """SELECT sum(shared_blks_hit + shared_blks_read)::bigint FROM pg_stat_statements
                   WHERE toplevel AND userid = 'tessera_app'::regrole"""
        vacuums = "SELECT sum(autovacuum_count)::bigint FROM pg_stat_user_tables"
        used: Mapping[str, float] = cpu.seconds_of(self._pids)
        touched = await self._admin.fetchval(pages) or 0
        return Look(time.perf_counter(), used["backend"], used["postgres"], touched, await self._admin.fetchval(vacuums))

    async def dead_rows(self) -> int:
        count: int = await self._admin.fetchval("SELECT sum(n_dead_tup)::bigint FROM pg_stat_user_tables")
        return count


async def sell(settings: Settings, postgres: int, units: int, batch: int) -> list[Cost]:
    """What an order cost in each tenth of the sale."""
    await migrate(settings)
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    costs: list[Cost] = []
    async with await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool:
        million = Million(pool, admin, 2 * units)
        await million.run(FILL)
        await admin.execute("ANALYZE; CHECKPOINT")
        async with pool.acquire() as connection:
            meter = Meter(admin, await connection.fetchval("SELECT pg_backend_pid()"), postgres)
        for part in parts(units, batch):
            before = await meter.look()
            for size in part:
                decisions = await commit_batch(pool, million.sale, await million.wishes(size))
                assert all(decision.outcome == Outcome.RESERVED for decision in decisions)
            costs.append(cost(before, await meter.look(), sum(part), await meter.dead_rows(), costs[-1].sold if costs else 0))
            show(costs[-1])
    await admin.close()
    return costs


def parts(units: int, batch: int) -> Iterator[list[int]]:
    """Sizes of the batches of each tenth."""
    for part in range(PARTS):
        left = units * (part + 1) // PARTS - units * part // PARTS
        yield [min(batch, left - start) for start in range(0, left, batch)]


def cost(before: Look, after: Look, orders: int, dead_rows: int, sold: int) -> Cost:
    wall_s, backend_s, postgres_s, pages, vacuums = (b - a for a, b in zip(before, after, strict=True))
    us = 1e6 / orders
    return Cost(sold + orders, backend_s * us, postgres_s * us, pages / orders, wall_s * us, int(vacuums), dead_rows)


def show(each: Cost) -> None:
    print(
        f"{each.sold:10,} {each.backend_us:13.1f} {each.postgres_us:14.1f} {each.pages:12.1f} {each.wall_us:10.0f} {each.vacuums:12}"
        f" {each.dead_rows:10,}",
        flush=True,
    )


def main() -> int:
    units, batch = (int(argument) for argument in [*sys.argv[1:], *("500000", "400")[len(sys.argv) - 1 :]])
    print("      sold  backend, µs  Postgres, µs  pages touched  wall, µs  autovacuums  dead rows   an order of this tenth")
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        Path(folder).chmod(0o755)
        with Servers(folder) as servers:
            environ = servers.environment | {"TESSERA_SECRET": "5e" * 32, "TESSERA_ENV": "test"}
            postgres = servers.pids["postgres"]
            assert postgres is not None
            costs = uvloop.run(sell(Settings.from_env(environ), postgres, units, batch))
    first, last = costs[0], costs[-1]
    by_cpu, by_pages = last.backend_us / first.backend_us, last.pages / first.pages
    flat = max(by_cpu, by_pages) <= FLAT
    print(f"last tenth to first: backend CPU × {by_cpu:.2f}, pages × {by_pages:.2f}: {'flat' if flat else 'NOT FLAT'} (at most × {FLAT})")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
