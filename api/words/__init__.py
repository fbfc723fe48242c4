"""One word for each member of a body or an answer: `WORDS`, of which `api.examples` makes examples. A module for each area."""

from typing import Any, Final

from api.words import carts, catalog, common, coupons, ids, live, orders, picks, points, prices, types, units

WORDS: Final[dict[str, Any]] = (
    coupons.WORDS
    | ids.WORDS
    | common.WORDS
    | types.WORDS
    | picks.WORDS
    | catalog.WORDS
    | prices.WORDS
    | points.WORDS
    | units.WORDS
    | orders.WORDS
    | carts.WORDS
    | live.WORDS
)
