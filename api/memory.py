"""A small memory, bounded, for answers that may be a little old, looked up once at a time for each key."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

from checkout_core.errors import TooMany

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LOOKING_UP_MAX = 256


class Memory(Generic[K, V]):
    """Remembers what `look_up` found, `None` included, for `ttl_s`; at most `size` answers, the oldest forgotten first."""

    def __init__(self, look_up: Callable[[K], Awaitable[V | None]], *, ttl_s: float, size: int) -> None:
        self._look_up = look_up
        self._ttl_s = ttl_s
        self._size = size
        self._found: OrderedDict[K, tuple[float, V | None]] = OrderedDict()
        self._looking: dict[K, asyncio.Future[V | None]] = {}

    async def get(self, key: K) -> V | None:
        """Raises what `look_up` raises, and `TooMany` when strangers keep too many look-ups busy."""
        found = self._found.get(key)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        looking = self._looking.get(key)
        if looking is None:
            if len(self._looking) >= LOOKING_UP_MAX:
                raise TooMany("Too many look-ups at once. Ask again.", code="busy")
            looking = self._looking[key] = asyncio.ensure_future(self._find(key))
        # Shielded: who gives up waiting does not end the look-up for the others.
        return await asyncio.shield(looking)

    def peek(self, key: K) -> V | None:
        """What is remembered, without waiting; None when that is nothing, or too old to be said again.

        In the last quarter of its time an answer is looked up anew beside its use, so that a crowd never finds it gone.
        """
        found = self._found.get(key)
        if found is None:
            return None
        left_s = found[0] - time.monotonic()
        if left_s < self._ttl_s / 4 and key not in self._looking and len(self._looking) < LOOKING_UP_MAX:
            looking = self._looking[key] = asyncio.ensure_future(self._find(key))
            looking.add_done_callback(_seen)
        return found[1] if left_s > 0 else None

    def knows(self, key: K) -> bool:
        """Whether an answer is remembered, be it None."""
        found = self._found.get(key)
        return found is not None and found[0] > time.monotonic()

    def forget(self, key: K) -> None:
        self._found.pop(key, None)

    async def _find(self, key: K) -> V | None:
        # The clock starts before the look-up: what it read is as old as that.
        until = time.monotonic() + self._ttl_s
        try:
            value = await self._look_up(key)
            self._found[key] = (until, value)
            self._found.move_to_end(key)
            if len(self._found) > self._size:
                self._found.popitem(last=False)
            return value
        finally:
            del self._looking[key]


def _seen(future: "asyncio.Future[Any]") -> None:
    """A look-up that nobody waited for may fail unheard: the next one who needs it asks again."""
    if not future.cancelled():
        future.exception()
