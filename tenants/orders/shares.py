"""A price divided among parts, to the minor unit.

By largest remainders, the method that Alexander Hamilton proposed in 1792 for the seats of Congress: each part gets the whole number below
its exact share, and what is left over goes, one minor unit each, to the largest fractions (M. Balinski and H. P. Young, *Fair
Representation*, 1982, with minimum requirements too). Whole numbers all the way: there is nothing to round.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from checkout_core.errors import Conflict


class Claim(NamedTuple):
    """`units` of what `key` names, which weigh `weight` (at least 1) together. The key decides between equals, so no order of them does."""

    key: UUID
    units: int
    weight: int


class PriceTooSmall(Conflict):
    code = "price_too_small"


def divide(amount_minor: int, claims: Sequence[Claim]) -> list[int]:
    """What each costs, in minor units: their sum is `amount_minor`, and n units cost at least n.

    Who would get less than that gets it all the same, and the rest is divided among the others: each then gets his exact share of it, up
    to the next whole number above or below. When the price rises nobody loses more than one (that one he may: the Alabama paradox).

    Raises `PriceTooSmall` when there is not one minor unit for each unit.
    """
    least = sum(claim.units for claim in claims)
    if amount_minor < least:
        raise PriceTooSmall(
            f"{amount_minor} cannot be divided among {least} units that cost at least 1 each. Nothing was reserved; it must cost more.",
            least_minor=least,
        )
    lifted: dict[UUID, int] = {}
    # Whom his minimum lifts takes from the others, who may then need theirs. Somebody is always left: exact shares that all lie below the
    # minimums would add up to less than these, and there is enough for all of them.
    while True:
        left = amount_minor - sum(lifted.values())
        others = [claim for claim in claims if claim.key not in lifted]
        whole = sum(claim.weight for claim in others)
        short = {claim.key: claim.units for claim in others if left * claim.weight < claim.units * whole}
        if not short:
            break
        lifted |= short
    shares = lifted | {claim.key: left * claim.weight // whole for claim in others}
    over = amount_minor - sum(shares.values())
    for claim in sorted(others, key=lambda claim: (left * claim.weight % whole, claim.weight, claim.key), reverse=True)[:over]:
        shares[claim.key] += 1
    return [shares[claim.key] for claim in claims]
