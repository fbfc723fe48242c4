"""How money and instants read on a page."""

import datetime as dt
from typing import NamedTuple

from markupsafe import Markup, escape

# Stores have no zone of their own yet: times are written in China's, which has no summer time, and say so.
STORE_ZONE = dt.timezone(dt.timedelta(hours=8), "UTC+8")

_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥", "TWD": "NT$", "SGD": "S$"}
_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0}  # ISO 4217 minor units; two for all others we take


class Currency(NamedTuple):
    sign: str
    digits: int


def currency(code: str) -> Currency:
    return Currency(_SIGNS.get(code, f"{code} "), _DIGITS.get(code, 2))


def money(minor: int, code: str) -> str:
    """`money(1234500, "CNY")` is `¥12,345.00`."""
    sign, digits = currency(code)
    whole, rest = divmod(abs(minor), 10**digits)
    tail = f".{rest:0{digits}d}" if digits else ""
    return f"{'-' if minor < 0 else ''}{sign}{whole:,}{tail}"


def minor_units(text: str, code: str) -> int:
    """What a person typed, in minor units: `"12.5"` is 1250 fen. Raises `ValueError` for anything but digits and one point."""
    digits = currency(code).digits
    whole, point, rest = text.strip().replace(",", "").lstrip("¥$€£").partition(".")
    if not whole.isascii() or not whole.isdigit() or len(whole) > 12:
        raise ValueError(f"{text!r} is not an amount")
    if point and not (rest.isascii() and rest.isdigit() and len(rest) <= digits):
        raise ValueError(f"{text!r} has more decimals than {code}")
    return int(whole + rest.ljust(digits, "0"))


def instant(value: dt.datetime) -> Markup:
    """A `<time>` in the store's zone; the script turns it into the reader's own."""
    shown = value.astimezone(STORE_ZONE)
    exact = value.astimezone(dt.UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" data-local>{} UTC+8</time>').format(escape(exact), shown.strftime("%Y-%m-%d %H:%M"))


def unix_ms(value: dt.datetime) -> int:
    return int(value.timestamp() * 1000)


def duration(seconds: float) -> str:
    """`m:ss`, or `h:mm:ss`, rounded up: what the countdown says before the script takes over."""
    s = max(0, int(-(-seconds // 1)))
    hours, rest = divmod(s, 3600)
    return f"{hours:02}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60:02}:{rest % 60:02}"
