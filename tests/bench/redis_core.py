"""What one reservation costs at the door: microseconds of Redis and of this process, by batch size.

    python -m tests.bench.redis_core [seconds per size]

"script" is what Redis counts inside EVALSHA; "redis" and "client" are user + system time of the two processes, so that they do not
depend on what else the machine does. "at once" is how many batches are under way together. Each row sells to new shoppers.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from uuid import UUID, uuid4

import uvloop

from checkout_core import keys
from checkout_core.admission import Count, Gate, Gatekeeper
from checkout_core.intents import Intent, SaleKey
from checkout_core.partitions import Partitions
from tessera.embedded import Servers

SIZES = ((1, 1), (1, 64), (4, 16), (16, 8), (128, 2), (512, 2))
ROUNDS = 5  # the best one counts: the others tell how busy the machine was
UNITS = 1 << 40
HEADER = "| batch | at once | reservations/s | script µs | Redis µs | client µs | client µs per call |\n" + 7 * "|---" + "|"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def wishes(count: int) -> list[Intent]:
    """Made beforehand: ids cost more than what is measured."""
    raw = os.urandom(48 * count)
    ids = [UUID(bytes=raw[at : at + 16]) for at in range(0, len(raw), 16)]
    return [Intent(*ids[3 * i : 3 * i + 3], 1, b"b" * 16, None, "buyer@example.org", None) for i in range(count)]


async def measure(gatekeeper: Gatekeeper, partitions: Partitions, pid: int, batch: int, at_once: int, seconds: float) -> tuple[float, ...]:
    """(reservations/s, µs of script, of Redis, of this process; µs of this process per call), acks included but for the script's."""
    sale = SaleKey(uuid4(), uuid4())
    link = partitions.link(keys.of(sale).partition)
    await gatekeeper.load(sale, Count(1, "open", UNITS, 2), [])
    queue = deque(wishes(int(seconds * 60_000)))
    await link.call("CONFIG", "RESETSTAT")
    admitted = 0

    async def press() -> None:
        nonlocal admitted
        while len(queue) >= batch:
            intents = [queue.popleft() for _ in range(batch)]
            answer = await gatekeeper.admit(sale, intents)
            assert answer.gate is Gate.OPEN
            admitted += batch

    redis_began, client_began, began = cpu_s(pid), time.process_time(), time.perf_counter()
    await asyncio.gather(*(press() for _ in range(at_once)))
    took, client, redis = time.perf_counter() - began, time.process_time() - client_began, cpu_s(pid) - redis_began
    stats: bytes = await link.call("INFO", "commandstats")
    script_us = sum(float(line.split(b"usec=")[1].split(b",")[0]) for line in stats.splitlines() if line.startswith(b"cmdstat_eval"))
    await link.call("FLUSHDB")
    return admitted / took, script_us / admitted, redis * 1e6 / admitted, client * 1e6 / admitted, client * 1e6 / admitted * batch


async def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, Servers(folder, environ={"DATABASE_URL": "postgresql://unused"}) as servers:
        async with Partitions(servers.redis_url) as partitions:
            print(HEADER)
            for batch, at_once in SIZES:
                rounds = [
                    await measure(Gatekeeper(partitions, backlog_max=UNITS), partitions, servers.pids["valkey"], batch, at_once, seconds)
                    for _ in range(ROUNDS)
                ]
                rates, *costs = zip(*rounds, strict=True)
                print(f"| {batch} | {at_once} | {max(rates):,.0f} | " + " | ".join(f"{min(cost):.1f}" for cost in costs) + " |", flush=True)


if __name__ == "__main__":
    uvloop.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
