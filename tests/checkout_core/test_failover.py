"""A primary dies and its replica takes its place: what the replica counts is void, whether it heard everything or not."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from checkout_core import admission
from checkout_core.partitions import Partitions
from checkout_core.resp import Closed, Unknown
from tests.checkout_core.cluster import Cluster, Member, open_cluster, sale_on, until_it_follows
from tests.checkout_core.gate import Gate

WITHIN_S = 10.0  # from the death until it sells again
FIRST, SECOND = 0, 3  # the two that take turns


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with open_cluster(replicas=1) as cluster:
        yield cluster


@asynccontextmanager
async def failing_over(cluster: Cluster, gate: Gate, primary: Member, replica: Member) -> AsyncIterator[None]:
    """The primary of the sale dies before the block, which runs on the one that was its replica; then they change their places."""
    old = gate.link.ident
    await asyncio.to_thread(cluster.keepers.stop, primary.name)
    os.kill(pid_of(cluster, replica.name), signal.SIGCONT)  # the one that lagged stood still
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                if gate.link.ident != old:
                    break
            except Closed:
                pass
            await asyncio.sleep(0.05)
    try:
        yield
    finally:
        await asyncio.to_thread(cluster.keepers.resume, primary.name)
        await asyncio.to_thread(until_it_follows, primary)


def pid_of(cluster: Cluster, name: str) -> int:
    pid = cluster.keepers.pids[name]
    assert pid is not None
    return pid


def pair(cluster: Cluster) -> tuple[Member, Member]:
    """The primary and the replica, as they are now."""
    two = cluster.members[FIRST], cluster.members[SECOND]
    return (two[1], two[0]) if two[0].follows else two


async def buy(gate: Gate, order: str) -> str:
    """Its link may be lost once more while the cluster settles."""
    ending = time.monotonic() + WITHIN_S
    while True:
        try:
            return await gate.buy(order)
        except (Closed, Unknown):
            assert time.monotonic() < ending
            await asyncio.sleep(0.05)


async def test_a_replica_that_heard_everything(cluster: Cluster) -> None:
    async with Partitions(cluster.url(1)) as partitions:
        gate = sale_on(partitions, 0)
        await gate.load(5)
        assert await gate.buy("a") == "ADMITTED+"
        assert await gate.link.call("WAIT", 1, 5000) == 1
        began = time.monotonic()
        async with failing_over(cluster, gate, *pair(cluster)):
            assert await buy(gate, "b") == "CLOSED"
            assert await gate.load(4, epoch=2) == "LOADED"
            assert await gate.buy("b") == "ADMITTED+"
            assert time.monotonic() - began < WITHIN_S


@pytest.mark.parametrize("fenced", [True, False], ids=["fenced", "without the fence"])
async def test_a_replica_that_lagged(cluster: Cluster, fenced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All three units are sold, and the replica has heard of none of it. Without the ident it sells them once more."""
    if not fenced:
        monkeypatch.setattr(admission, "ident_of", lambda link: "whoever answers")
    async with Partitions(cluster.url(1)) as partitions:
        gate = sale_on(partitions, 0)
        await gate.load(3)
        assert await gate.link.call("WAIT", 1, 5000) == 1
        primary, replica = pair(cluster)
        os.kill(pid_of(cluster, replica.name), signal.SIGSTOP)
        primary.say("CLIENT", "KILL", "TYPE", "replica")  # nor will it find on its line what was said meanwhile
        assert await gate.buy("a", "b", "c", "d") == "ADMITTED+ ADMITTED+ ADMITTED+ SOLD_OUT"
        async with failing_over(cluster, gate, primary, replica):
            assert await buy(gate, "e") == ("CLOSED" if fenced else "ADMITTED+")
