"""HTTP for visitors: what a store has on offer. Public, and a second old at most."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Struct, structs

from api.catalog.categories import Categories, view
from api.catalog.products import InCategory, Words
from api.directory import Store
from api.guards import anyone, while_open
from api.paging import Page
from api.wire import WaitingRoom
from checkout_core.ids import decode, encode
from tenants import offers
from tenants.catalog import categories
from tenants.db import TenantTx

In = QueryParameter(max_length=15, description="Of the store's channels, the one that it is shown in.")
Spoken = QueryParameter(max_length=16, description="Of the store's languages, the one that texts are wanted in; else as they were written.")


class StoreName(Struct, frozen=True):
    slug: str
    name: str


class Offer(Struct, frozen=True):
    """`stock` units are free at this moment. `state` is open, not_started, paused or ended. What has the `door` shelf is bought with
    `createOrder`, at `price_minor` in this channel, everything else with `createCheckout`; `base_price_minor` is what it costs without any
    price list. Of a `picked` one shoppers choose the units."""

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
    choices: dict[str, str]
    face_value: str | None
    images: list[str]
    sku_id: str
    door: str
    base_price_minor: int
    picked: bool
    waiting_room: WaitingRoom


class ShownProduct(Struct, frozen=True):
    """A published product with its sales that are on or to come, newest first. `images` are paths below the store's hosts."""

    id: str
    name: str
    description: str
    category_id: str | None
    images: list[str]
    offers: list[Offer]


class ShownProducts(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    products: list[ShownProduct]
    next_cursor: str | None


class Storefront(Struct, frozen=True):
    store: StoreName
    sales: list[Offer]


def _offer(offer: offers.Offer) -> Offer:
    values = structs.asdict(offer)
    ids = {"id": encode("sal", values.pop("sale_id")), "product_id": encode("prd", offer.product_id), "sku_id": encode("sku", offer.sku_id)}
    return Offer(**values | ids | {"category_id": encode("cat", offer.category_id) if offer.category_id else None})


def _shown(found: offers.Shown) -> ShownProduct:
    category_id = encode("cat", found.category_id) if found.category_id else None
    return ShownProduct(
        encode("prd", found.id), found.name, found.description, category_id, found.images, [_offer(offer) for offer in found.offers]
    )


class OfferController(Controller):
    path = "/storefront"
    tags = ("Storefront",)
    cache_control = CacheControlHeader(private=True, max_age=1)

    @get("/", guards=[anyone, while_open], operation_id="getStorefront", summary="A store's current sales", problems=[403])
    async def current(
        self,
        tx: NamedDependency[TenantTx],
        store: NamedDependency[Store],
        channel: Annotated[str, In] = "api",
        locale: Annotated[str, Spoken] = "",
    ) -> Storefront:
        found = await offers.current(tx, channel, locale)
        return Storefront(StoreName(store.slug, await offers.store_name(tx)), [_offer(offer) for offer in found])

    @get(
        "/products",
        guards=[anyone, while_open],
        operation_id="listShownProducts",
        summary="Products with something on sale, newest first: of a category, by words, or all",
        problems=[403, 404],  # no such store or category
    )
    async def products(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        q: Annotated[str | None, Words] = None,
        category_id: Annotated[str | None, InCategory] = None,
        channel: Annotated[str, In] = "api",
        locale: Annotated[str, Spoken] = "",
    ) -> ShownProducts:
        within = decode("cat", category_id) if category_id is not None else None
        found = await offers.products(tx, channel, locale, limit=page.rows, before=page.after(UUID), q=q, category_id=within)
        return ShownProducts(*page.cut([_shown(each) for each in found], [each.id for each in found]))

    @get(
        "/products/{product_id:str}", guards=[anyone, while_open], operation_id="getShownProduct", summary="One product of a store",
        problems=[403],
    )  # fmt: skip
    async def product(
        self,
        product_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        channel: Annotated[str, In] = "api",
        locale: Annotated[str, Spoken] = "",
    ) -> ShownProduct:
        return _shown(await offers.product(tx, decode("prd", product_id), channel, locale))

    @get(
        "/categories", guards=[anyone, while_open], operation_id="listShownCategories", summary="The categories of a store", problems=[403]
    )
    async def categories(self, tx: NamedDependency[TenantTx], locale: Annotated[str, Spoken] = "") -> Categories:
        return Categories([view(found) for found in await categories.all_of(tx, locale)])

    @get("/sales/{sale_id:str}", guards=[anyone, while_open], operation_id="getOffer", summary="One sale of a store", problems=[403])
    async def get(
        self,
        sale_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        channel: Annotated[str, In] = "api",
        locale: Annotated[str, Spoken] = "",
    ) -> Offer:
        return _offer(await offers.get(tx, decode("sal", sale_id), channel, locale))
