"""A small HTTP/1.1 client for calls to payment providers and for webhooks: every wait has an end, every answer a size, nothing is followed.

httpx takes 1.1 ms of CPU for an exchange over a connection that is open already; this takes 0.1 (docs/decisions/0011). It does what a
provider's API needs and no more: no redirects, no cookies, no proxy of the environment, no compression, no HTTP/2, no trailers.
An answer that does not say its length (neither Content-Length nor chunks) cannot be told from one that was cut off, and counts as one,
unless the client is one that `clips`: it asks for a status, and of the body takes what comes.
"""

import asyncio
import ssl
from collections import defaultdict
from types import TracebackType
from typing import NamedTuple, Self, cast
from urllib.parse import urlsplit

import certifi
import httptools

CONNECT_S = 2.0  # name, TCP and TLS together; and the wait for a free connection
READ_S = 5.0  # between two pieces of an answer
KEEP_S = 30.0  # an idle connection; load balancers keep theirs for a minute or more
CONNECTIONS_MAX = 64
HEAD_MAX = 16 * 1024


class NotSent(Exception):
    """Nothing of the request was sent: not reached, not trusted, or no connection free in time."""


class Broken(Exception):
    """The request was sent, whole or in part, and there is no answer to it that could be read."""


class Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Origin(NamedTuple):
    host: str
    port: int
    secure: bool
    authority: str  # for the Host header
    address: str = ""  # connected to in place of whatever `host` resolves to; certificates still are for `host`

    @classmethod
    def parse(cls, url: str) -> tuple[Self, str]:
        """The origin and the path below which its API is. Raises ValueError for anything but `http(s)://host[:port][/path]`."""
        parts = urlsplit(url)
        plain = url.isascii() and parts.hostname and not (parts.username or parts.query or parts.fragment)
        if not plain or parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not of the form https://host[:port][/path]")
        secure = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if secure else 80), secure, parts.netloc), parts.path.rstrip("/")


class Client:
    """Connections of one event loop, kept alive and shared by all accounts. `trust` replaces the usual certificate authorities.

    A certificate must be valid for the host's name. One that `clips` takes an answer as whole when its head was, however the body ends.
    `read_s` and `connect_s` replace `READ_S` and `CONNECT_S`. Use it as a context, or call `aclose`.
    """

    def __init__(
        self,
        *,
        connections_max: int = CONNECTIONS_MAX,
        trust: ssl.SSLContext | None = None,
        clips: bool = False,
        read_s: float | None = None,
        connect_s: float | None = None,
    ) -> None:
        self._trust = trust
        self._clips = clips
        self._read_s = read_s
        self._connect_s = connect_s
        self._turns = asyncio.Semaphore(connections_max)
        self._idle: dict[Origin, list[_Connection]] = defaultdict(list)
        self._closed = False

    async def exchange(self, origin: Origin, method: str, target: str, headers: dict[str, str], body: bytes, *, answer_max: int) -> Answer:
        """Any final answer of at most `answer_max` bytes. Raises `NotSent`, `Broken`. How long it may take in all, the caller says."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {origin.authority}", "User-Agent: Tessera"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines)
        if not head.isascii() or head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1 or target.count(" "):
            raise ValueError("a header or target would break out of its line")
        request = head.encode("ascii") + b"\r\n\r\n" + body
        await self._turn()
        try:
            connection = self._rested(origin) or await self._connect(origin)
            try:
                return await connection.exchange(request, answer_max)
            finally:
                self._rest(origin, connection)
        finally:
            self._turns.release()

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout((self._connect_s or CONNECT_S) if self._turns.locked() else None):
                await self._turns.acquire()
        except TimeoutError:
            raise NotSent("no connection is free") from None

    def _rested(self, origin: Origin) -> "_Connection | None":
        idle = self._idle.pop(origin, [])
        while idle:
            connection = idle.pop()
            if connection.reusable:
                connection.patience.cancel()
                if idle:
                    self._idle[origin] = idle
                return connection
        return None

    def _rest(self, origin: Origin, connection: "_Connection") -> None:
        """Keep it for the next exchange if its answer came whole; else close it, for the next answer could be this one's."""
        if connection.reusable and not self._closed:
            connection.patience = asyncio.get_running_loop().call_later(KEEP_S, self._let_go, origin, connection)
            self._idle[origin].append(connection)
        else:
            connection.close()

    def _let_go(self, origin: Origin, connection: "_Connection") -> None:
        connection.close()
        self._idle[origin].remove(connection)
        if not self._idle[origin]:
            del self._idle[origin]  # of hosts there may be as many as merchants name

    async def _connect(self, origin: Origin) -> "_Connection":
        loop, context = asyncio.get_running_loop(), self._context() if origin.secure else None

        def make() -> _Connection:
            return _Connection(self._read_s or READ_S, clips=self._clips)

        try:
            async with asyncio.timeout(self._connect_s or CONNECT_S):
                _, connection = await loop.create_connection(
                    make, origin.address or origin.host, origin.port, ssl=context, server_hostname=origin.host if context else None
                )
        except (OSError, TimeoutError) as error:
            raise NotSent(f"not connected: {type(error).__name__}") from None
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._trust is None:
            self._trust = ssl.create_default_context(cafile=certifi.where())  # made once: reading the authorities takes 20 ms
        return self._trust

    async def aclose(self) -> None:
        """Close what is idle; what is under way closes when it is done."""
        self._closed = True
        for idle in self._idle.values():
            for connection in idle:
                connection.patience.cancel()
                connection.close()
        self._idle.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


class _Connection(asyncio.Protocol):
    """One connection, one exchange at a time. `reusable` when the last answer came whole and nothing came after it."""

    patience: asyncio.TimerHandle

    def __init__(self, read_s: float, *, clips: bool) -> None:
        self.reusable = False
        self._read_s = read_s
        self._clips = clips
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None

    async def exchange(self, request: bytes, answer_max: int) -> Answer:
        """Raises `Broken`. However this ends without an answer, the connection must be closed."""
        self._loop = loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._answer = answer
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._head_ended = self.reusable = False
        self._head_room, self._body_room = HEAD_MAX, answer_max
        self._room = HEAD_MAX + answer_max  # with the framing of chunks, and whatever else comes
        self._heard = loop.time()
        self.patience = loop.call_later(self._read_s, self._listen)
        if self._transport is None or self._transport.is_closing():
            self._fail("closed before the request")
        else:
            self._transport.write(request)
        try:
            return await answer
        finally:
            self.patience.cancel()

    def close(self) -> None:
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()  # nothing is left to be written that anybody waits for

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Broken(why))
        self.close()

    def _listen(self) -> None:
        quiet = self._loop.time() - self._heard
        if quiet >= self._read_s:
            self._fail("silence")
        else:
            self.patience = self._loop.call_later(self._read_s - quiet, self._listen)

    def _clip(self) -> None:
        """Of an answer that will not come whole, what came: for a client that asks for no more."""
        if (
            self._clips
            and self._answer is not None
            and not self._answer.done()
            and self._head_ended
            and self._parser.get_status_code() >= 200
        ):
            self._answer.set_result(Answer(self._parser.get_status_code(), self._headers, b"".join(self._body)))

    # What the loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def connection_lost(self, exc: Exception | None) -> None:
        self._clip()
        self._fail("cut off")

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # nobody asked: it must not be taken for the answer to the next request
            return
        self._heard = self._loop.time()
        self._room -= len(data)
        if not self._head_ended:
            self._head_room -= len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"not HTTP: {type(error).__name__}")
            return
        if not self._answer.done() and (self._room < 0 or (self._head_room < 0 and not self._head_ended)):
            self._fail("too long")

    # What the parser tells

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            self.close()
        self._headers = []
        self._head_ended = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_ended:
            self._fail("trailers")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._head_ended = True

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        self._body_room -= len(body)
        if self._body_room < 0:
            self._clip()
            self._fail("too long")

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200 or self._answer is None or self._answer.done():
            return  # an interim answer; the real one follows
        self.reusable = self._parser.should_keep_alive()
        self._answer.set_result(Answer(status, self._headers, b"".join(self._body)))
