"""The hot route, answered inside uvicorn's own HTTP protocol, request by request, before there is a framework.

A plain `POST /v1/checkouts` (JSON, a bearer token, a key) never reaches ASGI: it is parsed by the same llhttp parser, decoded by msgspec,
handed to the batcher, and answered when its batch is committed. Whatever is not plain (another header, a cookie, a token that is no good)
takes the framework's way and gets the same answer. One connection may carry hot and cold requests in any order, pipelined or kept alive,
split at any byte; answers keep their order. A press that comes alone, whole and written as all clients write it does not even reach llhttp:
`api.plain` reads it in a fifteenth of the time. Here is the connection; what is asked and answered on it is `api.hot`.

Uses `pipeline`, `_start_asgi_task`, `cycle` and `flow` of uvicorn's protocol: uvicorn is pinned, and tests/api/test_gate.py compares every
mixture with uvicorn itself.
"""

from typing import Any

import msgspec
from litestar import Litestar

from api.auth import same_store
from api.bounds import BoundedProtocol
from api.checkouts import admitted_of, undecided
from api.headers import API_HEADERS, HSTS, SECURITY_HEADERS
from api.hot import JSON, Desk, HotCycle
from api.plain import COLD_HEADERS
from api.strict import BODY_MAX
from checkout_core.intents import Decision

_encode = msgspec.json.Encoder().encode
_WANTED = frozenset({b"authorization", b"idempotency-key", b"content-type", b"host", b"x-tessera-store", b"idempotency-retry"})


class Gate(BoundedProtocol):
    """One connection. Subclassed for an app by `gate_of`."""

    desk: Desk
    hot: HotCycle | None = None

    def data_received(self, data: bytes) -> None:
        before: Any = self.cycle
        # Between two requests, nothing of the next one read and no answer owed: llhttp need not know that there was one.
        if (before is None or before.response_complete) and not self._in_head and not self._in_body:
            cycle = self.desk.read(data)
            if cycle is not None:
                if self.timeout_keep_alive_task is not None:
                    self._unset_keepalive_if_required()
                self.until = 0.0
                cycle.gate = self
                self.cycle = cycle  # type: ignore[assignment]  # uvicorn asks no more of it than this
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
        cycle = self.desk.cycle(authorization, key, host, slug, b"idempotency-retry" in found)
        if cycle is not None:
            cycle.gate = self
            cycle.keep_alive = self.parser.should_keep_alive()
        return cycle

    def _press(self, cycle: HotCycle) -> None:
        if cycle.named is None:
            self.desk.press(cycle, self.short_patience)
            return
        finding = self.loop.create_task(self._find_store(cycle, *cycle.named))
        self.tasks.add(finding)
        finding.add_done_callback(self.tasks.discard)

    async def _find_store(self, cycle: HotCycle, host: str, slug: str) -> None:
        """The first presses after a pause, a crowd's, wait for one look-up; through the framework each of them would cost 0.4 ms."""
        process = self.desk.process
        assert process is not None, "it was found when the head was read"
        try:
            store = await process.directory.find(host, slug)
            same_store(cycle.shopper, store)
            store.must_be_open()
        except Exception as error:
            self.refused(cycle, error)
        else:
            cycle.named = None
            self._press(cycle)

    def too_long(self, cycle: HotCycle) -> None:
        """When the gate has admitted the wish and its commit takes long: say where the order will be. The commit goes on."""
        process = self.desk.process
        if cycle.late:
            cycle.gone = True
            self.refused(cycle, undecided())
        elif process is not None and cycle.intent.order_id in process.doors.admitted:
            body = admitted_of(cycle.sale, cycle.intent)
            self.answer(cycle, 202, b"%blocation: %b\r\n" % (JSON, body.location.encode()), _encode(body))
        else:
            cycle.late = True
            self.long_patience.begin(cycle)

    def decided(self, cycle: HotCycle, answer: Decision | Exception) -> None:
        self.send(cycle, self.desk.decided(cycle, answer))

    def refused(self, cycle: HotCycle, error: BaseException) -> None:
        self.send(cycle, self.desk.problem(error, cycle.keep_alive))

    def answer(self, cycle: HotCycle, status: int, headers: bytes, body: bytes) -> None:
        self.send(cycle, self.desk.answer(status, headers, body, cycle.keep_alive))

    def send(self, cycle: HotCycle, answer: bytes) -> None:
        cycle.response_complete = True
        transport = self.transport
        if cycle.disconnected or transport.is_closing():
            return
        transport.write(answer)
        self.server_state.total_requests += 1
        if not cycle.keep_alive:
            transport.close()
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif not self._in_head and not self._in_body:
            self.idle_begins()


def gate_of(app: Litestar, *, https: bool) -> type[Gate]:
    """The protocol class that answers for `app`: uvicorn's `http` setting."""
    always = API_HEADERS | SECURITY_HEADERS | (HSTS if https else {})
    head = "".join(f"{name.lower()}: {value}\r\n" for name, value in always.items()).encode()
    return type("GateOfApp", (Gate,), {"desk": Desk(app, head)})
