"""What the pages of a store show of its goods, each page read at once: its front, a shelf, one product, one sale, a product's picks."""

from typing import Final
from uuid import UUID

import msgspec

from tenants import offers, picks, prices
from tenants.catalog import categories, images, kinds
from tenants.catalog.categories import Category
from tenants.catalog.kinds import Kind
from tenants.db import TenantTx
from tenants.offers import Offer, Shown
from tenants.picks import Listed
from tenants.prices import Step

FLASH_MAX: Final = 60
BEST_MAX: Final = 8
NEWEST_MAX: Final = 12
PAGE: Final = 24  # products of a shelf's page
RELATED_MAX: Final = 4
PICKS_MAX: Final = 100  # as many as fit a list that people choose from
ITEMS_MAX: Final = 5_000  # products that a map of the store names

Sizes = dict[str, tuple[int, int]]


class Front(msgspec.Struct, frozen=True):
    """`best` went most often, `newest` came last; neither repeats what is in a sale of its own."""

    flash: list[Offer]
    best: list[Shown]
    newest: list[Shown]
    categories: list[Category]
    sizes: Sizes


class Shelf(msgspec.Struct, frozen=True):
    """A page of products; `more` when there are others after the last."""

    products: list[Shown]
    more: bool
    categories: list[Category]
    sizes: Sizes


class Whole(msgspec.Struct, frozen=True):
    """A product with all that its page says. `kinds` and `steps` are by SKU; what everybody pays, and from how many on."""

    product: Shown
    kinds: dict[UUID, Kind]
    steps: dict[UUID, list[Step]]
    related: list[Shown]
    categories: list[Category]
    sizes: Sizes


class Sold(msgspec.Struct, frozen=True):
    """One sale, with what it asks of whoever buys."""

    offer: Offer
    kind: Kind
    sizes: Sizes


async def front(tx: TenantTx, channel: str, locale: str) -> Front:
    flash = await offers.flash(tx, channel, locale, limit=FLASH_MAX)
    best = [each for each in await offers.chosen(tx, await offers.best(tx, limit=BEST_MAX), channel, locale) if _on_shelf(each)]
    known = {each.id for each in best}
    newest = await offers.products(tx, channel, locale, limit=NEWEST_MAX + BEST_MAX)
    newest = [each for each in newest if each.id not in known and _on_shelf(each)][:NEWEST_MAX]
    seen = {*(offer.product_id for offer in flash), *(each.id for each in [*best, *newest])}
    return Front(flash, best, newest, await categories.all_of(tx, locale), await images.sizes(tx, sorted(seen)))


async def shelf(tx: TenantTx, channel: str, locale: str, q: str, category_id: UUID | None, before: UUID | None) -> Shelf:
    """Raises `NotFound` for an unknown category."""
    found = await offers.products(tx, channel, locale, limit=PAGE + 1, before=before, q=q or None, category_id=category_id)
    shown = found[:PAGE]
    tree, sizes = await categories.all_of(tx, locale), await images.sizes(tx, [each.id for each in shown])
    return Shelf(shown, len(found) > PAGE, tree, sizes)


async def whole(tx: TenantTx, product_id: UUID, channel: str, locale: str) -> Whole:
    """Raises `NotFound`, also for a product of which nothing is on sale."""
    product = await offers.product(tx, product_id, channel, locale)
    skus = list(dict.fromkeys(offer.sku_id for offer in product.offers))
    near = await offers.products(tx, channel, locale, limit=RELATED_MAX + 1, category_id=product.category_id) if product.category_id else []
    related = [each for each in near if each.id != product.id][:RELATED_MAX]
    return Whole(
        product, await kinds.of(tx, skus), await prices.steps(tx, None, channel, skus), related, await categories.all_of(tx, locale),
        await images.sizes(tx, [product.id, *(each.id for each in related)]),
    )  # fmt: skip


async def sold(tx: TenantTx, sale_id: UUID, channel: str, locale: str) -> Sold:
    """Raises `NotFound`."""
    offer = await offers.get(tx, sale_id, channel, locale)
    return Sold(offer, (await kinds.of(tx, [offer.sku_id]))[offer.sku_id], await images.sizes(tx, [offer.product_id]))


async def choices(tx: TenantTx, sku_id: UUID, channel: str) -> list[Listed]:
    """The picks of a SKU that are free, what is over soonest first. Raises `NotFound`."""
    return [each for each in await picks.offered(tx, sku_id, channel, limit=PICKS_MAX) if each.available]


async def items(tx: TenantTx, channel: str) -> tuple[list[UUID], list[UUID]]:
    """What a map of the store names: its categories, and the newest products of which something is on sale."""
    return [each.id for each in await categories.all_of(tx)], await offers.ids(tx, channel, limit=ITEMS_MAX)


def _on_shelf(product: Shown) -> bool:
    return any(offer.door == "shelf" for offer in product.offers)
