"""The twin of the drills: the same faults, while two safeties are removed from the product's path. Each must be seen."""

import pytest

from tests.drills import zombies
from tests.drills.course import Course
from tests.drills.crowd import Crowd
from tests.drills.drill import open_stage
from tests.drills.lines import open_lines
from tests.drills.postgres import cut, cutter

BRIEFLY_S = 3.0  # what is broken comes to no rest


@pytest.mark.timeout(180)
async def test_what_is_removed_is_seen() -> None:
    """Without epochs, what a zombie admitted before everything was counted anew is committed, and the gate counts units that are sold.

    Without idempotent orders, whoever asks again after a COMMIT whose answer was lost gets another order.
    """
    async with open_stage() as stage, open_lines(cutter(), apis=2, TESSERA_UNSAFE="epoch,idempotent_order") as (shop, lines):
        async with Crowd(shop, await stage.client()) as crowd:
            await crowd.sells(5)
            course = Course(shop, crowd)
            for _ in range(5):  # what it admitted may be asked for again and decided before it wakes
                await zombies.processes(course, 1, [("api", "admit.after")])
                if any("counts" in line for line in course.wrong):
                    break
            await cut(lines.cutter, "after", 5)
            await crowd.sells(10)
        found = course.wrong + await crowd.judge(shop.folder, rest_s=BRIEFLY_S)
        assert any("counts" in line for line in found), found
        assert any(line.startswith("I18:") for line in found), found
