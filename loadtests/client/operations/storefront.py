"""Storefront. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages
from loadtests.client.operations.categories import Categories


class StoreName(Struct, frozen=True, kw_only=True, omit_defaults=True):
    slug: str
    name: str


class Offer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`stock` units are free at this moment. `state` is open, not_started, paused or ended. What has the `door` shelf is bought with
    `createOrder`, at `price_minor` in this channel, everything else with `createCheckout`; `base_price_minor` is what it costs without any
    price list. Of a `picked` one shoppers choose the units.
    """

    id: str
    name: str
    product_name: str
    description: str
    sku_name: str
    state: str
    price_minor: int
    currency: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    limit_per_shopper: int
    hold_s: int
    stock: int
    product_id: str
    category_id: str | None
    choices: dict[str, Any]
    face_value: str | None
    images: list[str]
    sku_id: str
    door: str
    base_price_minor: int
    picked: bool
    waiting_room: Literal["draw", "line", "off"]


class Storefront(Struct, frozen=True, kw_only=True, omit_defaults=True):
    store: StoreName
    sales: list[Offer]


class ShownProduct(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A published product with its sales that are on or to come, newest first. `images` are paths below the store's hosts."""

    id: str
    name: str
    description: str
    category_id: str | None
    images: list[str]
    offers: list[Offer]


class ShownProducts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    products: list[ShownProduct]
    next_cursor: str | None


class OfferedPick(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`available` units of it are free at this moment, counted up to 100. It can be chosen until `offered_until`."""

    pick: str
    label: str
    surcharge_minor: int
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    offered_until: str | None
    available: int


class OfferedPicks(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    picks: list[OfferedPick]
    next_cursor: str | None


def list_shown_categories(*, locale: str = "") -> Call[Categories]:
    """The categories of a store."""
    return Call(method="GET", path="/v1/storefront/categories", answers={200: Categories}, query={"locale": locale})


def get_storefront(*, channel: str = "api", locale: str = "") -> Call[Storefront]:
    """A store's current sales."""
    return Call(method="GET", path="/v1/storefront", answers={200: Storefront}, query={"channel": channel, "locale": locale})


def get_offer(sale_id: str, *, channel: str = "api", locale: str = "") -> Call[Offer]:
    """One sale of a store."""
    return Call(method="GET", path=f"/v1/storefront/sales/{sale_id}", answers={200: Offer}, query={"channel": channel, "locale": locale})


def get_shown_product(product_id: str, *, channel: str = "api", locale: str = "") -> Call[ShownProduct]:
    """One product of a store."""
    return Call(
        method="GET",
        path=f"/v1/storefront/products/{product_id}",
        answers={200: ShownProduct},
        query={"channel": channel, "locale": locale},
    )


def list_shown_products(
    *,
    limit: int = 20,
    cursor: str | None = None,
    q: str | None = None,
    category_id: str | None = None,
    channel: str = "api",
    locale: str = "",
) -> Pages[ShownProducts, ShownProduct]:
    """Products with something on sale, newest first: of a category, by words, or all."""
    return Pages(
        method="GET",
        path="/v1/storefront/products",
        answers={200: ShownProducts},
        query={"limit": limit, "cursor": cursor, "q": q, "category_id": category_id, "channel": channel, "locale": locale},
        rows=lambda page: page.products,
    )


def list_offered_picks(
    sku_id: str,
    *,
    limit: int = 20,
    cursor: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    channel: str = "api",
) -> Pages[OfferedPicks, OfferedPick]:
    """What a shopper may choose of a SKU, what is over soonest first."""
    return Pages(
        method="GET",
        path=f"/v1/storefront/skus/{sku_id}/picks",
        answers={200: OfferedPicks},
        query={"limit": limit, "cursor": cursor, "since": since, "until": until, "channel": channel},
        rows=lambda page: page.picks,
    )
