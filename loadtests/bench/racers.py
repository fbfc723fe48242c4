"""Who races: a table. Everything that differs between racers is said here."""

from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """Where a racer keeps what it sells, which is where its sales are opened and counted."""

    DURABLE = "units in Postgres, sold through the gate in Redis"
    POSTGRES = "units in Postgres"
    ACKED = "the gate in Redis, nothing behind it"
    PEER = "one script in Redis"
    GO = "the same script, in Go"
    CONSTANT = "nothing"


class Racer(NamedTuple):
    name: str
    kind: Kind
    about: str
    module: str = ""
    arguments: tuple[str, ...] = ()
    processes: int = 1
    cores: int = 1  # GOMAXPROCS

    @property
    def is_the_shop(self) -> bool:
        """Whether it is the one process that the shop starts by itself."""
        return self.name == "ours"

    @property
    def program(self) -> tuple[object, ...]:
        """The same for racers that differ only in how many they are: what one answers, all do."""
        of_our_module = self.arguments[:1] if self.module.startswith("loadtests") else ()
        return self.kind, *of_our_module

    @property
    def sells_from_postgres(self) -> bool:
        return self.kind in (Kind.DURABLE, Kind.POSTGRES)

    @property
    def in_our_redis(self) -> bool:
        """The others have a database of their own, where our worker does not look."""
        return self.kind in (Kind.DURABLE, Kind.POSTGRES)

    @property
    def is_constant(self) -> bool:
        return self.kind is Kind.CONSTANT or "-constant" in self.arguments or "--constant" in self.arguments


_COMPOSED: Final = "loadtests.bench.composed"
_LITESTAR: Final = "loadtests.peers.litestar_redis"
POOLS: Final = (2, 4, 8, 16)

OURS: Final = Racer("ours", Kind.DURABLE, "the shop: 201 after COMMIT")
OURS_TWICE: Final = Racer("ours-2", Kind.DURABLE, "the shop, two API processes", "tessera", ("api", "--host", "127.0.0.1"), processes=2)
BATCHED: Final = Racer("batched", Kind.DURABLE, "the shop, pressed by one at a time", _COMPOSED, ("batched",))
UNBATCHED: Final = Racer("unbatched", Kind.DURABLE, "the shop without its batcher", _COMPOSED, ("unbatched",))
ACKED: Final = Racer("acked", Kind.ACKED, "our gate, batcher and script; 201 after Redis, not durable", _COMPOSED, ("acked",))
ACKED_TWICE: Final = ACKED._replace(name="acked-2", about="our gate, batcher and script, two processes", processes=2)
CONSTANT: Final = Racer("constant", Kind.CONSTANT, "our gate: parse, authentication, a fixed 201", _COMPOSED, ("constant",))
REFUSED: Final = Racer("refused", Kind.CONSTANT, "our gate: parse, authentication, a fixed refusal", _COMPOSED, ("refused",))
DECIDED: Final = Racer("decided", Kind.CONSTANT, "our gate from wish to answer, every wish granted at once", _COMPOSED, ("decided",))
LITESTAR: Final = Racer("litestar", Kind.PEER, "Litestar + redis-py at their best, not durable", _LITESTAR)
LITESTAR_TWICE: Final = LITESTAR._replace(name="litestar-2", about="Litestar + redis-py, two processes", processes=2)
LITESTAR_PLAIN: Final = Racer("litestar-plain", Kind.PEER, "Litestar + redis-py as they come, not durable", _LITESTAR, ("--plain",))
LITESTAR_CONSTANT: Final = Racer("litestar-constant", Kind.CONSTANT, "Litestar: parse, authentication, no work", _LITESTAR, ("--constant",))
GO: Final = Racer("go", Kind.GO, "Go net/http + redigo on one core, not durable")
GO_TWICE: Final = Racer("go-2", Kind.GO, "Go net/http + redigo on two cores, not durable", cores=2)
GO_CONSTANT: Final = Racer("go-constant", Kind.GO, "Go: parse, authentication, no work", arguments=("-constant",))
POSTGRES: Final = tuple(
    Racer(f"postgres-{size}", Kind.POSTGRES, f"Postgres alone, {size} connections, durable", _COMPOSED, ("postgres", "--pool", str(size)))
    for size in POOLS
)
