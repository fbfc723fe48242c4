"""The clients of both loops: each asks, and upon the answer asks the next thing, with no task, future, timer or parser for each request.

What the loader burns is missing in the server it presses on, so it must not take longer to read an answer than the server to write it.
A server's answers differ in their bodies but seldom in their heads: a head that is, byte for byte, one already understood is not parsed
again, and says itself whether the body that came with it is whole.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Generic, NamedTuple, Protocol, TypeVar

from loadtests.loader.http import Answer, Connection, Target

HEADS_MAX = 256


class Request(Protocol):
    """Whatever carries the bytes to send; the caller gets it back with its answer."""

    @property
    def raw(self) -> bytes: ...


class Head(NamedTuple):
    """What a head says that lets the connection live and gives the body's length."""

    status: int
    length: int
    retry_after_s: float


R = TypeVar("R", bound=Request)
Tell = Callable[[R, Answer, float, float], None]  # request, answer, seconds since it was due, perf_counter() at the answer
Take = Callable[[], tuple[R, float] | None]  # what to ask next and the perf_counter() it is due at; None when there is nothing


class Client(Connection, Generic[R]):
    """One connection. From `go` on it asks what it can `take`, until there is nothing or `tell` raises; then it is handed to `rest`.

    Whoever rests may be told to `go` again. `heads` are those already understood, shared by all clients.
    """

    def __init__(
        self,
        target: Target,
        timeout_s: float,
        take: Take[R],
        tell: Tell[R],
        rest: Callable[["Client[R]", Exception | None], None],
        heads: dict[bytes, Head],
    ) -> None:
        super().__init__(target, timeout_s)
        self._take = take
        self._tell = tell
        self._rest = rest
        self._heads = heads
        self._asked: R | None = None
        self._due = self._sent_at = 0.0
        self._untouched = True  # nothing of the answer has come
        self._reading = False
        self._read: Answer | None = None
        self._connecting: asyncio.Task[None] | None = None

    def go(self) -> None:
        """Ask the next thing; connect first where that is needed."""
        taken = self._take()
        if taken is None:
            self._rest(self, None)
        elif self.is_open:
            self._ask(*taken)
        else:
            self._connecting = self._loop.create_task(self._connect_and_ask(*taken))

    def expire(self, now: float) -> None:
        """Give up what has been waited for too long."""
        if self._asked is not None and self._connecting is None and now - self._sent_at > self._timeout_s:
            self._end("timeout")

    def leave(self) -> tuple[R, float] | None:
        """End for good. Returns what is under way and when it was due; no answer to it will be told."""
        if self._connecting is not None:
            self._connecting.cancel()
        self.close()
        asked, self._asked = self._asked, None
        return None if asked is None else (asked, self._due)

    def data_received(self, data: bytes) -> None:
        if self._asked is None:
            super().data_received(data)
            return
        head = b""
        if self._untouched:
            head, _, body = data.partition(b"\r\n\r\n")
            known = self._heads.get(head)
            if known is not None and len(body) == known.length:
                self._answered(Answer(known.status, body, "", known.retry_after_s))
                return
            self._forget()
            self._untouched = False
        self._reading = True  # the parser is not done with these bytes when it tells of the answer
        try:
            super().data_received(data)
        finally:
            self._reading = False
        answer, self._read = self._read, None
        if answer is None:
            return
        if head and self.is_open and self._length == len(body) == len(answer.body):
            if len(self._heads) >= HEADS_MAX:
                self._heads.clear()
            self._heads[head] = Head(answer.status, self._length, answer.retry_after_s)
        self._answered(answer)

    async def _connect_and_ask(self, asked: R, due: float) -> None:
        self._asked, self._due = asked, due
        connected = await self.connect()
        self._connecting = None
        if connected and self.is_open:
            self._ask(asked, due)
        else:
            self._answered(Answer(0, failure="closed" if connected else "refused"))

    def _ask(self, asked: R, due: float) -> None:
        self._asked, self._due, self._untouched = asked, due, True
        self._sent_at = perf_counter()
        self.send(asked.raw)

    def _resolve(self, answer: Answer) -> None:
        if self._asked is None:
            super()._resolve(answer)
        elif self._reading:
            self._read = self._read or answer
        else:
            self._answered(answer)

    def _answered(self, answer: Answer) -> None:
        asked, self._asked = self._asked, None
        assert asked is not None
        now = perf_counter()
        try:
            self._tell(asked, answer, now - self._due, now)
            self.go()
        except Exception as error:
            self._rest(self, error)
