"""The faults of `reader.py` as targets, for a process in the folder of a build. `readable.py` is a copy that was not compiled."""

from collections.abc import Callable
from random import Random
from types import ModuleType

from tests.fuzz.target import Target

from . import readable, reader

NAMES = [
    "past_the_end", "before_the_beginning", "by_pointer", "after_release", "beyond_a_table", "of_nobody", "too_large", "differs",
]  # fmt: skip


def a_place(dice: Random) -> tuple[bytes, int]:
    """Mostly within, and never just at the end, where C has a byte that no sanitizer minds."""
    data = dice.randbytes(dice.randint(1, 40))
    return data, dice.randrange(len(data)) if dice.random() < 0.9 else len(data) + dice.randint(1, 24)


def reading(core: ModuleType, name: str) -> Callable[[tuple[bytes, int]], int]:
    return lambda value: getattr(core, name)(*value)  # type: ignore[no-any-return]


TARGETS = [Target(name, a_place, reading(reader, name), reading(readable, name)) for name in NAMES]
LOADED = [reader]
