"""A million checkouts in one run: what grows, and whether the last tenth costs what the first did."""

import asyncio
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg

from loadtests.bench import press, racers
from loadtests.bench.races import Hall, cpu
from loadtests.bench.rig import Rig
from loadtests.bench.sizes import CONNECTIONS

TENTHS: Final = 10
LOOK_S: Final = 1.0
SETTLES_S: Final = 30.0  # until the worker has dropped the gates of sales that are over
TABLES: Final = ("orders", "order_line", "unit", "sale", "outbox", "give_back", "code", "order_entry", "order_posting")


def rss_mib(pids: Iterable[int]) -> float:
    """Resident memory of these processes together."""
    kib = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        kib += next((int(line.split()[1]) for line in status if line.startswith("VmRSS")), 0)
    return kib / 1024


class Watch(threading.Thread):
    """Looks at memory once a second until told to stop."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(name="memory", daemon=True)
        self._pids = {name: pids for name, pids in rig.pids(racers.OURS).items() if name in ("api", "redis", "worker")}
        self._over = threading.Event()
        self.seen: dict[str, list[tuple[float, float]]] = {name: [] for name in self._pids}

    def run(self) -> None:
        began = time.monotonic()
        while not self._over.wait(LOOK_S):
            for name, pids in self._pids.items():
                self.seen[name].append((round(time.monotonic() - began, 1), round(rss_mib(pids), 1)))

    def end(self) -> None:
        self._over.set()
        self.join()


def run(hall: Hall, checkouts: int) -> dict[str, Any]:
    """Ten sales, one after the other; each is sold but for a few units, held against the history, and ended. Raises `Wrong`."""
    rig, each = hall.rig, checkouts // TENTHS
    sales = [rig.open_sale(racers.OURS, each + press.SPARE) for _ in range(TENTHS)]
    redis_before = used_memory(rig)
    history = rig.shop.folder / "million.jsonl"
    watch = Watch(rig)
    watch.start()
    pressed = []
    for sale in sales:
        report = press.load(rig, racers.OURS, sale, each, connections=CONNECTIONS, history=history)
        press.expect_all(racers.OURS, report, each)
        pressed.append(press.pressed_of(report))
        hall.say(f"{each * len(pressed):>10,} of {checkouts:,} {pressed[-1].per_s:>9,.0f}/s  {cpu(pressed[-1])}")
    redis_full = used_memory(rig)
    press.prove(rig, "a million checkouts", history)
    for sale in sales:
        rig.end_sale(sale)
    redis_after = wait_for_redis(rig, redis_before)
    watch.end()
    api = [mib for _, mib in watch.seen["api"]]
    quarter = max(1, len(api) // 4)
    return {
        "checkouts": checkouts,
        "checkouts_a_second": round(checkouts / sum(p.seconds for p in pressed), 1),
        "last_tenth_to_first": round(pressed[-1].server_us / pressed[0].server_us, 3),
        "api_mib_most": max(api),
        "api_mib_growth_in_the_last_three_quarters": round(median(api[-quarter:]) - median(api[quarter : 2 * quarter]), 1),
        "redis_mib": {"before": redis_before, "all sold": redis_full, "sales ended": redis_after},
        "rss_mib_over_time": watch.seen,
        "tenths": [p.as_json() for p in pressed],
        "tables": asyncio.run(sizes(rig, checkouts)),
    }


def used_memory(rig: Rig) -> float:
    info: Any = rig.redis.info("memory")
    used: int = info["used_memory"]
    return round(used / 2**20, 2)


def wait_for_redis(rig: Rig, before: float) -> float:
    """What Redis holds once the ended sales are forgotten, or when patience ends."""
    deadline = time.monotonic() + SETTLES_S
    while (now := used_memory(rig)) > before + 1 and time.monotonic() < deadline:
        time.sleep(0.5)
    return now


async def sizes(rig: Rig, checkouts: int) -> dict[str, dict[str, float]]:
    """Of each table with its indexes, after a vacuum has told what is dead."""
    conn = await asyncpg.connect(rig.shop.servers.database_url)
    try:
        out = {}
        for table in TABLES:
            await conn.execute(f"VACUUM (ANALYZE) {table}")
            size = await conn.fetchval("SELECT pg_total_relation_size($1::regclass)", table)
            rows = await conn.fetchval(f"SELECT count(*) FROM {table}")
            out[table] = {"rows": rows, "mib": round(size / 2**20, 1), "bytes_per_order": round(size / checkouts, 1)}
        return out
    finally:
        await conn.close()
