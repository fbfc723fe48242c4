"""Tables of a million rows: what `make bench-api` has measured of a page of them."""

import json
from pathlib import Path
from typing import Any

ROWS = 1_000_000


def read(file: Path, most_ms: float) -> dict[str, Any] | None:
    """The slowest median p99 of a page of orders and of codes, and which are slower than `most_ms`; None where no such run was."""
    if not file.exists():
        return None
    measured = json.loads(file.read_text())
    cases = {**measured.get("pages", {}), **measured.get("unit_pages", {})}
    if not cases or measured.get("orders", {}).get("orders", 0) < ROWS:
        return None
    p99 = {name: sorted(each["p99_ms"] for each in rounds)[len(rounds) // 2] for name, rounds in cases.items()}
    slowest = max(p99, key=lambda name: p99[name])
    return {
        "measured_by": "make bench-api", "cases": len(p99), "slowest": slowest, "p99_ms": p99[slowest],
        "slow": {name: ms for name, ms in p99.items() if ms > most_ms},
    }  # fmt: skip
