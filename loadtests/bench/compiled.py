"""What compiling pays: each compiled part against its readable twin in Python, on the same arguments, in turns.

A new pair is a line in `PAIRS`. The twin is the same source file, loaded as Python, unless it has a file of its own.
"""

import importlib.util
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any, Final, NamedTuple

from checkout_core import decide
from checkout_core.ids import of_bytes

ROUND_S: Final = 0.15


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


PAIRS: Final = [Pair("checkout_core.decide", decide.decide, twin(decide).decide, a_batch, 256)]
MODULES: Final = [decide]  # whose files the report names


def is_compiled(module: ModuleType) -> bool:
    return bool(module.__file__ and module.__file__.endswith(".so"))


def measure(rounds: int) -> tuple[list[float], dict[str, Any]]:
    """Per round, CPU of all pairs as Python ÷ compiled; and the µs per reservation of each."""
    us: dict[str, dict[str, list[float]]] = {pair.name: {"compiled": [], "python": []} for pair in PAIRS}
    for _ in range(rounds):
        for pair in PAIRS:
            us[pair.name]["compiled"].append(timed(pair.compiled, pair))
            us[pair.name]["python"].append(timed(pair.python, pair))
    totals = {kind: [sum(us[pair.name][kind][n] for pair in PAIRS) for n in range(rounds)] for kind in ("compiled", "python")}
    ratios = [python / compiled for python, compiled in zip(totals["python"], totals["compiled"], strict=True)]
    medians = {name: {kind: round(median(values), 3) for kind, values in each.items()} for name, each in us.items()}
    return ratios, {name: each | {"ratio": round(each["python"] / each["compiled"], 2)} for name, each in medians.items()}


def timed(call: Callable[..., Any], pair: Pair) -> float:
    """µs of this thread per reservation."""
    spent_ns = calls = 0
    until = time.perf_counter() + ROUND_S
    while time.perf_counter() < until:
        arguments = [pair.arguments() for _ in range(16)]
        began = time.thread_time_ns()
        for each in arguments:
            call(*each)
        spent_ns += time.thread_time_ns() - began
        calls += 16
    return spent_ns / 1000 / calls / pair.reservations
