"""The twin of the drills: the same faults, while a safety is removed from the product's path. It must be seen."""

import pytest

from tests.drills import zombies
from tests.drills.course import Course
from tests.drills.crowd import Crowd
from tests.drills.drill import open_stage
from tests.drills.lines import open_lines
from tests.drills.postgres import cut, cutter

TRIES = 8  # what a zombie admitted may have been asked for again and decided before it wakes


def is_seen(wrong: list[str]) -> bool:
    return any("counts" in line or "epoch" in line for line in wrong)


@pytest.mark.timeout(180)
async def test_a_zombie_without_epochs() -> None:
    """What it admitted before everything was counted anew is committed: the gate counts units that are sold, or the rows tell it."""
    async with open_stage() as stage, open_lines(cutter(), apis=2, TESSERA_UNSAFE="epoch") as (shop, _):
        async with Crowd(shop, await stage.client()) as crowd:
            await crowd.sells(5)
            course = Course(shop, crowd)
            for _ in range(TRIES):
                await zombies.processes(course, 1, [("api", "admit.after")])
                if is_seen(course.wrong):
                    break
        assert is_seen(course.wrong), course.wrong


@pytest.mark.timeout(180)
async def test_a_lost_commit_without_idempotent_orders() -> None:
    """Whoever asks again, after a COMMIT whose answer was lost or for no reason, asks for another order, and is over his limit."""
    async with open_stage() as stage, open_lines(cutter(), apis=2, TESSERA_UNSAFE="idempotent_order") as (shop, lines):
        async with Crowd(shop, await stage.client()) as crowd:
            await crowd.sells(5)
            await cut(lines.cutter, "after", 5)
            await crowd.sells(10)
        assert any('"limit"' in line for line in crowd.wrong), crowd.wrong
