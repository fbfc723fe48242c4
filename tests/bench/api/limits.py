"""What a merchant's request pays for its rate limit: the same request with it and without, in turns."""

import statistics
import time
from collections.abc import Sequence
from typing import Any
from unittest import mock

import httpx

from api.limits import Limits
from api.process import Process
from checkout_core.limits import Bucket, Level
from tests.bench.api.figures import told

CHEAP = "/v1/products?limit=1"  # one statement in one transaction
TURNS = 4  # requests in a row before the other way has its turn: both see the same machine


async def _unasked(self: Limits, home: str, buckets: Sequence[Bucket]) -> list[Level]:
    return [Level(bucket.quota, 0.0, 0.0) for bucket in buckets]


async def measure(client: httpx.AsyncClient, process: Process, key: str, requests: int, rounds: int) -> dict[str, Any]:
    """Of both ways: milliseconds of a request, µs of CPU of this process and of Redis; and the medians' ratios."""
    headers = {"Authorization": f"Bearer {key}"}
    took: dict[str, list[float]] = {"with": [], "without": []}
    cpu: dict[str, list[float]] = {"with": [], "without": []}
    redis_us: dict[str, list[float]] = {"with": [], "without": []}

    async def redis_s() -> float:
        used = await process.redis.info("cpu")
        return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])

    async def ask(way: str, count: int) -> None:
        for _ in range(count):
            began, worked = time.perf_counter(), time.process_time()
            response = await client.get(CHEAP, headers=headers)
            cpu[way].append((time.process_time() - worked) * 1e6)
            took[way].append((time.perf_counter() - began) * 1e3)
            assert response.status_code == 200, response.text

    for turn in range(rounds * requests):
        for way in ("with", "without") if turn % 2 else ("without", "with"):
            before = await redis_s()
            if way == "with":
                await ask(way, TURNS)
            else:
                with mock.patch.object(Limits, "_take", _unasked):
                    await ask(way, TURNS)
            redis_us[way].append((await redis_s() - before) / TURNS * 1e6)
    ms = {way: statistics.median(took[way]) for way in took}
    us = {way: statistics.median(cpu[way]) + statistics.fmean(redis_us[way]) for way in took}
    found: dict[str, Any] = {
        way: told(took[way]) | {"cpu_us": round(statistics.median(cpu[way]), 1), "redis_us": round(statistics.fmean(redis_us[way]), 1)}
        for way in took
    }
    return found | {"ratios": {"latency": round(ms["with"] / ms["without"], 3), "cpu": round(us["with"] / us["without"], 3)}}
