"""Postgres dies, between commits and in the middle of them; and commits whose outcome nobody is told, which happened or did not."""

import asyncio
import os
import random
import signal
from contextlib import suppress
from pathlib import Path
from typing import get_args

from tessera.shop import Shop
from tests.drills.commits import Cutter, Side
from tests.drills.course import POSTGRES_S, Course, play
from tests.drills.drill import Budget, Drill, Outcome, Stage
from tests.drills.lines import lined_shop

# Who says COMMIT, by a statement it sent before.
TRANSACTIONS = {"reservations": "INSERT INTO orders", "payments": "INSERT INTO payment", "others": r"INSERT INTO|UPDATE \w+ (\w+ )?SET"}
CHANCE = 0.3
PATIENCE_S = 90.0


def cutter() -> Cutter:
    return Cutter(CHANCE, TRANSACTIONS)


async def killed(stage: Stage, budget: Budget) -> Outcome:
    """The postmaster at any time, whose children see it and go; and all of it at once, up to 10 ms after somebody has said COMMIT."""
    shop, lines = await lined_shop(stage, cutter)
    dice = random.Random(budget.seed)

    async def act(course: Course) -> None:
        for _ in range(budget.of(5)):
            async with course.fault("killed", POSTGRES_S):
                await asyncio.to_thread(shop.servers.kill, "postgres")
        for _ in range(budget.of(8)):
            said = asyncio.Event()
            lines.cutter.at_commit = said.set
            await asyncio.wait_for(said.wait(), PATIENCE_S)
            await asyncio.sleep(dice.uniform(0, 0.01))
            async with course.fault("killed_in_commit", POSTGRES_S):
                await asyncio.to_thread(kill_all, shop)

    return await play(stage, shop, "postgres_killed", budget.seed, act)


def kill_all(shop: Shop) -> None:
    """The postmaster and its children at once, as when a machine dies. Blocking."""
    postmaster = shop.servers.pids["postgres"]
    assert postmaster is not None
    for pid in children(postmaster):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shop.servers.kill("postgres")


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


async def commit_unknown(stage: Stage, budget: Budget) -> Outcome:
    """The line is cut when a COMMIT has happened and nobody knows; or before it could. Until enough reservations were cut so."""
    shop, lines = await lined_shop(stage, cutter)
    enough = budget.of(50, least=5)

    async def act(course: Course) -> None:
        for side in get_args(Side):
            async with course.fault(f"cut_{side}_commit", POSTGRES_S):
                await cut(lines.cutter, side, enough)
        course.counts |= {f"{name}_cut_{side}": count for (side, name), count in sorted(lines.cutter.cut.items())}
        course.runs = lines.cutter.cut.total()

    return await play(stage, shop, "commit_unknown", budget.seed, act)


async def cut(cutter: Cutter, side: Side, reservations: int) -> None:
    """Cut lines until so many reservations were cut; payments and duties are cut beside them."""
    enough = cutter.cut[side, "reservations"] + reservations
    cutter.side = side
    try:
        async with asyncio.timeout(PATIENCE_S):
            while cutter.cut[side, "reservations"] < enough:  # noqa: ASYNC110  there is no event to wait for
                await asyncio.sleep(0.01)
    finally:
        cutter.side = None


DRILLS: dict[str, Drill] = {"postgres_killed": killed, "commit_unknown": commit_unknown}
