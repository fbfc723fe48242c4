"""What is fuzzed: inputs by dice, and two ways to read each, which must say the same."""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple


class Target(NamedTuple):
    """`make` gives an input that Python can write down as a literal; whoever reads it leaves it as it is.

    A reader returns its verdict, expected errors included; whatever it raises is a finding, as is a verdict that the other does not share.
    """

    name: str
    make: Callable[[Random], Any]
    compiled: Callable[[Any], Any]
    readable: Callable[[Any], Any]
    share: int = 1  # of the time


def case(target: Target, seed: int, number: int) -> Any:
    """An input is a function of these, whatever came before it."""
    return target.make(Random(f"{seed} {target.name} {number}"))


def try_case(target: Target, value: Any) -> str | None:
    """What is wrong about how the two read it; None when nothing is."""
    verdicts = []
    for who, reader in (("compiled", target.compiled), ("readable", target.readable)):
        try:
            verdicts.append(reader(value))
        except Exception as error:
            return f"{who} raised {type(error).__name__}: {error}"
    one, other = verdicts
    return None if one == other else f"compiled says {one!r}\nreadable says {other!r}"
