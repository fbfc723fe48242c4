"""What each part of a bundle costs: whatever the price and the weights, it adds up."""

from fractions import Fraction
from math import ceil, floor
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.orders.shares import Claim, PriceTooSmall, divide

claims = st.lists(
    st.builds(Claim, st.uuids(), st.integers(1, 100), st.integers(1, 10**11)), min_size=1, max_size=20, unique_by=lambda claim: claim.key
)


def least(of: list[Claim]) -> int:
    return sum(claim.units for claim in of)


@st.composite
def priced(draw: st.DrawFn) -> tuple[int, list[Claim]]:
    """Parts, and a price that is enough for them: often hardly."""
    of = draw(claims)
    return least(of) + draw(st.integers(0, 2_000) | st.integers(0, 10**11)), of


def exact(amount: int, of: list[Claim]) -> list[Fraction]:
    """The same for all weight, but no less than the minimum of each, as fractions: lifted are those whose minimum is dearest by weight."""
    dearest = sorted(of, key=lambda claim: Fraction(claim.units, claim.weight), reverse=True)
    for lifted in range(len(of)):
        price = Fraction(amount - least(dearest[:lifted]), sum(claim.weight for claim in dearest[lifted:]))
        if all(price * claim.weight >= claim.units for claim in dearest[lifted:]):
            break
    return [max(Fraction(claim.units), price * claim.weight) for claim in of]


def weights(*of: int, units: int = 1) -> list[Claim]:
    return [Claim(UUID(int=n), units, weight) for n, weight in enumerate(of)]


class TestDivide:
    @pytest.mark.parametrize(
        ("amount", "of", "expected"),
        [
            (100, weights(1), [100]),
            (100, weights(1, 1), [50, 50]),
            (100, weights(70, 30), [70, 30]),
            (100, weights(1, 1, 1), [33, 33, 34]),  # between equals the key decides
            (101, weights(1, 1, 1), [33, 34, 34]),
            (9900, weights(9900, 5000, 1), [6577, 3322, 1]),
            (10, weights(1000, 1, 1), [8, 1, 1]),
            (3, weights(1000, 1, 1), [1, 1, 1]),
            (12, weights(1000, 1, units=5), [7, 5]),
        ],
    )
    def test_is_this(self, amount: int, of: list[Claim], expected: list[int]) -> None:
        assert divide(amount, of) == expected

    def test_whom_another_minimum_brings_below_his_own(self) -> None:
        """Of 20, the second's exact share is 10.9: enough for his 10, until the third takes 5 that weigh nothing."""
        assert divide(20, [Claim(UUID(int=0), 1, 4), Claim(UUID(int=1), 10, 6), Claim(UUID(int=2), 5, 1)]) == [5, 10, 5]

    @given(priced())
    def test_the_sum_is_the_price(self, asked: tuple[int, list[Claim]]) -> None:
        amount, of = asked
        assert sum(divide(amount, of)) == amount

    @given(priced())
    def test_each_unit_costs_something(self, asked: tuple[int, list[Claim]]) -> None:
        amount, of = asked
        assert all(share >= claim.units for share, claim in zip(divide(amount, of), of, strict=True))

    @given(priced(), st.randoms(use_true_random=False))
    def test_no_order_of_the_parts_matters(self, asked: tuple[int, list[Claim]], random: Random) -> None:
        amount, of = asked
        mixed = list(of)
        random.shuffle(mixed)
        assert dict(zip(mixed, divide(amount, mixed), strict=True)) == dict(zip(of, divide(amount, of), strict=True))

    @given(priced())
    def test_within_one_of_the_exact_share(self, asked: tuple[int, list[Claim]]) -> None:
        amount, of = asked
        assert all(floor(x) <= share <= ceil(x) for share, x in zip(divide(amount, of), exact(amount, of), strict=True))

    @given(priced(), st.integers(1, 10_000))
    def test_of_a_higher_price_nobody_loses_more_than_one(self, asked: tuple[int, list[Claim]], more: int) -> None:
        amount, of = asked
        assert all(now >= before - 1 for now, before in zip(divide(amount + more, of), divide(amount, of), strict=True))

    @given(st.lists(st.integers(1, 10**6), min_size=2, max_size=20), st.integers(1, 50), st.integers(0, 10**7))
    def test_who_weighs_more_never_gets_less(self, of: list[int], units: int, more: int) -> None:
        shares = divide(units * len(of) + more, weights(*of, units=units))
        ranked = sorted(zip(of, shares, strict=True))
        assert [share for _, share in ranked] == sorted(shares)

    @given(claims, st.integers(1, 2_000))
    def test_a_price_that_is_not_enough(self, of: list[Claim], short: int) -> None:
        with pytest.raises(PriceTooSmall) as refused:
            divide(least(of) - short, of)
        assert refused.value.extra == {"least_minor": least(of)}
