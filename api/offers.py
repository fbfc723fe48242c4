"""HTTP for visitors: what a store has on offer. Public, and a second old at most."""

import datetime as dt

from litestar import Controller, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from api.directory import Store
from api.guards import anyone
from checkout_core.ids import decode, encode
from tenants import offers
from tenants.db import TenantTx


class StoreName(Struct, frozen=True):
    slug: str
    name: str


class Offer(Struct, frozen=True):
    """`stock` units are free at this moment. `state` is open, not_started, paused or ended."""

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


class Storefront(Struct, frozen=True):
    store: StoreName
    sales: list[Offer]


def _offer(offer: offers.Offer) -> Offer:
    _, *rest = (getattr(offer, name) for name in offers.Offer.__struct_fields__)
    return Offer(encode("sal", offer.sale_id), *rest)


class OfferController(Controller):
    path = "/storefront"
    tags = ("Storefront",)
    cache_control = CacheControlHeader(private=True, max_age=1)

    @get("/", guards=[anyone], operation_id="getStorefront", summary="A store's current sales")
    async def current(self, tx: NamedDependency[TenantTx], store: NamedDependency[Store]) -> Storefront:
        return Storefront(StoreName(store.slug, await offers.store_name(tx)), [_offer(offer) for offer in await offers.current(tx)])

    @get("/sales/{sale_id:str}", guards=[anyone], operation_id="getOffer", summary="One sale of a store")
    async def get(self, sale_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Offer:
        return _offer(await offers.get(tx, decode("sal", sale_id)))
