"""How money and instants read on a page."""

import datetime as dt
from typing import NamedTuple

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from tenants.money import digits

_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥", "TWD": "NT$", "SGD": "S$"}


class Currency(NamedTuple):
    sign: str
    digits: int


def currency(code: str) -> Currency:
    return Currency(_SIGNS.get(code, f"{code} "), digits(code))


def money(minor: int, code: str) -> str:
    """`money(1234500, "CNY")` is `¥12,345.00`."""
    sign, decimals = currency(code)
    whole, rest = divmod(abs(minor), 10**decimals)
    tail = f".{rest:0{decimals}d}" if decimals else ""
    return f"{'-' if minor < 0 else ''}{sign}{whole:,}{tail}"


@pass_context
def instant(context: Context, value: dt.datetime) -> Markup:
    """A `<time>` in the zone of the page's store; the script turns it into the reader's own."""
    zone: dt.tzinfo = context["zone"]
    shown = value.astimezone(zone)
    exact = value.astimezone(dt.UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" data-local>{} {}</time>').format(escape(exact), shown.strftime("%Y-%m-%d %H:%M"), offset(shown))


def offset(value: dt.datetime) -> str:
    """How far the instant's zone is from UTC at that instant: `UTC`, `UTC+8`, `UTC-3:30`. Abbreviations mean several zones each."""
    minutes = int((value.utcoffset() or dt.timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}" if minutes else "UTC"


def unix_ms(value: dt.datetime) -> int:
    return int(value.timestamp() * 1000)


def duration(seconds: float) -> str:
    """`m:ss`, or `h:mm:ss`, rounded up: what the countdown says before the script takes over."""
    s = max(0, int(-(-seconds // 1)))
    hours, rest = divmod(s, 3600)
    return f"{hours:02}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60:02}:{rest % 60:02}"
