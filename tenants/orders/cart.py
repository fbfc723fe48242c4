"""What a shopper wants of several SKUs at once: lines as they are asked for, before anybody knows whether they can be had."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from tenants.prices import Ask, Price

LINES_MAX: Final = 50
Prices = Callable[[Sequence[Ask]], Awaitable[list[Price]]]
"""What SKUs cost this shopper through this channel: `tenants.prices.of` with both already said."""


class Wanted(NamedTuple):
    """A line of a cart. With `picks` it names its units, `quantity` of them.

    `amount_minor` is what the whole line costs when a bundle has said so, by the price `price_id` (NULL for the SKU's own); otherwise
    prices and surcharges do. It is a part of `bundle_quantity` such bundles.
    """

    sku_id: UUID
    quantity: int
    picks: tuple[str, ...] = ()
    amount_minor: int | None = None
    bundle_id: UUID | None = None
    bundle_quantity: int | None = None
    price_id: UUID | None = None


def summed(lines: Sequence[Wanted]) -> list[Wanted]:
    """One line for each SKU, as if it had been asked for at once; in the order in which SKUs are first named."""
    found: dict[UUID, Wanted] = {}
    for line in lines:
        known = found.get(line.sku_id)
        found[line.sku_id] = known._replace(quantity=known.quantity + line.quantity, picks=known.picks + line.picks) if known else line
    return list(found.values())


def split(amount_minor: int, units: int) -> list[int]:
    """What each unit of a line costs that costs so much as a whole: alike, to the last minor unit, and the first ones bear the rest."""
    each, rest = divmod(amount_minor, units)
    return [each + 1] * rest + [each] * (units - rest)
