"""The two ways to press: as fast as answers come (closed), or at a fixed rate whatever the answers do (open).

A closed loop measures capacity: a slow server slows its own load down. An open loop measures what people feel: each latency
counts from the instant its request was *meant* to start, so a stall is seen by everybody who arrived during it
(Gil Tene's "coordinated omission" is what happens otherwise).
"""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from time import perf_counter

from loadtests.loader.clients import Client, Head, R, Take, Tell
from loadtests.loader.http import Answer, Target

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
    measures the opening. `when_ready` is called at that moment. What `tell` raises ends the loop and is raised.
    """
    source: Iterator[R] = iter(requests)
    end = math.inf
    at_rest = 0

    def take() -> tuple[R, float] | None:
        now = perf_counter()
        if now >= end or (asked := next(source, None)) is None:
            return None
        return asked, now

    def rest(_: Client[R], error: Exception | None) -> None:
        nonlocal at_rest
        at_rest += 1
        if not over.done() and error is not None:
            over.set_exception(error)
        elif not over.done() and at_rest == connections:
            over.set_result(None)

    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with crowd(target, connections, timeout_s, take, tell, rest) as clients:
        if greeting is not None:
            await asyncio.gather(*(client.ask(greeting) for client in clients))
        when_ready()
        end = perf_counter() + seconds
        for client in clients:
            client.go()
        await over


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
    the loader was the bottleneck. What `tell` raises ends the loop and is raised.
    """
    waiting: deque[tuple[R, float]] = deque()
    idle: deque[Client[R]] = deque()

    def take() -> tuple[R, float] | None:
        return waiting.popleft() if waiting else None

    def rest(client: Client[R], error: Exception | None) -> None:
        idle.append(client)
        if not over.done() and error is not None:
            over.set_exception(error)
        elif not over.done() and has_ended and len(idle) == connections:
            over.set_result(None)

    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    has_ended = False
    began = perf_counter()
    latest_s = 0.0
    async with crowd(target, connections, timeout_s, take, tell, rest) as clients:
        idle += clients
        for number, each in enumerate(requests):
            if (after_s := number / rate) > seconds:
                break
            intended = began + after_s
            if (wait_s := intended - perf_counter()) > 0:
                # The loop's clock ticks in milliseconds: round up, so that nobody is ever let in early.
                await asyncio.sleep(math.ceil(wait_s * 1000) / 1000)
            latest_s = max(latest_s, perf_counter() - intended)
            waiting.append((each, intended))
            if idle:
                idle.popleft().go()
            if over.done():  # with what `tell` raised
                break
        has_ended = True
        if len(idle) < connections or over.done():
            await asyncio.wait([over], timeout=timeout_s)
        if over.done():
            over.result()
        now = perf_counter()
        for each, intended in filter(None, [client.leave() for client in clients]):
            tell(each, CUT_SHORT, now - intended, now)
        for each, intended in waiting:
            tell(each, UNSENT, now - intended, now)
    return latest_s


@asynccontextmanager
async def crowd(
    target: Target,
    connections: int,
    timeout_s: float,
    take: Take[R],
    tell: Tell[R],
    rest: Callable[[Client[R], Exception | None], None],
) -> AsyncIterator[list[Client[R]]]:
    """So many clients; whoever waits too long for an answer is told "timeout"; their connections end with the block."""
    heads: dict[bytes, Head] = {}
    clients = [Client(target, timeout_s, take, tell, rest, heads) for _ in range(connections)]

    async def watch() -> None:
        while True:
            await asyncio.sleep(min(LOOK_S, timeout_s / 4))
            now = perf_counter()
            for client in clients:
                client.expire(now)

    watching = asyncio.create_task(watch())
    try:
        yield clients
    finally:
        watching.cancel()
        for client in clients:
            client.leave()
