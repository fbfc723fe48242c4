"""What the goals do not ask: capacity by connections, latency by load, one process and two."""

from statistics import median
from typing import Any, Final

from loadtests.bench import racers
from loadtests.bench.figures import Rounds, summaries
from loadtests.bench.racers import Racer
from loadtests.bench.races import Hall
from loadtests.bench.sizes import CONNECTIONS

SWEPT: Final = (racers.OURS, racers.ACKED, racers.LITESTAR, racers.GO, racers.POSTGRES[2])
TIMED: Final = (racers.OURS, racers.ACKED, racers.LITESTAR, racers.GO)
PAIRED: Final = (
    (racers.OURS, racers.OURS_TWICE), (racers.ACKED, racers.ACKED_TWICE), (racers.LITESTAR, racers.LITESTAR_TWICE),
    (racers.GO, racers.GO_TWICE),
)  # fmt: skip
NEEDED: Final[dict[str, tuple[Racer, ...]]] = {
    "capacity": SWEPT,
    "latency": TIMED,
    "processes": tuple(racer for pair in PAIRED for racer in pair),
}
ROUNDS: Final = 2  # of one process and two


def capacity(hall: Hall) -> dict[str, Any]:
    """Reservations/s in a closed loop, by connections."""
    found: dict[str, Any] = {}
    for connections in hall.size.sweep:
        for racer in filter(hall.has, SWEPT):
            count = hall.size.alone if connections == 1 else max(hall.size.of(racer) // 2, 4 * connections)
            pressed = hall.reserve(racer, count, connections=connections)
            found.setdefault(racer.name, {})[str(connections)] = pressed.as_json()
    return found


def latency(hall: Hall) -> dict[str, Any]:
    """Latency in an open loop: arrivals at a fixed rate, shares of the median at `CONNECTIONS`."""
    found: dict[str, Any] = {}
    for racer in filter(hall.has, TIMED):
        most = median(hall.seen.get(racer.name) or [hall.reserve(racer).per_s])
        for share in hall.size.shares:
            rate = share * most
            pressed = hall.reserve(racer, max(200, int(rate * hall.size.open_s)), rate=rate)
            found.setdefault(racer.name, {})[f"{share:.0%}"] = pressed.as_json() | {"rate": round(rate, 1)}
    return found


def processes(hall: Hall) -> dict[str, Any]:
    """The same machine with one process of a racer, and with two."""
    pairs = [pair for pair in PAIRED if hall.has(*pair)]
    rounds: Rounds = {racer.name: [] for pair in pairs for racer in pair}
    for _ in range(min(ROUNDS, hall.size.rounds)):
        for pair in pairs:
            for racer in pair:
                rounds[racer.name].append(hall.reserve(racer))
    return {"connections": CONNECTIONS, "racers": summaries(rounds)}
