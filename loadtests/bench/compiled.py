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


PAIRS: Final = [Pair("checkout_core.decide", decide.decide, twin(decide).decide, a_batch, 256)]
MODULES: Final = [decide]  # whose files the report names


def is_compiled(module: ModuleType) -> bool:
    return bool(module.__file__ and module.__file__.endswith(".so"))


def measure(rounds: int) -> tuple[list[float], dict[str, Any]]:
    """Per round, CPU of all pairs as Python ÷ compiled; and the µs per reservation of each."""
    us: dict[str, list[tuple[float, float]]] = {pair.name: [] for pair in PAIRS}
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
