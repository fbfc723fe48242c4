"""When a code ends, by what its file says."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from tenants.units.validity import end_of

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2026-12-31", "2026-12-31T16:00:00"),  # to the end of the day, in the store's zone
        ("20261231", "2026-12-31T16:00:00"),
        ("2026/1/5", "2026-01-05T16:00:00"),
        ("2026年12月31日", "2026-12-31T16:00:00"),
        ("2026-12-31 18:30", "2026-12-31T10:30:00"),
        ("2026-12-31T18:30:05Z", "2026-12-31T18:30:05"),
        ("2026-12-31T18:30:05+02:00", "2026-12-31T16:30:05"),
    ],
)
def test_a_date(text: str, end: str) -> None:
    assert end_of(text, SHANGHAI) == dt.datetime.fromisoformat(end).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize("text", ["", "forever", "2026-02-30", "31.12.2026", "2026-12-31 noon", "2026-13-01", "1 year"])
def test_no_date(text: str) -> None:
    assert end_of(text, SHANGHAI) is None


def test_a_day_that_is_an_hour_longer() -> None:
    """Summer time ends in New York on 1 November 2026: the day has 25 hours."""
    assert end_of("2026-11-01", ZoneInfo("America/New_York")) == dt.datetime(2026, 11, 2, 5, tzinfo=dt.UTC)
