"""Fault switches: how the provider misbehaves on purpose, for everybody or for one order.

The dice are seeded, so one seed and one order of requests give one run.
"""

import random
from collections import Counter
from typing import Annotated, Any

from msgspec import Meta, Struct

from loadtests.counterparts.sandbox import forgery
from loadtests.counterparts.sandbox.wire import ID, Rate, Refusal

REORDER_MS = 2000


class Faults(Struct, frozen=True, forbid_unknown_fields=True):
    """All off by default. With `out_trade_no` the switches replace the general ones for that order."""

    duplicate: Annotated[int, Meta(ge=0, le=100)] = 0
    """each notice is sent this many times more, at the same moment"""
    reorder: bool = False
    """each notice waits a random part of two seconds (scaled) before its first attempt"""
    delay_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 0
    """each notice waits this long before its first attempt"""
    drop: Rate = 0.0
    """this share of the attempts is lost on the way; the schedule goes on as after any failure"""
    wrong_amount: int = 0
    """notices say this much more (less) than the books, under a true signature"""
    wrong_currency: Annotated[str, Meta(pattern="^([A-Z]{3})?$")] = ""
    """notices name this currency instead of the books', under a true signature"""
    forged: str | Rate = ""
    """a forged notice goes before the true one: the variant of `forgery.py`, or any of them in this share of the attempts"""
    signtest: bool = False
    """a probe with a wrong signature goes before the true notice"""
    slow_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0
    """answers of /v3 wait this long, after the work was done"""
    http_5xx: Rate = 0.0
    """this share of the /v3 requests is answered 500, half of them after the work was done"""
    refund_abnormal: Rate = 0.0
    """this share of the refunds ends ABNORMAL"""
    seed: int = 0
    out_trade_no: ID | None = None


class Switchboard:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._general = Faults()
        self._scoped: dict[str, Faults] = {}
        self._dice = random.Random(0)

    def set(self, faults: Faults) -> None:
        if isinstance(faults.forged, str) and faults.forged and faults.forged not in forgery.VARIANTS:
            raise Refusal(400, "PARAM_ERROR", f"forged is a rate or one of {', '.join(forgery.VARIANTS)}.")
        if faults.out_trade_no is None:
            self._general = faults
        else:
            self._scoped[faults.out_trade_no] = faults
        self._dice = random.Random(faults.seed)

    def clear(self, out_trade_no: str | None = None) -> None:
        if out_trade_no is None:
            self._general = Faults()
            self._scoped.clear()
            self.counts.clear()
        else:
            self._scoped.pop(out_trade_no, None)

    def of(self, out_trade_no: str) -> Faults:
        return self._scoped.get(out_trade_no, self._general)

    def happens(self, name: str, rate: float) -> bool:
        """One throw of the dice, counted when it hits."""
        hit = rate > 0 and self._dice.random() < rate
        if hit:
            self.counts[name] += 1
        return hit

    def first_wait_ms(self, out_trade_no: str, time_scale: float) -> int:
        faults = self.of(out_trade_no)
        return faults.delay_ms + (round(self._dice.random() * REORDER_MS * time_scale) if faults.reorder else 0)

    def forgeries(self, out_trade_no: str) -> list[str]:
        """The names of the forged notices to be sent before the true one."""
        faults = self.of(out_trade_no)
        names = ["signtest"] if faults.signtest else []
        if isinstance(faults.forged, str):
            return names + [faults.forged] * bool(faults.forged)
        if faults.forged and self._dice.random() < faults.forged:
            names.append(self._dice.choice(list(forgery.VARIANTS)))
        return names

    def report(self) -> dict[str, Any]:
        return {"general": self._general, "orders": self._scoped, "counts": self.counts}
