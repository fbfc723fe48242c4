"""Ids: uuids inside, prefixed hex outside (`ord_0192…`). A foreign, malformed or missing id all read the same: not found.

Compiled by Cython from this same file.
"""

import os
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from checkout_core.errors import NotFound

if TYPE_CHECKING:
    from uuid import UUID as UUID  # noqa: PLC0414  others take it from here
else:
    # The same class in C, and what rows bring: to make one takes 0.09 µs instead of 0.86, its bytes and its hash half of theirs.
    from asyncpg.pgproto.pgproto import UUID


def new_id() -> UUID:
    """A version 7 uuid (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits, so that rows made together lie together."""
    return of_chance(os.urandom(10))


def of_chance(ten: bytes) -> UUID:
    """The same by ten random bytes, for those who ask for many: each by itself they take the system 0.45 µs, as part of a handful 0.03."""
    now_ms = time.time_ns() // 1_000_000
    raw = bytearray(16)
    for n in range(6):
        raw[n] = now_ms >> (40 - 8 * n) & 0xFF
    for n in range(10):
        raw[6 + n] = ten[n]
    raw[6] = raw[6] & 0x0F | 0x70  # the version
    raw[8] = raw[8] & 0x3F | 0x80  # the variant
    return UUID(bytes(raw))  # type: ignore[arg-type]  # the C class takes bytes as its only argument


def of_bytes(raw: bytes) -> UUID:
    """The uuid of 16 bytes."""
    return UUID(raw)  # type: ignore[arg-type]  # the C class takes bytes as its only argument


def encode(prefix: str, value: UUID) -> str:
    return f"{prefix}_{value.hex}"


@lru_cache(maxsize=4096)  # a crowd names the same sale again and again; what raises is not kept
def decode(prefix: str, text: str) -> UUID:
    """The uuid in `text`. Raises `NotFound` for another prefix or anything that is not 32 lower-case hex digits."""
    head, _, digits = text.partition("_")
    if head != prefix or len(digits) != 32 or not digits.isascii() or digits != digits.lower() or not digits.isalnum():
        raise NotFound(f"There is nothing with the id {text[:64]!r}.")
    try:
        return UUID(digits)
    except ValueError:
        raise NotFound(f"There is nothing with the id {text[:64]!r}.") from None
