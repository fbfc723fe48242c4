"""The hot route, answered inside uvicorn's own HTTP protocol, request by request, before there is a framework.

A plain `POST /v1/checkouts` (JSON, a bearer token, a key) never reaches ASGI: it is parsed by the same llhttp parser, decoded by msgspec,
handed to the batcher, and answered when its batch is committed. Whatever is not plain (another header, a cookie, a token that is no good)
takes the framework's way and gets the same answer. One connection may carry hot and cold requests in any order, pipelined or kept alive,
split at any byte; answers keep their order. A press that comes alone, whole and written as all clients write it does not even reach llhttp:
`api.plain` reads it in an eighth of the time.

Uses `pipeline`, `_start_asgi_task`, `cycle` and `flow` of uvicorn's protocol: uvicorn is pinned, and tests/api/test_gate.py compares every
mixture with uvicorn itself.
"""

from typing import Any

import msgspec
from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.auth import same_store
from api.bounds import BoundedProtocol
from api.checkouts import Asked, NewCheckout, admitted_of, asked, intent_of, judge, sold_out, undecided, written
from api.directory import host_name
from api.headers import API_HEADERS, HSTS, SECURITY_HEADERS
from api.idempotency import is_key
from api.memory import Recent
from api.plain import COLD_HEADERS, read
from api.problems import MEDIA_TYPE, document
from api.process import Process
from api.strict import BODY_MAX
from checkout_core import tokens
from checkout_core.errors import AppError, BadRequest
from checkout_core.intents import Decision, Intent, SaleKey
from checkout_core.tokens import Shopper

PROBLEMS_MAX = 64  # problem documents kept as bytes
TOKENS_MAX = 25_000  # verified ones, twice as many at most, 15 MB of them; a crowd presses more than once
BODIES_MAX = 500  # what the same bytes ask for; a crowd asks for the same

_decode = msgspec.json.Decoder(NewCheckout, strict=True).decode
_encode = msgspec.json.Encoder().encode
JSON = b"content-type: application/json\r\n"
SOLD_OUT = sold_out()
_WANTED = frozenset({b"authorization", b"idempotency-key", b"content-type", b"host", b"x-tessera-store", b"idempotency-retry"})


class HotCycle:
    """What uvicorn's protocol asks of a request cycle, for a request that never reaches ASGI; and the waiter for its decision."""

    __slots__ = (
        "asked", "body", "complete", "disconnected", "gate", "gone", "intent", "keep_alive", "key", "late", "named", "queued",
        "response_complete", "retried", "sale", "shopper",
    )  # fmt: skip

    class message_event:  # noqa: N801  uvicorn's name
        @staticmethod
        def set() -> None: ...

    gate: "Gate"
    asked: Asked
    sale: SaleKey
    intent: Intent

    def __init__(self, gate: "Gate", shopper: Shopper, key: str, retried: bool, named: tuple[str, str] | None) -> None:
        self.response_complete = self.disconnected = self.queued = self.complete = self.gone = self.late = False
        self.keep_alive = True
        self.gate = gate
        self.body = b""
        self.shopper = shopper
        self.key = key
        self.retried = retried
        self.named = named  # host and store, when memory does not know yet that it is the shopper's

    def settle(self, answer: Decision | Exception) -> None:
        if not self.response_complete:
            self.gate.decided(self, answer)

    def too_long(self) -> None:
        self.gate.too_long(self)


class Gate(BoundedProtocol):
    """One connection. Subclassed for an app by `gate_of`."""

    litestar: Litestar
    head: bytes  # of every answer, after the status line
    known: Recent[bytes, Shopper]
    bodies: Recent[bytes, Asked]
    problems: dict[object, tuple[int, bytes, bytes]]
    process: Process | None = None
    hot: HotCycle | None = None

    def data_received(self, data: bytes) -> None:
        before: Any = self.cycle
        # Between two requests, nothing of the next one read and no answer owed: llhttp need not know that there was one.
        if (before is None or before.response_complete) and not self.is_reading and (plain := read(data)) is not None:
            authorization, key, host, slug, retried, body = plain
            cycle = self._cycle(authorization, key, host, slug, retried=retried)
            if cycle is not None:
                self._unset_keepalive_if_required()
                self.until = 0.0
                self.cycle = cycle  # type: ignore[assignment]  # uvicorn asks no more of it than this
                cycle.body = body
                self._press(cycle)
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        # The framework's scope is built when it is known that the framework is needed.
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self.reading_begins()

    def on_headers_complete(self) -> None:
        self.head_ends()
        cycle = self._plain() if self.url == b"/v1/checkouts" and self.parser.get_method() == b"POST" else None
        self.hot = cycle
        if cycle is not None:
            before: Any = self.cycle
            self.cycle = cycle  # type: ignore[assignment]  # uvicorn asks no more of it than this
            if before is not None and not before.response_complete:
                cycle.queued = True
                self.flow.pause_reading()
                self.pipeline.appendleft((cycle, None))  # type: ignore[arg-type]  # None: for _start_asgi_task below
            return
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        cycle = self.hot
        if cycle is None:
            super().on_body(body)
        elif len(cycle.body) + len(body) <= BODY_MAX:
            cycle.body += body
        else:
            self.refuse(413, "The body is larger than 64 KiB.")

    def on_message_complete(self) -> None:
        self.reading_ends()
        cycle, self.hot = self.hot, None
        if cycle is None:
            super().on_message_complete()
            return
        cycle.complete = True
        if not cycle.queued:
            self._press(cycle)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if app is not None:
            super()._start_asgi_task(cycle, app)
            return
        cycle.queued = False
        if cycle.complete:
            self._press(cycle)

    def _plain(self) -> HotCycle | None:
        """The request, if its headers are plain and say all that is needed; None for everything that the framework must judge."""
        found: dict[bytes, bytes] = {}
        for name, value in self.headers:
            if name in _WANTED:
                if name in found:
                    return None
                found[name] = value
            elif name in COLD_HEADERS:
                return None
        if found.get(b"content-type") != b"application/json":
            return None
        authorization, key, host, slug = [
            found.get(name, b"") for name in (b"authorization", b"idempotency-key", b"host", b"x-tessera-store")
        ]
        cycle = self._cycle(authorization, key, host, slug, retried=b"idempotency-retry" in found)
        if cycle is not None:
            cycle.keep_alive = self.parser.should_keep_alive()
        return cycle

    def _cycle(self, authorization: bytes, key: bytes, host: bytes, slug: bytes, *, retried: bool) -> HotCycle | None:
        process = self.process
        if process is None:
            process = type(self).process = getattr(self.litestar.state, "process", None)
        word = key.decode("latin-1")
        if process is None or authorization[:10] != b"Bearer st_" or not is_key(word):
            return None
        shopper = self._shopper(process, authorization)
        if shopper is None:
            return None
        named = host_name(host.decode("latin-1")), slug.decode("latin-1")
        store = process.directory.peek(*named)
        known = store is not None and store.tenant_id == shopper.tenant_id
        return HotCycle(self, shopper, word, retried, None if known else named)

    def _shopper(self, process: Process, authorization: bytes) -> Shopper | None:
        shopper = self.known.get(authorization)
        if shopper is not None:
            return shopper if shopper.expires_at > self.now() else None
        try:
            shopper = tokens.verify(process.keys.shoppers, authorization[7:].decode("latin-1"))
        except AppError:
            return None
        self.known.keep(authorization, shopper)
        return shopper

    def _press(self, cycle: HotCycle) -> None:
        process = self.process
        assert process is not None, "it was found when the head was read"
        if cycle.named is not None:
            finding = self.loop.create_task(self._find_store(process, cycle, *cycle.named))
            self.tasks.add(finding)
            finding.add_done_callback(self.tasks.discard)
            return
        try:
            what = cycle.asked = self.bodies.get(cycle.body) or self._asked(cycle.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._answer_problem(cycle, BadRequest(f"The body is not what is asked for here: {error}."))
            return
        except AppError as error:
            self._answer_problem(cycle, error)
            return
        shopper = cycle.shopper
        sale = cycle.sale = SaleKey(shopper.tenant_id, what.sale_id)
        if not cycle.retried and process.doors.sold_out.says(sale, shopper.id):
            self._answer_problem(cycle, SOLD_OUT)
            return
        cycle.intent = intent_of(process, shopper, what, cycle.key, "api", retried=cycle.retried)
        self.short_patience.begin(cycle)
        process.batcher.enter(sale, cycle.intent, cycle)

    def _asked(self, body: bytes) -> Asked:
        what = asked(_decode(body))
        if what.wish.contact is None and what.wish.lookup_password is None:
            self.bodies.keep(body, what)
        return what

    async def _find_store(self, process: Process, cycle: HotCycle, host: str, slug: str) -> None:
        """The first presses after a pause, a crowd's, wait for one look-up; through the framework each of them would cost 0.4 ms."""
        try:
            same_store(cycle.shopper, await process.directory.find(host, slug))
        except Exception as error:
            self._answer_problem(cycle, error)
        else:
            cycle.named = None
            self._press(cycle)

    def too_long(self, cycle: HotCycle) -> None:
        """When the gate has admitted the wish and its commit takes long: say where the order will be. The commit goes on."""
        process = self.process
        if cycle.late:
            cycle.gone = True
            self._answer_problem(cycle, undecided())
        elif process is not None and cycle.intent.order_id in process.doors.admitted:
            body = admitted_of(cycle.sale, cycle.intent)
            self._answer(cycle, 202, b"%blocation: %b\r\n" % (JSON, body.location.encode()), _encode(body))
        else:
            cycle.late = True
            self.long_patience.begin(cycle)

    def decided(self, cycle: HotCycle, answer: Decision | Exception) -> None:
        if not isinstance(answer, Decision):
            self._answer_problem(cycle, answer)
            return
        try:
            decision = judge(answer)
        except AppError as refusal:
            self._answer_problem(cycle, refusal)
        else:
            self._answer(cycle, 201, JSON, written(decision, cycle.asked.wish.sale_id))

    def _answer_problem(self, cycle: HotCycle, error: BaseException) -> None:
        # Almost all refusals of a rush are the same few words.
        said = (type(error), error.code, error.detail, error.retry_after_s) if isinstance(error, AppError) and not error.extra else None
        known = self.problems.get(said)
        if known is None:
            status, headers, body = document(error, "POST", "/v1/checkouts")
            lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
            known = status, f"content-type: {MEDIA_TYPE}\r\n{lines}".encode(), body
            if said is not None and len(self.problems) < PROBLEMS_MAX:
                self.problems[said] = known
        self._answer(cycle, *known)

    def _answer(self, cycle: HotCycle, status: int, headers: bytes, body: bytes) -> None:
        cycle.response_complete = True
        if cycle.disconnected or self.transport.is_closing():
            return
        close = b"" if cycle.keep_alive else b"connection: close\r\n"
        self.transport.write(b"%b%b%b%bcontent-length: %d\r\n\r\n%b" % (STATUS_LINE[status], self.head, headers, close, len(body), body))
        self.server_state.total_requests += 1
        if not cycle.keep_alive:
            self.transport.close()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self.idle_begins()


def gate_of(app: Litestar, *, https: bool) -> type[Gate]:
    """The protocol class that answers for `app`: uvicorn's `http` setting."""
    always = API_HEADERS | SECURITY_HEADERS | (HSTS if https else {})
    head = "".join(f"{name.lower()}: {value}\r\n" for name, value in always.items()).encode()
    own = {"litestar": app, "head": head, "known": Recent(TOKENS_MAX), "bodies": Recent(BODIES_MAX), "problems": {}}
    return type("GateOfApp", (Gate,), own)
