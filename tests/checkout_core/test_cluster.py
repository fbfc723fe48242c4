"""Three primaries: each partition's scripts run where its slot lives, and follow it when it moves."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis import Redis
from redis.crc import key_slot

from checkout_core import keys
from checkout_core.admission import Gatekeeper
from checkout_core.partitions import Partitions
from checkout_core.resp import Closed
from tessera.embedded import binaries
from tessera.embedded.identity import SAME
from tessera.embedded.valkey import Valkey
from tessera.keeper import Keepers
from tessera.processes import free_port
from tests.checkout_core.gate import Gate

SLOTS = 16384
NODES = 3


@dataclass
class Primary(Valkey):
    port: int = field(default_factory=free_port)

    def command(self) -> list[str]:
        options = {"port": str(self.port), "cluster-port": str(free_port()), "cluster-enabled": "yes", "bind": "127.0.0.1"}
        return [*super().command(), *(part for name, value in options.items() for part in (f"--{name}", value))]

    def client(self) -> Redis:
        return Redis(port=self.port)


@pytest.fixture(scope="module")
def primaries() -> Iterator[list[Primary]]:
    with tempfile.TemporaryDirectory(prefix="tessera-cluster-") as folder, Keepers() as keepers:
        made = []
        for n in range(NODES):
            place = Path(folder, f"node{n}")
            place.mkdir()
            made.append(Primary(binaries.valkey_binary(os.environ), place, place, SAME, fsync=False, name=f"node{n}"))
            keepers.keep(made[-1])
        keepers.wait_ready()
        join(made)
        yield made


def join(primaries: list[Primary]) -> None:
    clients = [primary.client() for primary in primaries]
    for n, client in enumerate(clients):
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", n * SLOTS // NODES, (n + 1) * SLOTS // NODES - 1)
        client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
    for other in primaries[1:]:
        bus = other.client().config_get("cluster-port")["cluster-port"]
        clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", other.port, bus)
    for client in clients:
        wait_until_whole(client)
        client.close()


def wait_until_whole(client: Redis) -> None:
    deadline = time.monotonic() + 30
    while True:
        info = client.execute_command("CLUSTER", "INFO")
        if b"cluster_state:ok" in info and b"cluster_known_nodes:%d" % NODES in info:
            return
        assert time.monotonic() < deadline, info
        time.sleep(0.05)


def sale_on(partitions: Partitions, slot_of: int) -> Gate:
    """A sale whose slot lies in the `slot_of`-th third."""
    while True:
        gate = Gate(Gatekeeper(partitions), partitions)
        if key_slot(gate.keys.sale) * NODES // SLOTS == slot_of:
            return gate


async def test_sales_of_all_partitions(primaries: list[Primary]) -> None:
    async with Partitions(f"redis://127.0.0.1:{primaries[0].port}") as partitions:
        seen = set()
        for _ in range(60):
            gate = Gate(Gatekeeper(partitions), partitions)
            assert await gate.load(1) == "LOADED"
            assert await gate.buy("a", "b") == "ADMITTED+ SOLD_OUT"
            assert await gate.ack(gate.wishes["a"]) == 1
            assert await gate.give(1, (1, "", 1)) == "APPLIED given=1"
            seen.add(gate.link.ident)
        assert len(seen) == NODES
        assert {partitions.link(partition).ident for partition in range(keys.PARTITIONS)} == seen


async def test_a_slot_that_moves(primaries: list[Primary]) -> None:
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


def move(primaries: list[Primary], slot: int) -> None:
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
