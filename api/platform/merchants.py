"""HTTP for merchants as the platform's staff see them."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.guards import platform
from api.paging import Page
from api.provide import PlatformTx
from checkout_core.errors import BadRequest
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.platform import merchants
from tenants.platform.merchants import Standing
from tenants.platform.sessions import Staff


class Reason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Kept in both records, and told to the merchant."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]


class PlatformMerchant(Struct, frozen=True):
    """`qualifications` has the newest of each kind that was ever submitted."""

    id: str
    slug: str
    name: str
    created_at: dt.datetime
    suspended_at: dt.datetime | None
    suspended_for: str | None
    qualifications: list[Standing]


class PlatformMerchantDetail(PlatformMerchant, frozen=True, kw_only=True):
    hosts: list[str]
    mails: list[str]


class PlatformMerchants(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    merchants: list[PlatformMerchant]
    next_cursor: str | None


def _merchant(found: merchants.Merchant) -> PlatformMerchant:
    _, *rest = (getattr(found, name) for name in merchants.Merchant.__struct_fields__)
    return PlatformMerchant(encode("ten", found.id), *rest)


def _detail(found: merchants.Detail) -> PlatformMerchantDetail:
    _, *rest = (getattr(found.merchant, name) for name in merchants.Merchant.__struct_fields__)
    return PlatformMerchantDetail(encode("ten", found.merchant.id), *rest, hosts=found.hosts, mails=found.mails)


class PlatformMerchantController(Controller):
    path = "/platform/merchants"
    tags = ("Platform merchants",)

    @get(
        "/",
        guards=[platform("merchants:read")],
        operation_id="listMerchants",
        summary="Merchants, newest first; or those that are looked for",
    )
    async def find(
        self,
        platform_tx: NamedDependency[PlatformTx],
        page: NamedDependency[Page],
        merchant_state: Annotated[str | None, QueryParameter(name="state", description="suspended: only those.")] = None,
        slug: Annotated[str | None, QueryParameter(max_length=32, description="Those whose slug begins so, by slug.")] = None,
        mail: Annotated[str | None, QueryParameter(max_length=254, description="Whose people have exactly this mail.")] = None,
    ) -> PlatformMerchants:
        if sum(given is not None for given in (merchant_state, slug, mail)) > 1:
            raise BadRequest("Look for one of state, slug and mail.", code="one_filter")
        if merchant_state not in (None, "suspended"):
            raise BadRequest("state is `suspended`, or not given.", code="bad_state")
        conn, limit = platform_tx.conn, page.rows
        if slug is not None:
            found = await merchants.by_slug(conn, slug, limit=limit, after=page.after(str))
            return PlatformMerchants(*page.cut([_merchant(each) for each in found], [each.slug for each in found]))
        if mail is not None:
            found = await merchants.by_mail(conn, mail, limit=limit, before=page.after(UUID))
        else:
            found = await merchants.newest(conn, limit=limit, before=page.after(UUID), suspended=merchant_state == "suspended")
        return PlatformMerchants(*page.cut([_merchant(each) for each in found], [each.id for each in found]))

    @get("/{merchant_id:str}", guards=[platform("merchants:read")], operation_id="getMerchant", summary="One merchant")
    async def get(self, merchant_id: FromPath[str], platform_tx: NamedDependency[PlatformTx]) -> PlatformMerchantDetail:
        return _detail(await merchants.get(platform_tx.conn, decode("ten", merchant_id)))

    @post(
        "/{merchant_id:str}/suspend",
        guards=[platform("merchants:suspend")],
        operation_id="suspendMerchant",
        summary="Close a store everywhere, within two seconds; what is paid is still delivered or refunded",
        status_code=200,
    )
    async def suspend(
        self, merchant_id: FromPath[str], data: JSONBody[Reason], on_tenant: NamedDependency[TenantTx], staff: NamedDependency[Staff]
    ) -> PlatformMerchantDetail:
        return _detail(await merchants.suspend(on_tenant, reason=data.reason, actor=staff.actor))

    @post(
        "/{merchant_id:str}/lift-suspension",
        guards=[platform("merchants:suspend")],
        operation_id="liftSuspension",
        summary="Open a store again",
        status_code=200,
    )
    async def lift(
        self, merchant_id: FromPath[str], data: JSONBody[Reason], on_tenant: NamedDependency[TenantTx], staff: NamedDependency[Staff]
    ) -> PlatformMerchantDetail:
        return _detail(await merchants.lift(on_tenant, reason=data.reason, actor=staff.actor))
