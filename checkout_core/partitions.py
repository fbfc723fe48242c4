"""Which server a partition lives on: the one there is, or in a cluster the primary of its slot. redis-py reads the topology."""

import asyncio
import contextlib
from typing import Final, Self

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot

from checkout_core import keys
from checkout_core.node import CONNECT_TIMEOUT_S, Address, Node
from checkout_core.resp import IN_FLIGHT_MAX, TIMEOUT_S, Closed, Link

PAUSE_S: Final = 0.2  # between two looks at a cluster that changes: a failover takes seconds


class Partitions:
    """The open link of each partition. A server that is away is connected to when it comes.

    async with Partitions(url) as partitions:
        partitions.link(7).call("PING")
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S, in_flight_max: int = IN_FLIGHT_MAX) -> None:
        self._seed = Address.of(url)
        self._timeout_s = timeout_s
        self._in_flight_max = in_flight_max
        self._nodes: dict[Address, Node] = {}
        self._table: list[Node] = []  # by partition; empty until somebody was asked
        self._known = [(self._seed.host, self._seed.port)]  # servers that may be asked for the topology
        self._changed = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Waits a moment for the server, and opens without it if need be."""
        first_look = asyncio.Event()
        self._follower = asyncio.create_task(self._follow(first_look), name="topology of Redis")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await first_look.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
        await asyncio.gather(*(node.aclose() for node in self._nodes.values()))

    def link(self, partition: int) -> Link:
        """Raises `Closed` while the partition's server is away or unknown."""
        if not self._table:
            raise Closed("The gate is closed for a moment. Nothing was reserved; ask again.")
        return self._table[partition].link

    def links(self) -> list[Link]:
        """Every link that is open now."""
        found = []
        for node in self._nodes.values():
            with contextlib.suppress(Closed):
                found.append(node.link)
        return found

    async def _follow(self, first_look: asyncio.Event) -> None:
        seed = self._node(self._seed)
        while not self._table:
            with contextlib.suppress(Closed):
                if not (await seed.ready()).in_cluster:
                    self._table = [seed] * keys.PARTITIONS
                    first_look.set()
                    return
                await self._look()
        await asyncio.gather(*(node.ready() for node in self._nodes.values()), return_exceptions=True)
        first_look.set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            await asyncio.sleep(PAUSE_S)
            if not await self._look():
                self._changed.set()

    async def _look(self) -> bool:
        """Read the cluster's topology anew, from whichever node answers; False when none does, and all stays as it was."""
        seed = self._seed
        cluster = RedisCluster(
            startup_nodes=[ClusterNode(host, port) for host, port in self._known],
            require_full_coverage=False,  # a slot without a server closes its own partitions only
            username=seed.username or None,
            password=seed.password or None,
            ssl=seed.tls,
            ssl_ca_certs=seed.ca_certs or None,
            ssl_check_hostname=seed.tls,
            socket_timeout=CONNECT_TIMEOUT_S,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
        )
        try:
            await cluster.initialize()
            slots, everybody = cluster.nodes_manager.slots_cache, cluster.get_nodes()
            primaries = [slots[key_slot(keys.tag(partition).encode())][0] for partition in range(keys.PARTITIONS)]
        except Exception:  # nobody answers, or a slot has no server; the follower must live to look again
            return False
        finally:
            await cluster.aclose()
        self._known = list(dict.fromkeys([*((str(node.host), int(node.port)) for node in everybody), *self._known]))
        self._table = [self._node(seed._replace(host=str(node.host), port=int(node.port))) for node in primaries]
        gone = [address for address, node in self._nodes.items() if node not in self._table]
        await asyncio.gather(*(self._nodes.pop(address).aclose() for address in gone))
        return True

    def _node(self, address: Address) -> Node:
        if address not in self._nodes:
            self._nodes[address] = Node(address, self._changed, timeout_s=self._timeout_s, in_flight_max=self._in_flight_max)
        return self._nodes[address]
