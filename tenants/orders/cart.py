"""What a shopper wants of several SKUs at once: lines as they are asked for, before anybody knows whether they can be had."""

from typing import NamedTuple
from uuid import UUID


class Wanted(NamedTuple):
    """A line of a cart. With `picks` it names its units, `quantity` of them.

    `amount_minor` is what the whole line costs when a bundle has said so; otherwise prices and surcharges do.
    """

    sku_id: UUID
    quantity: int
    picks: tuple[str, ...] = ()
    amount_minor: int | None = None
    bundle_id: UUID | None = None
