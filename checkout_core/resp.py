"""One connection to Redis: packed and parsed by hiredis, pipelined by itself, and nothing is ever sent twice.

A call that was sent and not answered raises `Unknown`: it may have happened. Every other error says that it did not.
A connection that times out or loses its place in the protocol is dropped, never mended.
"""

import asyncio
from collections import deque
from typing import Any, Final, cast

import hiredis

from checkout_core.errors import Unavailable

IN_FLIGHT_MAX: Final = 256  # commands; at 512 intents each about 20 MB
TIMEOUT_S: Final = 2.0  # an fsync that Redis waits for takes up to a second
GRACE_S: Final = 0.05  # after our own loop was held up, one look at the socket before the server is blamed

Part = bytes | str | int


class Closed(Unavailable):
    """Nothing was done: there is no connection, or the server refused before it began."""


class Busy(Closed):
    """Nothing was sent: too many calls are unanswered already."""


class Unknown(Unavailable):
    """It was sent, and no answer came: it may have happened. The journal, or a retry with the same key, will tell."""


class Refused(Exception):
    """The server's own error reply: a wrong type, a malformed argument. Nothing was done; to repeat it is useless."""

    @property
    def word(self) -> str:
        return str(self).partition(" ")[0]


class NoScript(Refused):
    """The server does not know the script, and ran nothing."""


# The server says it is not the one to ask, now or any more: whoever comes next needs another connection.
LEAVE: Final = frozenset({"MOVED", "ASK", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "LOADING", "TRYAGAIN", "NOAUTH", "UNBLOCKED"})
# It refuses for a while, before the first write of a script; the connection is good.
WAIT: Final = frozenset({"OOM", "MISCONF", "NOREPLICAS", "BUSY"})

_NOTHING: Final = object()


def verdict(error: Refused) -> Exception:
    """What an error reply means to the one who called."""
    word = error.word
    if word == "NOSCRIPT":
        return NoScript(str(error))
    if word in LEAVE or word in WAIT:
        return Closed(f"The gate is closed for a moment ({word}). Nothing was reserved; ask again.")
    return error


class Link(asyncio.Protocol):
    """One open connection. `ident` is the server's own, read when it opened, and bound to it: a restarted server is another link."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S, in_flight_max: int = IN_FLIGHT_MAX) -> None:
        self.ident = ""
        self.in_cluster = False
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = self._loop.create_future()  # why
        self._timeout_s = timeout_s
        self._in_flight_max = in_flight_max
        self._reader = hiredis.Reader(replyError=Refused, notEnoughData=_NOTHING)
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()  # unanswered calls in order, with their deadlines
        self._unsent: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._leaving = ""
        self._transport: asyncio.WriteTransport | None = None

    # Calls

    def call(self, *parts: Part, timeout_s: float | None = None) -> asyncio.Future[Any]:
        """Send one command; the future has its reply: bytes, int, None or lists of these.

        Raises `Closed` or `Busy` at once; the future raises `Unknown`, `Closed` or `Refused`.
        """
        transport = self._transport
        if self._leaving or transport is None or transport.is_closing():
            raise Closed("The gate is closed for a moment. Nothing was reserved; ask again.")
        waiting = self._waiting
        if len(waiting) >= self._in_flight_max:
            raise Busy("Too many shoppers are asking at once. Nothing was reserved; ask again.", code="busy")
        packed = hiredis.pack_command(parts)  # type: ignore[arg-type]  # its stub means a tuple of one
        future: asyncio.Future[Any] = self._loop.create_future()
        deadline = self._loop.time() + (timeout_s or self._timeout_s)
        if not waiting:
            transport.write(packed)  # at once: nothing at rest waits for company
        else:
            if not self._unsent:
                self._loop.call_soon(self._flush)
            self._unsent.append(packed)
        waiting.append((future, deadline))
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._look_at_clock)
        return future

    @property
    def is_open(self) -> bool:
        return not self._leaving and self._transport is not None and not self._transport.is_closing()

    @property
    def in_flight(self) -> int:
        return len(self._waiting)

    def leave(self, why: str) -> None:
        """Take no more calls, and go when those under way are answered."""
        self._leaving = self._leaving or why
        if not self._waiting and self._transport is not None:
            self._transport.close()

    def drop(self, why: str) -> None:
        """Go at once: what is unanswered is unknown."""
        self._leaving = self._leaving or why
        if self._transport is not None:
            self._transport.abort()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one without saying so

    def data_received(self, data: bytes) -> None:
        waiting, reader = self._waiting, self._reader
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not _NOTHING:
                if not waiting:
                    return self.drop(f"a reply that nobody asked for: {reply!r}"[:200])
                future, _ = waiting.popleft()
                if type(reply) is not Refused:
                    if not future.done():
                        future.set_result(reply)
                    continue
                if reply.word in LEAVE:
                    self.leave(str(reply))
                if not future.done():
                    future.set_exception(verdict(reply))
        except hiredis.ProtocolError as error:
            return self.drop(f"not the protocol of Redis: {error}")
        if self._leaving and not waiting:
            self.leave(self._leaving)
        return None

    def connection_lost(self, error: Exception | None) -> None:
        why = self._leaving = self._leaving or (str(error) if error else "the server hung up")
        if self._timer is not None:
            self._timer.cancel()
        unsent = len(self._unsent)
        self._unsent.clear()
        while self._waiting:
            future, _ = self._waiting.popleft()
            if future.done():
                continue
            if len(self._waiting) < unsent:
                future.set_exception(Closed("The gate is closed for a moment. Nothing was reserved; ask again."))
            else:
                future.set_exception(Unknown("The gate did not answer. Ask again with the same key: nothing is reserved twice."))
        if not self.lost.done():
            self.lost.set_result(why)

    def _flush(self) -> None:
        if self._transport is not None and self._unsent and not self._transport.is_closing():
            self._transport.write(b"".join(self._unsent))
            self._unsent.clear()

    def _look_at_clock(self, suspect: asyncio.Future[Any] | None = None) -> None:
        """Replies come in order, so only the oldest call can be the late one."""
        if not self._waiting:
            self._timer = None
            return
        oldest, deadline = self._waiting[0]
        if self._loop.time() < deadline:
            self._timer = self._loop.call_at(deadline, self._look_at_clock)
        elif oldest is not suspect:
            self._timer = self._loop.call_later(GRACE_S, self._look_at_clock, oldest)
        else:
            self.drop("the server did not answer in time")
