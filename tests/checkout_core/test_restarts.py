"""The server stops, forgets, is frozen, killed, demoted: the sale closes, nothing is said twice, and a load opens it again."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvloop

from checkout_core.admission import Gatekeeper
from checkout_core.partitions import Partitions
from checkout_core.resp import Busy, Closed, Link, Unknown
from tessera.embedded import Servers
from tests.checkout_core.gate import Gate, named


@contextmanager
def frozen(valkey: Servers) -> Iterator[None]:
    """The server takes what is sent, and does not answer."""
    pid = valkey.pids["valkey"]
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            assert valkey.pids["valkey"] != pid


async def reopened(gate: Gate, other_than: str = "") -> Link:
    """A link that is open again, to a server with another ident than this one."""
    async with asyncio.timeout(10):
        while True:
            try:
                if gate.link.is_open and gate.link.ident != other_than:
                    return gate.link
            except Closed:
                pass
            await asyncio.sleep(0.02)


class TestRestart:
    async def test_with_its_data_the_sale_is_closed_until_it_is_loaded(self, gate: Gate, valkey: Servers) -> None:
        await gate.load(3, epoch=1)
        await gate.buy("a x")
        ident = gate.link.ident
        valkey.kill("valkey")
        valkey.wait_ready("valkey")
        await reopened(gate, ident)
        assert (await gate.stored()).avail == 2
        assert await gate.buy("b") == "CLOSED"
        assert await gate.give(1, (1, "x", 1)) == "CLOSED given=0"
        view = await gate.keeper.view(gate.sale)
        assert view is not None
        assert (view.is_ours, view.undecided) == (False, 1)
        assert await gate.load(2, epoch=1, held=[("x", 1)]) == "STALE"
        assert await gate.load(2, epoch=2, held=[("x", 1)]) == "LOADED"
        assert await gate.buy("a x", "b", "c") == "ADMITTED+ ADMITTED+ SOLD_OUT"

    async def test_without_its_data_it_is_closed_too(self, gate: Gate) -> None:
        await gate.load(3)
        await gate.link.call("FLUSHALL")
        assert await gate.buy("a") == "CLOSED"
        assert await gate.give(1, (1, "", 1)) == "CLOSED given=0"
        assert await gate.keeper.view(gate.sale) is None
        assert await gate.load(3, epoch=2) == "LOADED"
        assert await gate.buy("a") == "ADMITTED+"

    async def test_calls_say_closed_at_once_while_it_is_away(self, gate: Gate, valkey: Servers) -> None:
        await gate.load(3)
        link, ident = gate.link, gate.link.ident
        valkey.stop("valkey")
        try:
            await link.lost
            began = time.monotonic()
            with pytest.raises(Closed):
                await gate.buy("a")
            assert time.monotonic() - began < 0.5
            async with Partitions(valkey.redis_url) as late:
                with pytest.raises(Closed):
                    late.link(0)
                valkey.resume("valkey")
                valkey.wait_ready("valkey")
                assert (await reopened(Gate(Gatekeeper(late), late))).ident != ident
        finally:
            valkey.resume("valkey")
            valkey.wait_ready("valkey")
        await reopened(gate, ident)
        assert await gate.buy("a") == "CLOSED"

    async def test_demoted_and_promoted_it_is_another_server(self, gate: Gate) -> None:
        """Its connections and its data stay, and yet it may have missed what others took meanwhile."""
        await gate.load(3)
        ident = gate.link.ident
        await gate.link.call("REPLICAOF", "127.0.0.1", "1")
        await gate.link.call("REPLICAOF", "NO", "ONE")
        await reopened(gate, ident)
        assert (await gate.stored()).avail == 3
        assert await gate.buy("a") == "CLOSED"
        assert await gate.load(3, epoch=2) == "LOADED"
        assert await gate.buy("a") == "ADMITTED+"

    async def test_a_replica_is_left(self, gate: Gate) -> None:
        await gate.load(3)
        link = gate.link
        await link.call("REPLICAOF", "127.0.0.1", "1")
        try:
            with pytest.raises(Closed, match="READONLY"):
                await gate.buy("a")
            assert "READONLY" in await link.lost
        finally:
            await (await reopened(gate)).call("REPLICAOF", "NO", "ONE")
        await reopened(gate, link.ident)
        assert (await gate.stored()).journal == {}


class TestUnanswered:
    async def test_killed_with_calls_on_the_way(self, gate: Gate, valkey: Servers) -> None:
        """Whether they happened nobody knows; nothing is sent again by itself, and the next connection works."""
        await gate.load(30)
        link = gate.link
        with frozen(valkey):
            calls = [asyncio.create_task(gate.buy(order)) for order in "abc"]
            await asyncio.sleep(0.05)
            valkey.kill("valkey")
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(result) for result in results] == [Unknown] * 3
        valkey.wait_ready("valkey")
        await reopened(gate, link.ident)
        assert (await gate.stored()).journal == {}
        await gate.load(30, epoch=2)
        assert await gate.buy("a") == "ADMITTED+"

    async def test_frozen_for_longer_than_one_waits(self, valkey: Servers) -> None:
        """The calls are unknown; thawed, the server does them all the same, and a retry finds that out."""
        valkey.wait_ready("valkey")
        async with Partitions(valkey.redis_url, timeout_s=1.0, in_flight_max=4) as partitions:
            gate = Gate(Gatekeeper(partitions), partitions)
            await gate.load(30)
            await gate.buy("0")  # the server knows the script, or it would ask for it when nobody is there any more
            link = gate.link
            with frozen(valkey):
                calls = [asyncio.create_task(gate.buy(order)) for order in "abcd"]
                await asyncio.sleep(0)
                with pytest.raises(Busy):
                    await gate.buy("e")
                results = await asyncio.gather(*calls, return_exceptions=True)
                assert [type(result) for result in results] == [Unknown] * 4
                with pytest.raises(Closed):
                    await gate.buy("e")
            async with asyncio.timeout(10):
                await link.lost
            await reopened(gate)
            assert await gate.buy("a", "e") == "REPLAY+ ADMITTED+"
            assert set((await gate.stored()).journal) == {named(order) for order in "0abcde"}

    async def test_frozen_while_nobody_asks(self, valkey: Servers) -> None:
        """The link looks after itself: it is dropped and opened again before anybody runs into it."""
        valkey.wait_ready("valkey")
        async with Partitions(valkey.redis_url, timeout_s=0.5) as partitions:
            gate = Gate(Gatekeeper(partitions), partitions)
            await gate.load(3)
            link = gate.link
            with frozen(valkey):
                assert "in time" in await asyncio.wait_for(link.lost, 10)
            await reopened(gate)
            assert await gate.buy("a") == "ADMITTED+"


def test_the_same_on_the_loop_of_production(valkey: Servers) -> None:
    """uvloop's transports and timers differ in order from asyncio's."""

    async def story() -> None:
        async with Partitions(valkey.redis_url, timeout_s=0.8) as partitions:
            gate = Gate(Gatekeeper(partitions), partitions)
            await gate.load(500, limit=0)
            assert await asyncio.gather(*(gate.buy(f"o{n}") for n in range(200))) == ["ADMITTED+"] * 200
            link = gate.link
            with frozen(valkey):
                results = await asyncio.gather(*(gate.buy(f"p{n}") for n in range(3)), return_exceptions=True)
                assert [type(result) for result in results] == [Unknown] * 3
            await link.lost
            await reopened(gate)
            valkey.kill("valkey")
            valkey.wait_ready("valkey")
            await reopened(gate, link.ident)
            assert await gate.buy("q") == "CLOSED"

    valkey.wait_ready("valkey")
    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(story())
    finally:
        loop.close()
