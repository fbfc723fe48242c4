"""What an order costs Postgres as a sale goes on: flat, since the low-water mark leads past what is sold.

    python -m tests.bench.low_water_mark [units, 500000] [batch, 256]

Sells all units of a sale one by one through the product's commit, batch after batch on one connection, and prints the cost of an order
for the first and the last 1,000 and for each tenth. Wall time of one process: other work on the machine shows in it.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import uvloop

from checkout_core.config import Settings
from checkout_core.intents import Outcome
from tenants.db import create_pool, dsn_for
from tenants.migrate import migrate
from tenants.orders import commit_batch
from tessera.embedded import Servers
from tests.tenants.orders.million import FILL, Million


async def sell(settings: Settings, units: int, batch: int) -> list[float]:
    """Seconds of each batch."""
    await migrate(settings)
    admin = await asyncpg.connect(settings.database_url)
    async with await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool:
        million = Million(pool, admin, 2 * units)
        await million.run(FILL)
        took = []
        for start in range(0, units, batch):
            wishes = await million.wishes(min(batch, units - start))
            began = time.perf_counter()
            decisions = await commit_batch(pool, million.sale, wishes)
            took.append(time.perf_counter() - began)
            assert all(decision.outcome == Outcome.RESERVED for decision in decisions)
    await admin.close()
    return took


def main() -> None:
    units, batch = (int(argument) for argument in [*sys.argv[1:], *("500000", "256")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        Path(folder).chmod(0o755)
        with Servers(folder) as servers:
            environ = servers.environment | {"TESSERA_SECRET": "5e" * 32, "TESSERA_ENV": "test"}
            took = uvloop.run(sell(Settings.from_env(environ), units, batch))
    thousand = max(1, 1000 // batch)
    first, last = (1e6 * statistics.median(part) / batch for part in (took[1 : thousand + 1], took[-thousand - 1 : -1]))
    print(f"{units:,} units, {batch} a batch: {first:.0f} µs an order for the first 1,000, {last:.0f} µs for the last (medians)")
    tenth = max(1, len(took) // 10)
    print(
        "each tenth, µs an order:", *(f"{1e6 * statistics.median(took[at : at + tenth]) / batch:.0f}" for at in range(0, 10 * tenth, tenth))
    )


if __name__ == "__main__":
    main()
