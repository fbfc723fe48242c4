"""HTTP for tags: the store's list of them, and those of an order."""

import datetime as dt
from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.wire import id_of
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.orders import tags

TagName = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\S")]


class NewTag(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: TagName


class OrderTags(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All tags of an order."""

    tag_ids: Annotated[list[Annotated[str, id_of("tag")]], Meta(max_length=tags.ORDER_MAX)]


class Tag(Struct, frozen=True):
    id: str
    name: str
    created_at: dt.datetime

    @classmethod
    def of(cls, tag: tags.Tag) -> "Tag":
        return cls(encode("tag", tag.id), tag.name, tag.created_at)


class Tags(Struct, frozen=True):
    tags: list[Tag]


class TagController(Controller):
    path = "/order-tags"
    tags = ("Orders at work",)

    @get("/", guards=[needs("orders:read")], operation_id="listOrderTags", summary="The store's tags for orders, by name")
    async def list(self, tx: NamedDependency[TenantTx]) -> Tags:
        return Tags([Tag.of(tag) for tag in await tags.latest(tx)])

    @post("/", guards=[needs("orders:write")], problems=[409], operation_id="createOrderTag", summary="Add a tag to the store's list")
    async def create(self, data: JSONBody[NewTag], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> Tag:
        return await once(_create(once.tx, data.name, merchant.actor))

    @put("/{tag_id:str}", guards=[needs("orders:write")], problems=[409], operation_id="renameOrderTag", summary="Give a tag another name")
    async def rename(
        self, tag_id: FromPath[str], data: JSONBody[NewTag], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> Tag:
        return Tag.of(await tags.rename(tx, decode("tag", tag_id), data.name.strip(), actor=merchant.actor))

    @delete(
        "/{tag_id:str}", guards=[needs("orders:write")], problems=[409], operation_id="deleteOrderTag", summary="Remove a tag no order has"
    )
    async def remove(self, tag_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await tags.remove(tx, decode("tag", tag_id), actor=merchant.actor)


class TaggedOrderController(Controller):
    path = "/orders/{order_id:str}/tags"
    tags = ("Orders at work",)

    @put("/", guards=[needs("orders:write")], operation_id="putOrderTags", summary="Say which tags an order has, all of them")
    async def put(
        self, order_id: FromPath[str], data: JSONBody[OrderTags], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> OrderTags:
        wanted = [decode("tag", each) for each in data.tag_ids]
        has = await tags.put(tx, decode("ord", order_id), wanted, actor=merchant.actor)
        return OrderTags(tag_ids=[encode("tag", each) for each in has])


async def _create(tx: TenantTx, name: str, actor: str) -> Tag:
    return Tag.of(await tags.create(tx, name.strip(), actor=actor))
