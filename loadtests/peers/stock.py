"""A sale as the peers keep it in Redis, where their one script reserves."""

import hashlib
import time
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from redis import Redis

SCRIPT: Final = Path(__file__).with_name("lua") / "reserve_one.lua"
BODY: Final = SCRIPT.read_bytes()
SHA: Final = hashlib.sha1(BODY, usedforsecurity=False).hexdigest()
HOLD_S: Final = 900
PRICE_MINOR: Final = 9900  # of every sale here; what a shop knows of its sale a peer would have in memory
CURRENCY: Final = "CNY"


class Code(IntEnum):
    """What the script says."""

    CLOSED = 0
    RESERVED = 1
    REPLAY = 2
    LIMIT = 3
    SOLD_OUT = 4
    CONFLICT = 5


class Left(NamedTuple):
    """What a sale came to."""

    avail: int
    orders: int
    units: int  # by the shoppers' own counts


def keys_of(sale_id: UUID) -> tuple[str, str, str]:
    """The script's keys: sale, by, orders. Their hash tag keeps them in one slot of a cluster."""
    sale = f"{{peer:{sale_id.hex}}}"
    return f"{sale}:sale", f"{sale}:by", f"{sale}:orders"


def body_of(shopper: bytes, quantity: int) -> bytes:
    """What is kept of a wish: enough to make an order of it later."""
    return shopper + quantity.to_bytes(2, "big")


def open_sale(redis: Redis, sale_id: UUID, units: int, limit: int) -> None:
    """A sale that runs, with nothing sold. `limit` is units a shopper may have, 0 for no limit."""
    terms = {"state": "open", "avail": units, "limit": limit, "starts_ms": int(time.time() * 1000) - 1000, "ends_ms": ""}
    redis.delete(*keys_of(sale_id))
    redis.hset(keys_of(sale_id)[0], mapping=terms)
    redis.script_load(BODY)


def left(redis: Redis, sale_id: UUID) -> Left:
    """Counts to hold the answers against."""
    sale, by, orders = keys_of(sale_id)
    counts: Any = redis.hvals(by)
    avail: Any = redis.hget(sale, "avail")
    taken: Any = redis.hlen(orders)
    return Left(int(avail or 0), taken, sum(int(count) for count in counts))


def forget(redis: Redis, sale_id: UUID) -> None:
    """Free what the sale held, without holding Redis up."""
    redis.unlink(*keys_of(sale_id))
