"""HTTP for groups of buyers, and who is in them. Each handler is one call into `tenants.prices.groups`."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Request, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from api.callers import Merchant
from api.etags import Tagged, if_match
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.prices import groups

GroupName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
GroupKind = Literal["level", "reseller"]


class NewBuyerGroup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A level of customers, or resellers."""

    name: GroupName
    kind: GroupKind


class BuyerGroupChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is named is set, all else stays."""

    name: GroupName | UnsetType = UNSET
    kind: GroupKind | UnsetType = UNSET


class BuyerGroup(Struct, frozen=True):
    id: str
    name: str
    kind: str
    created_at: dt.datetime

    @classmethod
    def of(cls, group: groups.Group) -> "BuyerGroup":
        return cls(encode("grp", group.id), group.name, group.kind, group.created_at)


class BuyerGroups(Struct, frozen=True):
    """All of the store's, by name."""

    buyer_groups: list[BuyerGroup]


class GroupMember(Struct, frozen=True):
    shopper_id: str
    since: dt.datetime

    @classmethod
    def of(cls, member: groups.Member) -> "GroupMember":
        return cls(encode("shp", member.shopper_id), member.since)


class GroupMembers(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    members: list[GroupMember]
    next_cursor: str | None


class BuyerGroupController(Controller):
    path = "/buyer-groups"
    tags = ("Prices",)

    @get("/", guards=[needs("prices:read")], operation_id="listBuyerGroups", summary="The store's groups of buyers, by name")
    async def all_of(self, tx: NamedDependency[TenantTx]) -> BuyerGroups:
        return BuyerGroups([BuyerGroup.of(group) for group in await groups.all_of(tx)])

    @post("/", guards=[needs("prices:write")], operation_id="createBuyerGroup", summary="Create a group of buyers, with nobody in it")
    async def create(self, data: JSONBody[NewBuyerGroup], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> BuyerGroup:
        async def create() -> BuyerGroup:
            return BuyerGroup.of(await groups.create(once.tx, name=data.name, kind=data.kind, actor=merchant.actor))

        return await once(create())

    @get("/{group_id:str}", guards=[needs("prices:read")], operation_id="getBuyerGroup", summary="Get a group of buyers")
    async def one(self, group_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Tagged[BuyerGroup]:
        found = await groups.get(tx, decode("grp", group_id))
        return Tagged(BuyerGroup.of(found), version=found.version)

    @patch(
        "/{group_id:str}",
        guards=[needs("prices:write")],
        problems=[409, 412, 428],
        opt={"if_match": True},
        operation_id="changeBuyerGroup",
        summary="Change a group's name or kind; If-Match says which version was read",
    )
    async def change(
        self,
        group_id: FromPath[str],
        data: JSONBody[BuyerGroupChange],
        request: Request[Any, Any, Any],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Tagged[BuyerGroup]:
        changes = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
        found = await groups.change(tx, decode("grp", group_id), changes, version=if_match(request), actor=merchant.actor)
        return Tagged(BuyerGroup.of(found), version=found.version)

    @delete(
        "/{group_id:str}",
        guards=[needs("prices:write")],
        problems=[409],  # a price list is for it
        operation_id="removeBuyerGroup",
        summary="Remove a group that no price list is for",
    )
    async def remove(self, group_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await groups.remove(tx, decode("grp", group_id), actor=merchant.actor)

    @get("/{group_id:str}/members", guards=[needs("prices:read")], operation_id="listGroupMembers", summary="Who is in a group")
    async def members(self, group_id: FromPath[str], tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> GroupMembers:
        found = await groups.members(tx, decode("grp", group_id), limit=page.rows, after=page.after(UUID))
        return GroupMembers(*page.cut([GroupMember.of(each) for each in found], [each.shopper_id for each in found]))

    @put(
        "/{group_id:str}/members/{shopper_id:str}",
        guards=[needs("prices:write")],
        problems=[409],
        operation_id="putGroupMember",
        summary="Put a shopper into a group",
    )
    async def join(
        self, group_id: FromPath[str], shopper_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> GroupMember:
        who = decode("shp", shopper_id)
        return GroupMember.of(await groups.put_member(tx, decode("grp", group_id), who, actor=merchant.actor))

    @delete(
        "/{group_id:str}/members/{shopper_id:str}",
        guards=[needs("prices:write")],
        operation_id="removeGroupMember",
        summary="Take a shopper out of a group",
    )
    async def leave(
        self, group_id: FromPath[str], shopper_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> None:
        await groups.drop_member(tx, decode("grp", group_id), decode("shp", shopper_id), actor=merchant.actor)
