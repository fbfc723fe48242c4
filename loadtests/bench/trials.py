"""One value tried against another on a machine that is never quite still: the order of the presses, their ratios, and what noise can do."""

from collections.abc import Callable, Mapping, Sequence
from math import exp, log
from random import Random
from statistics import median
from typing import Final, NamedTuple

from loadtests.bench.figures import spent
from loadtests.bench.press import Pressed

LEAST_ROUNDS: Final = 2  # in fewer no value is pressed twice in a row
DRAWINGS: Final = 2_000
RARE: Final = 100

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
    """Of each measure, what the one had ÷ what the other had."""
    return {name: round(measure.of(other) / measure.of(chosen), 3) for name, measure in MEASURES.items()}


def of_the_same(plan: Sequence[int], pressed: Sequence[Pressed]) -> list[Ratios]:
    """The ratios where two rounds meet and a value is pressed twice in a row: what makes these differ is nothing that was switched."""
    return [ratios(pressed[n + 1], pressed[n]) for n in range(len(plan) - 1) if plan[n] == plan[n + 1]]


def floors(noise: Sequence[Ratios], rounds: int) -> dict[str, float]:
    """Of each measure, the ratio that the median of so many rounds of noise exceeds, up or down, once in `RARE` drawings."""
    dice = Random(0)  # the same figures give the same floor
    out = {}
    for name in MEASURES:
        either = [log(each[name]) * sign for each in noise for sign in (1, -1)]
        drawn = sorted(abs(median(dice.choices(either, k=rounds))) for _ in range(DRAWINGS))
        out[name] = exp(drawn[-DRAWINGS // RARE])
    return out


def differing(other: Sequence[Ratios], noise: Sequence[Ratios]) -> dict[str, float]:
    """Of the measures whose median noise does not explain, that median."""
    medians = {name: median([each[name] for each in other]) for name in MEASURES}
    floor = floors(noise, len(other))
    return {name: ratio for name, ratio in medians.items() if max(ratio, 1 / ratio) > floor[name]}


def verdict(differ: Mapping[str, float]) -> str:
    """What the other value is in comparison with the chosen one."""
    said = [MEASURES[name].larger if ratio > 1 else MEASURES[name].smaller for name, ratio in differ.items()]
    return ", ".join(said) or "no difference"


def is_better(differ: Mapping[str, float]) -> bool:
    """Whether the other value is better in something and worse in nothing."""
    return bool(differ) and all((ratio > 1) is MEASURES[name].larger_is_better for name, ratio in differ.items())
