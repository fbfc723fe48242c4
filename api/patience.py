"""Those who wait for an answer, and when their patience ends. Compiled by Cython from this same file."""

import asyncio
from collections import deque
from typing import Protocol


class Waits(Protocol):
    """Somebody whose patience ends."""

    response_complete: bool

    def too_long(self) -> None: ...


class Patience:
    """Calls those back who still wait after `seconds`: one timer for all of them, since all wait equally long."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._now = loop.time
        self._seconds = seconds
        self._waiting: deque[tuple[float, Waits]] = deque()

    def begin(self, waits: Waits) -> None:
        until = self._now() + self._seconds
        waiting = self._waiting
        if not waiting:
            self._loop.call_at(until, self._look)
        # Who has his answer is let go: kept until his time is up, a rush would have thousands of them in memory.
        while waiting and waiting[0][1].response_complete:
            waiting.popleft()
        waiting.append((until, waits))

    def _look(self) -> None:
        now = self._now()
        while self._waiting and (self._waiting[0][0] <= now or self._waiting[0][1].response_complete):
            _, waits = self._waiting.popleft()
            if not waits.response_complete:
                waits.too_long()
        if self._waiting:
            self._loop.call_later(max(self._waiting[0][0] - now, 0.01), self._look)
