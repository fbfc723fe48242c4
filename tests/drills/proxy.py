"""A proxy that does to a connection what networks and dying servers do to it.

    async with Proxy(lambda: ("127.0.0.1", 6379)) as proxy:
        ...                          # clients connect to 127.0.0.1, proxy.port
        proxy.down = BLACK_HOLE      # what the server says is lost from now on
        proxy.up = proxy.down = PASS

A fault is set for one direction, `up` to the server or `down` to the client, and holds for all connections, also those that are open.
"""

import asyncio
import math
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Final, Protocol, Self

import msgspec

CHUNK = 1 << 16
LINGER_RESETS: Final = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: close() sends RST
SLICES_PER_S = 20  # a narrow line passes a little at a time, not a lot now and then

Upstream = str | tuple[str, int]  # the path of a unix socket, or host and port


class Fault(msgspec.Struct, frozen=True):
    """What happens to bytes in one direction."""

    latency_s: float = 0.0
    bytes_per_s: float = math.inf
    piece: int = CHUNK  # so many bytes are written at a time
    cut_after: int | None = None  # so many bytes of a connection pass, then it is reset
    holds: bool = False  # nothing passes until another fault is set; then what was held arrives, late and in order
    swallows: bool = False  # what comes is lost; when another fault is set, so are the connections that lost something
    closes: bool = False  # the receiver is told that nothing more comes (FIN), and nothing does
    resets: bool = False  # connections end with RST, those that are open and whoever comes


PASS: Final = Fault()
SLOW: Final = Fault(latency_s=0.1, bytes_per_s=100_000)
STALL: Final = Fault(holds=True)
BLACK_HOLE: Final = Fault(swallows=True)
HALF_CLOSE: Final = Fault(closes=True)
RESET: Final = Fault(resets=True)
BYTEWISE: Final = Fault(piece=1)


class Then(Enum):
    """What becomes of a connection after a look at its bytes."""

    PASS = "pass"
    RESET = "reset"


class Sight(Protocol):
    """Somebody who understands the protocol of one connection, and decides which bytes go on."""

    def client_says(self, data: bytes) -> tuple[bytes, Then]: ...
    def server_says(self, data: bytes) -> tuple[bytes, Then]: ...


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST where there is such a thing: not on a unix socket, nor when it is closed already."""
    sock = writer.get_extra_info("socket")
    with suppress(OSError):
        if sock is not None and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESETS)
    writer.transport.abort()


class Way:
    """One direction of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.passed = 0  # bytes
        self.spoilt = False  # something was lost: what follows would make no sense
        self.ended = False

    def close(self) -> None:
        """Tell the receiver that nothing more comes."""
        self.ended = True
        if self.writer.can_write_eof() and not self.writer.is_closing():
            self.writer.write_eof()


class Conversation:
    """One client and its connection to the server."""

    def __init__(self, proxy: "Proxy", up: Way, down: Way, sight: Sight | None) -> None:
        self._proxy = proxy
        self.up = up
        self.down = down
        self._sight = sight
        self.is_over = False

    async def run(self) -> None:
        """Until both sides have said all, or it is reset."""
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._carry(self.up))
                ways.create_task(self._carry(self.down))
        except* (OSError, asyncio.IncompleteReadError):
            self.reset()
        finally:
            for way in (self.up, self.down):
                way.writer.close()

    def reset(self) -> None:
        """End it with RST, both ways."""
        self.is_over = True
        for way in (self.up, self.down):
            reset(way.writer)

    async def _carry(self, way: Way) -> None:
        while not self.is_over and (data := await way.reader.read(CHUNK)):
            fault = await self._proxy.fault_for(way is self.up)
            if fault.swallows or way.ended or way.spoilt:
                way.spoilt = True
                continue
            then = Then.PASS
            if self._sight is not None:
                data, then = self._sight.client_says(data) if way is self.up else self._sight.server_says(data)
            if fault.cut_after is not None and way.passed + len(data) > fault.cut_after:
                data, then = data[: max(fault.cut_after - way.passed, 0)], Then.RESET
            await self._write(way, data, fault)
            if then is Then.RESET:
                self._proxy.cuts += 1
                self.reset()
        if not self.is_over and not (await self._proxy.fault_for(way is self.up)).swallows:
            way.close()

    async def _write(self, way: Way, data: bytes, fault: Fault) -> None:
        if fault.latency_s:
            await asyncio.sleep(fault.latency_s)
        piece = int(max(1, min(fault.piece, fault.bytes_per_s / SLICES_PER_S)))
        for at in range(0, len(data), piece):
            if way.ended:
                way.spoilt = True
                return
            part = data[at : at + piece]
            way.writer.write(part)
            way.passed += len(part)
            await way.writer.drain()
            if len(data) > piece:
                await asyncio.sleep(len(part) / fault.bytes_per_s)


class Proxy:
    """Listens on a port of its own. `upstream` is asked at each connection: a server may move."""

    def __init__(self, upstream: Callable[[], Upstream], sight: Callable[[], Sight] | None = None) -> None:
        self.port = 0
        self.connections = 0  # that were opened so far
        self.cuts = 0  # connections that were reset in the middle
        self._upstream = upstream
        self._sight = sight
        self._up = self._down = PASS
        self._changed = asyncio.Event()
        self._open: set[Conversation] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        while self._open:  # noqa: ASYNC110  their tasks end by themselves, in a tick or two
            await asyncio.sleep(0.01)

    @property
    def up(self) -> Fault:
        """What happens on the way to the server."""
        return self._up

    @up.setter
    def up(self, fault: Fault) -> None:
        self._up = fault
        self._apply(fault, [conversation.up for conversation in self._open])

    @property
    def down(self) -> Fault:
        """What happens on the way to the client."""
        return self._down

    @down.setter
    def down(self, fault: Fault) -> None:
        self._down = fault
        self._apply(fault, [conversation.down for conversation in self._open])

    def reset(self) -> None:
        """End all that is open now with RST."""
        for conversation in list(self._open):
            conversation.reset()

    async def fault_for(self, up: bool) -> Fault:
        """What is to happen now; waits while it is to wait."""
        while (fault := self._up if up else self._down).holds:
            await self._changed.wait()
        return fault

    def _apply(self, fault: Fault, ways: list[Way]) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        if fault.resets:
            self.reset()
        elif fault.closes:
            for way in ways:
                way.close()
        elif not fault.swallows:
            for conversation in list(self._open):
                if conversation.up.spoilt or conversation.down.spoilt:
                    conversation.reset()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self._up.resets or self._down.resets:
                raise ConnectionResetError
            to = self._upstream()
            far = await (asyncio.open_unix_connection(to) if isinstance(to, str) else asyncio.open_connection(*to))
        except OSError:
            reset(writer)
            return
        conversation = Conversation(self, Way(reader, far[1]), Way(far[0], writer), self._sight and self._sight())
        self._open.add(conversation)
        for fault, way in ((self._up, conversation.up), (self._down, conversation.down)):
            if fault.closes:
                way.close()
        try:
            await conversation.run()
        finally:
            self._open.discard(conversation)
