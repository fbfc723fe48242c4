"""How much processor time named processes used between two looks, from /proc.

The kernel counts in ticks (usually 10 ms): a difference over a run of a few hundred milliseconds is good to a few per cent.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


class Stat(NamedTuple):
    parent: int
    seconds: float  # of its own, and of its children that ended and were waited for


def stat(pid: int) -> Stat:
    """Raises ProcessLookupError when there is no such process."""
    try:
        # The name in brackets may hold spaces and brackets; what follows the last bracket is plain.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLookupError(f"there is no process {pid}") from None
    return Stat(int(fields[1]), sum(map(int, fields[11:15])) / TICKS_PER_S)


def seconds_of(pids: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Seconds of user and system time by name, each process with all its descendants (Postgres has one a connection).

    A process that ends between two looks is found in its parent's account of dead children, so differences stay right.
    """
    stats: dict[int, Stat] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(ProcessLookupError):
                stats[int(entry.name)] = stat(int(entry.name))
    children: dict[int, list[int]] = defaultdict(list)
    for pid, each in stats.items():
        children[each.parent].append(pid)

    def tree(pid: int) -> float:
        own = stats[pid].seconds if pid in stats else 0.0
        return own + sum(tree(child) for child in children[pid])

    return {name: sum(tree(pid) for pid in set(roots)) for name, roots in pids.items()}


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: round(after[name] - before[name], 3) for name in before}
