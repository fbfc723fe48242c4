"""Who of a batch gets units: tables of wishes and outcomes, on the compiled core and on its readable twin (the same file)."""

from types import ModuleType

import pytest
from hypothesis import given, strategies

from checkout_core import decide as compiled
from loadtests.bench.compiled import twin

readable = twin(compiled)
both = pytest.mark.parametrize("core", [compiled, readable], ids=["compiled", "readable"])
R, L, S = compiled.RESERVED, compiled.LIMIT, compiled.SOLD_OUT


def test_the_compiled_one_is_loaded() -> None:
    assert compiled.__file__.endswith(".so")
    assert readable.__file__ is not None
    assert readable.__file__.endswith(".py")


@both
@pytest.mark.parametrize(
    ("wishes", "taken", "limit", "free", "expected"),
    [
        ([("a", 1), ("b", 1)], {}, 1, 2, [(R, (1,)), (R, (1,))]),
        ([("a", 1), ("b", 1)], {}, 1, 1, [(R, (1,)), (S, ())]),
        ([("a", 1), ("a", 1)], {}, 1, 9, [(R, (1,)), (L, ())]),
        ([("a", 2), ("a", 1)], {}, 3, 9, [(R, (1, 2)), (R, (3,))]),
        ([("a", 2)], {"a": 0b10}, 3, 9, [(R, (1, 3))]),
        ([("a", 2)], {"a": 0b11}, 3, 9, [(L, ())]),
        ([("a", 3), ("b", 1)], {}, 3, 2, [(S, ()), (R, (1,))]),
        ([("a", 7), ("a", 7)], {}, 0, 14, [(R, ()), (R, ())]),
        ([("a", 1)], {}, 0, 0, [(S, ())]),
        ([("a", 5)], {}, 2, 0, [(L, ())]),
        ([("a", 1000)], {}, 1000, 1000, [(R, tuple(range(1, 1001)))]),
        ([], {}, 1, 1, []),
    ],
)
def test_decide(
    core: ModuleType, wishes: list[tuple[str, int]], taken: dict[str, int], limit: int, free: int, expected: list[object]
) -> None:
    assert core.decide(wishes, dict(taken), limit, free) == expected


@given(
    wishes=strategies.lists(strategies.tuples(strategies.sampled_from("abc"), strategies.integers(1, 6)), max_size=20),
    limit=strategies.integers(0, 8),
    free=strategies.integers(0, 30),
)
def test_both_agree_and_never_give_too_much(wishes: list[tuple[str, int]], limit: int, free: int) -> None:
    outcome = compiled.decide(wishes, {}, limit, free)
    assert outcome == readable.decide(wishes, {}, limit, free)
    given_away = [(shopper, quantity, slots) for (shopper, quantity), (what, slots) in zip(wishes, outcome, strict=True) if what == R]
    assert sum(quantity for _, quantity, _ in given_away) <= free
    if limit:
        for shopper in "abc":
            slots = [slot for who, _, slots in given_away for slot in slots if who == shopper]
            assert sorted(slots) == list(range(1, len(slots) + 1))
            assert len(slots) <= limit
