"""What compiling pays: each compiled part against its readable twin in Python, on the same arguments, in turns.

A new pair is a line in `PAIRS`. The twin is the same source file, loaded as Python, unless it has a file of its own.
"""

import asyncio
import datetime as dt
import gc
import importlib.util
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import ModuleType, SimpleNamespace
from typing import Any, Final, NamedTuple, cast

from api import hot, patience, plain, recent
from api.directory import Store
from api.process import GC_THRESHOLDS, Keys
from checkout_core import batcher, decide, ids, secrets, tokens
from checkout_core.ids import encode, new_id, of_bytes
from checkout_core.intents import Decision, Intent, Outcome, SaleKey

ROUND_S: Final = 0.5
CALLS: Final = 4  # of a turn


class Pair(NamedTuple):
    """`arguments` are made anew for each call, outside the clock; a call handles `reservations`."""

    name: str
    compiled: Callable[..., Any]
    python: Callable[..., Any]
    arguments: Callable[[], tuple[Any, ...]]
    reservations: int


def twin(module: ModuleType, source: Path | None = None) -> ModuleType:
    """The module as Python. `source` is where that is, unless beside the compiled file under the same name."""
    file = module.__file__
    assert file is not None
    path = source or Path(file).with_name(module.__name__.rpartition(".")[2] + ".py")
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_in_python", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def a_batch(size: int = 256) -> tuple[Any, ...]:
    """Of new shoppers, one unit each, limit 1."""
    raw = os.urandom(16 * size)
    return [(of_bytes(raw[16 * n : 16 * n + 16]), 1) for n in range(size)], {}, 1, size


def requests(size: int = 256) -> tuple[Any, ...]:
    """A crowd's presses, all of new shoppers, as they come; and nobody who waits yet."""
    raw = []
    body = b'{"sale_id":"%b","quantity":1}' % encode("sal", SALE.sale_id).encode()
    for n in range(size):
        token, _ = tokens.issue(KEYS.shoppers, SALE.tenant_id)
        raw.append(
            b"POST /v1/checkouts HTTP/1.1\r\nhost: 127.0.0.1:8000\r\nx-tessera-store: flash\r\nauthorization: Bearer %b\r\n"
            b"idempotency-key: k-%012d\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (token.encode(), n, len(body), body)
        )
    loop = SimpleNamespace(time=time.monotonic, call_at=lambda *_: None)
    return raw, patience.Patience(cast("asyncio.AbstractEventLoop", loop), 1.0)


def readings(core: Any) -> Callable[..., Any]:
    return lambda raw, _: [core.read(request) for request in raw]


def presses(core: Any) -> Callable[..., Any]:
    """From the bytes of a request to those of its answer, with each wish granted at once."""
    now = dt.datetime.now(dt.UTC)

    def grant(_: SaleKey, intent: Intent, waiter: Any) -> None:
        waiter.settle(Decision(Outcome.RESERVED, intent.order_id, "awaiting", intent.quantity, 100, "CNY", now, now))

    store = Store(SALE.tenant_id, "flash")
    process = SimpleNamespace(
        keys=KEYS, directory=SimpleNamespace(peek=lambda host, slug: store), batcher=SimpleNamespace(enter=grant),
        doors=SimpleNamespace(sold_out=SimpleNamespace(says=lambda sale, shopper: False)),
    )  # fmt: skip
    desk = core.Desk(SimpleNamespace(state=SimpleNamespace(process=process)), b"")
    connection = SimpleNamespace(decided=desk.decided)

    def press(raw: list[bytes], waiting: Any) -> None:
        for request in raw:
            cycle = desk.read(request)
            cycle.gate = connection
            desk.press(cycle, waiting)

    return press


def handfuls(size: int = 256) -> tuple[Any, ...]:
    return ([os.urandom(10) for _ in range(size)],)


def drawn(core: Any) -> Callable[..., Any]:
    return lambda chances: [core.of_chance(ten) for ten in chances]


def messages(size: int = 256) -> tuple[Any, ...]:
    return ([os.urandom(46) for _ in range(size)],)


def macs(core: Any) -> Callable[..., Any]:
    mac = core.Mac(b"k" * 32)
    return lambda each: [mac.of(message) for message in each]


def batches(core: Any) -> Callable[..., Any]:
    """From a wish to what it is told, with each batch decided at once."""

    async def decided(_: SaleKey, intents: Sequence[Any]) -> Sequence[Any]:
        return intents

    async def enter(intents: list[Any]) -> None:
        batcher = core.Batcher(decided)
        nobody = SimpleNamespace(gone=False, settle=lambda _: None)
        for intent in intents:
            batcher.enter(SALE, intent, nobody)
        await batcher.aclose()

    def run(intents: list[Any]) -> None:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(enter(intents))

    return run


KEYS: Final = Keys.of(b"k" * 32)
SALE: Final = SaleKey(new_id(), new_id())
# Each module against its own twin, which calls the other modules as they are: compiled.
PAIRS: Final = [
    Pair(module.__name__, of(module), of(twin(module)), arguments, 256)
    for module, of, arguments in (
        (decide, lambda core: core.decide, a_batch), (plain, readings, requests), (hot, presses, requests),
        (batcher, batches, lambda: ([object()] * 256,)), (ids, drawn, handfuls), (secrets, macs, messages),
    )
]  # fmt: skip
MODULES: Final = [decide, plain, hot, batcher, ids, secrets, patience, recent]  # whose files the report names


def is_compiled(module: ModuleType) -> bool:
    return bool(module.__file__ and module.__file__.endswith(".so"))


@contextmanager
def served() -> Iterator[None]:
    """The collector as a process that serves has it: at Python's own thresholds it takes two thirds of a press, and of chance."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def measure(rounds: int) -> tuple[list[float], dict[str, Any]]:
    """Per round, CPU of all pairs as Python ÷ compiled; and the µs per reservation of each."""
    us: dict[str, list[tuple[float, float]]] = {pair.name: [] for pair in PAIRS}
    with served():
        for _ in range(rounds):
            for pair in PAIRS:
                us[pair.name].append(timed(pair))
    totals = [[sum(us[pair.name][n][kind] for pair in PAIRS) for n in range(rounds)] for kind in (0, 1)]
    ratios = [python / compiled for compiled, python in zip(*totals, strict=True)]
    found = {}
    for name, each in us.items():
        compiled, python = (median(values) for values in zip(*each, strict=True))
        found[name] = {"compiled": round(compiled, 3), "python": round(python, 3), "ratio": round(python / compiled, 2)}
    return ratios, found


def timed(pair: Pair) -> tuple[float, float]:
    """µs of this thread per reservation, compiled and as Python; in turns of a few calls, so that a slow moment meets both."""
    spent_ns = [0, 0]
    turns = 0
    until = time.perf_counter() + ROUND_S
    while turns < 2 or time.perf_counter() < until:
        for kind, call in enumerate((pair.compiled, pair.python)):
            arguments = [pair.arguments() for _ in range(CALLS)]
            began = time.thread_time_ns()
            for each in arguments:
                call(*each)
            spent_ns[kind] += time.thread_time_ns() - began
        turns += 1
    compiled, python = (spent / 1000 / (turns * CALLS * pair.reservations) for spent in spent_ns)
    return compiled, python
