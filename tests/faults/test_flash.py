"""A flash sale while its processes and servers are killed, with everything real. The other drills: docs/drills.md."""

import asyncio

import pytest

from tests.faults.flash import drill, open_shop


@pytest.mark.timeout(240)
def test_nothing_that_was_acknowledged_is_lost_and_everything_is_sold() -> None:
    with open_shop(apis=2) as shop:
        for name, units in (("postgres", 200), ("steps", 900)):
            shown = asyncio.run(drill(shop, name, units))
            assert shown.wrong == [], name
