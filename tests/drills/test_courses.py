"""The twin of the drills: the same faults, while a safety is removed from the product's path. It must be seen."""

import asyncio

import pytest

from tests.drills import zombies
from tests.drills.course import Course
from tests.drills.crowd import Crowd
from tests.drills.drill import open_stage
from tests.drills.lines import open_lines
from tests.drills.postgres import PATIENCE_S, cut, cutter

BRIEFLY_S = 3.0  # what is broken comes to no rest
TRIES = 8  # what a zombie admitted may have been asked for again and decided before it wakes


@pytest.mark.timeout(180)
async def test_a_zombie_without_epochs() -> None:
    """What it admitted before everything was counted anew is committed: the gate counts units that are sold, or the rows tell it."""
    async with open_stage() as stage, open_lines(cutter(), apis=2, TESSERA_UNSAFE="epoch") as (shop, _):
        async with Crowd(shop, await stage.client()) as crowd:
            await crowd.sells(5)
            course = Course(shop, crowd)
            for _ in range(TRIES):
                await zombies.processes(course, 1, [("api", "admit.after")])
                if course.wrong:
                    break
        assert any("counts" in line or "epoch" in line for line in course.wrong), course.wrong


@pytest.mark.timeout(180)
async def test_a_lost_commit_without_idempotent_orders() -> None:
    """Whoever asks again, also after a COMMIT whose answer was lost, is over his limit, and gets another order when the first is let go."""
    async with open_stage() as stage, open_lines(cutter(), apis=2, TESSERA_UNSAFE="idempotent_order") as (shop, lines):
        async with Crowd(shop, await stage.client()) as crowd:
            await crowd.sells(5)
            await cut(lines.cutter, "after", 5)
            async with asyncio.timeout(PATIENCE_S):
                while not any("and then" in line for line in crowd.wrong):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        found = await crowd.judge(shop.folder, rest_s=BRIEFLY_S)
        assert any(line.startswith("I18:") for line in found), found
