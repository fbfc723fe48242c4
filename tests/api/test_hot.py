"""A press between its bytes and the bytes of its answer, on the compiled core and on its readable twin (the same files)."""

import asyncio
import datetime as dt
import weakref
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import msgspec
import pytest

from api import hot, patience, recent
from api.checkouts import Checkout, checkout_of
from api.directory import Store
from api.process import Keys
from checkout_core import tokens
from checkout_core.errors import Conflict, TooMany, Unavailable
from checkout_core.ids import encode, new_id
from checkout_core.intents import Decision, Intent, Outcome, SaleKey, order_id
from loadtests.bench.compiled import is_compiled, twin
from tests.api.test_gate import answers

KEYS = Keys.of(b"k" * 32)
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MODULES = [hot, patience, recent]
READABLE = [twin(module) for module in MODULES]


class Line(NamedTuple):
    """A desk, and what its press hands over; the connection is a list of what was sent."""

    core: ModuleType
    desk: Any
    patience: Any
    store: Store
    entered: list[tuple[SaleKey, Intent]]
    sent: list[bytes]
    refusing: set[SaleKey]

    def press(self, token: str, body: bytes, *extra: bytes, key: bytes = b"k-1") -> Any:
        head = [b"POST /v1/checkouts HTTP/1.1", b"Host: localhost", b"X-Tessera-Store: acme", b"Content-Type: application/json"]
        head += [
            b"Authorization: Bearer " + token.encode(),
            b"Idempotency-Key: " + key,
            b"Content-Length: %d" % len(body),
            *extra,
            b"",
            body,
        ]
        cycle = self.desk.read(b"\r\n".join(head))
        if cycle is not None:
            cycle.gate = SimpleNamespace(
                send=lambda cycle, answer: self.sent.append(answer),
                refused=lambda cycle, error: self.sent.append(self.desk.problem(error, cycle.keep_alive)),
            )
            self.desk.press(cycle, self.patience)
        return cycle


@pytest.fixture(params=[MODULES, READABLE], ids=["compiled", "readable"])
async def line(request: pytest.FixtureRequest) -> Line:
    core, waiting, _ = request.param
    store, entered, refusing = Store(new_id(), "acme"), list[tuple[SaleKey, Intent]](), set[SaleKey]()
    process = SimpleNamespace(
        keys=KEYS,
        directory=SimpleNamespace(peek=lambda host, slug: store if slug == "acme" else None),
        doors=SimpleNamespace(sold_out=SimpleNamespace(says=lambda sale, shopper: sale in refusing), admitted=set()),
        batcher=SimpleNamespace(enter=lambda sale, intent, waiter: entered.append((sale, intent))),
    )
    desk = core.Desk(SimpleNamespace(state=SimpleNamespace(process=process)), b"x-always: 1\r\n")
    own = patience.Patience if core is hot else waiting.Patience
    # The compiled desk takes no other patience than the compiled one: it calls it in C.
    return Line(core, desk, own(asyncio.get_running_loop(), 60.0), store, entered, [], refusing)


def a_body(sale: Any, quantity: int = 1, more: bytes = b"") -> bytes:
    return b'{"sale_id":"%b","quantity":%d%b}' % (encode("sal", sale).encode(), quantity, more)


def decision(outcome: Outcome, order: Any, **changes: Any) -> Decision:
    return Decision(outcome, order, "awaiting", 2, 990, "CNY", NOW, NOW)._replace(**changes)


def test_the_compiled_ones_are_loaded() -> None:
    assert all(map(is_compiled, MODULES))
    assert not any(map(is_compiled, READABLE))


class TestPress:
    async def test_what_the_batcher_gets(self, line: Line) -> None:
        sale, (token, shopper) = new_id(), tokens.issue(KEYS.shoppers, line.store.tenant_id)
        for _ in range(2):  # the second time from memory
            cycle = line.press(token, a_body(sale, 2))
        assert [(key, i._replace(intent_id=shopper.id)) for key, i in line.entered] == 2 * [
            (
                SaleKey(line.store.tenant_id, sale),
                Intent(
                    order_id(KEYS.orders, line.store.tenant_id, shopper.id, "k-1"), shopper.id, shopper.id, 2, cycle.wanted.hash, None,
                    None, None, "api", False,
                ),
            )
        ]  # fmt: skip
        assert line.entered[0][1].intent_id != line.entered[1][1].intent_id
        assert cycle.named is None

    async def test_carries_its_tokens_channel(self, line: Line) -> None:
        for body in (a_body(new_id()), a_body(new_id(), more=b',"contact":"a@example.org"')):
            for channel in ("douyin", ""):
                line.press(tokens.issue(KEYS.shoppers, line.store.tenant_id, channel=channel)[0], body)
        assert [intent.channel for _, intent in line.entered] == ["douyin", "api"] * 2

    async def test_the_same_bytes_of_two_tenants(self, line: Line) -> None:
        """A body says nothing of who sends it: each is asked for its own sale."""
        sale, other = new_id(), new_id()
        for tenant_id in (line.store.tenant_id, other, line.store.tenant_id):
            cycle = line.press(tokens.issue(KEYS.shoppers, tenant_id)[0], a_body(sale))
            assert (cycle.named is None) == (tenant_id is not other), "of another tenant than the store's: the framework's to refuse"
        assert [key.tenant_id for key, _ in line.entered] == [line.store.tenant_id, other, line.store.tenant_id]

    async def test_with_a_contact_and_a_password(self, line: Line) -> None:
        token, _ = tokens.issue(KEYS.shoppers, line.store.tenant_id)
        line.press(token, a_body(new_id(), 1, b',"contact":"a@b.c","lookup_password":"secret"'), b"Idempotency-Retry: 1")
        [(_, intent)] = line.entered
        assert (intent.contact, intent.retried) == ("a@b.c", True)
        assert intent.lookup_hash is not None

    @pytest.mark.parametrize("retried", [False, True])
    async def test_sold_out_is_said_from_memory_unless_he_asked_before(self, line: Line, retried: bool) -> None:
        sale, (token, _) = new_id(), tokens.issue(KEYS.shoppers, line.store.tenant_id)
        line.refusing.add(SaleKey(line.store.tenant_id, sale))
        line.press(token, a_body(sale), *([b"Idempotency-Retry: 1"] if retried else []))
        assert (len(line.entered), len(line.sent)) == ((1, 0) if retried else (0, 1))
        if not retried:
            [(status, headers, body)] = answers(line.sent[0])
            assert status == b"HTTP/1.1 409 Conflict"
            assert b"x-always: 1" in headers
            assert b'"code":"sold_out"' in body

    @pytest.mark.parametrize("body", [b"", b"{", b"{}", b'{"sale_id":1,"quantity":1}', b"\xff", b'{"sale_id":"sal_x","quantity":1}'])
    async def test_what_is_no_wish(self, line: Line, body: bytes) -> None:
        line.press(tokens.issue(KEYS.shoppers, line.store.tenant_id)[0], body)
        assert line.entered == []
        [(status, _, _)] = answers(line.sent[0])
        assert status in (b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 404 Not Found")

    async def test_is_left_to_the_framework(self, line: Line) -> None:
        body, (token, _) = a_body(new_id()), tokens.issue(KEYS.shoppers, line.store.tenant_id)
        for key in (b"", b"a b", b"x" * 256):
            assert line.press(token, body, key=key) is None
        for strange in ("st_", "st_" + "A" * 72, "tk_" + token[3:], token + "A"):
            assert line.press(strange, body) is None
        early, _ = tokens.issue(KEYS.shoppers, line.store.tenant_id, now=1.0)
        assert line.press(early, body) is None
        assert line.press(token, body) is not None

    async def test_a_known_token_expires(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        token, shopper = tokens.issue(KEYS.shoppers, line.store.tenant_id)
        assert line.press(token, b"{}") is not None
        monkeypatch.setattr("time.time", lambda: float(shopper.expires_at))
        assert line.press(token, b"{}") is None


class TestAnswers:
    @pytest.mark.parametrize("keep_alive", [True, False])
    async def test_a_reservation_is_what_the_framework_would_write(self, line: Line, keep_alive: bool) -> None:
        cycle = line.press(tokens.issue(KEYS.shoppers, line.store.tenant_id)[0], a_body(new_id()))
        cycle.keep_alive = keep_alive
        for changes in ({}, {}, {"hold_until": None}, {"amount_minor": 0}, {"state": "delivered"}, {"currency": "EUR"}, {}):
            told = decision(Outcome.RESERVED, new_id(), **changes)
            [(status, headers, body)] = answers(line.desk.decided(cycle, told))
            assert status == b"HTTP/1.1 201 Created"
            assert (b"connection: close" in headers) is not keep_alive
            assert checkout_json(body) == checkout_of(told, cycle.wanted.sale_id)

    @pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if Outcome.RESERVED < outcome < Outcome.STALE])
    async def test_refusals(self, line: Line, outcome: Outcome) -> None:
        cycle = line.press(tokens.issue(KEYS.shoppers, line.store.tenant_id)[0], a_body(new_id()))
        for state in ("", "refused"):
            [(status, _, body)] = answers(line.desk.decided(cycle, decision(outcome, new_id(), state=state)))
            assert status in (b"HTTP/1.1 409 Conflict", b"HTTP/1.1 429 Too Many Requests")
            assert (b"order_id" in body) == (state != "" and outcome in (Outcome.LIMIT, Outcome.SOLD_OUT))

    async def test_errors(self, line: Line) -> None:
        cycle = line.press(tokens.issue(KEYS.shoppers, line.store.tenant_id)[0], a_body(new_id()))
        told = [line.desk.decided(cycle, error) for error in (Unavailable("a"), TooMany("b"), Conflict("c", extra=1), Unavailable("a"))]
        assert [answers(each)[0][0].split()[1] for each in told] == [b"503", b"429", b"409", b"503"]
        assert told[0] == told[3]
        assert b"retry-after: 1" in answers(told[0])[0][1]


def checkout_json(body: bytes) -> Checkout:
    return msgspec.json.decode(body, type=Checkout)


@pytest.mark.parametrize("module", [recent, READABLE[2]], ids=["compiled", "readable"])
def test_recent_forgets_by_generations(module: ModuleType) -> None:
    seen = module.Recent(2)
    for key in (b"a", b"b", b"c"):
        seen.keep(key, key)
    assert [seen.get(key) for key in (b"a", b"b", b"c", b"d")] == [b"a", b"b", b"c", None]
    seen.clear()
    assert seen.get(b"c") is None


@pytest.mark.parametrize("module", [patience, READABLE[1]], ids=["compiled", "readable"])
async def test_who_has_his_answer_is_let_go_when_the_next_one_comes(module: ModuleType) -> None:
    class Somebody:
        response_complete = False

    waiting = module.Patience(asyncio.get_running_loop(), 60.0)
    answered, waits = Somebody(), Somebody()
    seen = [weakref.ref(answered), weakref.ref(waits)]
    waiting.begin(answered)
    waiting.begin(waits)
    answered.response_complete = True
    waiting.begin(Somebody())
    del answered, waits
    assert [each() is None for each in seen] == [True, False]


@pytest.mark.parametrize("module", [patience, READABLE[1]], ids=["compiled", "readable"])
async def test_patience_ends_for_those_who_still_wait(module: ModuleType) -> None:
    late: list[int] = []
    waiting = module.Patience(asyncio.get_running_loop(), 0.01)
    waits = [SimpleNamespace(response_complete=n % 2 == 0, too_long=lambda n=n: late.append(n)) for n in range(4)]
    for each in waits:
        waiting.begin(each)
    await asyncio.sleep(0.1)
    assert late == [1, 3]
