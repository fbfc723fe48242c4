"""HTTP for exports: many codes as a file, with the consent of a second person."""

import asyncio
import datetime as dt
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from api.process import Process
from api.wire import NOTHING, Nothing
from checkout_core.errors import BadRequest
from checkout_core.ids import decode, encode
from tenants import spreadsheets, vault
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.vault import exports

AT_ONCE = 500  # codes opened before others have their turn: 5 ms
Kind = Literal["stock", "batch", "order"]
State = Literal["requested", "approved", "refused", "downloaded", "expired"]
HEAD = ("unit", "state", "code", "secret", "valid_until", "face_value")


class NewExport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `sku_id` (loose stock, the last loaded first), `import_id` (a batch) and `order_id` (what it was delivered)."""

    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
    sku_id: str | None = None
    import_id: str | None = None
    order_id: str | None = None
    units: Annotated[int, Meta(ge=1, le=exports.UNITS_MAX, description="At most so many.")] = exports.UNITS_MAX


class ExportView(Struct, frozen=True, kw_only=True):
    """`state`: requested, approved, refused, downloaded, expired. `units` were chosen when it was asked for; `exported` of them were in the
    file: what was sold or allotted meanwhile was not."""

    id: str
    kind: Kind
    of: str
    reason: str
    units: int
    state: State
    asked_by: str
    decided_by: str | None
    exported: int | None
    created_at: dt.datetime
    decided_at: dt.datetime | None
    downloaded_at: dt.datetime | None
    expires_at: dt.datetime

    @classmethod
    def of_(cls, export: exports.Export) -> "ExportView":
        kind, state = cast("Kind", export.kind), cast("State", export.state)  # by their CHECK
        return cls(
            id=encode("exp", export.id), kind=kind, of=encode(exports.PREFIXES[kind], export.subject_id), reason=export.reason,
            units=export.units, state=state, asked_by=export.asked_by, decided_by=export.decided_by, exported=export.exported,
            created_at=export.created_at, decided_at=export.decided_at, downloaded_at=export.downloaded_at, expires_at=export.expires_at,
        )  # fmt: skip


class Exports(Struct, frozen=True):
    items: list[ExportView]
    next_cursor: str | None


class ExportController(Controller):
    path = "/vault/exports"
    tags = ("Codes",)

    @post(
        "/",
        guards=[needs("codes:export")],
        operation_id="requestExport",
        problems=[409],  # nobody else could approve it, or there is nothing
        summary="Ask for many codes as a file; another member approves it within a day",
    )
    async def request(self, data: JSONBody[NewExport], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> ExportView:
        return await once(_request(once.tx, data, _member(merchant)))

    @get("/", guards=[needs("codes:export")], operation_id="listExports", summary="Exports of codes, newest first")
    async def latest(self, tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> Exports:
        found = await exports.latest(tx, limit=page.rows, before=page.after(UUID))
        return Exports(*page.cut([ExportView.of_(each) for each in found], [each.id for each in found]))

    @get(
        "/{code_export_id:str}",
        guards=[needs("codes:export")],
        operation_id="getExport",
        summary="What an export is of, and where it stands",
    )
    async def read(self, code_export_id: FromPath[str], tx: NamedDependency[TenantTx]) -> ExportView:
        return ExportView.of_(await exports.get(tx, decode("exp", code_export_id)))

    @post(
        "/{code_export_id:str}/approve",
        guards=[needs("codes:export")],
        status_code=200,
        problems=[409],
        operation_id="approveExport",
        summary="Consent to an export that somebody else asked for",
    )
    async def approve(
        self,
        code_export_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> ExportView:
        return ExportView.of_(await exports.approve(tx, decode("exp", code_export_id), by=_member(merchant)))

    @post(
        "/{code_export_id:str}/refuse",
        guards=[needs("codes:export")],
        status_code=200,
        problems=[409],
        operation_id="refuseExport",
        summary="Refuse an export, or take back one's own",
    )
    async def refuse(
        self,
        code_export_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> ExportView:
        return ExportView.of_(await exports.refuse(tx, decode("exp", code_export_id), by=_member(merchant)))

    @post(
        "/{code_export_id:str}/download",
        guards=[needs("codes:export")],
        status_code=200,
        media_type="text/csv",
        problems=[409],
        operation_id="downloadExport",
        summary="The file, once, for who asked for it; what of it was for sale is void from then on",
    )
    async def download(
        self,
        code_export_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Response[bytes]:
        units = await exports.take(tx, decode("exp", code_export_id), by=_member(merchant))
        content = await _file(tx, process.keyring, units)
        headers = {"Content-Disposition": f'attachment; filename="{code_export_id}.csv"', "Cache-Control": "no-store"}
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _member(merchant: Merchant) -> exports.Member:
    return exports.Member(merchant.actor, merchant.user_id)


async def _request(tx: TenantTx, data: NewExport, by: exports.Member) -> ExportView:
    given = {"stock": ("sku", data.sku_id), "batch": ("bat", data.import_id), "order": ("ord", data.order_id)}
    named = [(kind, decode(prefix, text)) for kind, (prefix, text) in given.items() if text is not None]
    if len(named) != 1:
        raise BadRequest("Say one of sku_id, import_id and order_id.", code="one_of")
    [(kind, subject_id)] = named
    return ExportView.of_(await exports.request(tx, kind, subject_id, units=data.units, reason=data.reason, by=by))


async def _file(tx: TenantTx, keyring: Keyring, units: list[exports.Unit]) -> bytes:
    """A line for each unit, as a spreadsheet shows it and never computes it."""
    parts = [spreadsheets.BOM + spreadsheets.rows([HEAD])]
    for at in range(0, len(units), AT_ONCE):
        some = units[at : at + AT_ONCE]
        codes = await vault.reveal(tx, keyring, [unit.id for unit in some])
        rows: list[tuple[Any, ...]] = [
            (str(unit.id), unit.was, code.code, code.secret or "", code.valid_until or "", code.face_value or "")
            for unit, code in zip(some, codes, strict=True)
        ]
        parts.append(spreadsheets.rows(rows))
        await asyncio.sleep(0)
    return b"".join(parts)
