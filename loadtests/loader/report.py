"""What was measured: every latency is kept, so a percentile is an element of the list and no estimate."""

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from loadtests.loader.http import Answer

POINTS = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed (nearest rank). `ordered` is sorted and not empty."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """p50 … p999, max and mean in milliseconds; empty when there is nothing."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    points = {name: percentile(ordered, share) for name, share in POINTS.items()}
    points |= {"max": ordered[-1], "mean": sum(ordered) / len(ordered)}
    return {name: round(value * 1000, 3) for name, value in points.items()}


class Tally:
    """Counts and latencies of one run, by what was said."""

    def __init__(self) -> None:
        self.began = perf_counter()
        self.ended = self.began
        self.statuses: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._latencies: dict[str, array[float]] = {}

    def add(self, answer: Answer, latency_s: float, at: float, said: str) -> None:
        """`said` is the word the caller files it under ("reserved", "sold_out", …); `at` is perf_counter() at the answer."""
        self.ended = max(self.ended, at)
        if answer.failure:
            self.failures[answer.failure] += 1
        else:
            self.statuses[str(answer.status)] += 1
            if answer.status >= 400:
                self.codes[said] += 1
        if said not in self._latencies:
            self._latencies[said] = array("d")
        self._latencies[said].append(latency_s)

    @property
    def answers(self) -> int:
        return sum(self.statuses.values())

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    def of(self, said: str) -> Sequence[float]:
        return self._latencies.get(said, array("d"))

    def count(self, said: str) -> int:
        return len(self.of(said))

    def as_json(self) -> dict[str, Any]:
        everything = [latency for each in self._latencies.values() for latency in each]
        return {
            "answers": self.answers,
            "seconds": round(self.seconds, 4),
            "per_s": round(self.answers / self.seconds, 1) if self.seconds else 0.0,
            "statuses": dict(self.statuses),
            "codes": dict(self.codes),
            "failures": dict(self.failures),
            "latency_ms": spread(everything),
            "latency_ms_by_answer": {said: spread(each) for said, each in sorted(self._latencies.items())},
        }


def cpu_us(cpu_s: dict[str, float], answers: int) -> dict[str, float]:
    """Microseconds of each process per answer."""
    return {name: round(seconds * 1e6 / answers, 1) for name, seconds in cpu_s.items()} if answers else {}
