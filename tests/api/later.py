"""Whatever processes remember gets older at a word."""

import time
from types import SimpleNamespace

import pytest

from api import memory

WITHIN_S = 2.0  # after which nobody goes by what was before a change


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of the memories: `ahead_s` seconds before the real one."""
    clock = SimpleNamespace(ahead_s=0.0)
    clock.monotonic = lambda: time.monotonic() + clock.ahead_s
    monkeypatch.setattr(memory, "time", clock)
    return clock
