"""Connections to the simulated Redis: bytes take a while, keep their order, and may be lost between the server and the one who asked."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import hiredis

from tests.simulation.loop import Loop, owner
from tests.simulation.lua import Error
from tests.simulation.redis import Server, encode

USUAL_S: Final = 0.0004  # one way, mean


class Transport(asyncio.Transport):
    """One connection, both ends."""

    def __init__(self, net: "Net", server: Server, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.net = net
        self.server = server
        self.proc = owner()
        assert self.proc is not None
        self._protocol = protocol
        self._reader = hiredis.Reader()
        self._there: deque[bytes] = deque()
        self._back: deque[bytes] = deque()
        self._arrives = self._returns = 0.0
        self._closing = False
        self.severed = False  # nothing arrives any more
        self.mute = False  # what is asked arrives and is done; no answer does
        self.proc.on_kill.append(self.die)

    # The client's end

    def write(self, data: Any) -> None:
        if self._closing:
            return
        loop, net = self.net.loop, self.net
        self._there.append(bytes(data))
        self._arrives = max(self._arrives, loop.time() + net.delay_s() + net.stall_s(), net.frozen_until)
        loop.call_at(self._arrives, self._arrive, context=net.context)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._lose(None)

    def abort(self) -> None:
        self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self.net.transports.pop(self, None)
            assert self.proc is not None
            if self.proc.alive:
                self.net.loop.call_soon(self._protocol.connection_lost, error, context=self.proc.context)

    # The network and the server's end

    def _arrive(self) -> None:
        data = self._there.popleft()
        # The server may be frozen since; what has arrived is read when it thaws, also from those who have gone.
        if self.net.loop.time() < self.net.frozen_until:
            self._there.appendleft(data)
            self.net.loop.call_at(self.net.frozen_until, self._arrive, context=self.net.context)
            return
        if self.severed or self.server not in self.net.running:
            return
        self._reader.feed(data)
        out = []
        while (parts := self._reader.gets()) is not False:
            try:
                reply = self.server.answer(parts)
            except Error as error:
                reply = error
            self.net.asked(self, parts, reply)
            out.append(encode(reply))
        if out and not self.mute:
            loop = self.net.loop
            self._back.append(b"".join(out))
            self._returns = max(self._returns, loop.time() + self.net.delay_s())
            loop.call_at(self._returns, self._return, context=self.net.context)

    def _return(self) -> None:
        data = self._back.popleft()
        assert self.proc is not None
        if not (self._closing or self.severed or self.mute) and self.proc.alive:
            # Into the process's own queue: one that is stopped reads it when it goes on.
            self.net.loop.call_soon(self._receive, data, context=self.proc.context)

    def _receive(self, data: bytes) -> None:
        if not self._closing:
            self._protocol.data_received(data)

    def cut(self, *, answered: bool) -> None:
        """Lose the connection: what is on its way to the server is lost, or arrives and only the answer is lost."""
        self.severed, self.mute = not answered, True
        self._lose(ConnectionResetError("the connection was cut"))

    def die(self) -> None:
        """The process is dead. What it had written may arrive all the same."""
        self._closing = self.mute = True
        self.severed = self.severed or self.net.dice.random() < 0.5
        self.net.transports.pop(self, None)


class Net:
    """The network to Redis: one address, behind which the server may change."""

    def __init__(self, loop: Loop, dice: random.Random, context: Any, clock: Callable[[], float]) -> None:
        self.loop = loop
        self.dice = dice
        self.context = context
        self.clock = clock
        self.numbers = 1
        self.server = Server(1, clock)
        self.running = {self.server}  # also an old primary that some still talk to
        self.reachable = True
        self.frozen_until = 0.0
        self.slow = 1.0
        self.stall_mean_s = 1.4
        self.stalls = 0.0  # the chance that what is sent lies somewhere for seconds, and all that is sent after it on that connection
        self.transports: dict[Transport, None] = {}  # in the order they were made, which no address in memory decides
        self.asked: Callable[[Transport, list[bytes], Any], None] = lambda *_: None
        loop.connect = self.connect

    def delay_s(self) -> float:
        return self.dice.expovariate(1 / (USUAL_S * self.slow))

    def stall_s(self) -> float:
        return self.dice.expovariate(1 / self.stall_mean_s) if self.stalls and self.dice.random() < self.stalls else 0.0

    async def connect(self, factory: Callable[[], asyncio.Protocol], path: str) -> None:
        await asyncio.sleep(self.delay_s())
        if not self.reachable:
            raise ConnectionRefusedError(f"nobody answers at {path}")
        protocol = factory()
        transport = Transport(self, self.server, protocol)
        self.transports[transport] = None
        protocol.connection_made(transport)

    def replace(self, data: Any, *, replid: str = "", lingering: bool = False) -> Server:
        """Another server at the address; the old one is gone, or lingers for those who are connected to it."""
        old = self.server
        self.numbers += 1
        self.server = Server(self.numbers, self.clock, data, replid)
        self.running.add(self.server)
        if not lingering:
            self.retire(old)
        return self.server

    def retire(self, server: Server) -> None:
        self.running.discard(server)
        for transport in list(self.transports):
            if transport.server is server:
                transport.cut(answered=False)
