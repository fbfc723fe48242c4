"""HTTP for exports of orders: asked for, watched, taken along."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.response import Stream
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.orders import CHANNEL_MAX, OrderState
from api.paging import Page
from api.process import Process
from api.wire import check_times, id_of
from checkout_core.errors import Unprocessable
from checkout_core.ids import decode, encode
from tenants.db import TenantTx, tenant_tx
from tenants.orders import Asked, export
from tenants.privacy import requests
from tenants.search import QUESTION_MAX

KINDS = (export.KIND,)
Moment = Annotated[dt.datetime, Meta(tz=True)]


class NewOrderExport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the orders must be, as in their list."""

    format: export.Format
    q: Annotated[str, Meta(min_length=1, max_length=QUESTION_MAX)] | None = None
    state: OrderState | None = None
    channel: Annotated[str, Meta(max_length=CHANNEL_MAX)] | None = None
    sale_id: Annotated[str, id_of("sal")] | None = None
    tag_id: Annotated[str, id_of("tag")] | None = None
    shopper_id: Annotated[str, id_of("shp")] | None = None
    since: Moment | None = None
    until: Moment | None = None


class OrderExport(Struct, frozen=True):
    """`state`: running, done, expired. `rows` counts the orders that are in it so far. It can be taken from done to `expires_at`."""

    id: str
    format: str | None
    state: str
    rows: int
    created_at: dt.datetime
    finished_at: dt.datetime | None
    expires_at: dt.datetime | None

    @classmethod
    def of(cls, request: requests.DataRequest) -> "OrderExport":
        asked = request.asked or {}
        return cls(
            encode("dat", request.id), asked.get("format"), request.state, request.progress.get("rows", 0),
            request.created_at, request.finished_at, request.expires_at,
        )  # fmt: skip


class OrderExports(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[OrderExport]
    next_cursor: str | None


class OrderExportController(Controller):
    path = "/order-exports"
    tags = ("Orders at work",)

    @post(
        "/",
        guards=[needs("orders:read")],
        status_code=202,
        while_suspended=True,
        problems=[409, 422],
        operation_id="exportOrders",
        summary="Have orders put into a file for a spreadsheet, without their codes",
    )
    async def create(self, data: JSONBody[NewOrderExport], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> OrderExport:
        return await once(_ask(once.tx, data, merchant.actor), status=202)

    @get("/", guards=[needs("orders:read")], operation_id="listOrderExports", summary="Exports of orders, newest first")
    async def list(self, tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> OrderExports:
        found = await requests.latest(tx, limit=page.rows, before=page.after(UUID), kinds=KINDS)
        return OrderExports(*page.cut([OrderExport.of(each) for each in found], [each.id for each in found]))

    @get("/{export_id:str}", guards=[needs("orders:read")], operation_id="getOrderExport", summary="How far an export is")
    async def read(self, export_id: FromPath[str], tx: NamedDependency[TenantTx]) -> OrderExport:
        return OrderExport.of(await requests.get(tx, decode("dat", export_id), kinds=KINDS))

    @get(
        "/{export_id:str}/file",
        guards=[needs("orders:read")],
        media_type="application/octet-stream",
        problems=[409],  # not made yet, or removed
        operation_id="downloadOrders",
        summary="The file of an export, CSV or XLSX; each download is recorded",
    )
    async def file(self, export_id: FromPath[str], process: NamedDependency[Process], merchant: NamedDependency[Merchant]) -> Stream:
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            request = await requests.downloadable(tx, decode("dat", export_id), kinds=KINDS)
            await tx.audit(merchant.actor, "data.downloaded", encode("dat", request.id), kind=request.kind)
        made = export.file(process.app_pool, process.keyring, merchant.tenant_id, request)
        name = f"orders-{request.created_at:%Y-%m-%d}.{export.wanted(request).format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Stream(made, media_type="application/octet-stream", headers=headers)


async def _ask(tx: TenantTx, asked: NewOrderExport, actor: str) -> OrderExport:
    check_times(asked.since, asked.until)
    if asked.q is not None and asked.shopper_id is not None:
        raise Unprocessable("Ask either for words or for a shopper.", code="words_of_a_shopper")
    wanted = Asked(
        q=asked.q, state=asked.state, channel=asked.channel, since=asked.since, until=asked.until,
        sale_id=decode("sal", asked.sale_id) if asked.sale_id else None, tag_id=decode("tag", asked.tag_id) if asked.tag_id else None,
        shopper_id=decode("shp", asked.shopper_id) if asked.shopper_id else None,
    )  # fmt: skip
    return OrderExport.of(await export.ask(tx, wanted, asked.format, actor=actor))
