"""What slows down guessing at passwords and codes: leaky buckets in Postgres, which all processes share.

Nobody can lock somebody else out for ever: guesses from elsewhere do not count where the owner has signed in before (`merchant_place`),
and a password reset makes the place it was asked back from such a place.
"""

import hashlib
import math
from typing import Final, NamedTuple

from checkout_core.errors import TooMany
from tenants.db import Connection


class Bucket(NamedTuple):
    """`burst` wrong ones at once, `per_minute` after that."""

    name: str
    burst: int
    per_minute: float


ADDRESS: Final = Bucket("address", 30, 10)  # one place, whatever mails it tries
MAIL: Final = Bucket("mail", 10, 1)  # one mail, from all places where its owner never signed in
PAIR: Final = Bucket("pair", 5, 1)  # one mail from one place
PERSON: Final = Bucket("person", 5, 1)  # the password asked again of somebody signed in
# Three codes of a million are good at a time: who knows the password finds one in a year of guessing with a chance of 0.3.
CODE: Final = Bucket("code", 5, 0.2)
# A number has 128 random bits, so this is only met by who knows it and guesses at what goes with it.
ORDER_NUMBER: Final = Bucket("order-number", 10, 1)  # one order, from all places
SALE_REMINDER: Final = Bucket("sale-reminder", 3, 0.1)  # questions to one address from one store
ORDER_REMINDER: Final = Bucket("order-reminder", 3, 0.1)  # mails to one address from one store


async def take(conn: Connection, bucket: Bucket, *key: str, factor: int = 1) -> None:
    """Count one attempt before it is made, so that many at once are counted too. Raises `TooMany`, which says how long to wait."""
    per_s, burst = bucket.per_minute / 60 * factor, bucket.burst * factor
    drained = "greatest(0, throttle.level - greatest(0, extract(epoch FROM now() - throttle.at)) * $2)"
    sql = f"""INSERT INTO throttle (key, level) VALUES ($1, 1)
              ON CONFLICT (key) DO UPDATE SET level = {drained} + 1, at = now() WHERE {drained} + 1 <= $3 RETURNING level"""
    if await conn.fetchval(sql, _key(bucket, key), per_s, float(burst)) is None:
        level = await conn.fetchval(f"SELECT {drained} FROM throttle WHERE key = $1", _key(bucket, key), per_s)
        wait_s = max(1, math.ceil((level + 1 - burst) / per_s))
        raise TooMany("Too many wrong attempts. Nothing is locked: wait a little.", code="rate_limited", retry_after_s=wait_s)


async def give_back(conn: Connection, bucket: Bucket, *key: str) -> None:
    """The attempt was a good one."""
    await conn.execute("UPDATE throttle SET level = greatest(0, level - 1) WHERE key = $1", _key(bucket, key))


async def clear(conn: Connection, bucket: Bucket, *key: str) -> None:
    """All is forgiven: somebody proved who he is in another way."""
    await conn.execute("DELETE FROM throttle WHERE key = $1", _key(bucket, key))


def _key(bucket: Bucket, key: tuple[str, ...]) -> bytes:
    return hashlib.sha256("\0".join((bucket.name, *key)).encode()).digest()
