"""HTTP for entitlements: what delivered units entitle to, found, prolonged and ended."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.paging import Page
from checkout_core.errors import BadRequest
from checkout_core.ids import decode, encode
from tenants import entitlements, rights
from tenants.db import TenantTx

EntitlementState = Literal["active", "expired", "revoked"]
Why = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
DAYS_MAX = 3_660


class EntitlementView(Struct, frozen=True):
    """`type` is the product type that granted it, `unit` what it was granted with; `valid_until` null is for ever."""

    id: str
    type: str
    unit: int
    order_id: str
    sku_id: str
    shopper_id: str
    state: str
    valid_from: dt.datetime
    valid_until: dt.datetime | None

    @classmethod
    def of(cls, found: entitlements.Entitlement) -> "EntitlementView":
        return cls(
            encode("ent", found.id), found.type, found.unit_id, encode("ord", found.order_id), encode("sku", found.sku_id),
            encode("shp", found.shopper_id), found.state, found.valid_from, found.valid_until,
        )  # fmt: skip


class EntitlementUse(Struct, frozen=True):
    """A use that goes on: a device, as its program calls it."""

    name: str
    used_at: dt.datetime


class EntitlementWithUses(Struct, frozen=True):
    entitlement: EntitlementView
    uses: list[EntitlementUse]


class Entitlements(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[EntitlementView]
    next_cursor: str | None


class Prolongation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    days: Annotated[int, Meta(ge=1, le=DAYS_MAX)]
    reason: Why


class Revocation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Why


class EntitlementController(Controller):
    path = "/entitlements"
    tags = ("Entitlements",)

    @get("/", guards=[needs("orders:read")], operation_id="listEntitlements", summary="What units entitle to, newest first")
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        type_: Annotated[str | None, QueryParameter(name="type", max_length=32, description="Only those of this product type.")] = None,
        entitlement_state: Annotated[
            EntitlementState | None,
            QueryParameter(name="state", description="Only those in this state; with a type, a shopper or an order."),
        ] = None,
        shopper_id: Annotated[str | None, QueryParameter(description="Only those of this shopper.")] = None,
        order_id: Annotated[str | None, QueryParameter(description="Only those of this order.")] = None,
    ) -> Entitlements:
        if entitlement_state is not None and type_ is None and shopper_id is None and order_id is None:
            raise BadRequest("A state goes with a type, a shopper or an order.")
        found = await entitlements.latest(
            tx, type=type_, state=entitlement_state,
            shopper_id=decode("shp", shopper_id) if shopper_id is not None else None,
            order_id=decode("ord", order_id) if order_id is not None else None,
            limit=page.rows, before=page.after(UUID),
        )  # fmt: skip
        return Entitlements(*page.cut([EntitlementView.of(each) for each in found], [each.id for each in found]))

    @get(
        "/{entitlement_id:str}",
        guards=[needs("orders:read")],
        operation_id="getEntitlement",
        summary="An entitlement, and the uses of it that go on",
    )
    async def read(self, entitlement_id: FromPath[str], tx: NamedDependency[TenantTx]) -> EntitlementWithUses:
        found = await entitlements.get(tx, decode("ent", entitlement_id))
        uses = await entitlements.uses(tx, found.id)
        return EntitlementWithUses(EntitlementView.of(found), [EntitlementUse(use.name, use.used_at) for use in uses])

    @post(
        "/{entitlement_id:str}/prolong",
        guards=[needs("orders:write")],
        while_suspended=True,
        status_code=200,
        problems=[409],
        operation_id="prolongEntitlement",
        summary="Have it end so many days later",
    )
    async def prolong(
        self,
        entitlement_id: FromPath[str],
        data: JSONBody[Prolongation],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> EntitlementView:
        """Of a membership the shopper's last period is prolonged, since the others are followed by it."""
        found = await rights.prolong(tx, decode("ent", entitlement_id), data.days, data.reason.strip(), actor=merchant.actor)
        return EntitlementView.of(found)

    @post(
        "/{entitlement_id:str}/revoke",
        guards=[needs("orders:write")],
        while_suspended=True,
        status_code=200,
        problems=[409],
        operation_id="revokeEntitlement",
        summary="End it now, for good; no money goes back",
    )
    async def revoke(
        self,
        entitlement_id: FromPath[str],
        data: JSONBody[Revocation],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> EntitlementView:
        return EntitlementView.of(await rights.revoke(tx, decode("ent", entitlement_id), data.reason.strip(), actor=merchant.actor))
