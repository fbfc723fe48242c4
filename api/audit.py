"""HTTP for the audit: who did what, newest first; and all of it as a file."""

import datetime as dt
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Stream
from msgspec import Struct

from api.callers import Merchant
from api.guards import needs
from api.paging import Page
from api.process import Process
from api.wire import Since, Until, check_times
from checkout_core.ids import encode
from tenants.audit import read
from tenants.audit.read import Entry, Filter
from tenants.db import TenantTx, tenant_tx


class AuditEntry(Struct, frozen=True):
    """`actor` is `usr_…`, `key_…` or `shp_…`. `detail` holds ids and figures, never a code or a contact."""

    id: str
    at: dt.datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class AuditPage(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[AuditEntry]
    next_cursor: str | None


def _entry(found: Entry) -> AuditEntry:
    return AuditEntry(encode("aud", found.id), found.at, found.actor, found.action, found.subject, msgspec.json.decode(found.detail))


async def provide_wanted(
    actor: Annotated[str | None, QueryParameter(min_length=1, max_length=200, description="Only what was done by this one.")] = None,
    action: Annotated[str | None, QueryParameter(min_length=1, max_length=200, description="Only acts of this name.")] = None,
    subject: Annotated[str | None, QueryParameter(min_length=1, max_length=200, description="Only what was done to this.")] = None,
    since: Since = None,
    until: Until = None,
) -> Filter:
    check_times(since, until)
    return Filter(actor, action, subject, since, until)


class AuditController(Controller):
    path = "/audit"
    tags = ("Audit",)
    guards = (needs("audit:read"),)
    dependencies = {"wanted": Provide(provide_wanted)}

    @get("/", operation_id="listAudit", summary="Who did what, newest first")
    async def latest(self, tx: NamedDependency[TenantTx], page: NamedDependency[Page], wanted: NamedDependency[Filter]) -> AuditPage:
        found = await read.latest(tx, wanted, limit=page.rows, before=page.after(UUID))
        return AuditPage(*page.cut([_entry(each) for each in found], [each.id for each in found]))

    @get(
        "/export/csv",
        media_type="text/csv",
        operation_id="exportAuditCsv",
        summary="All entries as CSV, newest first; no cell can become a formula",
    )
    async def csv(self, process: NamedDependency[Process], merchant: NamedDependency[Merchant], wanted: NamedDependency[Filter]) -> Stream:
        return await _export(process, merchant, wanted, "csv", read.as_csv, "text/csv")

    @get(
        "/export/jsonl",
        media_type="application/jsonl",
        operation_id="exportAuditJsonLines",
        summary="All entries as JSON lines, newest first",
    )
    async def json_lines(
        self, process: NamedDependency[Process], merchant: NamedDependency[Merchant], wanted: NamedDependency[Filter]
    ) -> Stream:
        return await _export(process, merchant, wanted, "jsonl", read.as_json_lines, "application/jsonl")


async def _export(
    process: Process,
    merchant: Merchant,
    wanted: Filter,
    form: str,
    written: Callable[[AsyncIterator[list[Entry]]], AsyncIterator[bytes]],
    media_type: str,
) -> Stream:
    """A file of all entries, which is on record before its first byte leaves."""
    async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
        await read.latest(tx, wanted, limit=1)  # what cannot be asked is refused here, or else the file would break off
        await tx.audit(merchant.actor, "audit.exported", encode("ten", tx.tenant_id), format=form)
    headers = {"Content-Disposition": f'attachment; filename="audit.{form}"', "Cache-Control": "no-store"}
    return Stream(written(read.everything(process.app_pool, merchant.tenant_id, wanted)), media_type=media_type, headers=headers)
