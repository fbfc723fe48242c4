"""The core alone: admit.lua in batches through the gatekeeper, in this process, without HTTP. What P1 puts above the line.

    python -m loadtests.bench.core [--count 200000] [--batch 512] [--at-once 2]

REDIS_URL says where. Nothing is acknowledged, as in the script it is compared with. Prints JSON.
"""

import argparse
import asyncio
import json
import os
import time
from collections import deque
from typing import Any

import uvloop

from checkout_core import keys
from checkout_core.admission import Code, Count, Gate, Gatekeeper
from checkout_core.ids import new_id, of_bytes
from checkout_core.intents import Intent, SaleKey
from checkout_core.partitions import Partitions
from checkout_core.resp import Link

UNITS = 1 << 40


def wishes(count: int) -> list[Intent]:
    """Made beforehand, as redis-benchmark's are made in C."""
    raw = os.urandom(48 * count)
    ids = [of_bytes(raw[at : at + 16]) for at in range(0, len(raw), 16)]
    return [
        Intent(order, intent, shopper, 1, b"b" * 16, None) for order, intent, shopper in zip(ids[::3], ids[1::3], ids[2::3], strict=True)
    ]


async def run(url: str, count: int, batch: int, at_once: int) -> dict[str, Any]:
    """Sell to `count` new shoppers."""
    sale = SaleKey(new_id(), new_id())
    intents = wishes(count)
    batches = deque(intents[at : at + batch] for at in range(0, count, batch))
    admitted = 0
    async with Partitions(url) as partitions:
        gatekeeper = Gatekeeper(partitions, backlog_max=UNITS)
        await gatekeeper.load(sale, Count(1, "open", UNITS, 1), [])

        async def press() -> None:
            nonlocal admitted
            while batches:
                admission = await gatekeeper.admit(sale, batches.popleft())
                assert admission.gate is Gate.OPEN
                admitted += sum(answer.code is Code.ADMITTED for answer in admission.answers)

        link = partitions.link(keys.of(sale).partition)
        redis_began = await redis_cpu_s(link)
        began, cpu_began = time.perf_counter(), time.process_time()
        await asyncio.gather(*(press() for _ in range(at_once)))
        took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
        redis_s = await redis_cpu_s(link) - redis_began
        view = await gatekeeper.view(sale)
        await link.call("UNLINK", *keys.of(sale)[1:])
    assert view is not None
    reserved = UNITS - view.avail
    us = {"client_us": cpu_s / count * 1e6, "redis_us": redis_s / count * 1e6}
    return {"per_s": count / took_s, "count": count, "reserved": reserved, "admitted": admitted, **us}


async def redis_cpu_s(link: Link) -> float:
    """User and system time of the server until now."""
    text: bytes = await link.call("INFO", "cpu")
    told = dict(line.split(":") for line in text.decode().splitlines() if ":" in line)
    return float(told["used_cpu_user"]) + float(told["used_cpu_sys"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench.core", description=__doc__)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--at-once", type=int, default=2, help="batches under way together (%(default)s)")
    args = parser.parse_args()
    print(json.dumps(uvloop.run(run(os.environ["REDIS_URL"], args.count, args.batch, args.at_once))))


if __name__ == "__main__":
    main()
