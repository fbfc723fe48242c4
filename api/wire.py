"""Types that several nouns share on the wire."""

from typing import Annotated

from msgspec import Meta, Struct

# Where a pattern ends. Python's `$` alone would let a final newline through; to others this says the same as `$`.
END = r"$(?!\n)"
MONEY_MAX = 100_000_000_000  # minor units

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
PriceMinor = Annotated[int, Meta(ge=1, le=MONEY_MAX, description="In minor units: 1990 is 19.90 CNY.")]
Currency = Annotated[str, Meta(pattern=f"^[A-Z]{{3}}{END}", description="ISO 4217.")]
Count = Annotated[int, Meta(ge=1, le=10_000_000)]


def id_of(prefix: str) -> Meta:
    """For `Annotated[str, id_of("sku")]`."""
    return Meta(pattern=f"^{prefix}_[0-9a-f]{{32}}{END}")


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request that says all in its address: `{}`, or no body at all."""


NOTHING = Nothing()
