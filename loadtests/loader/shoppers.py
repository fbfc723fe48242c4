"""Shoppers press buy. Some press again with the same key, as a nervous thumb or a lost answer does; some try with another key.

Each press is a request on its own, so that both loops can send it; what belongs together is told apart by shopper and key.
"""

import hashlib
import itertools
import json
import random
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple

import msgspec

from loadtests.loader import cpu
from loadtests.loader.history import History
from loadtests.loader.http import Answer, Target, request
from loadtests.loader.report import Tally, cpu_us, spread

AGAIN = ("unavailable", "busy", "too_many_requests", "pending")  # the outcome is open: the same key, once more
PLAIN_MAX = 64


class Named(msgspec.Struct):
    """What matters of an answer: its order, by the name it has in a reservation or in a refusal."""

    id: str = ""
    order_id: str | None = None


_named = msgspec.json.Decoder(Named).decode


class Shopper(NamedTuple):
    id: str
    token: str


class Habits(NamedTuple):
    """Shares of the shoppers, 0 to 1; they may overlap."""

    repeat: float = 0.1  # press twice with the same key
    twice: float = 0.05  # press again with another key
    pair: float = 0.0  # ask for two at once


class Press(NamedTuple):
    raw: bytes
    shopper: str
    token: str
    key: str
    quantity: int


class Won(NamedTuple):
    order_id: str
    token: str
    quantity: int


def order_of(answer: Answer) -> Named:
    try:
        return _named(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Named()


def read_shoppers(lines: Iterable[str]) -> Iterator[Shopper]:
    """One shopper a line: a bare token, or `{"token": …, "shopper_id": …}`."""
    for line in filter(None, map(str.strip, lines)):
        if line.startswith("{"):
            document = json.loads(line)
            yield Shopper(document["shopper_id"], document["token"])
        else:
            yield Shopper(hashlib.sha256(line.encode()).hexdigest()[:16], line)


def plan(target: Target, store: str, sale: str, shoppers: Sequence[Shopper], habits: Habits, dice: random.Random) -> list[Press]:
    """Every press of the rush in the order of its start. Retries follow soon after, so that some overtake the first answer."""
    placed: list[tuple[float, Press]] = []

    def press(at: float, shopper: Shopper, key: str, quantity: int, *, retry: bool = False) -> None:
        headers = {"Authorization": f"Bearer {shopper.token}", "Idempotency-Key": key, "X-Tessera-Store": store}
        if retry:
            headers["Idempotency-Retry"] = "1"
        raw = request(target, "POST", "/v1/checkouts", headers, {"sale_id": sale, "quantity": quantity})
        placed.append((at, Press(raw, shopper.id, shopper.token, key, quantity)))

    for at, shopper in enumerate(shoppers):
        key = f"{dice.getrandbits(64):016x}"
        quantity = 2 if dice.random() < habits.pair else 1
        press(at, shopper, key, quantity)
        if dice.random() < habits.repeat:
            press(at + dice.expovariate(1 / 20), shopper, key, quantity, retry=True)
        if dice.random() < habits.twice:
            press(at + dice.expovariate(1 / 50), shopper, f"{dice.getrandbits(64):016x}", 1)
    return [each for _, each in sorted(placed, key=lambda pair: pair[0])]


def insist(presses: Sequence[Press], winners: Container[str], total: int) -> Iterator[Press]:
    """`presses`, then whoever is not among the `winners` again and again in turn, each time with another key: `total` presses.

    Made while they are sent, by changing bytes: a quarter of a million of them beforehand would take longer than the sale.
    """
    yield from itertools.islice(presses, total)
    first: dict[str, Press] = {}
    for each in presses:
        first.setdefault(each.shopper, each)
    left = total - len(presses)
    while left > 0 and (losers := [each for each in first.values() if each.shopper not in winners]):
        for each in losers[:left]:
            key = f"{left:016x}"
            left -= 1
            yield each._replace(raw=each.raw.replace(each.key.encode(), key.encode(), 1), key=key)


@dataclass
class Rush:
    """Takes note of every answer: history, figures, and what must not happen."""

    sale: str
    history: History | None = None
    limit: int = 0  # units a shopper may have, 0 for no limit
    stock: int = 0  # units of the sale, 0 when nobody said
    pids: dict[str, list[int]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    won: dict[str, Won] = field(default_factory=dict)  # by order id
    undecided: list[Press] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()
        self.cpu_until_sold_out: dict[str, float] = {}
        self.sold_out_at: float | None = None
        self.retry_after_s = 0.0
        self.tail: Tally | None = None  # with a `stock`: what was said once all of it was reserved; `tally` ends there
        self.winners: dict[str, int] = {}  # units by shopper
        self._told = 0  # units
        self._refused_stock = False  # somebody was told "sold out"
        self._now = self.tally
        self._plain: dict[bytes, str] = {}  # refusals that are the same for everybody, by their bytes
        self._answered: dict[tuple[str, str], str] = {}

    def start(self) -> None:
        """Measure from here."""
        self.cpu_began = cpu.seconds_of(self.pids)
        self.tally.began = self.tally.ended = self._last_reserved_at = perf_counter()

    def tell(self, press: Press, answer: Answer, latency_s: float, at: float) -> None:
        plain = self._plain.get(answer.body)
        if plain is not None:
            self._now.add(answer, latency_s, at, plain)
            return
        said = self._word(answer)
        if said == "reserved":
            order_id = order_of(answer).id
            self._last_reserved_at = at
            self._check(press, order_id)
        elif said in AGAIN or answer.failure:
            order_id = ""
            self.undecided.append(press)
            self.retry_after_s = max(self.retry_after_s, answer.retry_after_s)
        else:
            order_id = order_of(answer).order_id or ""
            self._refused_stock = self._refused_stock or said == "sold_out"
            if answer.body and not order_id and len(self._plain) < PLAIN_MAX:
                self._plain[answer.body] = said
        self._now.add(answer, latency_s, at, said)
        # An answer that decides, with the order it decides, is one that can be held against the store later.
        if self.history is not None and order_id:
            self.history.told(order_id, said, self.sale, press.quantity, press.shopper, press.key, latency_s)
        if self.sold_out_at is None and self._all_gone():
            self.sold_out_at = at
            self.cpu_until_sold_out = cpu.used(self.cpu_began, cpu.seconds_of(self.pids))
            if self.stock:
                self.tail = self._now = Tally()

    def _all_gone(self) -> bool:
        """Where the stock is known, somebody who was told the first "sold out" may have overtaken the last winners' answers."""
        if not self.stock:
            return self._refused_stock
        return self._told >= self.stock or (self._refused_stock and self._told + len(self.undecided) >= self.stock)

    def _word(self, answer: Answer) -> str:
        if answer.failure:
            return answer.failure
        if answer.status == 201:
            return "reserved"
        return "pending" if answer.status == 202 else answer.code or str(answer.status)

    def _check(self, press: Press, order_id: str) -> None:
        before = self._answered.setdefault((press.shopper, press.key), order_id)
        if before != order_id:
            self.violations.append(f"shopper {press.shopper} was told {before} and {order_id} for one key")
        if order_id not in self.won:
            self.won[order_id] = Won(order_id, press.token, press.quantity)
            units = self.winners[press.shopper] = self.winners.get(press.shopper, 0) + press.quantity
            self._told += press.quantity
            if self.limit and units > self.limit:
                self.violations.append(f"shopper {press.shopper} was told {units} units, the limit is {self.limit}")

    # What it came to

    @property
    def units(self) -> int:
        return sum(won.quantity for won in self.won.values())

    def reserve(self) -> dict[str, Any]:
        """From the first press to the first "sold out" (to the last unit when the `stock` is known), else to the last reservation.

        CPU is per reservation; the refusals among them are included.
        """
        latencies = self.tally.of("reserved")
        used = self.cpu_until_sold_out or cpu.used(self.cpu_began, cpu.seconds_of(self.pids))
        window_s = (self.sold_out_at or self._last_reserved_at) - self.tally.began
        return {
            "answers": len(latencies),
            "orders": len(self.won),
            "units": self.units,
            "seconds": round(window_s, 4),
            "per_s": round(len(latencies) / window_s, 1) if window_s > 0 else 0.0,
            "latency_ms": spread(latencies),
            "cpu_us": cpu_us(used, len(latencies)),
        }

    def tail_as_json(self, used: Mapping[str, float]) -> dict[str, Any] | None:
        """What was said once the stock was reserved; None when that was not to be. `used` is CPU of the whole, from the first press."""
        if self.tail is None:
            return None
        after = {name: seconds - self.cpu_until_sold_out.get(name, 0.0) for name, seconds in used.items()}
        return self.tail.as_json() | {"cpu_us": cpu_us(after, self.tail.answers)}
