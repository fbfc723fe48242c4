"""What the audit costs: an act, its link, the proof of a chain; and finding a shopper by contact, which no index helps.

    python -m tests.bench.audit [entries, 100000] [orders, 200000] [rounds, 3]

Acts are written one a statement in one transaction, with the row that says they are not linked and without it (the entry alone, as before).
CPU time of this process and of its Postgres connection together, in microseconds each; the proof and the search by the clock.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import uvloop

from checkout_core.config import Settings
from checkout_core.ids import new_id
from tenants.audit import chain
from tenants.audit.verify import verify
from tenants.db import TenantTx, create_pool, dsn_for, tenant_tx
from tenants.invariants.run import snapshot
from tenants.migrate import migrate
from tenants.privacy import find
from tessera.embedded import Servers
from tests.bench.redis_core import cpu_s

ACTS = 5000
ALONE = "INSERT INTO audit (tenant_id, id, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6)"
ORDERS = """INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, amount_minor, currency, body_hash, contact, channel)
            SELECT $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'expired', 9900, 'CNY', '',
                   'shopper-' || n || '@example.org', 'web' FROM generate_series(1, $2::integer) n"""


async def act(tx: TenantTx, *, linked: bool) -> None:
    if linked:
        await tx.audit("shp_1", "codes.revealed", f"ord_{new_id().hex}", units=[1])
    else:
        await tx.conn.execute(ALONE, tx.tenant_id, new_id(), "shp_1", "codes.revealed", f"ord_{new_id().hex}", '{"units":[1]}')


async def measure(settings: Settings, entries: int, orders: int, rounds: int) -> None:
    await migrate(settings)
    tenant_id = new_id()
    async with await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool:
        backend = await pool.fetchval("SELECT pg_backend_pid()")

        def cpu() -> float:
            return time.process_time() + cpu_s(backend)

        told: dict[str, list[float]] = {"entry alone": [], "act": [], "link": []}
        for _ in range(rounds):
            for name, linked in (("entry alone", False), ("act", True)):
                # Each its own tenant: what the one leaves behind is not the other's.
                async with tenant_tx(pool, tenant_id if linked else new_id()) as tx:
                    start = cpu()
                    for _ in range(ACTS):
                        await act(tx, linked=linked)
                    told[name].append((cpu() - start) / ACTS * 1e6)
            start = cpu()
            done = await chain.link(pool, tenant_id)
            told["link"].append((cpu() - start) / done * 1e6)
        for name, figures in told.items():
            print(f"{name:12} {statistics.median(figures):6.1f} µs   {[round(figure, 1) for figure in figures]}")
        for _ in range(rounds * ACTS, entries, ACTS):
            async with tenant_tx(pool, tenant_id) as tx:
                for _ in range(ACTS):
                    await act(tx, linked=True)
        start = time.perf_counter()
        done = await chain.link(pool, tenant_id)
        print(f"linked {done:,} entries in {time.perf_counter() - start:.1f} s")
        async with tenant_tx(pool, tenant_id) as tx:
            await tx.conn.execute(ORDERS, tenant_id, orders)
        for _ in range(rounds):
            async with tenant_tx(pool, tenant_id) as tx:
                start = time.perf_counter()
                found = await find.by_contact(tx, f"SHOPPER-{orders}@example.org")
                print(f"found {len(found)} of {orders:,} orders in {(time.perf_counter() - start) * 1e3:.0f} ms")
    conn = await asyncpg.connect(dsn_for(settings, "tessera_migrator"))
    for _ in range(rounds):
        start = time.perf_counter()
        async with snapshot(conn):
            verdict = await verify(conn)
        print(f"proved {verdict.entries:,} links in {time.perf_counter() - start:.2f} s, {len(verdict.faults)} faults")
    await conn.close()


def main(entries: int = 100_000, orders: int = 200_000, rounds: int = 3) -> None:
    with tempfile.TemporaryDirectory(prefix="tessera-audit-") as folder:
        Path(folder).chmod(0o755)
        with Servers(Path(folder)) as servers:
            environ = servers.environment | {"TESSERA_ENV": "test", "TESSERA_SECRET": os.urandom(32).hex()}
            uvloop.run(measure(Settings.from_env(environ), entries, orders, rounds))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
