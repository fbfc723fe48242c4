"""A small HTTP client for the webhook sender: POST, read the status, keep the connection. A fifth of a full client's CPU time."""

import asyncio
import ssl
from collections import defaultdict
from typing import cast
from urllib.parse import urlsplit

import httptools

from loadtests.counterparts.sandbox.forgery import Headers

IDLE_MAX = 64  # as many as the sender has in flight, else it would open a connection for each notice
BODY_MAX = 64 * 1024


class Failed(Exception):
    """No answer: not reached, cut off, too long, or not HTTP."""


class _Connection(asyncio.Protocol):
    """One keep-alive connection; httptools calls the `on_…` methods."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.reusable = False
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    async def post(self, request: bytes) -> int:
        assert self.transport is not None
        self._parser, self._length, self.reusable = httptools.HttpResponseParser(self), 0, False
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as e:
            self._fail(str(e))

    def on_body(self, body: bytes) -> None:
        self._length += len(body)
        if self._length > BODY_MAX:
            self._fail("the answer is too long")

    def on_message_complete(self) -> None:
        self.reusable = self._parser.should_keep_alive()
        if self._answer and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the connection was cut")

    def _fail(self, why: str) -> None:
        self.reusable = False
        if self._answer and not self._answer.done():
            self._answer.set_exception(Failed(why))
        self.close()

    def close(self) -> None:
        if self.transport:
            self.transport.close()

    @property
    def open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()


class Client:
    def __init__(self) -> None:
        self._idle: dict[tuple[str, int, bool], list[_Connection]] = defaultdict(list)

    async def post(self, url: str, headers: Headers, body: bytes, timeout_s: float) -> int:
        """The status of the answer. Redirects are not followed. Raises `Failed`."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        origin = (parts.hostname or "", parts.port or (443 if secure else 80), secure)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in headers]
        request = "\r\n".join(head).encode() + b"\r\n\r\n" + body
        try:
            async with asyncio.timeout(timeout_s):
                return await self._post(origin, request)
        except (OSError, TimeoutError) as e:
            raise Failed(str(e) or type(e).__name__) from None

    async def _post(self, origin: tuple[str, int, bool], request: bytes) -> int:
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if not connection.open:
                continue
            try:
                return await self._exchange(connection, origin, request)
            except Failed:
                break  # most likely the other side had just closed it; a notice may arrive twice, so try a fresh one
        host, port, secure = origin
        context = ssl.create_default_context() if secure else None
        _, connection = await asyncio.get_running_loop().create_connection(_Connection, host, port, ssl=context)
        return await self._exchange(connection, origin, request)

    async def _exchange(self, connection: _Connection, origin: tuple[str, int, bool], request: bytes) -> int:
        try:
            return await connection.post(request)
        finally:
            if connection.reusable and connection.open and len(self._idle[origin]) < IDLE_MAX:
                self._idle[origin].append(connection)
            else:
                connection.close()

    def close(self) -> None:
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
