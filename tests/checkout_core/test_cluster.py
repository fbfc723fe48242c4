"""Three primaries: each partition's scripts run where its slot lives, and follow it when it moves."""

import asyncio
from collections.abc import Iterator

import pytest
from redis.crc import key_slot

from checkout_core import keys
from checkout_core.admission import Gatekeeper
from checkout_core.limits import Bucket, Limiter
from checkout_core.partitions import Partitions
from checkout_core.resp import Closed
from tests.checkout_core.cluster import PRIMARIES, Member, open_cluster, sale_on
from tests.checkout_core.gate import Gate


@pytest.fixture(scope="module")
def primaries() -> Iterator[list[Member]]:
    with open_cluster() as cluster:
        yield cluster.members


async def test_sales_of_all_partitions(primaries: list[Member]) -> None:
    async with Partitions(f"redis://127.0.0.1:{primaries[0].port}") as partitions:
        seen = set()
        for _ in range(60):
            gate = Gate(Gatekeeper(partitions), partitions)
            assert await gate.load(1) == "LOADED"
            assert await gate.buy("a", "b") == "ADMITTED+ SOLD_OUT"
            assert await gate.ack(gate.wishes["a"]) == 1
            assert await gate.give(1, (1, "", 1)) == "APPLIED given=1"
            seen.add(gate.link.ident)
        assert len(seen) == PRIMARIES
        assert {partitions.link(partition).ident for partition in range(keys.PARTITIONS)} == seen


async def test_a_slot_that_moves(primaries: list[Member]) -> None:
    """The sale is closed on its new server, which has another ident, and opened by a load there."""
    async with Partitions(f"redis://127.0.0.1:{primaries[2].port}") as partitions:
        gate = sale_on(partitions, 0)
        await gate.load(5)
        assert await gate.buy("a") == "ADMITTED+"
        old = gate.link
        move(primaries, key_slot(gate.keys.sale))
        with pytest.raises(Closed, match="MOVED"):
            await gate.buy("b")
        async with asyncio.timeout(20):
            while True:
                try:
                    if gate.link.ident != old.ident:
                        break
                except Closed:
                    pass
                await asyncio.sleep(0.05)
        assert await gate.buy("b") == "CLOSED"
        assert await gate.load(5, epoch=2) == "LOADED"
        assert await gate.buy("b") == "ADMITTED+"


def move(primaries: list[Member], slot: int) -> None:
    """From the first to the second, as a resharding does it."""
    source, target, other = (primary.client() for primary in primaries)
    source_id, target_id = (client.execute_command("CLUSTER", "MYID").decode() for client in (source, target))
    target.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
    source.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
    names = source.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1000)
    source.execute_command("MIGRATE", "127.0.0.1", primaries[1].port, "", 0, 5000, "KEYS", *names)
    for client in (target, source, other):
        client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", target_id)
        client.close()


async def test_limits_of_all_partitions(primaries: list[Member]) -> None:
    """All buckets of a request are in one slot, else the cluster would refuse the script."""
    async with Partitions(f"redis://127.0.0.1:{primaries[1].port}") as partitions:
        limiter = Limiter(partitions)
        for number in range(60):
            home = f"tenant {number}"
            buckets = [Bucket("key", f"{home}:key", 2, 600), Bucket("tenant", home, 3, 600)]
            answers = [await limiter.take(home, buckets) for _ in range(3)]
            assert [taken for taken, _ in answers] == [True, True, False]
            assert [level.left for level in answers[2][1]] == [0, 1]
