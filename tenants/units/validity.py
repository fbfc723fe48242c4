"""Until when a code is valid, read from what its file says; the text itself stays what is delivered."""

import datetime as dt
import re
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = re.compile(r"((?:19|20)\d\d)([-/.年]?)(0?[1-9]|1[0-2])(?:\2|月)(0?[1-9]|[12]\d|3[01])日?(?:[ T]+(.*))?")
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?")
_OFFSET: Final = re.compile(r"(.*?)\s*(Z|[+-]\d\d:?\d\d)")


def end_of(text: str, zone: ZoneInfo) -> dt.datetime | None:
    """The moment from which the code is no longer valid, or None for what is no date.

    A day is valid to its end in the store's `zone`; a time of that day, or with an offset of its own, is that moment.
    """
    found = _DAY.fullmatch(text.strip())
    if found is None:
        return None
    year, _, month, day, rest = found.groups()
    try:
        at = dt.datetime(int(year), int(month), int(day), tzinfo=zone)
    except ValueError:
        return None
    if not rest:
        return (at + dt.timedelta(days=1)).astimezone(dt.UTC)
    if offset := _OFFSET.fullmatch(rest):
        rest = offset[1]
        at = at.replace(tzinfo=dt.datetime.strptime(offset[2], "%z").tzinfo)
    time = _TIME.fullmatch(rest)
    if time is None:
        return None
    hour, minute, second = (int(part or 0) for part in time.groups())
    return at.replace(hour=hour, minute=minute, second=second).astimezone(dt.UTC)
