"""A cluster of Valkeys for a test: three primaries, each with a third of the slots, and replicas of the first."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from checkout_core.admission import Gatekeeper
from checkout_core.partitions import Partitions
from tessera.embedded import binaries
from tessera.embedded.identity import SAME
from tessera.embedded.valkey import Valkey
from tessera.keeper import Keepers
from tessera.processes import free_port
from tests.checkout_core.gate import Gate

SLOTS = 16384
PRIMARIES = 3
NODE_TIMEOUT_MS = 1000
PATIENCE_S = 30


@dataclass
class Member(Valkey):
    port: int = field(default_factory=free_port)

    def command(self) -> list[str]:
        options = {
            "port": str(self.port), "cluster-port": str(free_port()), "cluster-enabled": "yes", "bind": "127.0.0.1",
            "cluster-node-timeout": str(NODE_TIMEOUT_MS),
            "shutdown-timeout": "0",  # it does not wait for its replicas
            "cluster-replica-validity-factor": "0",  # also a replica that has heard nothing for long is promoted
        }  # fmt: skip
        return [*super().command(), *(part for name, value in options.items() for part in (f"--{name}", value))]

    def client(self) -> Redis:
        return Redis(port=self.port, socket_timeout=10)

    @property
    def replication(self) -> dict[str, Any]:
        with self.client() as client:
            found: dict[str, Any] = client.info("replication")
            return found

    @property
    def follows(self) -> bool:
        """Whether it is a replica now."""
        return bool(self.replication["role"] == "slave")

    def say(self, *words: object) -> bytes:
        with self.client() as client:
            answer = client.execute_command(*map(str, words))
            return answer if isinstance(answer, bytes) else str(answer).encode()


@dataclass
class Cluster:
    keepers: Keepers
    members: list[Member]

    def url(self, member: int) -> str:
        return f"redis://127.0.0.1:{self.members[member].port}"


@contextmanager
def open_cluster(replicas: int = 0) -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="tessera-cluster-") as folder, Keepers() as keepers:
        cluster = Cluster(keepers, [])
        for n in range(PRIMARIES + replicas):
            place = Path(folder, f"node{n}")
            place.mkdir()
            member = Member(binaries.valkey_binary(os.environ), place, place, SAME, fsync=False, name=f"node{n}")
            cluster.members.append(member)
            keepers.keep(member)
        keepers.wait_ready()
        _join(cluster.members)
        yield cluster


def _join(members: list[Member]) -> None:
    primaries, replicas = members[:PRIMARIES], members[PRIMARIES:]
    for n, primary in enumerate(primaries):
        primary.say("CLUSTER", "ADDSLOTSRANGE", n * SLOTS // PRIMARIES, (n + 1) * SLOTS // PRIMARIES - 1)
        primary.say("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
    for other in members[1:]:
        with other.client() as client:
            bus = client.config_get("cluster-port")["cluster-port"]
        members[0].say("CLUSTER", "MEET", "127.0.0.1", other.port, bus)
    for member in members:
        until(lambda member=member: b"cluster_known_nodes:%d" % len(members) in member.say("CLUSTER", "INFO"))  # type: ignore[misc]
    first = primaries[0].say("CLUSTER", "MYID").decode()
    for replica in replicas:
        until(lambda replica=replica: first in replica.say("CLUSTER", "NODES").decode())  # type: ignore[misc]
        replica.say("CLUSTER", "REPLICATE", first)
        until_it_follows(replica)
    for member in members:
        until(lambda member=member: b"cluster_state:ok" in member.say("CLUSTER", "INFO"))  # type: ignore[misc]


def until_it_follows(replica: Member) -> None:
    until(lambda: replica.follows and replica.replication["master_link_status"] == "up")


def until(is_so: Callable[[], bool]) -> None:
    ending = time.monotonic() + PATIENCE_S
    while True:
        with suppress(RedisError):  # it is starting
            if is_so():
                return
        assert time.monotonic() < ending, "it never became so"
        time.sleep(0.05)


def sale_on(partitions: Partitions, third: int) -> Gate:
    """A sale whose slot lies in that third."""
    while True:
        gate = Gate(Gatekeeper(partitions), partitions)
        if key_slot(gate.keys.sale) * PRIMARIES // SLOTS == third:
            return gate
