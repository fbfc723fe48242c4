"""What was seen: every latency, every order, a digest of every code. One file a process, put together when all have ended."""

import hashlib
import json
import math
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

POINTS = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}

# What a press may be told, for good; everything else that is no reservation is an error or a "not now".
REFUSALS = frozenset({"sold_out", "limit", "ended", "paused", "unpaid_cap", "cool_down"})
WAITS = frozenset({"admitted", "not_started", "wait"})


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    """Nearest-rank percentiles of all samples, and the largest; empty when there are none."""
    if not milliseconds:
        return {}
    ordered = sorted(milliseconds)
    points = {name: ordered[max(0, math.ceil(share * len(ordered)) - 1)] for name, share in POINTS.items()}
    return {name: round(value, 3) for name, value in {**points, "max": ordered[-1]}.items()}


class Told(NamedTuple):
    """A reservation as a shopper was told it."""

    shopper: str
    key: str
    quantity: int


class Notes:
    """Of one process, or of all together. Milliseconds by step and word: `samples["press"]["sold_out"]`."""

    def __init__(self) -> None:
        self.samples: dict[str, dict[str, array[float]]] = {}
        self.lag = array("d")  # by how many ms this process overslept, looked at all the time
        self.queued = array("d")  # how many ms those waited at the door who found every connection busy
        self.orders: dict[str, Told] = {}
        self.keys: dict[str, str] = {}  # "shopper key" → its order
        self.codes: dict[str, list[str]] = {}  # order → digests of its codes
        self.errors: Counter[str] = Counter()
        self.violations: list[str] = []
        self.arrived: Counter[str] = Counter()
        self.never_came = 0
        self.reserved_at: list[float] = []  # unix seconds of the first and the last reservation

    def add(self, step: str, word: str, ms: float) -> None:
        by_word = self.samples.setdefault(step, {})
        if word not in by_word:
            by_word[word] = array("d")
        by_word[word].append(ms)

    def reserved(self, order_id: str, told: Told) -> None:
        now = time.time()
        self.reserved_at = [self.reserved_at[0] if self.reserved_at else now, now]
        self._keep(order_id, told)

    def _keep(self, order_id: str, told: Told) -> None:
        self.orders.setdefault(order_id, told)
        before = self.keys.setdefault(f"{told.shopper} {told.key}", order_id)
        if before != order_id:
            self.violations.append(f"shopper {told.shopper} was told {before} and {order_id} for one key")

    def saw_codes(self, order_id: str, codes: Iterable[dict[str, Any]], quantity: int) -> None:
        """Only digests are kept: a load test's memory is no place for codes."""
        digests = [hashlib.sha256(json.dumps([each["code"], each.get("secret")]).encode()).hexdigest() for each in codes]
        self.codes[order_id] = digests
        if len(digests) != quantity:
            self.violations.append(f"order {order_id} shows {len(digests)} codes for {quantity} units")

    # Between processes

    def write(self, file: Path) -> None:
        document = {
            **vars(self),
            "samples": {step: {word: list(ms) for word, ms in words.items()} for step, words in self.samples.items()},
            "lag": list(self.lag),
            "queued": list(self.queued),
        }
        file.write_text(json.dumps(document), encoding="utf-8")

    def read(self, file: Path) -> None:
        """Add what another process wrote."""
        document = json.loads(file.read_text(encoding="utf-8"))
        for step, words in document["samples"].items():
            for word, ms in words.items():
                self.samples.setdefault(step, {}).setdefault(word, array("d")).extend(ms)
        self.lag.extend(document["lag"])
        self.queued.extend(document["queued"])
        for order_id, told in document["orders"].items():
            self._keep(order_id, Told(*told))
        self.codes |= document["codes"]
        self.errors.update(document["errors"])
        self.violations += document["violations"]
        self.arrived.update(document["arrived"])
        self.never_came += document["never_came"]
        both = [*self.reserved_at, *document["reserved_at"]]
        self.reserved_at = [min(both), max(both)] if both else []


class History:
    """What clients were told, as JSON lines: the checker holds the store to it."""

    def __init__(self, out: TextIO, sale: str) -> None:
        self._out = out
        self._sale = sale

    def told(self, order_id: str, word: str, told: Told) -> None:
        line = {"order_id": order_id, "told": word, "sale_id": self._sale, "quantity": told.quantity}
        self._write(line | {"shopper": told.shopper, "key": f"{told.shopper} {told.key}"})

    def delivered(self, order_id: str) -> None:
        self._write({"order_id": order_id, "told": "delivered"})

    def _write(self, line: dict[str, Any]) -> None:
        self._out.write(json.dumps(line | {"at": round(time.time(), 4)}, separators=(",", ":")) + "\n")
