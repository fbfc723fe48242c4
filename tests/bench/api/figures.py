"""Figures: milliseconds as percentiles, and what is judged."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

GOAL_PAGE_MS = 50.0
GOAL_SIGN_UP_MS = 300.0
# After it was due, the last of a rush is indexed: 1.8 s on one machine, 3.5 on one half as fast. A search is exact meanwhile.
GOAL_LAG_MS = 5_000.0
GOAL_RATIO = 1.5  # CPU of a sweep or a start with all tenants against one with the fewest: beyond this it grows with them


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def told(values_ms: Sequence[float]) -> dict[str, Any]:
    """How many, p50, p99 and the longest, in milliseconds."""
    figures = {"p50_ms": percentile(values_ms, 0.5), "p99_ms": percentile(values_ms, 0.99), "max_ms": max(values_ms)}
    return {"count": len(values_ms), **{name: round(value, 2) for name, value in figures.items()}}


def cpu_us(pid: int) -> float:
    """What the first thread of a process has used, in µs: all of a session of Postgres."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1000
