"""What happens in a seed: the sale, who wants what when, what the merchant does, what breaks. All decided before the clock starts.

So a plan can be made smaller, and played again, until only what matters for a failure is left.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

TRAFFIC_S = 10.0  # from the first press to the last, retries apart


class Wish(NamedTuple):
    """A shopper presses; without an answer, or for fun, he presses again."""

    at_s: float
    shopper: int
    sale: int
    key: str
    quantity: int
    marks: bool  # says that it is a retry, as a good client does
    patience_s: float  # for one answer
    tries: int
    pause_s: float
    again: int  # presses with the same key after he was told
    then: str  # what he does with a reservation: pay, cancel, leave


class Event(NamedTuple):
    """A fault, or what the merchant does. `size` in 0..1 is how bad it is, `for_s` how long it lasts."""

    at_s: float
    kind: str
    size: float
    for_s: float


class Offer(NamedTuple):
    """A sale. `loose` are units of its SKU that are not allotted to it."""

    door: str
    units: int
    loose: int
    limit: int
    hold_s: int
    fallback_per_s: int
    starts_s: float
    ends_s: float | None


class Plan(NamedTuple):
    seed: int
    offers: tuple[Offer, ...]
    apis: int
    workers: int
    backlog_max: int
    clock_skew_s: float  # of Redis against Postgres
    wishes: tuple[Wish, ...]
    events: tuple[Event, ...]

    @property
    def calm(self) -> bool:
        return not self.events


MERCHANT = ("pause", "add_stock", "withdraw_stock", "set_limit", "end")
FAULTS = (
    "kill_api", "kill_api", "stop_api", "kill_worker", "kill_worker", "stop_worker",
    "cut_before", "cut_after", "redis_frozen", "redis_slow", "redis_away", "redis_restarted", "redis_lost_tail", "redis_older",
    "redis_emptied", "redis_failover", "redis_promoted", "redis_no_scripts", "redis_refuses", "redis_clock",
    "redis_stalls", "redis_stalls", "restless", "restless", "postgres_stalls", "hiccups", "hiccups",
    "postgres_restarted", "commits_unknown", "commits_unknown", "postgres_slow", "sale_locked",
)  # fmt: skip


def make(seed: int, faults: Sequence[str] = FAULTS) -> Plan:
    dice = random.Random(f"plan {seed}")
    crowd = dice.randint(2, 16)
    offers = tuple(_offer(dice) for _ in range(dice.choice((1, 1, 2))))
    wishes = [wish for shopper in range(crowd) for wish in _shopper(dice, shopper, len(offers))]
    events = []
    if dice.random() > 0.1:
        events = [_event(dice, dice.choice(faults)) for _ in range(dice.choice((1, 2, 3, 4, 6, 9)))]
        if dice.random() < 0.4:
            events += [_event(dice, dice.choice(MERCHANT)) for _ in range(dice.randint(1, 2))]
    return Plan(
        seed=seed,
        offers=offers,
        apis=dice.randint(1, 3),
        workers=dice.randint(1, 2),
        backlog_max=dice.choice((2, 50, 50)),
        clock_skew_s=dice.choice((0.0, 0.0, -1.5, 2.0)),
        wishes=tuple(sorted(wishes)),
        events=tuple(sorted(events)),
    )


def _offer(dice: random.Random) -> Offer:
    return Offer(
        door="direct" if dice.random() < 0.1 else "gate",
        units=dice.choice((1, 1, 2, 3, 5, 8)),
        loose=dice.choice((0, 2, 4)),
        limit=dice.choice((0, 1, 1, 2, 3)),
        hold_s=dice.choice((2, 4, 7, 30)),
        fallback_per_s=dice.choice((0, 0, 5, 50)),
        starts_s=dice.choice((-5.0, -5.0, 0.7)),
        ends_s=dice.choice((None, None, None, 9.0)),
    )


def _shopper(dice: random.Random, shopper: int, offers: int) -> list[Wish]:
    wishes = []
    for n in range(dice.choice((1, 1, 1, 2, 3))):
        # Crowds come at once: half of the presses fall into the first second.
        at_s = dice.random() if dice.random() < 0.5 else dice.uniform(0, TRAFFIC_S)
        wishes.append(
            Wish(
                at_s=round(at_s, 3),
                shopper=shopper,
                sale=dice.randrange(offers),
                key=f"k{n if dice.random() < 0.9 else 0}",
                quantity=dice.choice((1, 1, 1, 2)),
                marks=dice.random() < 0.7,
                patience_s=dice.choice((0.3, 2.0, 5.0)),
                tries=dice.choice((1, 3, 8)),
                pause_s=dice.choice((0.01, 0.2, 1.0)),
                again=dice.choice((0, 0, 1, 2)),
                then=dice.choice(("pay", "cancel", "leave", "leave")),
            )
        )
    return wishes


def _event(dice: random.Random, kind: str) -> Event:
    early = dice.random() < 0.5
    at_s = dice.uniform(0.0, 1.2) if early else dice.uniform(0, TRAFFIC_S)
    return Event(round(at_s, 4), kind, round(dice.random(), 3), round(dice.choice((0.05, 0.5, 2.0, 6.0, 12.0)) * dice.uniform(0.5, 1), 3))
