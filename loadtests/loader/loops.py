"""The two ways to press: as fast as answers come (closed), or at a fixed rate whatever the answers do (open).

A closed loop measures capacity: a slow server slows its own load down. An open loop measures what people feel: each latency
counts from the instant its request was *meant* to start, so a stall is seen by everybody who arrived during it
(Gil Tene's "coordinated omission" is what happens otherwise).
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter

from loadtests.loader.clients import Client, R, Tell
from loadtests.loader.http import Answer, Connection, Target

UNSENT = Answer(0, failure="unsent")
CUT_SHORT = Answer(0, failure="timeout")
LOOK_S = 0.5  # for whoever has waited too long


async def closed_loop(
    target: Target,
    requests: Iterable[R],
    tell: Tell[R],
    *,
    connections: int,
    seconds: float = math.inf,
    timeout_s: float = 10.0,
    greeting: bytes | None = None,
    when_ready: Callable[[], None] = lambda: None,
) -> None:
    """`connections` clients, each asking the next thing as soon as it has its answer, until `requests` or `seconds` end.

    With a `greeting` each client first asks that, uncounted, and they all wait for each other: then connections are open and nobody
    measures the opening. `when_ready` is called at that moment.
    """
    source: Iterator[R] = iter(requests)
    known: dict[bytes, Answer] = {}
    clients = [Client(target, timeout_s, source, tell, known) for _ in range(connections)]
    everybody = asyncio.Barrier(connections)
    end = math.inf

    async def play(client: Client[R]) -> None:
        nonlocal end
        try:
            if greeting is not None:
                await client.ask(greeting)
            if await everybody.wait() == connections - 1:  # the last to come, which goes on before the others
                when_ready()
                end = perf_counter() + seconds
            await client.press(end)
        finally:
            client.close()

    async def watch() -> None:
        while True:
            await asyncio.sleep(min(LOOK_S, timeout_s / 4))
            now = perf_counter()
            for client in clients:
                client.expire(now)

    watching = asyncio.create_task(watch())
    try:
        async with asyncio.TaskGroup() as playing:
            for client in clients:
                playing.create_task(play(client))
    finally:
        watching.cancel()


async def open_loop(
    target: Target,
    requests: Iterable[R],
    tell: Tell[R],
    *,
    rate: float,
    connections: int,
    seconds: float = math.inf,
    timeout_s: float = 10.0,
) -> float:
    """`rate` arrivals a second, on `connections` that each take the longest waiting one; what was due is never skipped.

    What is still unsent or unanswered `timeout_s` after the last arrival is told as a failure, "unsent" or "timeout".
    Returns the longest time in seconds by which this process itself was late to let an arrival in: a large one means that
    the loader was the bottleneck.
    """
    due: asyncio.Queue[tuple[float, R] | None] = asyncio.Queue()
    began = perf_counter()
    latest_s = 0.0

    async def client() -> None:
        connection = Connection(target, timeout_s)
        try:
            while (arrival := await due.get()) is not None:
                intended, each = arrival
                answer = CUT_SHORT
                try:
                    answer = await connection.ask(each.raw)
                finally:
                    now = perf_counter()
                    tell(each, answer, now - intended, now)
        finally:
            connection.close()

    clients = [asyncio.create_task(client()) for _ in range(connections)]
    try:
        for number, each in enumerate(requests):
            if (after_s := number / rate) > seconds:
                break
            intended = began + after_s
            if (wait_s := intended - perf_counter()) > 0:
                # The loop's clock ticks in milliseconds: round up, so that nobody is ever let in early.
                await asyncio.sleep(math.ceil(wait_s * 1000) / 1000)
            latest_s = max(latest_s, perf_counter() - intended)
            due.put_nowait((intended, each))
        for _ in clients:
            due.put_nowait(None)
        await asyncio.wait(clients, timeout=timeout_s)
    finally:
        for task in clients:
            task.cancel()
        ends = await asyncio.gather(*clients, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end
    now = perf_counter()
    while not due.empty():
        if (arrival := due.get_nowait()) is not None:
            tell(arrival[1], UNSENT, now - arrival[0], now)
    return latest_s
