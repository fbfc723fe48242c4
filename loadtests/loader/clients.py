"""The clients of the closed loop: each asks, and upon the answer asks the next thing, with no task, timer or parser for each request.

A sold-out sale answers the same bytes tens of thousands of times a second, and a loader that took longer to read them than the server to
write them would measure itself. So an answer that is, byte for byte, a refusal already understood is not parsed again.
"""

import asyncio
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Generic, Protocol, TypeVar

from loadtests.loader.http import Answer, Connection, Target

KNOWN_MAX = 64
KNOWN_BYTES_MAX = 4096


class Request(Protocol):
    """Whatever carries the bytes to send; the caller gets it back with its answer."""

    @property
    def raw(self) -> bytes: ...


R = TypeVar("R", bound=Request)
Tell = Callable[[R, Answer, float, float], None]  # request, answer, seconds since it was due, perf_counter() at the answer


class Client(Connection, Generic[R]):
    """One connection that takes from `source` what it asks next. `known` are whole answers as they came, shared by all clients."""

    def __init__(self, target: Target, timeout_s: float, source: Iterator[R], tell: Tell[R], known: dict[bytes, Answer]) -> None:
        super().__init__(target, timeout_s)
        self._source = source
        self._tell = tell
        self._known = known
        self._asked: R | None = None
        self._began = self._until = 0.0
        self._untouched = True  # nothing of the answer has come
        self._reading = False
        self._read: Answer | None = None
        self._paused: asyncio.Future[None] | None = None

    async def press(self, until: float) -> None:
        """Ask one thing after the other until `source` ends or perf_counter() is `until`; connect again whenever that is needed."""
        self._until = until
        while perf_counter() < until and (asked := next(self._source, None)) is not None:
            began = perf_counter()
            failure = "" if await self.connect() else "refused"
            if failure or not self.is_open:
                now = perf_counter()
                self._tell(asked, Answer(0, failure=failure or "closed"), now - began, now)
                continue
            self._paused = asyncio.get_running_loop().create_future()
            self._ask(asked, began)
            await self._paused

    def expire(self, now: float) -> None:
        """Give up what has been waited for too long."""
        if self._asked is not None and now - self._began > self._timeout_s:
            self._end("timeout")

    def data_received(self, data: bytes) -> None:
        if self._asked is None:
            super().data_received(data)
            return
        if self._untouched:
            if (known := self._known.get(data)) is not None:
                self._answered(known)
                return
            self._forget()
        whole, self._untouched = self._untouched, False
        self._reading = True
        try:
            super().data_received(data)
        finally:
            self._reading = False
        answer, self._read = self._read, None
        if answer is None:
            return
        # What tells each client something of his own (an order) is read by itself each time.
        if whole and answer.status >= 400 and self.is_open and len(data) <= KNOWN_BYTES_MAX and len(self._known) < KNOWN_MAX:
            self._known[data] = answer
        self._answered(answer)

    def _ask(self, asked: R, began: float) -> None:
        self._asked, self._began, self._untouched = asked, began, True
        self.send(asked.raw)

    def _resolve(self, answer: Answer) -> None:
        if self._asked is None:
            super()._resolve(answer)
        elif self._reading:
            self._read = self._read or answer  # the parser is not done with these bytes yet
        else:
            self._answered(answer)

    def _answered(self, answer: Answer) -> None:
        asked, self._asked = self._asked, None
        assert asked is not None
        try:
            now = perf_counter()
            self._tell(asked, answer, now - self._began, now)
            began = perf_counter()
            if self.is_open and began < self._until and (following := next(self._source, None)) is not None:
                self._ask(following, began)
            else:
                self._pause(None)
        except Exception as error:
            self._pause(error)

    def _pause(self, error: Exception | None) -> None:
        """Hand over to `press`, which connects again, ends or raises."""
        if self._paused is not None and not self._paused.done():
            if error is None:
                self._paused.set_result(None)
            else:
                self._paused.set_exception(error)
