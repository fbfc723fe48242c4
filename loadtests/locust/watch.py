"""Who was busy while people came: each process by the second, the whole machine, and what a bystander waited.

It looks from the process that started Locust and does nothing else, so what it sees is not late by what Locust is late. Far away from the
store it sees the generator alone, and what the bystander waited.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from loadtests.loader import cpu
from loadtests.locust.notes import spread

LOOK_S = 0.1
FULL = 0.9  # of a core, for a process that can use one; of all cores, for the machine
OFTEN = 0.1  # of the seconds: a p99 is made in less
MANY_CORES = frozenset({"postgres"})  # has a process for each connection


class Second(NamedTuple):
    """Cores on the average of a second: used by each process and by the whole machine, and wanted by a process but not to be had."""

    used: Mapping[str, float]
    wanted: Mapping[str, float]
    machine: float


class Account(NamedTuple):
    """Sums since the beginning, in seconds."""

    at: float
    used: Mapping[str, float]
    wanted: Mapping[str, float]
    machine: float

    def since(self, before: Self) -> Second:
        s = self.at - before.at
        used, wanted = ({name: (now[name] - then[name]) / s for name in now} for now, then in zip(self[1:3], before[1:3], strict=True))
        return Second(used, wanted, (self.machine - before.machine) / s)


def connect(url: str, timeout_s: float) -> HTTPConnection:
    where = urlsplit(url)
    return (HTTPSConnection if where.scheme == "https" else HTTPConnection)(where.hostname or "", where.port, timeout=timeout_s)


class Watch:
    """`pids` by name. Only what happens between `since` and `until` (unix seconds) counts."""

    def __init__(self, target: str, pids: Mapping[str, int], since: float, until: float, timeout_s: float) -> None:
        self._bystander = connect(target, timeout_s)
        self._pids = {name: [pid] for name, pid in pids.items()}
        self._since, self._until = since, until
        self.seconds: list[Second] = []
        self.waited_ms: list[float] = []
        self.unanswered = 0

    def look(self, is_going_on: Callable[[], bool]) -> None:
        """Until it is over."""
        before = self._account()
        while is_going_on():
            time.sleep(LOOK_S)
            if not self._since <= time.time() <= self._until:
                before = self._account()
                continue
            self._stand_by()
            if perf_counter() - before.at >= 1.0:
                now = self._account()
                self.seconds.append(now.since(before))
                before = now
        self._bystander.close()

    def _account(self) -> Account:
        return Account(perf_counter(), cpu.seconds_of(self._pids), cpu.waited_of(self._pids), busy_s())

    def _stand_by(self) -> None:
        """Ask for something that costs the store nothing: who waits here waits for his turn, on the machine or in the process."""
        began = perf_counter()
        try:
            self._bystander.request("GET", "/healthz")
            self._bystander.getresponse().read()
            self.waited_ms.append((perf_counter() - began) * 1000)
        except (OSError, HTTPException):
            self.unanswered += 1
            self._bystander.close()  # it connects again by itself

    def as_json(self) -> dict[str, Any]:
        cores = os.cpu_count() or 1
        return {
            "cores": cores,
            "seconds": len(self.seconds),
            "machine": busy([second.machine for second in self.seconds], FULL * cores),
            "processes": {
                name: {
                    **busy([second.used[name] for second in self.seconds], FULL),
                    "wanted": mean([second.wanted[name] for second in self.seconds]),
                }
                for name in self._pids
            },
            "bystander_ms": spread(self.waited_ms),
            "looks": len(self.waited_ms),
            "unanswered": self.unanswered,
        }


def busy(cores: Sequence[float], full: float) -> dict[str, float]:
    """Cores in use on the average and at most, and in how many of the seconds there was nothing to spare."""
    return {"mean": mean(cores), "max": round(max(cores, default=0.0), 3), "full_s": sum(each >= full for each in cores)}


def mean(cores: Sequence[float]) -> float:
    return round(sum(cores) / len(cores), 3) if cores else 0.0


def busy_s() -> float:
    """Seconds that cores of this machine were busy since it started; those that a host kept for others count too."""
    _, user, nice, system, _, _, *rest = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return sum(map(int, (user, nice, system, *rest[:3]))) / cpu.TICKS_PER_S


def bottleneck(watched: Mapping[str, Any]) -> str:
    """What had nothing to spare too often: the machine, or a process that can use one core. "" when there is none."""
    often = OFTEN * watched["seconds"]
    by_use = sorted(watched["processes"].items(), key=lambda each: -each[1]["mean"])
    if not watched["seconds"]:
        return ""
    if (full_s := watched["machine"]["full_s"]) > often:
        others = max(0.0, watched["machine"]["mean"] - sum(each["mean"] for _, each in by_use))
        most = ", ".join([*(f"{name} {each['mean']:.2f}" for name, each in by_use[:3]), f"others {others:.2f} cores"])
        return f"the machine: no core was free in {full_s} of {watched['seconds']} s ({most})"
    full = [f"{name}, {each['mean']:.2f} of its one core" for name, each in by_use if name not in MANY_CORES and each["full_s"] > often]
    return "; ".join(full)
