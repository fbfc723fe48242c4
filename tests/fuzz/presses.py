"""Presses of "buy" as the network brings them, and what is made of them by the reader and by the desk."""

import datetime as dt
from collections.abc import Callable
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any

from api.directory import Store
from api.process import Keys
from checkout_core import tokens
from checkout_core.errors import AppError, Conflict, TooMany, Unavailable
from checkout_core.ids import UUID, encode, of_bytes
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tests.api.test_plain import agrees
from tests.fuzz.mutate import SIZES, mutated

KEYS = Keys.of(b"k" * 32)
FIRST_S = 1_700_000_000.0
HOME, ABROAD = (of_bytes(bytes([n]) * 16) for n in (1, 2))
SALES = [of_bytes(bytes([n]) * 16) for n in (3, 4, 5)]


def _tokens() -> list[bytes]:
    """Good ones, one of another tenant, one that has expired, one under another key."""
    issued = [
        (KEYS.shoppers, HOME, 4e9),
        (KEYS.shoppers, HOME, 4e9),
        (KEYS.shoppers, ABROAD, 4e9),
        (KEYS.shoppers, HOME, 1.0),
        (b"x" * 32, HOME, 4e9),
    ]
    return [
        tokens.issue(key, tenant_id, shopper_id=of_bytes(bytes([n]) * 16), now=now)[0].encode()
        for n, (key, tenant_id, now) in enumerate(issued)
    ]


TOKENS = _tokens()
BODIES = [
    b'{"sale_id":"%b","quantity":%d%b}' % (encode("sal", sale).encode(), quantity, more)
    for sale in SALES
    for quantity, more in ((1, b""), (2, b""), (100, b""), (1, b',"contact":"a@b.c"'), (1, b',"lookup_password":"secret","contact":null'))
]
HEADERS = [
    b"Host: shop.example:8000", b"User-Agent: curl/8.1", b"Accept: */*", b"X-Tessera-Store: acme", b"Idempotency-Retry: 1",
    b"Connection: keep-alive", b"connection: close", b"Cookie: a=b", b"Expect: 100-continue", b"Transfer-Encoding: chunked",
    b"Content-Encoding: gzip", b"X-Forwarded-For: 1.2.3.4", b"Upgrade: h2c", b"Content-Length: 3", b"Folded: a\r\n b", b"Trailing: a ",
    b"X-Tessera-Store:  acme", b"host:\tshop",
    b"Empty:", b"Proxy-Connection: close", b"Forwarded: for=a", b"Content-Length: 00032", b"content-type: application/json",
]  # fmt: skip
JSON_WORDS = [
    b'"sale_id"', b'"quantity"', b'"contact"', b'"lookup_password"', b"null", b"1e2", b"-0", b"1.0", b"101", b"9" * 40, b"\\u0000",
    b"\\ud800", b'"\\n"', b"{", b"}", b"[" * 300, b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"true", b',"quantity":2', b"/**/",
]  # fmt: skip


def a_press(dice: Random, body: bytes, token: bytes, key: bytes) -> bytes:
    """Valid but for what the arguments bring and for headers that may be too many."""
    lines = [b"Authorization: Bearer " + token, b"Idempotency-Key: " + key, b"Content-Type: application/json"]
    lines += [b"content-length: %d" % len(body), *dice.sample(HEADERS[:6], dice.randint(0, 6))]
    if dice.random() < 0.2:
        lines.append(dice.choice(HEADERS))
    if dice.random() < 0.02:
        lines += [b"X-%d: y" % n for n in range(dice.choice((55, 60, 64, 70)))]
    dice.shuffle(lines)
    return b"POST /v1/checkouts HTTP/1.1\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def maybe(dice: Random, data: bytes, words: list[bytes], chance: float) -> bytes:
    return mutated(dice, data, words) if dice.random() < chance else data


def request(dice: Random) -> bytes:
    """For the reader: anything may be damaged anywhere."""
    data = a_press(dice, dice.choice(BODIES), dice.choice(TOKENS), b"k-%d" % dice.randrange(3))
    return maybe(dice, data, [*HEADERS, b"\r\n", b": ", a_press(dice, b"{}", b"st_", b"k")], 0.95)


def read(core: ModuleType) -> Callable[[bytes], Any]:
    """What the reader makes of it; and whatever it knows, llhttp must have read the same way."""
    return lambda data: (core.read(data), agrees(core, data))


# The desk: a connection's presses in a row, and what its shopper is told.

Step = tuple[Any, ...]


def visit(dice: Random) -> list[Step]:
    """("wire", data), ("fields", five of them, retried, keep-alive, body), ("decision", …), ("error", n), ("later", seconds)."""
    return [dice.choice(_STEPS)(dice) for _ in range(dice.choice((1, 1, 2, 3, 5, 8)))]


def _parts(dice: Random) -> tuple[bytes, bytes, bytes]:
    """Token, key and body; the rare ones are damaged."""
    key = bytes([dice.randrange(0x20, 0x80)]) * dice.choice(SIZES[:19]) if dice.random() < 0.2 else b"k-%d" % dice.randrange(3)
    return (
        maybe(dice, dice.choice(TOKENS), [b"st_", b"=", b"-", b"+", b"A" * 72, *TOKENS], 0.2),
        maybe(dice, key, [b" ", b"\xff"], 0.1),
        maybe(dice, dice.choice(BODIES), [*JSON_WORDS, *BODIES], 0.4),
    )


def _on_the_wire(dice: Random) -> Step:
    token, key, body = _parts(dice)
    return "wire", maybe(dice, a_press(dice, body, token, key), HEADERS, 0.1)


def _in_fields(dice: Random) -> Step:
    """As llhttp hands them over: longer ones and stranger bytes than the reader lets through."""
    token, key, body = _parts(dice)
    host, slug = maybe(dice, b"shop.example:8000", [b":", b".", b"\xc3\x84"], 0.3), maybe(dice, b"acme", [b"\0", b"\xff"], 0.3)
    return "fields", maybe(dice, b"Bearer ", [b"bearer"], 0.05) + token, key, host, slug, dice.random() < 0.2, dice.random() < 0.9, body


def _decision(dice: Random) -> Step:
    state, currency = dice.choice(("awaiting", "awaiting", "delivered", "")), dice.choice(("CNY", "EUR"))
    outcome = 0 if dice.random() < 0.7 else dice.randint(1, 8)
    return (
        "decision",
        outcome,
        dice.randrange(256),
        state,
        dice.randint(1, 100),
        dice.choice((0, 990, 2**40)),
        currency,
        dice.choice((0, 900, None)),
    )


_STEPS: list[Callable[[Random], Step]] = [
    _on_the_wire, _on_the_wire, _on_the_wire, _in_fields, _decision, _decision,
    lambda dice: ("error", dice.randrange(4)), lambda dice: ("later", dice.choice((0.0, 0.005, 1.0, 30.0))),
]  # fmt: skip
_ERRORS = (
    lambda: Unavailable("a"),
    lambda: TooMany("b", code="busy"),
    lambda: Conflict("c", order_id="d"),
    lambda: Unavailable("e", retry_after_s=2),
)


class Shop:
    """What a desk talks to, all of it doubles that write down what they hear."""

    def __init__(self, core: ModuleType, waiting: ModuleType) -> None:
        self.heard: list[Any] = []
        self.cycles: list[Any] = []
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self._now_s = FIRST_S
        home = Store(HOME, "acme")
        process = SimpleNamespace(
            keys=KEYS,
            directory=SimpleNamespace(peek=lambda host, slug: home if slug == "acme" else None),
            doors=SimpleNamespace(sold_out=SimpleNamespace(says=lambda sale, shopper: sale.sale_id == SALES[-1])),
            batcher=SimpleNamespace(enter=self._enter),
        )
        self.desk = core.Desk(SimpleNamespace(state=SimpleNamespace(process=process)), b"x-always: 1\r\n")
        self._patience = waiting.Patience(
            SimpleNamespace(time=lambda: self._now_s, call_at=self._call_at, call_later=self._call_later), 8.0
        )

    def step(self, step: Step) -> None:
        kind, *arguments = step
        getattr(self, kind)(*arguments)

    def wire(self, data: bytes) -> None:
        self._press(self.desk.read(data))

    def fields(self, authorization: bytes, key: bytes, host: bytes, slug: bytes, retried: bool, keep_alive: bool, body: bytes) -> None:
        cycle = self.desk.cycle(authorization, key, host, slug, retried)
        if cycle is not None:
            cycle.keep_alive = keep_alive
            cycle.body += body
        self._press(cycle)

    def decision(self, outcome: int, order: int, state: str, quantity: int, minor: int, currency: str, hold_s: int | None) -> None:
        created = dt.datetime.fromtimestamp(FIRST_S, dt.UTC)
        until = None if hold_s is None else created + dt.timedelta(seconds=hold_s)
        self._settle(Decision(Outcome(outcome), of_bytes(bytes([order]) * 16), state, quantity, minor, currency, created, until))

    def error(self, which: int) -> None:
        self._settle(_ERRORS[which]())

    def later(self, seconds: float) -> None:
        self._now_s += seconds
        due, self._timers = self._timers, []
        for at_s, call in due:
            if at_s <= self._now_s:
                call()
            else:
                self._timers.append((at_s, call))

    def _press(self, cycle: Any) -> None:
        if cycle is None:
            self.heard.append(None)
            return
        self.heard.append((cycle.key, cycle.body, cycle.shopper, cycle.named, cycle.retried, cycle.keep_alive))
        cycle.gate = self
        self.desk.press(cycle, self._patience)

    def _settle(self, answer: Decision | AppError) -> None:
        if self.cycles:
            self.cycles.pop(0).settle(answer)

    def _enter(self, sale: SaleKey, intent: Intent, cycle: Any) -> None:
        assert intent.intent_id.version == 7
        self.heard.append((sale, intent._replace(intent_id=UUID(bytes(16))), cycle.wanted.is_private))
        self.cycles.append(cycle)

    def _call_at(self, at_s: float, call: Callable[[], None]) -> None:
        self._timers.append((at_s, call))

    def _call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self._call_at(self._now_s + seconds, call)

    # The connection, as `api.gate` is one

    def send(self, cycle: Any, answer: bytes) -> None:
        cycle.response_complete = True
        self.heard.append(answer)

    def refused(self, cycle: Any, error: BaseException) -> None:
        self.send(cycle, self.desk.problem(error, cycle.keep_alive))

    def decided(self, cycle: Any, answer: Decision | Exception) -> None:
        self.send(cycle, self.desk.decided(cycle, answer))

    def too_long(self, cycle: Any) -> None:
        cycle.gone = True
        self.send(cycle, b"too long")


def told(core: ModuleType, waiting: ModuleType) -> Callable[[list[Step]], list[Any]]:
    def play(steps: list[Step]) -> list[Any]:
        shop = Shop(core, waiting)
        for step in steps:
            shop.step(step)
        return shop.heard

    return play
