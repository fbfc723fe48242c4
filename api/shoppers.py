"""HTTP for guests: a token of their own, which is all a shopper needs to buy."""

import datetime as dt
from typing import Annotated

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.directory import Store
from api.guards import anyone, while_open
from api.limits import per_address
from api.process import Process
from api.wire import END
from checkout_core import tokens
from checkout_core.ids import encode
from tenants import channels


class NewGuest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`channel` is what each order with this token will carry: one of the store's; `api` when none is named."""

    channel: Annotated[str, Meta(pattern=f"^[a-z][a-z0-9_]{{0,14}}{END}")] | None = None


NEW_GUEST = NewGuest()


class ShopperToken(Struct, frozen=True):
    token: str
    shopper_id: str
    expires_at: dt.datetime


class ShopperController(Controller):
    path = "/shopper-tokens"
    tags = ("Shoppers",)

    @post(
        "/",
        guards=[anyone, per_address("guests"), while_open],
        operation_id="createShopperToken",
        summary="Become a guest",
        problems=[403],
    )
    async def create(
        self, store: NamedDependency[Store], process: NamedDependency[Process], data: JSONBody[NewGuest] = NEW_GUEST
    ) -> ShopperToken:
        if data.channel is not None:
            channels.check(await process.channels_of(store.tenant_id), data.channel)
        token, guest = tokens.issue(process.keys.shoppers, store.tenant_id, channel=data.channel or "")
        return ShopperToken(token, encode("shp", guest.id), dt.datetime.fromtimestamp(guest.expires_at, dt.UTC))
