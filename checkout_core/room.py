"""The waiting room of a flash sale: a line in Redis beside the gate, of those who pressed when nothing was left.

A place is a shopper's, one each; whoever asks again keeps it, whoever does not come back loses it. A unit that is free is the first one's
turn; only who has a turn passes to the gate while somebody waits. Nothing here is a promise: the gate and the commit decide as ever.
"""

import random
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple
from uuid import UUID

from checkout_core import keys, scripts
from checkout_core.admission import ident_of
from checkout_core.intents import SaleKey
from checkout_core.partitions import Partitions
from checkout_core.scripts import Script

AWAY_MS: Final = 90_000  # three times as long as anybody is told to stay away
TURN_MS: Final = 120_000
USED_MS: Final = 3_000  # a commit takes milliseconds
AGAIN_MS: Final = 30_000
PLACES_MAX: Final = 50_000  # of a sale; 12 MB of Redis
KEEP_MS: Final = 24 * 3600 * 1000

WAIT: Final = Script.of(scripts.read("wait"))
ENTER: Final = Script.of(scripts.read("enter"))
LEAVE: Final = Script.of(scripts.read("leave"))


class Status(IntEnum):
    CLOSED = 0  # the gate is not loaded here
    OUT = 1  # he has no place
    WAITING = 2
    TURN = 3
    FULL = 4


class Place(NamedTuple):
    """`place` counts from 1, of `total`; `left_ms` of a turn. `issued` turns since `since_ms` tell how fast the line moves."""

    status: Status
    place: int
    total: int
    left_ms: int
    issued: int
    since_ms: int


class Room:
    def __init__(self, partitions: Partitions) -> None:
        self._partitions = partitions

    async def wait(self, sale: SaleKey, shopper_id: UUID, *, join: bool) -> Place:
        """The shopper's place, taken if he has none and wants to `join`. Raises `Closed` and `Unknown`."""
        names = keys.room_of(sale)
        link = self._partitions.link(names.partition)
        args = (
            ident_of(link), shopper_id.bytes, int(join), AWAY_MS, TURN_MS, PLACES_MAX, f"{random.random():.9f}", KEEP_MS,  # noqa: S311  a lot, no secret
        )  # fmt: skip
        status, *numbers = await scripts.run(link, WAIT, (names.sale, names.line, names.seen, names.turns, names.room), args)
        return Place(Status(status), *numbers)

    async def leave(self, sale: SaleKey, shopper_id: UUID) -> bool:
        """Whether he had a place or a turn, which is free now. Raises `Closed` and `Unknown`."""
        names = keys.room_of(sale)
        (left,) = await scripts.run(
            self._partitions.link(names.partition), LEAVE, (names.line, names.seen, names.turns), (shopper_id.bytes,)
        )
        return bool(left)

    async def enter(self, sale: SaleKey, shoppers: Sequence[UUID]) -> list[bool]:
        """Who of at most 512 may go on to the gate, in order. Raises `Closed` and `Unknown`."""
        names = keys.room_of(sale)
        column = b"".join(each.bytes for each in shoppers)
        args = (column, USED_MS, AGAIN_MS)
        (may,) = await scripts.run(self._partitions.link(names.partition), ENTER, (names.by, names.line, names.turns, names.passed), args)
        return [each == 1 for each in may]
