"""Licence keys: 130 bits of chance and a checksum of 20, in groups that can be read out over a telephone.

`ACME-7F3K9-…`, six groups of five in Crockford's base 32 (https://www.crockford.com/base32.html), behind a prefix of the merchant's. A
typing mistake is found without asking anybody: the last four symbols are the first 20 bits of SHA-256 of the prefix and the other 26.
"""

import hashlib
import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHANCE, CHECK, GROUP = 26, 4, 5  # symbols
LENGTH_MAX: Final = 80  # of what is typed, with whatever stands between the groups
_MISREAD: Final = str.maketrans("ILO", "110")


def make(prefix: str = "") -> str:
    """A new key."""
    return _printed(prefix, _symbols(secrets.randbits(CHANCE * 5), CHANCE))


def read(text: str) -> str | None:
    """The key as it was printed, however it was typed; None when it is none, or has a typing mistake."""
    if len(text) > LENGTH_MAX or not text.isascii():
        return None
    plain = "".join(filter(str.isalnum, text)).upper()
    at = len(plain) - CHANCE - CHECK
    if at < 0:
        return None
    prefix, chance, check = plain[:at], plain[at:-CHECK].translate(_MISREAD), plain[-CHECK:].translate(_MISREAD)
    return _printed(prefix, chance) if secrets.compare_digest(check, _check(prefix, chance)) else None


def _printed(prefix: str, chance: str) -> str:
    symbols = chance + _check(prefix, chance)
    groups = [symbols[at : at + GROUP] for at in range(0, len(symbols), GROUP)]
    return "-".join([prefix, *groups] if prefix else groups)


def _check(prefix: str, chance: str) -> str:
    digest = hashlib.sha256((prefix + chance).encode()).digest()
    return _symbols(int.from_bytes(digest[:3], "big") >> 4, CHECK)


def _symbols(number: int, count: int) -> str:
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(count)))
