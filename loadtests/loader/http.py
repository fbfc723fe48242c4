"""One keep-alive HTTP/1.1 connection that asks one thing at a time, and a pool of them.

A request is bytes made beforehand; an answer is what came back, or why nothing did. Nothing here raises for what a server does.
"""

import asyncio
import ipaddress
import json
from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple, Self, cast
from urllib.parse import urlsplit

import httptools
import msgspec

ANSWER_BYTES_MAX = 4 << 20
CONNECT_TIMEOUT_S = 5.0
NO_BODY = object()


class Target(NamedTuple):
    """Where requests go. `host` is the name or address connected to, `authority` what the Host header says."""

    host: str
    port: int
    authority: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """From `http://host:port`. Raises ValueError for anything else: there is no TLS here."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"{url!r} is not of the form http://host:port")
        return cls(parts.hostname, parts.port or 80, parts.netloc)

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class Problem(msgspec.Struct):
    code: str = ""


_problem = msgspec.json.Decoder(Problem).decode
_anything = msgspec.json.Decoder().decode


class Answer(msgspec.Struct, frozen=True, gc=False):
    """`status` is 0 when there was no answer; `failure` then says why: refused, closed, timeout, malformed or too_large."""

    status: int
    body: bytes = b""
    failure: str = ""
    retry_after_s: float = 0.0

    def json(self) -> Any:
        """The body decoded, or an empty object when it is not JSON."""
        try:
            return _anything(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}

    @property
    def code(self) -> str:
        """The problem document's stable code, "" when there is none."""
        try:
            return _problem(self.body).code if self.status >= 400 else ""
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""


def request(target: Target, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = NO_BODY) -> bytes:
    """A request as bytes. `body` is bytes as they are, or a value sent as JSON. Raises ValueError for what would break the framing."""
    lines = {"host": target.authority, **{name.lower(): value for name, value in (headers or {}).items()}}
    payload = b""
    if body is not NO_BODY:
        if isinstance(body, bytes):
            payload = body
        else:
            payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            lines.setdefault("content-type", "application/json")
    if body is not NO_BODY or method not in ("GET", "DELETE"):
        lines["content-length"] = str(len(payload))
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    if method == "HEAD" or head.count("\r\n") != len(lines) + 1 or head.count("\n") != len(lines) + 1 or path.split() != [path]:
        raise ValueError(f"{method} {path[:80]!r} cannot be sent")
    return head.encode() + b"\r\n" + payload


class Connection(asyncio.Protocol):
    """One connection, made when first needed and again when the server closed it. One request at a time."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._forget()

    async def ask(self, raw: bytes) -> Answer:
        """Send `raw` and return the answer to it, within the timeout."""
        if self._waiting is not None:
            raise RuntimeError("this connection is still waiting for an answer")
        if not await self.connect():
            return Answer(0, failure="refused")
        if not self.is_open:
            return Answer(0, failure="closed")
        self._forget()
        self._waiting = self._loop.create_future()
        timer = self._loop.call_later(self._timeout_s, self._end, "timeout")
        self.send(raw)
        try:
            return await self._waiting
        finally:
            timer.cancel()
            self._waiting = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def connect(self) -> bool:
        """Whether there is a connection now; one is made unless it is open."""
        if not self.is_open:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await self._loop.create_connection(lambda: self, self._target.host, self._target.port)
            except (OSError, TimeoutError):
                return False
        return True

    def send(self, raw: bytes) -> None:
        """Raises RuntimeError when there is no connection."""
        if self._transport is None:
            raise RuntimeError("there is no connection")
        self._transport.write(raw)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # What the loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's does not inherit from it

    def eof_received(self) -> None:
        self._transport = None  # it closes itself now; nothing may be sent on it any more
        self._resolve(Answer(0, failure="closed"))

    def connection_lost(self, error: Exception | None) -> None:
        # A transport that was given up before is told of late, perhaps when there is another already.
        if self._transport is not None and self._transport.is_closing():
            self._transport = None
            self._resolve(Answer(0, failure="closed"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._end("malformed")

    # What the parser tells

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"retry-after" and value.isdigit():
            self._retry_after_s = float(value)
        elif name == b"content-length":
            self._length = int(value)

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > ANSWER_BYTES_MAX:
            self._end("too_large")

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # an interim answer; the real one follows
            return
        if not self._parser.should_keep_alive():
            self.close()
        self._resolve(Answer(status, bytes(self._body), retry_after_s=self._retry_after_s))

    # Within

    def _forget(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._length = -1  # as the head says it, which need not
        self._retry_after_s = 0.0

    def _resolve(self, answer: Answer) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)

    def _end(self, failure: str) -> None:
        """No answer will come that could be told from the next one: drop the connection."""
        self.close()
        self._resolve(Answer(0, failure=failure))


class Pool:
    """At most `size` connections, for journeys that ask now and then. Waits its turn when all are busy."""

    def __init__(self, target: Target, size: int, timeout_s: float) -> None:
        self.target = target
        self._all = [Connection(target, timeout_s) for _ in range(size)]
        self._idle = list(self._all)
        self._turns = asyncio.Semaphore(size)

    async def ask(self, raw: bytes) -> tuple[Answer, float]:
        """The answer, and how many seconds it took once a connection was free."""
        async with self._turns:
            connection = self._idle.pop()
            began = perf_counter()
            try:
                answer = await connection.ask(raw)
            finally:
                self._idle.append(connection)
            return answer, perf_counter() - began

    def close(self) -> None:
        for connection in self._all:
            connection.close()
