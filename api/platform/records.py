"""HTTP for the platform's record of what its people did."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct

from api.guards import platform
from api.paging import Page
from api.provide import PlatformTx
from checkout_core.ids import decode, encode
from tenants.platform import records


class PlatformRecord(Struct, frozen=True):
    """`merchant_id` is whom it concerned, if anybody: his own audit has it too."""

    id: str
    at: dt.datetime
    actor: str
    action: str
    subject: str
    merchant_id: str | None
    detail: dict[str, Any]


class PlatformRecords(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    records: list[PlatformRecord]
    next_cursor: str | None


def _record(found: records.Record) -> PlatformRecord:
    merchant_id = encode("ten", found.tenant_id) if found.tenant_id else None
    return PlatformRecord(encode("rec", found.id), found.at, found.actor, found.action, found.subject, merchant_id, found.detail)


class RecordController(Controller):
    path = "/platform/records"
    tags = ("Platform staff",)

    @get("/", guards=[platform("record:read")], operation_id="listPlatformRecords", summary="What the platform's staff did, newest first")
    async def latest(
        self,
        platform_tx: NamedDependency[PlatformTx],
        page: NamedDependency[Page],
        merchant_id: Annotated[str | None, QueryParameter(description="Only what was done to this merchant.")] = None,
    ) -> PlatformRecords:
        tenant_id = decode("ten", merchant_id) if merchant_id is not None else None
        found = await records.latest(platform_tx.conn, tenant_id=tenant_id, limit=page.rows, before=page.after(UUID))
        return PlatformRecords(*page.cut([_record(each) for each in found], [each.id for each in found]))
