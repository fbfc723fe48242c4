"""Processes that stand still (SIGSTOP) and go on when the world has moved: API, worker, Valkey, a backend of Postgres, its postmaster.

While a process stands, the merchant pauses and resumes the flash sale: there is a new epoch, and what the zombie knows is void.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import asyncpg

from tessera.shop import Shop
from tests.drills.course import POSTGRES_S, REDIS_S, Course, play
from tests.drills.drill import Budget, Drill, Outcome, Stage
from tests.drills.places import Point

SHORT_S: Final = (1, 10)
LONG_S: Final = 60
PATIENCE_S: Final = 30.0  # until somebody passes the place where he is to stand
# Where a process may stand: between gate and commit, which is one trip or ends with a COMMIT; between count and load; before a return
# reaches the gate.
PLACES: Final = [
    ("api", "admit.after"),
    ("api", "orders.at_once.reserve.select-reserve.before"),
    ("api", "orders.commit.commit_batch.commit.before"),
    ("worker", "load.before"),
    ("worker", "give_back.before"),
]


@asynccontextmanager
async def still(*pids: int) -> AsyncIterator[None]:
    """These processes stand still in the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        go_on(*pids)


def go_on(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # somebody has ended it meanwhile
            os.kill(pid, signal.SIGCONT)


async def moved(course: Course) -> None:
    """The world moves on."""
    await course.crowd.change("pause")
    await course.crowd.change("resume")


async def moved_in_time(course: Course, name: str) -> None:
    """The same, while a process stands still: whatever row it holds, nobody waits for it longer than for Postgres."""
    try:
        async with asyncio.timeout(POSTGRES_S):
            await moved(course)
    except TimeoutError:
        course.say(f"while a process stood still at {name} the merchant could not change his sale for {POSTGRES_S:.0f} s")


async def standing_at(shop: Shop, name: str, kind: str, course: Course) -> int:
    """The process that stands still at that place now."""
    armed = Point(name, "-", kind).arm(shop.folder / "armed", "stop")
    ending = time.monotonic() + PATIENCE_S
    try:
        if name == "load.before":
            await moved(course)  # something to load
        while time.monotonic() < ending:
            for process, pid in shop.processes.pids.items():
                if process.startswith(kind) and pid is not None and is_still(pid):
                    return pid
            await asyncio.sleep(0.02)
    finally:
        armed.unlink(missing_ok=True)
    raise TimeoutError(f"nobody came by {name}")


def is_still(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "T"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def processes(course: Course, seconds: int, places: list[tuple[str, str]]) -> None:
    """One API process of three, one worker of two. One that stands in a transaction holds a sale's row until Postgres ends that."""
    for kind, name in places:
        async with course.fault(kind, POSTGRES_S, f"stands still at {name} for {seconds} s"):
            pid = await standing_at(course.shop, name, kind, course)
            try:
                if "commit" not in name:  # that one holds the row
                    await moved_in_time(course, name)
                await asyncio.sleep(seconds)
            finally:
                go_on(pid)


async def servers(course: Course, seconds: int) -> None:
    """A backend that holds a sale's row keeps that sale waiting; without the postmaster nobody gets a new connection."""
    shop = course.shop
    async with course.fault("valkey", REDIS_S, f"for {seconds} s", lasting=True, spares=("direct",)), still(the(shop, "valkey")):
        await asyncio.sleep(seconds / 2)
        await moved(course)
        await asyncio.sleep(seconds / 2)
    async with course.fault("backend", POSTGRES_S, f"for {seconds} s", lasting=True), still(await backend(course)):
        await asyncio.sleep(seconds)
    async with course.fault("postmaster", POSTGRES_S, f"for {seconds} s"), still(the(shop, "postgres")):
        await asyncio.sleep(seconds)


async def everybody(course: Course) -> None:
    """All at once, and for so long that every patience has ended: an API process, a worker, Valkey, a backend and the postmaster."""
    shop = course.shop
    async with course.fault("everybody", POSTGRES_S, f"for {LONG_S} s", lasting=True):
        pids = [await standing_at(shop, "load.before", "worker", course), await standing_at(shop, "admit.after", "api", course)]
        try:
            await moved(course)
            async with still(the(shop, "valkey"), await backend(course), the(shop, "postgres")):
                await asyncio.sleep(LONG_S)
        finally:
            go_on(*pids)


async def zombies(stage: Stage, budget: Budget) -> Outcome:
    async def act(course: Course) -> None:
        if budget.share < 1:
            await processes(course, SHORT_S[0], PLACES[budget.seed % 2 :: 2])
            await servers(course, SHORT_S[0])
            return
        for seconds, places in zip(SHORT_S, (PLACES, PLACES[budget.seed % 2 :: 2]), strict=True):
            await processes(course, seconds, places)
            await servers(course, seconds)
        await everybody(course)

    return await play(stage, await stage.shop(), "zombies", budget.seed, act)


def the(shop: Shop, server: str) -> int:
    pid = shop.servers.pids[server]
    assert pid is not None
    return pid


async def backend(course: Course) -> int:
    """One of an API process that is in a transaction now. Only an administrator sees what others do."""
    conn = await asyncpg.connect(course.crowd.settings.database_url, timeout=10)
    try:
        sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'tessera-api' AND state <> 'idle' LIMIT 1"
        async with asyncio.timeout(PATIENCE_S):
            while (pid := await conn.fetchval(sql)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return int(pid)
    finally:
        await conn.close()


DRILLS: dict[str, Drill] = {"zombies": zombies}
