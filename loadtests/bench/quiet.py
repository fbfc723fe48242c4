"""How quiet the machine was: processor time that somebody else took, or that the host gave to other machines."""

import os
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from loadtests.loader import cpu

CORES = os.cpu_count() or 1


class Look(NamedTuple):
    """Seconds until now: by the clock, busy on all cores, stolen by the host, and used by those who are meant to."""

    at: float
    busy: float
    stolen: float
    ours: float


def look(pids: Mapping[str, list[int]]) -> Look:
    """`pids` are the racer and the servers; this process and its children that have ended (the loader) count as ours too."""
    fields = [int(ticks) / cpu.TICKS_PER_S for ticks in Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]
    user, nice, system, _, _, hard, soft, stolen = fields
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours = sum(cpu.seconds_of(pids).values()) + time.process_time() + children.ru_utime + children.ru_stime
    return Look(time.monotonic(), user + nice + system + hard + soft, stolen, ours)


def elsewhere(before: Look, after: Look) -> float:
    """The share of the machine that others had meanwhile, 0 to 1. Interrupts are nobody's and count as others'."""
    busy, ours = after.busy - before.busy, after.ours - before.ours
    lost = max(0.0, busy - ours) + after.stolen - before.stolen
    return min(1.0, lost / ((after.at - before.at) * CORES))
