"""What was measured: every latency is kept, so a percentile is an element of the list and no estimate."""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
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
        self._latencies: dict[tuple[str, int, str], array[float]] = {}  # by word, status and failure

    def add(self, answer: Answer, latency_s: float, at: float, said: str) -> None:
        """`said` is the word the caller files it under ("reserved", "sold_out", …); `at` is perf_counter() at the answer."""
        self.ended = at
        told = said, answer.status, answer.failure
        latencies = self._latencies.get(told)
        if latencies is None:
            latencies = self._latencies[told] = array("d")
        latencies.append(latency_s)

    @property
    def statuses(self) -> Counter[str]:
        return self._count(lambda _, status, failure: "" if failure else str(status))

    @property
    def codes(self) -> Counter[str]:
        return self._count(lambda said, status, failure: said if status >= 400 and not failure else "")

    @property
    def failures(self) -> Counter[str]:
        return self._count(lambda _, __, failure: failure)

    def _count(self, name: Callable[[str, int, str], str]) -> Counter[str]:
        counted: Counter[str] = Counter()
        for told, latencies in self._latencies.items():
            if named := name(*told):
                counted[named] += len(latencies)
        return counted

    @property
    def answers(self) -> int:
        return self.statuses.total()

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    def of(self, said: str) -> Sequence[float]:
        return array("d", [each for (word, _, _), latencies in self._latencies.items() if word == said for each in latencies])

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
            "latency_ms_by_answer": {said: spread(self.of(said)) for said in sorted({said for said, _, _ in self._latencies})},
        }


def cpu_us(cpu_s: dict[str, float], answers: int) -> dict[str, float]:
    """Microseconds of each process per answer."""
    return {name: round(seconds * 1e6 / answers, 1) for name, seconds in cpu_s.items()} if answers else {}
