"""The short form of every drill."""

import pytest

from tests.drills.__main__ import SHORT, play
from tests.drills.drill import Budget
from tests.drills.topics import TOPICS


@pytest.mark.timeout(240)
@pytest.mark.parametrize("topic", TOPICS)
async def test_as_promised(topic: str) -> None:
    outcomes = await play(topic, TOPICS[topic], Budget(SHORT))
    assert [violation for outcome in outcomes for violation in outcome.violations] == []
    assert sum(o.counts.get("controls", 0) for o in outcomes) == sum(o.counts.get("controls_caught", 0) for o in outcomes)
