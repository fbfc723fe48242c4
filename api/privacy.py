"""HTTP for data rights: a shopper found, handed out and erased; a store's data taken along."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from api.process import Process
from api.wire import NOTHING, Nothing
from checkout_core.ids import decode, encode
from tenants import roles
from tenants.db import TenantTx, tenant_tx
from tenants.permissions import check_within
from tenants.privacy import archives, erase, find, requests
from tenants.search import QUESTION_MAX

EVERYTHING = roles.BUILT_IN["read-only"]  # what is in a store's archive: nobody takes along what he may not look at


class ShopperSearch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In a body, so that no log of addresses keeps it."""

    contact: Annotated[str, Meta(min_length=1, max_length=254)]


class ShopperView(Struct, frozen=True):
    """`unfinished` orders have to end before the shopper can be erased. `contact` is the last that was left with one of them."""

    id: str
    orders: int
    unfinished: int
    last_order_at: dt.datetime | None
    erased_at: dt.datetime | None
    contact: str | None

    @classmethod
    def of(cls, found: find.Shopper) -> "ShopperView":
        return cls(encode("shp", found.id), found.orders, found.unfinished, found.last_order_at, found.erased_at, found.contact)


class Shoppers(Struct, frozen=True):
    items: list[ShopperView]


class ShopperPage(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last. A page may be short, or empty, and not the last."""

    items: list[ShopperView]
    next_cursor: str | None


class DataRequestView(Struct, frozen=True):
    """`state`: running, done, expired. `progress` counts what is done. An archive can be downloaded from done to `expires_at`."""

    id: str
    kind: str
    state: str
    shopper_id: str | None
    progress: dict[str, Any]
    created_at: dt.datetime
    finished_at: dt.datetime | None
    expires_at: dt.datetime | None

    @classmethod
    def of(cls, request: requests.DataRequest) -> "DataRequestView":
        shopper_id = encode("shp", request.shopper_id) if request.shopper_id else None
        counts = {name: value for name, value in request.progress.items() if isinstance(value, int)}
        return cls(
            encode("dat", request.id), request.kind, request.state, shopper_id, counts,
            request.created_at, request.finished_at, request.expires_at,
        )  # fmt: skip


class DataRequests(Struct, frozen=True):
    items: list[DataRequestView]
    next_cursor: str | None


class ShopperRightsController(Controller):
    path = "/shoppers"
    tags = ("Data rights",)

    @get(
        "/",
        guards=[needs("customers:read")],
        operation_id="listShoppers",
        summary="Who ordered, by the last order, newest first",
    )
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        q: Annotated[str | None, QueryParameter(min_length=1, max_length=QUESTION_MAX, description="Words of a contact.")] = None,
    ) -> ShopperPage:
        found = await find.latest(tx, q=q, limit=page.limit, before=page.after(tuple[dt.datetime, UUID]))
        return ShopperPage([ShopperView.of(each) for each in found.shoppers], page.turn(found.next))

    @post(
        "/search",
        guards=[needs("customers:read")],
        status_code=200,
        while_suspended=True,
        operation_id="searchShoppers",
        summary="Who left this contact with an order",
    )
    async def search(self, data: JSONBody[ShopperSearch], tx: NamedDependency[TenantTx]) -> Shoppers:
        return Shoppers([ShopperView.of(found) for found in await find.by_contact(tx, data.contact)])

    @get(
        "/{shopper_id:str}", guards=[needs("customers:read")], operation_id="getShopper", summary="What is held about a shopper, in figures"
    )
    async def read(self, shopper_id: FromPath[str], tx: NamedDependency[TenantTx]) -> ShopperView:
        return ShopperView.of(await find.shopper(tx, decode("shp", shopper_id)))

    @post(
        "/{shopper_id:str}/exports",
        guards=[needs("customers:read")],
        status_code=202,
        while_suspended=True,
        operation_id="exportShopper",
        summary="Have everything held about a shopper put into an archive",
    )
    async def export(
        self, shopper_id: FromPath[str], once: NamedDependency[Once], merchant: NamedDependency[Merchant], data: JSONBody[Nothing] = NOTHING
    ) -> DataRequestView:
        return await once(_export(once.tx, shopper_id, merchant.actor), status=202)

    @post(
        "/{shopper_id:str}/erasure",
        guards=[needs("customers:write")],
        status_code=202,
        while_suspended=True,
        operation_id="eraseShopper",
        summary="Erase a shopper, for good; his books stay under his pseudonym",
    )
    async def erase(
        self, shopper_id: FromPath[str], once: NamedDependency[Once], merchant: NamedDependency[Merchant], data: JSONBody[Nothing] = NOTHING
    ) -> DataRequestView:
        return await once(_erase(once.tx, shopper_id, merchant.actor), status=202)


class DataRequestController(Controller):
    path = "/data-requests"
    tags = ("Data rights",)

    @get("/", guards=[needs("customers:read")], operation_id="listDataRequests", summary="Exports and erasures, newest first")
    async def latest(self, tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> DataRequests:
        found = await requests.latest(tx, limit=page.rows, before=page.after(UUID))
        return DataRequests(*page.cut([DataRequestView.of(each) for each in found], [each.id for each in found]))

    @get("/{request_id:str}", guards=[needs("customers:read")], operation_id="getDataRequest", summary="How far an export or erasure is")
    async def read(self, request_id: FromPath[str], tx: NamedDependency[TenantTx]) -> DataRequestView:
        return DataRequestView.of(await requests.get(tx, decode("dat", request_id)))

    @get(
        "/{request_id:str}/archive",
        guards=[needs("customers:read")],
        media_type="application/zip",
        problems=[409],  # not made yet, or removed
        operation_id="downloadArchive",
        summary="The archive of an export, as ZIP; each download is recorded",
    )
    async def archive(self, request_id: FromPath[str], process: NamedDependency[Process], merchant: NamedDependency[Merchant]) -> Stream:
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            request = await requests.downloadable(tx, decode("dat", request_id))
            if request.kind == "store_export":
                check_within(EVERYTHING | {"store:write"}, merchant.scopes)
            await tx.audit(merchant.actor, "data.downloaded", encode("dat", request.id), kind=request.kind)
        files = archives.parts(process.app_pool, process.keyring, merchant.tenant_id, request.id)
        headers = {"Content-Disposition": f'attachment; filename="{request.kind}.zip"', "Cache-Control": "no-store"}
        return Stream(archives.zipped(files), media_type="application/zip", headers=headers)

    @post(
        "/store-exports",
        guards=[needs("store:write")],
        status_code=202,
        while_suspended=True,
        operation_id="exportStore",
        summary="Have all data of the store put into an archive, codes sealed",
    )
    async def export_store(
        self, once: NamedDependency[Once], merchant: NamedDependency[Merchant], data: JSONBody[Nothing] = NOTHING
    ) -> DataRequestView:
        check_within(EVERYTHING, merchant.scopes)
        return await once(_export_store(once.tx, merchant.actor), status=202)


async def _export(tx: TenantTx, shopper_id: str, actor: str) -> DataRequestView:
    found = await find.shopper(tx, decode("shp", shopper_id))
    return DataRequestView.of(await requests.ask(tx, "shopper_export", actor=actor, shopper_id=found.id))


async def _erase(tx: TenantTx, shopper_id: str, actor: str) -> DataRequestView:
    return DataRequestView.of(await erase.ask(tx, decode("shp", shopper_id), actor=actor))


async def _export_store(tx: TenantTx, actor: str) -> DataRequestView:
    return DataRequestView.of(await requests.ask(tx, "store_export", actor=actor))
