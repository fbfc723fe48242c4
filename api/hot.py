"""A press of "buy" between the bytes of its request and the bytes of its answer, for all connections of a process.

`api.gate` keeps each connection. Compiled by Cython from this same file: a press is then a handful of C calls.
"""

import os
import time
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.checkouts import Asked, NewCheckout, asked, intent_of, judge, sold_out, written
from api.directory import host_name
from api.patience import Patience
from api.plain import read
from api.problems import MEDIA_TYPE, document
from api.process import Process
from api.recent import Recent
from checkout_core import tokens
from checkout_core.errors import AppError, BadRequest
from checkout_core.ids import UUID, of_chance
from checkout_core.intents import Decision, Intent, Outcome, SaleKey, order_under
from checkout_core.secrets import Mac
from checkout_core.tokens import Shopper

PROBLEMS_MAX = 64  # problem documents kept as bytes
TOKENS_MAX = 25_000  # verified ones, twice as many at most, 15 MB of them; a crowd presses more than once
BODIES_MAX = 500  # what the same bytes ask for; a crowd asks for the same
STORE_S = 0.02  # a crowd's presses name one store: the directory, three looks at its memories (1.2 µs in a profile), is asked this often
KEY_MAX = 255
HANDFUL = 10 * 256  # random bytes at a time, 7 µs

_decode = msgspec.json.Decoder(NewCheckout, strict=True).decode
JSON = b"content-type: application/json\r\n"
_RESERVED = Outcome.RESERVED
_ID_ENDS = len(b'{"id":"ord_') + 32


class _Nobody:
    """Waits for more of a request that is all there."""

    @staticmethod
    def set() -> None: ...


class HotCycle:
    """What uvicorn's protocol asks of a request cycle, for a request that never reaches ASGI; and the waiter for its decision."""

    message_event = _Nobody

    def __init__(self) -> None:
        self.response_complete = self.disconnected = self.queued = self.complete = self.gone = self.late = self.retried = False
        self.keep_alive = True
        self.gate: Any = None
        self.body = self.key = b""
        self.shopper: Any = None
        self.named: tuple[str, str] | None = None  # host and store, when memory does not know yet that it is the shopper's
        self.wanted: Any = None
        self.sale: Any = None
        self.intent: Any = None

    def settle(self, answer: Decision | Exception) -> None:
        if not self.response_complete:
            self.gate.decided(self, answer)

    def too_long(self) -> None:
        self.gate.too_long(self)


class Wanted:
    """What a body asks for, whoever sends it."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.sale_id = asked.wish.sale_id  # as it is written
        self.quantity = asked.wish.quantity
        self.hash = asked.hash
        self.is_private = asked.wish.contact is not None or asked.wish.lookup_password is not None
        self.sale: Any = None

    def of(self, tenant_id: Any) -> SaleKey:
        """The sale, which has one tenant whoever else may ask for it."""
        if self.sale is None or self.sale[0] != tenant_id:
            self.sale = SaleKey(tenant_id, self.asked.sale_id)
        return self.sale  # type: ignore[no-any-return]


class Desk:
    """What the connections of a process share: who was seen, what was asked, what is said. `head` is of every answer."""

    def __init__(self, app: Any, head: bytes) -> None:
        self.process: Process | None = None
        self.known = Recent(TOKENS_MAX)
        self.bodies = Recent(BODIES_MAX)
        self._app = app
        self._directory: Any = None
        self._doors: Any = None
        self._batcher: Any = None
        self._orders: Any = None
        self._shoppers: Any = None
        self._host = self._slug = b""  # of the store that was named last
        self._store: Any = None
        self._store_until = 0.0
        self._chance = b""
        self._drawn = 0
        self._head = head
        self._problems: dict[object, tuple[int, bytes, bytes]] = {}
        self._sold_out = b""
        self._told: Any = None
        self._before = self._behind = b""

    def _open(self) -> bool:
        """Whether the process has begun."""
        process: Process | None = getattr(self._app.state, "process", None)
        if process is None:
            return False
        self.process = process
        self._directory, self._doors, self._batcher = process.directory, process.doors, process.batcher
        self._orders, self._shoppers = Mac(process.keys.orders), tokens.mac_of(process.keys.shoppers)
        self._sold_out = self.problem(sold_out(), True)
        return True

    # Requests

    def read(self, data: bytes) -> HotCycle | None:
        """The press in `data`, if that is a whole request, plain and no more."""
        plain = read(data)
        if plain is None:
            return None
        authorization, key, host, slug, retried, body = plain
        cycle = self.cycle(authorization, key, host, slug, retried)
        if cycle is not None:
            cycle.body = body
        return cycle

    def cycle(self, authorization: bytes, key: bytes, host: bytes, slug: bytes, retried: bool) -> HotCycle | None:
        """A press as its headers have it; None when one of them is for the framework to judge."""
        if self.process is None and not self._open():
            return None
        if not authorization.startswith(b"Bearer st_") or not is_key(key):
            return None
        shopper = self._shopper(authorization)
        if shopper is None:
            return None
        now = time.monotonic()
        if now >= self._store_until or host != self._host or slug != self._slug:
            self._store = self._directory.peek(host_name(host.decode("latin-1")), slug.decode("latin-1"))
            self._host, self._slug, self._store_until = host, slug, now + STORE_S if self._store is not None else 0.0
        store = self._store
        cycle = HotCycle()
        cycle.shopper = shopper
        cycle.key = key
        cycle.retried = retried
        if store is None or store.tenant_id != shopper[0]:
            cycle.named = host_name(host.decode("latin-1")), slug.decode("latin-1")
        return cycle

    def _shopper(self, authorization: bytes) -> Shopper | None:
        shopper: Shopper | None = self.known.get(authorization)
        if shopper is not None:
            return shopper if shopper[2] > time.time() else None
        try:
            shopper = tokens.verify_under(self._shoppers, authorization[7:], time.time())
        except AppError:
            return None
        self.known.keep(authorization, shopper)
        return shopper

    def press(self, cycle: HotCycle, patience: Patience) -> None:
        """Refuse what is known to be refused; hand everything else to the batcher."""
        wanted = self.bodies.get(cycle.body)
        if wanted is None:
            try:
                wanted = self.understand(cycle.body)
            except AppError as error:
                cycle.gate.refused(cycle, error)
                return
        tenant_id, shopper_id, _, named = cycle.shopper
        channel = named or "api"
        sale = wanted.of(tenant_id)
        if not cycle.retried and self._doors.sold_out.says(sale, shopper_id):
            cycle.gate.send(cycle, self._sold_out if cycle.keep_alive else self.problem(sold_out(), False))
            return
        if wanted.is_private:
            assert self.process is not None, "it was found when the head was read"
            intent = intent_of(self.process, cycle.shopper, wanted.asked, cycle.key.decode("ascii"), channel, retried=cycle.retried)
        else:
            order = order_under(self._orders, tenant_id, shopper_id, cycle.key)
            intent = Intent(order, self._new_id(), shopper_id, wanted.quantity, wanted.hash, None, None, None, channel, cycle.retried)
        cycle.wanted = wanted
        cycle.sale = sale
        cycle.intent = intent
        patience.begin(cycle)
        self._batcher.enter(sale, intent, cycle)

    def understand(self, body: bytes) -> Wanted:
        """What `body` asks for. Raises `BadRequest` and `NotFound`."""
        try:
            what = asked(_decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadRequest(f"The body is not what is asked for here: {error}.") from None
        wanted = Wanted(what)
        if not wanted.is_private:
            self.bodies.keep(body, wanted)
        return wanted

    def _new_id(self) -> UUID:
        if self._drawn == len(self._chance):
            self._chance, self._drawn = os.urandom(HANDFUL), 0
        self._drawn += 10
        return of_chance(self._chance[self._drawn - 10 : self._drawn])

    # Answers

    def decided(self, cycle: HotCycle, answer: Decision | Exception) -> bytes:
        if not isinstance(answer, Decision):
            return self.problem(answer, cycle.keep_alive)
        if answer[0] == _RESERVED:
            return self._reserved(cycle, answer)
        try:
            judge(answer)
        except AppError as refusal:
            return self.problem(refusal, cycle.keep_alive)
        raise AssertionError("judge raises for whatever is not reserved")

    def _reserved(self, cycle: HotCycle, decision: Decision) -> bytes:
        sale_id = cycle.wanted.sale_id
        if not cycle.keep_alive:
            return self.answer(201, JSON, written(decision, sale_id), False)
        _, order, state, quantity, amount_minor, currency, _, hold_until = decision
        # The orders of a batch differ by their ids alone.
        told = sale_id, state, quantity, amount_minor, currency, hold_until
        if told != self._told:
            whole = self.answer(201, JSON, written(decision, sale_id), True)
            at = whole.index(b'\r\n\r\n{"id":"ord_') + 4 + _ID_ENDS
            self._before, self._behind, self._told = whole[: at - 32], whole[at:], told
        return b"%b%b%b" % (self._before, order.hex.encode(), self._behind)

    def problem(self, error: BaseException, keep_alive: bool) -> bytes:
        # Almost all refusals of a rush are the same few words.
        said = (type(error), error.code, error.detail, error.retry_after_s) if isinstance(error, AppError) and not error.extra else None
        known = self._problems.get(said)
        if known is None:
            status, headers, body = document(error, "POST", "/v1/checkouts")
            lines = "".join([f"{name.lower()}: {value}\r\n" for name, value in headers.items()])
            known = status, f"content-type: {MEDIA_TYPE}\r\n{lines}".encode(), body
            if said is not None and len(self._problems) < PROBLEMS_MAX:
                self._problems[said] = known
        return self.answer(*known, keep_alive)

    def answer(self, status: int, headers: bytes, body: bytes, keep_alive: bool) -> bytes:
        close = b"" if keep_alive else b"connection: close\r\n"
        return b"%b%b%b%bcontent-length: %d\r\n\r\n%b" % (STATUS_LINE[status], self._head, headers, close, len(body), body)


def is_key(key: bytes) -> bool:
    """As `api.idempotency.is_key` has it."""
    if not 0 < len(key) <= KEY_MAX:
        return False
    for n in range(len(key)):  # noqa: SIM110  a generator is not what C makes of it
        if not 0x21 <= key[n] <= 0x7E:
            return False
    return True
