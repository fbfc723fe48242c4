"""The short form of every drill."""

from collections.abc import AsyncIterator

import pytest

from tests.drills.__main__ import play
from tests.drills.drill import Budget, Stage, open_stage
from tests.drills.topics import SHORT, TOPICS


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """All topics share two shops, one of them behind proxies, and the processes that play scenes."""
    async with open_stage() as stage:
        yield stage


@pytest.mark.timeout(240)
@pytest.mark.parametrize("topic", TOPICS)
async def test_as_promised(stage: Stage, topic: str) -> None:
    outcomes = await play(stage, topic, TOPICS[topic], Budget(SHORT[topic]))
    assert [violation for outcome in outcomes for violation in outcome.violations] == []
    assert sum(o.counts.get("controls", 0) for o in outcomes) == sum(o.counts.get("controls_caught", 0) for o in outcomes)
