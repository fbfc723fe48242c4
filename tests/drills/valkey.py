"""Valkey dies, forgets, goes back in time, and reads a file that was cut, torn or damaged. Ordinary sales never notice."""

import asyncio
import os
import random
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from tessera.shop import Shop
from tests.drills.course import AGAIN, REDIS_S, Course, play
from tests.drills.drill import Budget, Drill, Outcome, Stage
from tests.drills.scenes.gates import AOF, put_back

MANIFEST = "appendonly.aof.manifest"
LOOK_S = 0.02  # between two looks at the size of the file
CUT_S = (0.1, 2.0)
TORN_BYTES = 20_000
Act = Callable[[Course, random.Random], Awaitable[None]]


def folder_of(shop: Shop) -> Path:
    return shop.folder / "servers" / "valkey" / AOF


def written(shop: Shop) -> Path:
    """The file to which Valkey appends now."""
    names = [line.split()[1] for line in (folder_of(shop) / MANIFEST).read_text().splitlines() if "type i" in line]
    return folder_of(shop) / names[-1]


@contextmanager
def down(shop: Shop) -> Iterator[None]:
    """Valkey is down in the block. Blocking."""
    shop.servers.stop("valkey")
    yield
    shop.servers.resume("valkey")


async def killed(course: Course, _: random.Random) -> None:
    async with course.fault("killed", REDIS_S, spares=("direct",)):
        await asyncio.to_thread(course.shop.servers.kill, "valkey")


async def emptied(course: Course, _: random.Random) -> None:
    """The server stays, its ident too; all that it counted is gone."""
    async with course.fault("emptied", REDIS_S, spares=("direct",)), Redis.from_url(course.crowd.settings.redis_url) as redis:
        await redis.flushall()


async def scripts_forgotten(course: Course, _: random.Random) -> None:
    async with course.fault("scripts_forgotten", REDIS_S, spares=("direct",)), Redis.from_url(course.crowd.settings.redis_url) as redis:
        await redis.script_flush()


async def cut(course: Course, dice: random.Random) -> None:
    """The last writes never reached the disk: the file is as long as it was a moment before."""
    sizes: list[tuple[float, int]] = []
    ending = time.monotonic() + CUT_S[1]
    while time.monotonic() < ending:
        sizes.append((time.monotonic(), written(course.shop).stat().st_size))
        await asyncio.sleep(LOOK_S)
    lost_s = dice.uniform(*CUT_S)

    def crash() -> None:
        with down(course.shop):
            length = max(size for at, size in sizes if at <= max(ending - lost_s, sizes[0][0]))
            os.truncate(written(course.shop), length)

    async with course.fault("cut", REDIS_S, f"by {lost_s:.1f} s", spares=("direct",)):
        await asyncio.to_thread(crash)


async def torn(course: Course, dice: random.Random) -> None:
    """The file ends in the middle of a word."""
    lost = dice.randint(1, TORN_BYTES)

    def crash() -> None:
        with down(course.shop):
            file = written(course.shop)
            os.truncate(file, max(file.stat().st_size - lost, 0))

    async with course.fault("torn", REDIS_S, f"by {lost} bytes", spares=("direct",)):
        await asyncio.to_thread(crash)


async def damaged(course: Course, dice: random.Random) -> None:
    """One bit of the file is another, anywhere."""

    def crash() -> None:
        with down(course.shop):
            file = written(course.shop)
            content = bytearray(file.read_bytes())
            if content:
                content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
            file.write_bytes(content)

    async with course.fault("damaged", REDIS_S, "by a bit", spares=("direct",)):
        await asyncio.to_thread(crash)


async def restored(course: Course, _: random.Random) -> None:
    """An older file is put back: it counts units that were sold since."""
    folder = folder_of(course.shop)
    with tempfile.TemporaryDirectory(prefix="tessera-aof-") as place:
        copy = Path(place) / AOF

        def keep() -> None:
            with down(course.shop):
                shutil.copytree(folder, copy)

        def restore() -> None:
            with down(course.shop):
                put_back(copy, folder)

        async with course.fault("restarted", REDIS_S, spares=("direct",)):
            await asyncio.to_thread(keep)
        await course.crowd.sells(4 * AGAIN)
        async with course.fault("restored", REDIS_S, spares=("direct",)):
            await asyncio.to_thread(restore)


async def drill(name: str, acts: dict[Act, int], stage: Stage, budget: Budget) -> Outcome:
    """Each act so many times."""
    dice = random.Random(f"{name} {budget.seed}")

    async def play_all(course: Course) -> None:
        for act, runs in acts.items():
            for _ in range(budget.of(runs)):
                await act(course, dice)

    return await play(stage, await stage.shop(), name, budget.seed, play_all)


DRILLS: dict[str, Drill] = {
    "valkey_dies": partial(drill, "valkey_dies", {killed: 5, emptied: 5, scripts_forgotten: 5}),
    "valkey_file": partial(drill, "valkey_file", {cut: 10, torn: 20, damaged: 6, restored: 2}),
}
