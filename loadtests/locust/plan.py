"""Who comes when: every arrival is decided beforehand, by the shape of the rehearsal and a seed, and never waits for answers.

People arrive when they arrive, however slow the store is; a late answer makes nobody else come later. All processes of a rehearsal
make the same plan, and each lets in its own part.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

RING = 8  # shoppers one scalper plays
RAMP_S, CROWD_S = 8.0, 6.0
WINDOW_SHARE = 0.05  # of arrivals in spike and tail: they only look
TAIL_SHARE = 0.1  # of the shoppers, who come when most is sold, at half the rate
# Of the shoppers who press.
PRESSING = {"buyer": 0.75, "retrier": 0.15, "scalper": 0.10}


class Arrival(NamedTuple):
    """`due_s` counts from T0. `shoppers` are places in the list of tokens; window shoppers have none."""

    due_s: float
    phase: str
    journey: str
    shoppers: tuple[int, ...] = ()


class Phase(NamedTuple):
    """Either window shoppers alone for `seconds` before T0, their rate rising, or a `share` of the shoppers from T0 on at a steady rate."""

    name: str
    seconds: float = 0.0
    rate_from: float = 0.0  # of RATE
    rate_to: float = 0.0
    share: float = 0.0


RAMP = Phase("ramp", RAMP_S, 0.0, 0.1)
CROWD = Phase("crowd", CROWD_S, 0.1, 0.3)  # the F5 crowd: everybody reloads until it opens

SHAPES: dict[str, tuple[Phase, ...]] = {
    "spike": (RAMP, Phase("spike", rate_to=1.0, share=1.0)),
    "crowd": (RAMP, CROWD, Phase("spike", rate_to=1.0, share=1.0)),
    "tail": (Phase("tail", rate_to=1.0, share=1.0),),
    "sale": (RAMP, CROWD, Phase("spike", rate_to=1.0, share=1.0 - TAIL_SHARE), Phase("tail", rate_to=0.5, share=TAIL_SHARE)),
}


def lead_s(shape: str) -> float:
    """How long before T0 the first people come. Raises ValueError for an unknown shape."""
    if shape not in SHAPES:
        raise ValueError(f"there is no shape {shape!r}; there are {', '.join(SHAPES)}")
    return sum(phase.seconds for phase in SHAPES[shape])


def plan(shape: str, shoppers: int, rate: float, seed: int) -> list[Arrival]:
    """All arrivals in order. `rate` is shoppers a second in the spike. Raises ValueError for an unknown shape."""
    at_s, first = -lead_s(shape), 0
    dice = random.Random(seed)
    arrivals: list[Arrival] = []
    for phase in SHAPES[shape]:
        if phase.seconds:
            arrivals += lookers(phase, at_s, rate, dice)
            at_s += phase.seconds
        else:
            last = shoppers if phase is SHAPES[shape][-1] else first + round(shoppers * phase.share)
            arrivals += pressers(phase, at_s, rate * phase.rate_to, range(first, last), dice)
            at_s, first = at_s + (last - first) / (rate * phase.rate_to), last
    return sorted(arrivals)


def lookers(phase: Phase, began_s: float, rate: float, dice: random.Random) -> Iterator[Arrival]:
    """Window shoppers whose rate rises from one figure to the other."""
    after_s = 0.0
    while True:
        now = phase.rate_from + (phase.rate_to - phase.rate_from) * after_s / phase.seconds
        after_s += dice.expovariate(max(rate * now, 1.0))
        if after_s >= phase.seconds:
            return
        yield Arrival(began_s + after_s, phase.name, "window")


def pressers(phase: Phase, began_s: float, rate: float, shoppers: range, dice: random.Random) -> Iterator[Arrival]:
    """Each of `shoppers` once, at random moments of an even rate; a scalper is several of them at once."""
    length_s = len(shoppers) / rate
    place = shoppers.start
    while place < shoppers.stop:
        due_s = began_s + dice.random() * length_s
        throw = dice.random() * (PRESSING["buyer"] + PRESSING["retrier"] + PRESSING["scalper"] / RING)
        if throw < PRESSING["buyer"]:
            journey, size = "buyer", 1
        elif throw < PRESSING["buyer"] + PRESSING["retrier"]:
            journey, size = "retrier", 1
        else:
            journey, size = "scalper", min(RING, shoppers.stop - place)
        yield Arrival(due_s, phase.name, journey, tuple(range(place, place + size)))
        place += size
        if dice.random() < WINDOW_SHARE:
            yield Arrival(began_s + dice.random() * length_s, phase.name, "window")
