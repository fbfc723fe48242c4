"""HTTP for channels: which a store has, and where its sales and products are shown."""

from typing import Annotated

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.stores import LINE
from api.wire import END
from checkout_core.errors import NotFound
from checkout_core.ids import decode
from tenants import channels
from tenants.db import TenantTx

CODE = f"^[a-z][a-z0-9_]{{0,14}}{END}"
Code = Annotated[str, Meta(pattern=CODE, description="At most 15 characters; what orders carry.")]


class ChannelChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=LINE)]
    is_enabled: bool = True


class Channel(Struct, frozen=True):
    code: str
    name: str
    is_built_in: bool
    is_enabled: bool


class Channels(Struct, frozen=True):
    channels: list[Channel]


class Visibility(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The channels that show it; null for all, none when empty."""

    channels: Annotated[list[Code], Meta(max_length=100)] | None


def _channel(channel: channels.Channel) -> Channel:
    return Channel(channel.code, channel.name, channel.is_built_in, channel.is_enabled)


class ChannelController(Controller):
    path = "/channels"
    tags = ("Store",)

    @get("/", guards=[needs("store:read")], operation_id="listChannels", summary="The store's channels")
    async def all_of(self, tx: NamedDependency[TenantTx]) -> Channels:
        return Channels([_channel(channel) for channel in await channels.all_of(tx)])

    @put("/{code:str}", guards=[needs("store:write")], operation_id="putChannel", summary="Add, rename, enable or disable a channel")
    async def put(
        self, code: FromPath[str], data: JSONBody[ChannelChange], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> Channel:
        if not channels.is_code(code):
            raise NotFound("A channel's code is a lower-case letter and up to 14 letters, digits or underscores.")
        return _channel(await channels.put(tx, code, name=data.name, is_enabled=data.is_enabled, actor=merchant.actor))


class VisibilityController(Controller):
    path = "/"
    tags = ("Store",)

    @get("/sales/{sale_id:str}/channels", guards=[needs("sales:read")], operation_id="getSaleChannels", summary="Where a sale is shown")
    async def of_sale(self, sale_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Visibility:
        return Visibility(channels=await channels.shown_in(tx, "sal", decode("sal", sale_id)))

    @put(
        "/sales/{sale_id:str}/channels",
        guards=[needs("sales:write")],
        operation_id="setSaleChannels",
        summary="Choose where a sale is shown",
    )
    async def set_of_sale(
        self, sale_id: FromPath[str], data: JSONBody[Visibility], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> Visibility:
        return Visibility(channels=await channels.show_in(tx, "sal", decode("sal", sale_id), data.channels, actor=merchant.actor))

    @get(
        "/products/{product_id:str}/channels",
        guards=[needs("catalog:read")],
        operation_id="getProductChannels",
        summary="Where a product's sales are shown",
    )
    async def of_product(self, product_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Visibility:
        return Visibility(channels=await channels.shown_in(tx, "prd", decode("prd", product_id)))

    @put(
        "/products/{product_id:str}/channels",
        guards=[needs("catalog:write")],
        operation_id="setProductChannels",
        summary="Choose where a product's sales are shown",
    )
    async def set_of_product(
        self, product_id: FromPath[str], data: JSONBody[Visibility], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> Visibility:
        return Visibility(channels=await channels.show_in(tx, "prd", decode("prd", product_id), data.channels, actor=merchant.actor))
