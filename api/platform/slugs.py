"""HTTP for slugs that no merchant gets."""

import datetime as dt
from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.accounts import Slug
from api.guards import platform
from api.paging import Page
from api.provide import PlatformTx
from tenants.platform import slugs
from tenants.platform.sessions import Staff


class NewReservedSlug(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slug: Slug
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]


class ReservedSlug(Struct, frozen=True):
    slug: str
    reason: str
    created_at: dt.datetime


class ReservedSlugs(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    reserved_slugs: list[ReservedSlug]
    next_cursor: str | None


def _slug(found: slugs.ReservedSlug) -> ReservedSlug:
    return ReservedSlug(found.slug, found.reason, found.created_at)


class SlugController(Controller):
    path = "/platform/reserved-slugs"
    tags = ("Platform merchants",)

    @get("/", guards=[platform("slugs:read")], operation_id="listReservedSlugs", summary="Slugs that no merchant gets, in their order")
    async def all(self, platform_tx: NamedDependency[PlatformTx], page: NamedDependency[Page]) -> ReservedSlugs:
        found = await slugs.reserved(platform_tx.conn, limit=page.rows, after=page.after(str))
        return ReservedSlugs(*page.cut([_slug(each) for each in found], [each.slug for each in found]))

    @post(
        "/", guards=[platform("slugs:write")], operation_id="reserveSlug", summary="Keep a slug back; one that is a merchant's is refused"
    )
    async def create(
        self, data: JSONBody[NewReservedSlug], platform_tx: NamedDependency[PlatformTx], staff: NamedDependency[Staff]
    ) -> ReservedSlug:
        return _slug(await slugs.reserve(platform_tx.conn, data.slug, reason=data.reason, actor=staff.actor))

    @delete("/{slug:str}", guards=[platform("slugs:write")], operation_id="freeSlug", summary="Let merchants have a slug")
    async def free(self, slug: FromPath[str], platform_tx: NamedDependency[PlatformTx], staff: NamedDependency[Staff]) -> None:
        await slugs.free(platform_tx.conn, slug, actor=staff.actor)
