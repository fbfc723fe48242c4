"""The calendar that memberships go by."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.types.membership.periods import Place, Span, after

ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
MOMENTS = st.integers(0, 60 * 365 * 24 * 60).map(lambda minutes: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes))
SPANS = st.one_of(st.builds(Span, st.integers(1, 36)), st.builds(Span, st.just(0), st.integers(1, 400)))


class TestCalendar:
    @pytest.mark.parametrize(
        ("begins", "zone", "span", "ends"),
        [
            ("2026-01-31T10:00", "Asia/Shanghai", Span(1), "2026-02-28T10:00"),
            ("2026-01-31T10:00", "Asia/Shanghai", Span(2), "2026-03-31T10:00"),
            ("2028-02-29T10:00", "Asia/Shanghai", Span(12), "2029-02-28T10:00"),
            ("2028-02-29T10:00", "Asia/Shanghai", Span(48), "2032-02-29T10:00"),
            ("2026-12-15T23:59", "Asia/Shanghai", Span(1), "2027-01-15T23:59"),
            ("2026-03-28T02:30", "Europe/Berlin", Span(0, 1), "2026-03-29T03:30"),  # 02:30 is not on that day
            ("2026-03-15T12:00", "Europe/Berlin", Span(1), "2026-04-15T12:00"),  # an hour less, and noon all the same
            ("2026-11-30T12:00", "Europe/Berlin", Span(0, 30), "2026-12-30T12:00"),
        ],
    )
    def test_by_the_wall_clock_of_the_store(self, begins: str, zone: str, span: Span, ends: str) -> None:
        at = ZoneInfo(zone)
        anchor = dt.datetime.fromisoformat(begins).replace(tzinfo=at)
        assert after(anchor, zone, span) == dt.datetime.fromisoformat(ends).replace(tzinfo=at)

    @given(MOMENTS, ZONES, st.lists(SPANS, min_size=1, max_size=12))
    def test_periods_follow_on_each_other(self, anchor: dt.datetime, zone: str, spans: list[Span]) -> None:
        place = Place(anchor, zone, Span())
        for span in spans:
            before, place = place, place.next(span)
            assert place.begins == before.ends < place.ends
        assert place.ends == after(anchor, zone, sum(spans, Span()))

    @given(MOMENTS, ZONES, SPANS, st.integers(2, 12), st.data())
    def test_one_less_is_as_if_it_had_never_been(self, anchor: dt.datetime, zone: str, span: Span, count: int, data: st.DataObject) -> None:
        place, places = Place(anchor, zone, Span()), []
        for _ in range(count):
            place = place.next(span)
            places.append(place)
        gone = data.draw(st.integers(0, count - 1))
        moved = places[:gone] + [each.sooner(span) for each in places[gone + 1 :]]
        assert moved == places[:-1]
