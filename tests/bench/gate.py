"""What one press costs the API process outside sockets and servers: microseconds of the gate, with every decision given at once.

    python -m tests.bench.gate [presses]

"first" is with a token nobody has shown before, "again" with one that is known; "sold out" is refused from memory. Time of this thread,
the best of several rounds: the others tell how busy the machine was.
"""

import asyncio
import datetime as dt
import sys
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import uvloop
from litestar import Litestar
from uvicorn.config import Config
from uvicorn.server import ServerState

import api.gate
import api.hot
from api.directory import Store
from api.process import Keys
from checkout_core import tokens
from checkout_core.batcher import Batcher
from checkout_core.ids import encode, new_id
from checkout_core.intents import Decision, Intent, Outcome, SaleKey

AT_ONCE = 128
ROUNDS = 7
KINDS = ("first", "again", "sold out")
KEYS = Keys.of(b"k" * 32)


class Transport:
    """Takes what is written, as a socket that is always ready."""

    def __init__(self) -> None:
        self.written = 0
        self.last = b""

    def write(self, data: bytes) -> None:
        self.written += 1
        self.last = data

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else None

    def close(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class SoldOut:
    def __init__(self) -> None:
        self.over = False

    def says(self, sale: SaleKey, shopper_id: object) -> bool:
        return self.over


async def decided(sale: SaleKey, intents: Sequence[Intent]) -> list[Decision]:
    now = dt.datetime.now(dt.UTC)
    return [Decision(Outcome.RESERVED, i.order_id, "awaiting", i.quantity, 100, "CNY", now, now) for i in intents]


async def measure(presses: int, rounds: int = ROUNDS, mark: Callable[[], object] = lambda: None) -> None:
    """`mark` is called before and after the presses of each kind."""
    tenant, sale = new_id(), new_id()
    store = Store(tenant, "flash")
    sold_out = SoldOut()
    process = SimpleNamespace(
        keys=KEYS, batcher=Batcher(decided), directory=SimpleNamespace(peek=lambda host, slug: store),
        doors=SimpleNamespace(sold_out=sold_out, admitted=set()),
    )  # fmt: skip
    app = cast("Litestar", SimpleNamespace(state=SimpleNamespace(process=process)))
    config = Config(lambda *_: None, http=api.gate.gate_of(app, https=False), ws="none", log_config=None)
    config.load()
    state = ServerState()
    connections = []
    for _ in range(AT_ONCE):
        protocol = cast("type[api.gate.Gate]", config.http_protocol_class)(config, state, {})
        protocol.connection_made(cast("Any", Transport()))
        connections.append(protocol)
    body = b'{"sale_id":"%b","quantity":1}' % encode("sal", sale).encode()
    requests = []
    for n in range(presses):
        token, _ = tokens.issue(KEYS.shoppers, tenant)
        requests.append(
            b"POST /v1/checkouts HTTP/1.1\r\nhost: 127.0.0.1:8000\r\nx-tessera-store: flash\r\nauthorization: Bearer %b\r\n"
            b"idempotency-key: k-%012d\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (token.encode(), n, len(body), body)
        )

    async def run() -> float:
        mark()
        began = time.thread_time()
        at = 0
        while at < presses:
            piece = requests[at : at + AT_ONCE]
            for connection, request in zip(connections, piece, strict=False):
                connection.data_received(request)
            at += len(piece)
            await asyncio.sleep(0)  # the batch leaves, is decided at once, and each answer is written
        took_s = time.thread_time() - began
        mark()
        return took_s / presses * 1e6

    print(f"compiled: {api.hot.__file__}; {presses} presses, {AT_ONCE} connections, best of {rounds} rounds, µs each")
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        sold_out.over = False
        cast("Any", config.http_protocol_class).desk.known.clear()
        found["first"].append(await run())
        found["again"].append(await run())
        sold_out.over = True
        found["sold out"].append(await run())
    for name, times in found.items():
        print(f"{name:10} {min(times):6.1f}   (median {sorted(times)[len(times) // 2]:.1f})")
    print(connections[0].transport.last.decode())


if __name__ == "__main__":
    uvloop.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 12_800))
