"""Ids: uuids inside, prefixed hex outside (`ord_0192…`). A foreign, malformed or missing id all read the same: not found."""

import os
import time
from functools import lru_cache
from uuid import UUID

from checkout_core.errors import NotFound


def new_id() -> UUID:
    """A version 7 uuid (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits, so that rows made together lie together."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def encode(prefix: str, value: UUID) -> str:
    return f"{prefix}_{value.hex}"


@lru_cache(maxsize=4096)  # a crowd names the same sale again and again; what raises is not kept
def decode(prefix: str, text: str) -> UUID:
    """The uuid in `text`. Raises `NotFound` for another prefix or anything that is not 32 lower-case hex digits."""
    head, _, digits = text.partition("_")
    if head != prefix or len(digits) != 32 or not digits.isascii() or digits != digits.lower() or not digits.isalnum():
        raise NotFound(f"There is nothing with the id {text[:64]!r}.")
    try:
        return UUID(hex=digits)
    except ValueError:
        raise NotFound(f"There is nothing with the id {text[:64]!r}.") from None
