"""One value tried against another on a machine that is never quite still: the order of the presses, their ratios, and what noise can do."""

from collections.abc import Callable, Mapping, Sequence
from math import exp, log
from random import Random
from statistics import median
from typing import Final, NamedTuple

from loadtests.bench.figures import spent
from loadtests.bench.press import Pressed

LEAST_ROUNDS: Final = 2  # in fewer no value is pressed twice in a row
DRAWINGS: Final = 10_000
RARE: Final = 1_000
NO_DIFFERENCE: Final = "no difference"

Ratios = Mapping[str, float]  # by measure


class Measure(NamedTuple):
    """A figure of a press, and what one is called in which it is smaller, and larger."""

    of: Callable[[Pressed], float]
    smaller: str
    larger: str
    larger_is_better: bool = False


MEASURES: Final = {
    "per_s": Measure(lambda pressed: pressed.per_s, "slower", "faster", larger_is_better=True),
    "cpu_us": Measure(lambda pressed: spent(pressed, "postgres", "redis"), "cheaper", "dearer"),
    "p99_ms": Measure(lambda pressed: pressed.latency_ms["p99"], "sooner", "later"),
}


def turns(others: int, rounds: int) -> list[int]:
    """Whose turn it is, what is chosen (0) or one of the others (from 1): A B C C B A. What drifts meanwhile favours nobody."""
    forth = list(range(others + 1))
    return [which for number in range(rounds) for which in (forth[::-1] if number % 2 else forth)]


def ratios(other: Pressed, chosen: Pressed) -> Ratios:
    return {name: measure.of(other) / measure.of(chosen) for name, measure in MEASURES.items()}


def of_the_same(plan: Sequence[int], pressed: Sequence[Pressed]) -> list[Ratios]:
    """The ratios where two rounds meet and a value is pressed twice in a row: what makes these differ is nothing that was switched."""
    return [ratios(pressed[n + 1], pressed[n]) for n in range(len(plan) - 1) if plan[n] == plan[n + 1]]


def spreads(rounds: Sequence[Ratios]) -> dict[str, dict[str, float]]:
    """Of each measure the median, least and most of the rounds."""
    out = {}
    for name in MEASURES:
        values = [each[name] for each in rounds]
        out[name] = {"median": round(median(values), 3), "min": round(min(values), 3), "max": round(max(values), 3)}
    return out


def floors(noise: Sequence[Ratios], rounds: int) -> dict[str, float]:
    """Of each measure, the ratio that a median of so many rounds of noise exceeds, up or down, once in `RARE` drawings."""
    dice = Random(0)  # the same figures give the same floor
    out = {}
    for name in MEASURES:
        either = [log(each[name]) * sign for each in noise for sign in (1, -1)]
        drawn = sorted(abs(median(dice.choices(either, k=rounds))) for _ in range(DRAWINGS))
        out[name] = round(exp(drawn[-DRAWINGS // RARE]), 3)
    return out


def is_beyond(spread: Mapping[str, float], floor: float) -> bool:
    """Whether noise does not explain the median."""
    return max(spread["median"], 1 / spread["median"]) > floor


def verdict(other: Mapping[str, Mapping[str, float]], floors: Mapping[str, float]) -> str:
    """What the other value is in comparison with the chosen one."""
    differ = [(MEASURES[name], other[name]["median"]) for name in MEASURES if is_beyond(other[name], floors[name])]
    return ", ".join(measure.larger if ratio > 1 else measure.smaller for measure, ratio in differ) or NO_DIFFERENCE


def is_better(other: Mapping[str, Mapping[str, float]], floors: Mapping[str, float]) -> bool:
    """Whether the other value is better in something and worse in nothing."""
    differ = [name for name in MEASURES if is_beyond(other[name], floors[name])]
    return bool(differ) and all((other[name]["median"] > 1) is MEASURES[name].larger_is_better for name in differ)
