"""What a drill is: something happens to a running shop, and afterwards nothing may be lost, sold twice or delivered twice.

A topic is a module with `DRILLS`, names to functions of this form. `python -m tests.drills` plays them and reports.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

from checkout_core.config import Settings
from tenants.invariants import run
from tenants.invariants.look import Options
from tenants.invariants.report import Report, Status
from tessera.shop import Shop
from tests.drills.children import Children, open_children

REST_S = 120.0  # everything is terminal so long after the last fault


class Event(msgspec.Struct):
    """A line of a timeline: seconds from the drill's start, and what happened then."""

    at_s: float
    what: str


class Outcome(msgspec.Struct):
    """Of one drill.

    violations   what was not as promised, a sentence each
    recovered_s  the longest time from a fault until all was well again, None where that is not the question
    counts       figures for the report; `kill_points`, `controls` and `controls_caught` are summed over all drills
    """

    name: str
    runs: int
    violations: list[str]
    recovered_s: float | None = None
    counts: dict[str, int] = {}
    timeline: list[Event] = []


class Budget(NamedTuple):
    """How much of a drill is played: 1.0 is `make drill`, less the short form. Another `seed` is another course of chance."""

    share: float = 1.0
    seed: int = 0

    def of(self, runs: int, least: int = 1) -> int:
        """The share of `runs`."""
        return max(least, round(runs * self.share))


class Timeline:
    """Notes what happens, as it happens."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._began = time.monotonic()

    def note(self, what: str) -> None:
        self.events.append(Event(round(self.seconds, 3), what))

    @property
    def seconds(self) -> float:
        """Since the drill began."""
        return time.monotonic() - self._began


@contextmanager
def open_shop(*, apis: int = 2, time_scale: float = 0.01, make: Callable[..., Shop] = Shop, **environ: str) -> Iterator[Shop]:
    """A shop of several API processes and two workers, its servers with fsync.

    Failpoints are armed by files in `<folder>/armed`; `<folder>/passed` tells which were passed. The provider's schedule of notices runs
    at `time_scale`.
    """
    folder = Path(tempfile.mkdtemp(prefix="tessera-drill-"))
    folder.chmod(0o755)
    (folder / "armed").mkdir()
    switches = {
        "TESSERA_ENV": "test", "TESSERA_FAILPOINT": f"@{folder}/armed", "TESSERA_FAILPOINT_LOG": f"{folder}/passed",
        "TESSERA_IP_LIMIT_FACTOR": "1000",
    }  # fmt: skip
    try:
        with make(folder, apis=apis, time_scale=time_scale, environ=switches | environ) as shop:
            shop.processes.run("worker-2", "worker", environ=shop.environ_of("worker"))
            shop.processes.wait_ready()
            yield shop
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Stage:
    """Where the drills of one topic are played: a shop they share, started when the first of them asks for it."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack  # what is entered here ends with the stage
        self.is_surveyed = False  # the shop's log of places knows every way
        self._shop: Shop | None = None
        self._children: Children | None = None
        self._starting = asyncio.Lock()

    async def shop(self) -> Shop:
        """The running shop: three API processes, two workers, the provider, Postgres and Valkey."""
        async with self._starting:
            if self._shop is None:
                opened = open_shop(apis=3)
                self._shop = await asyncio.to_thread(opened.__enter__)
                self.stack.push_async_callback(asyncio.to_thread, opened.__exit__, None, None, None)
        return self._shop

    async def children(self) -> Children:
        """Processes that play scenes, over a Postgres of their own."""
        async with self._starting:
            if self._children is None:
                self._children = await self.stack.enter_async_context(open_children())
        return self._children

    async def settings(self) -> Settings:
        """As the shop's processes see them."""
        return Settings.from_env((await self.shop()).environ)

    async def client(self, timeout_s: float = 10) -> httpx.AsyncClient:
        """HTTP without proxies, 200 connections at most."""
        limits = httpx.Limits(max_connections=200)
        return await self.stack.enter_async_context(httpx.AsyncClient(timeout=timeout_s, trust_env=False, limits=limits))


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield Stage(stack)


Drill = Callable[[Stage, Budget], Awaitable[Outcome]]


async def judge(shop: Shop, *, history: Path | None = None, wait_s: float = REST_S) -> list[str]:
    """What is not as promised once all is at rest: what the checker finds, with the provider's books and what clients were told.

    Not to be at rest within `wait_s` is one of these.
    """
    options = Options(
        at_rest=True, wait_s=wait_s, history=str(history or ""), provider_url=shop.provider_url, provider_token=shop.provider.admin_token
    )
    report = await run.check(Settings.from_env(shop.environ), options)
    return violations(report) + [note for note in report.notes if note.startswith("not at rest")]


def violations(report: Report) -> list[str]:
    """What the checker found, a line each; and what it could not look at although it was asked to."""
    lines = [
        f"{verdict.name}: {claim.sentence}: {claim.violations} of {claim.looked_at}, such as {claim.rows[0]}"
        for verdict in report.verdicts
        for claim in verdict.claims
        if claim.status is Status.VIOLATED
    ]
    return lines + [f"could not check: {failure}" for failure in report.failures]
