"""How much processor time named processes used between two looks, from /proc.

The kernel counts for us in ticks (usually 10 ms), which is coarse for a sale that is over in a fifth of a second; where it also
keeps the scheduler's nanoseconds of each thread, those are taken.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")
LISTS_CHILDREN = (PROC / f"self/task/{os.getpid()}/children").exists()  # else all processes are gone through, which takes longer


def seconds_of(pids: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Seconds of user and system time by name, each process with all its descendants (Postgres has one a connection).

    A process that ends between two looks is found in its parent's account of dead children, so differences stay right.
    It takes a millisecond or two: the loader looks while it presses.
    """
    return {name: sum(tree(pid, own) for pid in set(roots)) for name, roots in pids.items()}


def waited_of(pids: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Seconds that their living threads could have run, but no core was free; 0 where the kernel keeps no account."""
    return {name: sum(tree(pid, waited) for pid in set(roots)) for name, roots in pids.items()}


def tree(pid: int, account: Callable[[int], float]) -> float:
    """Seconds of a process and all below it; 0 when it has ended."""
    try:
        return account(pid) + sum(tree(child, account) for child in children(pid))
    except ProcessLookupError:
        return 0.0


def own(pid: int) -> float:
    """Seconds of a process, and of its children that ended and were waited for. Raises ProcessLookupError when there is none."""
    try:
        # The name in brackets may hold spaces and brackets; what follows the last bracket is plain.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLookupError(f"there is no process {pid}") from None
    user, system, dead_user, dead_system = (int(ticks) / TICKS_PER_S for ticks in fields[11:15])
    # The ticks know of threads that have ended, the scheduler does not; both only ever fall short.
    return max(user + system, scheduled(pid)) + dead_user + dead_system


def scheduled(pid: int) -> float:
    """Seconds of its living threads by the scheduler's account; 0 where the kernel keeps none."""
    return sum(int(text.split()[0]) for text in of_threads(pid, "schedstat")) / 1e9


def waited(pid: int) -> float:
    return sum(int(text.split()[1]) for text in of_threads(pid, "schedstat")) / 1e9


def children(pid: int) -> list[int]:
    """The processes it has started and that still run."""
    if LISTS_CHILDREN:
        return [int(child) for text in of_threads(pid, "children") for child in text.split()]
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and parent(entry) == pid]


def parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def of_threads(pid: int, name: str) -> Iterator[str]:
    """That file of each of its threads."""
    with suppress(OSError):
        for thread in os.listdir(PROC / str(pid) / "task"):
            with suppress(OSError):
                yield (PROC / str(pid) / "task" / thread / name).read_text()


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: round(after[name] - before[name], 5) for name in before}
