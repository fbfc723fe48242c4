"""Periods by the calendar of the store: a month from the 31st on ends on the last day of the next, and the one after on the 31st again.

All periods of a membership are counted from where it began, so that no short month makes the later ones shorter.
"""

import datetime as dt
from calendar import monthrange
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

MONTHS: Final = {"day": 0, "month": 1, "year": 12}


class Span(msgspec.Struct, frozen=True, array_like=True):
    months: int = 0
    days: int = 0

    def __add__(self, other: "Span") -> "Span":
        return Span(self.months + other.months, self.days + other.days)

    def __sub__(self, other: "Span") -> "Span":
        return Span(self.months - other.months, self.days - other.days)

    @property
    def days_min(self) -> int:
        return self.months * 28 + self.days


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit is `every` `period`s. When it ends the member has `grace_days` to renew as if he had in time; `remind_days` before that end he
    gets a mail, none with 0."""

    every: Annotated[int, Meta(ge=1, le=366)] = 1
    period: Literal["day", "month", "year"] = "month"
    grace_days: Annotated[int, Meta(ge=0, le=60)] = 0
    remind_days: Annotated[int, Meta(ge=0, le=60)] = 3

    @property
    def span(self) -> Span:
        return Span(months=self.every * MONTHS[self.period]) if self.period != "day" else Span(days=self.every)

    @property
    def grace(self) -> dt.timedelta:
        return dt.timedelta(days=self.grace_days)

    @property
    def reminder(self) -> dt.timedelta:
        return dt.timedelta(days=self.remind_days)


class Place(msgspec.Struct, frozen=True):
    """Where in a membership a period is: it begins `offset` after `anchor` and lasts `span`. Kept as an entitlement's `data`."""

    anchor: dt.datetime
    zone: str
    span: Span
    offset: Span = Span()
    reminded: bool = False

    @property
    def begins(self) -> dt.datetime:
        return after(self.anchor, self.zone, self.offset)

    @property
    def ends(self) -> dt.datetime:
        return after(self.anchor, self.zone, self.offset + self.span)

    def next(self, span: Span) -> "Place":
        return Place(self.anchor, self.zone, span, self.offset + self.span)

    def sooner(self, by: Span) -> "Place":
        """Its place when a period before it is gone."""
        return msgspec.structs.replace(self, offset=self.offset - by)


def after(anchor: dt.datetime, zone: str, span: Span) -> dt.datetime:
    """So many months and then days after `anchor`, at the same time of day in `zone`; in UTC.

    Raises `ValueError` or `OverflowError` beyond the year 9999.
    """
    local = anchor.astimezone(ZoneInfo(zone)).replace(fold=0)
    year, month = divmod(local.year * 12 + local.month - 1 + span.months, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return (local.replace(year=year, month=month + 1, day=day) + dt.timedelta(days=span.days)).astimezone(dt.UTC)
