"""A million lines into the vault: lines a second, peak memory, and how long the event loop was ever kept waiting.

    python -m tests.bench.vault_import [--lines 1000000] [--no-fsync]

The targets are 30,000 lines a second and 300 MB on a machine with two cores, Postgres on the same machine. Prints one line of JSON.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

from checkout_core.config import Settings
from checkout_core.ids import new_id
from tenants import vault
from tenants.db import Pool, create_pool, dsn_for, tenant_tx
from tenants.keys import Keyring
from tenants.migrate import migrate
from tessera.embedded import Servers

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CHUNK_BYTES = 64 * 1024  # about what a server hands over of an upload at a time


def write_lines(path: Path, lines: int) -> None:
    """`YK-R2CD-2BL5-99QZ-V3S8----950896`, in the shape of tests/data/codes/video-year.txt."""
    dice = random.Random(1)
    with path.open("w", newline="") as file:
        for _ in range(lines):
            number = "-".join("".join(dice.choices(ALPHABET, k=4)) for _ in range(4))
            file.write(f"YK-{number}----{dice.randrange(10**6):06d}\r\n")


async def chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


async def longest_wait(stop: asyncio.Event) -> list[float]:
    """How late a coroutine that asks for 1 ms of sleep came back each time, in milliseconds."""
    waits = []
    while not stop.is_set():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        waits.append((time.perf_counter() - began) * 1000 - 1)
    return sorted(waits)


async def make_sku(pool: Pool) -> tuple[UUID, UUID]:
    tenant_id, product_id, sku_id = new_id(), new_id(), new_id()
    async with tenant_tx(pool, tenant_id) as tx:
        await tx.conn.execute("INSERT INTO product (tenant_id, id, name) VALUES ($1, $2, 'bench')", tenant_id, product_id)
        sql = "INSERT INTO sku (tenant_id, id, product_id, name, price_minor, currency) VALUES ($1, $2, $3, 'bench', 100, 'CNY')"
        await tx.conn.execute(sql, tenant_id, sku_id, product_id)
    return tenant_id, sku_id


def cpu_s_of_children(parent: int) -> float:
    """CPU seconds of the processes that `parent` has now: Postgres' backends and writers (proc(5): fields 4, 14 and 15)."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def measure(settings: Settings, path: Path, postgres: int) -> dict[str, object]:
    await migrate(settings)
    pool = await create_pool(dsn_for(settings, "tessera_app"))
    tenant_id, sku_id = await make_sku(pool)
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    stop = asyncio.Event()
    waiting = asyncio.create_task(longest_wait(stop))
    began, cpu = time.perf_counter(), time.process_time()
    report = await vault.run(
        pool, Keyring(settings.secret), tenant_id, sku_id, chunks(path), vault.Wishes(), vault.Origin(operator="bench")
    )
    took_s = time.perf_counter() - began
    postgres_cpu_s = cpu_s_of_children(postgres)
    stop.set()
    waits = await waiting
    began = time.perf_counter()
    async with tenant_tx(pool, tenant_id) as tx:
        stock = await vault.stock(tx, sku_id)
    stock_ms = (time.perf_counter() - began) * 1000
    await pool.close()
    assert (report.state, stock.available) == ("loaded", report.loaded)
    return {
        "lines": report.lines,
        "loaded": report.loaded,
        "seconds": round(took_s, 1),
        "lines_per_s": round(report.lines / took_s),
        "cpu_us_per_line": round((time.process_time() - cpu) / report.lines * 1e6, 1),
        "postgres_cpu_us_per_line": round(postgres_cpu_s / report.lines * 1e6, 1),
        "rss_mb_before": round(before_mb),
        "rss_mb_max": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "stock_ms": round(stock_ms),
        "loop_wait_ms_p99": round(waits[int(len(waits) * 0.99)], 1),
        "loop_wait_ms_max": round(waits[-1], 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--no-fsync", dest="fsync", action="store_false")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        path = Path(folder) / "codes.txt"
        write_lines(path, args.lines)
        Path(folder).chmod(0o755)
        with Servers(Path(folder) / "servers", fsync=args.fsync, environ={}) as servers:
            settings = Settings(
                database_url=servers.database_url, redis_url=servers.redis_url, arq_redis_url=servers.arq_redis_url,
                secret=b"\x11" * 32, environment="test",
            )  # fmt: skip
            print(json.dumps(asyncio.run(measure(settings, path, servers.pids["postgres"]))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
