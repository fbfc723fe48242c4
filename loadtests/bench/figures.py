"""Goals as ratios, from the rounds of one run: the median counts, and all rounds are kept."""

from collections.abc import Callable, Collection, Sequence
from statistics import median
from typing import Any, Final, NamedTuple

from loadtests.bench.press import Pressed


class Goal(NamedTuple):
    """`at_least` or at most `bound`."""

    bound: float
    at_least: bool
    what: str

    def is_met(self, ratio: float) -> bool:
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


GOALS: Final = {
    "P1": Goal(4.0, True, "core alone: reservations/s ÷ one script call at a time, pipelined by redis-benchmark"),
    "P2": Goal(2.5, True, "durable reserve ÷ Litestar + redis-py, not durable: per CPU-second, and throughput; the smaller of both"),
    "P3": Goal(2.5, True, "reserve, answered after Redis ÷ Go net/http + redigo, per CPU-second of API and Redis"),
    "P4": Goal(6.0, True, "durable reserve ÷ Postgres alone behind the same HTTP server, throughput"),
    "P5": Goal(
        0.9, True, "sold out ÷ a constant refusal with the same parse and authentication: answers/s, and per CPU-second; the smaller"
    ),
    "P6": Goal(1.6, False, "reserve, answered after Redis ÷ a constant reply, CPU of the API"),
    "P7": Goal(1.05, False, "latency at one connection, batched ÷ unbatched"),
    "P8": Goal(2.0, True, "the compiled parts' CPU as Python ÷ compiled"),
}

Rounds = dict[str, list[Pressed]]  # by racer


def entry(name: str, ratios: Sequence[float], detail: dict[str, Any]) -> dict[str, Any]:
    """A goal as `bench.json` has it."""
    goal, ratio = GOALS[name], median(ratios)
    return {
        "what": goal.what,
        "goal": str(goal),
        "ratio": round(ratio, 3),
        "met": goal.is_met(ratio),
        "min": round(min(ratios), 3),
        "max": round(max(ratios), 3),
        "rounds": [round(each, 3) for each in ratios],
        "detail": detail,
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": round(median(values), 1), "min": round(min(values), 1), "max": round(max(values), 1)}


def summary(pressed: Sequence[Pressed]) -> dict[str, Any]:
    """One racer's rounds: throughput, CPU µs per answer by process, latencies."""
    return {
        "per_s": spread([each.per_s for each in pressed]),
        "cpu_us": {name: spread([each.cpu_us.get(name, 0.0) for each in pressed]) for name in pressed[0].cpu_us},
        "latency_ms": {name: spread([each.latency_ms.get(name, 0.0) for each in pressed]) for name in ("p50", "p99", "p999")},
        "answers": sum(each.answers for each in pressed),
        "postponed": sum(each.postponed for each in pressed),
        "elsewhere": round(max(each.elsewhere for each in pressed), 3),
    }


def summaries(rounds: Rounds) -> dict[str, Any]:
    return {name: summary(pressed) for name, pressed in rounds.items()}


def by_round(rounds: Rounds, ratio: Callable[..., float], *names: str) -> list[float]:
    """The ratio of the named racers' figures, round by round."""
    return [ratio(*figures) for figures in zip(*(rounds[name] for name in names), strict=True)]


def spent(pressed: Pressed, *processes: str) -> float:
    """CPU µs per answer of these processes together."""
    return sum(pressed.cpu_us.get(name, 0.0) for name in processes)


def best_of(rounds: Rounds, names: Collection[str], key: Callable[[Pressed], float], *, most: bool) -> str:
    """Of those of the named who raced, the one with the best median."""
    found = {name: median([key(each) for each in pressed]) for name, pressed in rounds.items() if name in names}
    return (max if most else min)(found, key=lambda name: found[name])
