"""HTTP for guests: a token of their own, which is all a shopper needs to buy."""

import datetime as dt

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from api.directory import Store
from api.guards import anyone
from api.limits import per_address
from api.process import Process
from api.wire import NOTHING, Nothing
from checkout_core import tokens
from checkout_core.ids import encode


class ShopperToken(Struct, frozen=True):
    token: str
    shopper_id: str
    expires_at: dt.datetime


class ShopperController(Controller):
    path = "/shopper-tokens"
    tags = ("Shoppers",)

    @post("/", guards=[anyone, per_address("guests", per_minute=30, burst=60)], operation_id="createShopperToken", summary="Become a guest")
    async def create(
        self, store: NamedDependency[Store], process: NamedDependency[Process], data: JSONBody[Nothing] = NOTHING
    ) -> ShopperToken:
        token, guest = tokens.issue(process.keys.shoppers, store.tenant_id)
        return ShopperToken(token, encode("shp", guest.id), dt.datetime.fromtimestamp(guest.expires_at, dt.UTC))
