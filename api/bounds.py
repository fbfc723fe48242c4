"""Bounds that every connection keeps, whatever it asks for: uvicorn's protocol, which alone would wait and read for ever.

Time is looked at once a second for all connections together, not by a timer for each request.
"""

import asyncio
import logging
import time
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from api.patience import Patience

log = logging.getLogger(__name__)

CONNECTIONS_MAX = 20_000
HEADERS_MAX = 100
HEADER_BYTES_MAX = 32 * 1024  # names, values and the target together
FIRST_BYTE_S = 20.0  # from the connection to its first request
HEAD_S = 10.0  # from a request's first byte to the end of its headers, however slowly they drip
STALL_S = 20.0  # between two pieces of a body
SHORT_S = 0.3  # until a wish that is admitted, but not yet committed, is answered as just that
LONG_S = 8.0  # until a wish is given up: a commit takes milliseconds
IDLE_S = 75.0  # between two requests


class Refused(Exception):
    """Ends the parser's run over a connection that has been hung up on."""


class Watch:
    """Looks after the connections of one server."""

    def __init__(self, server_state: ServerState, loop: asyncio.AbstractEventLoop) -> None:
        self.short_patience = Patience(loop, SHORT_S)
        self.long_patience = Patience(loop, LONG_S - SHORT_S)
        self._state = server_state
        self._loop = loop
        self._loop.call_later(1, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        for connection in list(self._state.connections):
            if isinstance(connection, BoundedProtocol) and connection.until and connection.until < now:
                connection.too_late()
        self._loop.call_later(1, self._look)


class BoundedProtocol(HttpToolsProtocol):
    """`until` is when the peer must have done what is awaited of it, 0.0 while it is our turn."""

    watches: "dict[int, Watch]" = {}

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        watch = self.watches.get(id(server_state))
        if watch is None:
            watch = self.watches[id(server_state)] = Watch(server_state, self.loop)
        self.short_patience = watch.short_patience
        self.long_patience = watch.long_patience
        self.until = 0.0
        self._in_head = self._in_body = False
        self._head_bytes = 0
        self._header_count = 0

    @staticmethod
    def now() -> float:
        return time.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.until = self.loop.time() + FIRST_BYTE_S
        if len(self.connections) > CONNECTIONS_MAX:
            self._hang_up(503, "Too many connections.")

    def data_received(self, data: bytes) -> None:
        if self._in_body:
            self.until = self.loop.time() + STALL_S
        super().data_received(data)

    def reading_begins(self) -> None:
        """Of a request, at its first byte."""
        self._in_head, self._in_body = True, False
        self._head_bytes = self._header_count = 0
        self.until = self.loop.time() + HEAD_S

    def head_ends(self) -> None:
        """Of a request: what follows is its body, or nothing."""
        self._in_head, self._in_body = False, True
        self.until = self.loop.time() + STALL_S

    def reading_ends(self) -> None:
        """Of a request, at its last byte: now it is our turn."""
        self._in_head = self._in_body = False
        self.until = 0.0

    def idle_begins(self) -> None:
        """Our answer is out, and nothing of a next request is in."""
        if not self._in_head and not self._in_body:
            self.until = self.loop.time() + IDLE_S

    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        if self._head_bytes > HEADER_BYTES_MAX:
            self.refuse(414, "The request target is too long.")
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        self._header_count += 1
        if self._head_bytes > HEADER_BYTES_MAX or self._header_count > HEADERS_MAX:
            self.refuse(431, "The request has too many or too long headers.")
        # What uvicorn does with a header, without the way there: seven of them a request.
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.pipeline:
            self.idle_begins()

    def too_late(self) -> None:
        """The peer did not do in time what was awaited of it."""
        if self._in_body and self.flow.read_paused:
            self.until = self.loop.time() + STALL_S  # it is we who do not read
        elif self._in_head or self._in_body:
            self._hang_up(408, "The request did not arrive in time.")
        else:
            self.transport.close()

    def refuse(self, status: int, why: str) -> None:
        """Say so, hang up and stop the parser: what follows on this connection cannot be trusted to be a request."""
        self._hang_up(status, why)
        raise Refused(why)

    def send_400_response(self, msg: str) -> None:
        """uvicorn's answer to whatever its parser raises, `Refused` included."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _hang_up(self, status: int, why: str) -> None:
        self.until = 0.0
        if self.transport.is_closing():
            return
        body = why.encode()
        self.transport.write(
            b"%bcontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
            % (STATUS_LINE[status], len(body), body)
        )
        self.transport.close()
