"""How much of everything a run does: the whole race in a quarter of an hour, or a look at it in a minute and a half."""

from typing import Final, NamedTuple

from loadtests.bench import racers
from loadtests.bench.racers import Kind, Racer

CONNECTIONS: Final = 256  # at which the goals are measured


class Size(NamedTuple):
    rounds: int
    presses: int  # reservations of a round, of a fast racer
    core: int  # of a round of the core alone
    alone: int  # at one connection
    open_s: float
    sweep: tuple[int, ...]  # connections
    shares: tuple[float, ...]  # of the measured capacity

    def of(self, racer: Racer) -> int:
        """Reservations of a round: a racer that is slow is not pressed longer for it."""
        slow = {Kind.POSTGRES: 4, Kind.PEER: 2}.get(racer.kind, 2 if "litestar" in racer.name else 1)
        return self.presses // slow


FULL: Final = Size(rounds=7, presses=20_000, core=200_000, alone=600, open_s=4.0, sweep=(1, 64, 256, 1024), shares=(0.5, 0.7, 0.9))
SMOKE: Final = Size(rounds=1, presses=3_000, core=100_000, alone=150, open_s=1.5, sweep=(64,), shares=(0.7,))
# Who stays at home in a short run: twins, and what only explains.
SPARED: Final = (
    racers.OURS_TWICE, racers.ACKED_TWICE, racers.LITESTAR_TWICE, racers.GO_TWICE, racers.LITESTAR_PLAIN, racers.DECIDED,
    racers.GO_CONSTANT, racers.LITESTAR_CONSTANT, *(racer for racer in racers.POSTGRES if racer is not racers.POSTGRES[2]),
)  # fmt: skip
