"""What a rush leaves to be done when everybody has his answer: its orders are indexed, by the worker and Postgres.

The next racer shall not run beside that, and a price is no smaller for being paid later: so it is waited for, and told.
"""

import asyncio
import time
from typing import Final

import asyncpg

from loadtests.bench import racers
from loadtests.bench.rig import Rig
from loadtests.loader import cpu
from tenants.db import dsn_for

DONE_IN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.1
PAYS: Final = ("postgres", "worker")
# The notes wait some seconds, which nobody here needs to.
_HURRY = "UPDATE order_change SET next_try_at = now() WHERE tenant_id = $1 AND next_try_at > now()"
_LEFT = "SELECT count(*) FROM order_change WHERE tenant_id = $1"


def finish(rig: Rig) -> float:
    """CPU seconds of Postgres and the worker until nothing is left. Raises `TimeoutError`."""
    pids = {name: each for name, each in rig.pids(racers.OURS).items() if name in PAYS}
    before = sum(cpu.seconds_of(pids).values())
    asyncio.run(_done(rig))
    return sum(cpu.seconds_of(pids).values()) - before


async def _done(rig: Rig) -> None:
    conn = await asyncpg.connect(dsn_for(rig.settings, "tessera_migrator"))
    try:
        await conn.execute(_HURRY, rig.tenant_id)
        deadline = time.monotonic() + DONE_IN_S
        while left := await conn.fetchval(_LEFT, rig.tenant_id):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{left} batches of orders were not indexed within {DONE_IN_S:.0f} s")
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await conn.close()
