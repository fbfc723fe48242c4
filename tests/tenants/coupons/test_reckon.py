"""What coupons take off: exactly, never all of it, and together as much as can be."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.coupons import reckon
from tenants.coupons.reckon import Good, Rule, apply, best, exactly, go_together, units
from tenants.orders.cart import split

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def rule(n: int, off_minor: int = 0, off_bp: int = 0, **changes: Any) -> Rule:
    kind = "fixed" if off_minor else "percent"
    plain = Rule(UUID(int=100 + n), UUID(int=200 + n), kind, off_minor, off_bp, None, 0, "all", frozenset(), str(n), False, None)
    return plain._replace(**changes)


def good(key: UUID, amount_minor: int, units: int = 1) -> Good:
    return Good(key, units, amount_minor, frozenset({key}))


# What there is, the coupons, and what each takes off the lines a, b, c.
TABLE: dict[str, tuple[Sequence[Good], Sequence[Rule], Sequence[dict[UUID, int]]]] = {
    "off one": ([good(A, 1000)], [rule(1, 300)], [{A: 300}]),
    "divided by what they cost": ([good(A, 1000), good(B, 500)], [rule(1, 300)], [{A: 200, B: 100}]),
    "what does not divide": ([good(A, 100), good(B, 100), good(C, 100)], [rule(1, 100)], [{A: 34, B: 33, C: 33}]),
    "a percent is rounded down": ([good(A, 999)], [rule(1, off_bp=1000)], [{A: 99}]),
    "a cap": ([good(A, 100_000)], [rule(1, off_bp=5000, cap_minor=100)], [{A: 100}]),
    "a unit costs one at least": ([good(A, 1000, 3)], [rule(1, 5000)], [{A: 997}]),
    "a cheap line gives what it has": ([good(A, 2), good(B, 1000)], [rule(1, 900)], [{A: 1, B: 899}]),
    "its scope": ([good(A, 1000), good(B, 1000)], [rule(1, 300, scope="only", names=frozenset({B}))], [{B: 300}]),
    "all but": ([good(A, 1000), good(B, 1000)], [rule(1, 300, scope="except", names=frozenset({B}))], [{A: 300}]),
    "percents first": ([good(A, 10_000)], [rule(1, 2000), rule(2, off_bp=1000)], [{A: 1000}, {A: 2000}]),
    "a threshold is of what it costs without": (
        [good(A, 10_000)], [rule(1, 2000, threshold_minor=10_000), rule(2, off_bp=1000)], [{A: 1000}, {A: 2000}],
    ),
    "the better of a group": ([good(A, 10_000)], [rule(1, 500, stack_group=""), rule(2, 700, stack_group="")], [{A: 700}]),
    "alone when that is more": ([good(A, 10_000)], [rule(1, 500), rule(2, 700), rule(3, 1300, exclusive=True)], [{A: 1300}]),
    "together when that is more": ([good(A, 10_000)], [rule(1, 500), rule(2, 700), rule(3, 1100, exclusive=True)], [{A: 500}, {A: 700}]),
    "one piece of a coupon": ([good(A, 10_000)], [rule(1, 500), rule(2, 500, coupon_id=UUID(int=201))], [{A: 500}]),
    "three at most": ([good(A, 10_000)], [rule(n, 100 + n) for n in range(5)], [{A: 102}, {A: 103}, {A: 104}]),
    "not beyond its budget": ([good(A, 10_000)], [rule(1, 500, left_minor=499), rule(2, 300)], [{A: 300}]),
    "nothing to take": ([good(A, 3, 3)], [rule(1, 500)], []),
}  # fmt: skip

goods = st.lists(
    st.tuples(st.sampled_from([UUID(int=n) for n in range(1, 9)]), st.integers(1, 5), st.integers(0, 50_000)), min_size=1, max_size=6,
    unique_by=lambda each: each[0],
).map(lambda drawn: [good(key, count + more, count) for key, count, more in drawn])  # fmt: skip
scopes = st.sampled_from([("all", frozenset()), ("only", frozenset({A, B})), ("except", frozenset({A, C}))])


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    found = []
    for n in range(draw(st.integers(1, 6))):
        off = {"off_minor": draw(st.integers(1, 20_000))} if draw(st.booleans()) else {"off_bp": draw(st.integers(1, 9999))}
        scope, names = draw(scopes)
        cap = draw(st.none() | st.integers(1, 3000)) if "off_bp" in off else None
        found.append(rule(
            n, **off, scope=scope, names=names, cap_minor=cap, threshold_minor=draw(st.sampled_from([0, 0, 5000])),
            stack_group=draw(st.sampled_from(["", "x", "y", "z"])), exclusive=draw(st.integers(0, 4)) == 0,
            left_minor=draw(st.none() | st.integers(0, 9000)),
        ))  # fmt: skip
    return found


@pytest.mark.parametrize("case", TABLE)
def test_the_table(case: str) -> None:
    there, coupons, expected = TABLE[case]
    shares = best(coupons, there).shares
    assert sorted((share.lines for share in shares), key=repr) == sorted(expected, key=repr)


def test_says_why_not() -> None:
    there = [good(A, 10_000)]
    coupons = [
        rule(1, 500), rule(2, 400, stack_group="1"), rule(3, 1, threshold_minor=12_000), rule(4, 1, scope="only", names=frozenset({B})),
        rule(5, 900, left_minor=1), rule(6, 500, coupon_id=UUID(int=201)), rule(7, 1, exclusive=True),
    ]  # fmt: skip
    told = {each.rule.grant_id.int - 100: (each.why, each.missing_minor) for each in best(coupons, there).unfit}
    assert told == {
        2: ("not_together", 0), 3: ("threshold", 2000), 4: ("out_of_scope", 0), 5: ("used_up", 0), 6: ("not_together", 0),
        7: ("not_together", 0),
    }  # fmt: skip


def test_named_ones_that_cannot_be_together() -> None:
    found = exactly([rule(1, 5, stack_group=""), rule(2, 9, stack_group="")], [good(A, 100)])
    assert (found.shares, [each.why for each in found.unfit]) == ([], ["not_together", "not_together"])


@given(goods, rules())
def test_any_carts(there: list[Good], coupons: list[Rule]) -> None:
    """Every line costs what it did less what was taken off it, and a unit 1 at least; no coupon takes more than it may."""
    found = best(coupons, there)
    left = {each.key: each.amount_minor for each in there}
    for share in found.shares:
        by = next(each for each in coupons if each.grant_id == share.grant_id)
        assert all(off > 0 for off in share.lines.values())
        assert by.left_minor is None or share.discount_minor <= by.left_minor
        assert share.discount_minor <= (by.off_minor or by.cap_minor or 10**9)
        for key, off in share.lines.items():
            left[key] -= off
    for each in there:
        assert left[each.key] >= each.units
        paid = units(left[each.key], split(each.amount_minor, each.units))
        assert sum(paid) == left[each.key]
        assert min(paid) >= 1
    assert {share.grant_id for share in found.shares} | {each.rule.grant_id for each in found.unfit} == {each.grant_id for each in coupons}


@given(goods, rules())
def test_nothing_takes_off_more(there: list[Good], coupons: list[Rule]) -> None:
    """Held against every set of them that may be together, each within its budget by itself."""
    able = [each for each in coupons if isinstance(reckon._alone(each, there), reckon.Share)]
    worth = [
        sum(share.discount_minor for share in apply(together, there))
        for count in range(reckon.TOGETHER_MAX + 1) for together in combinations(able, count) if go_together(together)
    ]  # fmt: skip
    assert best(coupons, there).discount_minor == max(worth)


def test_of_many_the_best_are_considered() -> None:
    found = best([rule(n, 100 + n) for n in range(50)], [good(A, 100_000)])
    assert found.discount_minor == 149 + 148 + 147
