"""Nights: a night is named by the date on which it begins, in the store's own time."""

import datetime as dt
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from checkout_core.errors import Unprocessable
from tenants.picks import Pick

NAME: Final = "booking"
SPAN_MAX: Final = 1_000
AHEAD_MAX: Final = dt.timedelta(days=10 * 366)
_DAY: Final = dt.timedelta(days=1)


def date(name: str) -> dt.date:
    """Raises `Unprocessable` (`bad_pick`)."""
    try:
        night = dt.date.fromisoformat(name)
    except ValueError:
        night = None
    if night is None or night.isoformat() != name:
        raise bad(name, "a night is named by its date, as 2026-12-31")
    return night


def bad(name: str, why: str) -> Unprocessable:
    return Unprocessable(f"{name[:64]}: {why}. Nothing was done.", code="bad_pick", pick=name[:64])


def pick(config: Any, given: Pick, zone: ZoneInfo, now: dt.datetime) -> Pick:
    """From its check-in to the check-out of the next day; offered until its date is over. Raises `Unprocessable` (`bad_pick`)."""
    night = date(given.name)
    if given.starts_at is not None or given.ends_at is not None:
        raise bad(given.name, "when a night begins and ends the SKU says")
    if not now - _DAY < _at(night, "00:00", zone) < now + AHEAD_MAX:
        raise bad(given.name, "this night has passed, or is more than ten years away")
    # Its last second: whoever asks for what is offered until some time in December is shown the nights of December.
    until = _at(night + _DAY, "00:00", zone) - dt.timedelta(seconds=1)
    if until <= now:
        raise bad(given.name, "this night has passed")
    return msgspec.structs.replace(
        given, label=given.label or given.name, offered_until=until,
        starts_at=_at(night, config.check_in, zone), ends_at=_at(night + _DAY, config.check_out, zone),
    )  # fmt: skip


def between(first: str, last: str) -> list[str]:
    """The nights from `first` to `last`. Raises `Unprocessable` (`bad_pick`), also for more than SPAN_MAX of them and for none."""
    begin, count = date(first), (date(last) - date(first)).days + 1
    if not 0 < count <= SPAN_MAX:
        raise bad(last, f"the last night is one to {SPAN_MAX:,} nights after the first")
    return [(begin + n * _DAY).isoformat() for n in range(count)]


def of_stay(check_in: str, check_out: str) -> list[str]:
    """The nights of a stay: the day of the check-out is none of them. Raises `Unprocessable` (`bad_pick`)."""
    leave = date(check_out)
    if leave <= date(check_in):
        raise bad(check_out, "the check-out is a day after the check-in, or later")
    return between(check_in, (leave - _DAY).isoformat())


def percent(config: Any, first: str, zone: ZoneInfo, at: dt.datetime) -> int:
    """How much of a stay that begins with the night `first` is given back when it is cancelled at `at`."""
    if at <= _at(date(first) - config.free_until_days * _DAY, config.check_in, zone):
        return 100
    if at <= _at(date(first) - config.until_days * _DAY, config.check_in, zone):
        return int(config.then_percent)
    return 0


def told(night: Pick, zone: ZoneInfo) -> str:
    """What the guest reads of it."""
    assert night.starts_at is not None, "a night begins"
    assert night.ends_at is not None, "a night ends"
    hours = f"{night.starts_at.astimezone(zone):%Y-%m-%d %H:%M} – {night.ends_at.astimezone(zone):%Y-%m-%d %H:%M}"
    return hours if night.label == night.name else f"{night.label} · {hours}"


def _at(day: dt.date, hour: str, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(hour), zone)
