"""Types that several nouns share on the wire."""

import datetime as dt
from typing import Annotated, Literal

from litestar.params import QueryParameter
from msgspec import Meta, Struct

from checkout_core.errors import BadRequest
from tenants.mails import ADDRESS

# Where a pattern ends. Python's `$` alone would let a final newline through; to others this says the same as `$`.
END = r"$(?!\n)"
MONEY_MAX = 100_000_000_000  # minor units

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
PriceMinor = Annotated[int, Meta(ge=1, le=MONEY_MAX, description="In minor units: 1990 is 19.90 CNY.")]
Currency = Annotated[str, Meta(pattern=f"^[A-Z]{{3}}{END}", description="ISO 4217.")]
# What an address may look like is said, with its reasons, in `tenants.mails`.
Mail = Annotated[str, Meta(max_length=254, pattern=f"{ADDRESS}{END}")]
# NIST SP 800-63B §3.1.1.2: length is what counts; nothing is asked of the characters. The upper bound spares the hash.
NewPassword = Annotated[str, Meta(min_length=10, max_length=256)]
Password = Annotated[str, Meta(max_length=256)]
Token = Annotated[str, Meta(min_length=1, max_length=64, description="What a mail held.")]
Code = Annotated[str, Meta(min_length=6, max_length=16, description="Six digits of the app, or a recovery code.")]
Locale = Literal["zh-CN", "en"]
WaitingRoom = Literal["off", "line", "draw"]
Count = Annotated[int, Meta(ge=1, le=10_000_000)]
# What a list is narrowed to.
Since = Annotated[dt.datetime | None, QueryParameter(description="Only what was made at this moment or later.")]
Until = Annotated[dt.datetime | None, QueryParameter(description="Only what was made before this moment.")]


def id_of(prefix: str) -> Meta:
    """For `Annotated[str, id_of("sku")]`."""
    return Meta(pattern=f"^{prefix}_[0-9a-f]{{32}}{END}")


def check_times(*times: dt.datetime | None) -> None:
    """Raises `BadRequest` (`bad_time`) for a year that Postgres' and our clocks do not share: ids tell the time from 1970 on."""
    if any(at is not None and not 1970 <= at.year < 9999 for at in times):
        raise BadRequest("since and until are years from 1970 on.", code="bad_time")


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request that says all in its address: `{}`, or no body at all."""


NOTHING = Nothing()
