"""HTTP for the vault: files of codes in, line reports out. The one place where a body is not read whole: it streams into the import."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Final
from urllib.parse import unquote
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import key_of
from api.paging import Page
from api.process import Process
from api.strict import AnyRequest
from api.uploads import arriving, place
from api.wire import check_times
from checkout_core.errors import BadRequest, TooLarge, UnsupportedMedia
from checkout_core.ids import decode
from tenants import vault
from tenants.db import TenantTx, tenant_tx

MEDIA_TYPES: Final = (
    "text/plain",
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
)


class Imports(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last. The lines of each are in its own report."""

    imports: list[vault.Report]
    next_cursor: str | None


class VaultController(Controller):
    path = "/vault"
    tags = ("Vault",)

    @post(
        "/imports",
        guards=[needs("vault:write")],
        request_max_body_size=None,
        opt={"body": MEDIA_TYPES, "idempotency_key": True},
        operation_id="importCodes",
        summary="Load a file of codes as stock of a SKU",
        description="The body is the file. Cut off midway, the import stays and can be resumed; its codes are stock once it is `loaded`.",
    )
    async def load(
        self,
        request: AnyRequest,
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        sku_id: Annotated[str, QueryParameter()],
        source: Annotated[str, QueryParameter(max_length=200)] = "",
        note: Annotated[str, QueryParameter(max_length=200)] = "",
        cost_minor: Annotated[int | None, QueryParameter(ge=0, le=10**15)] = None,
        priority: Annotated[int, QueryParameter(ge=0, le=9999, description="The lower goes first, where the SKU says so.")] = 100,
        valid_from: Annotated[dt.datetime | None, QueryParameter(description="No unit is allotted to a sale before.")] = None,
        valid_until: Annotated[dt.datetime | None, QueryParameter(description="Of lines that name no date of their own.")] = None,
        encoding: Annotated[str | None, QueryParameter(description="utf-8, utf-16-le, utf-16-be, gb18030 or xlsx; detected")] = None,
        delimiter: Annotated[str | None, QueryParameter(description="dashes, tab, comma, semicolon, pipe, space or none; detected")] = None,
        header: Annotated[str | None, QueryParameter(description="true or false; detected")] = None,
        columns: Annotated[
            str | None, QueryParameter(description="A role for each column, e.g. `ignore,code,secret,valid_until`; detected")
        ] = None,
    ) -> vault.Report:
        wishes = _wishes(encoding, delimiter, header, columns)
        check_times(valid_from, valid_until)
        origin = vault.Origin(
            operator=merchant.actor, filename=filename_of(request), source=source, note=note, cost_minor=cost_minor,
            priority=priority, valid_from=valid_from, valid_until=valid_until, idempotency_key=key_of(request),
        )  # fmt: skip
        with place(merchant.tenant_id):
            return await vault.run(
                process.app_pool, process.keyring, merchant.tenant_id, decode("sku", sku_id), _file(request, process), wishes, origin,
                bytes_max=process.settings.import_bytes_max,
            )  # fmt: skip

    @post(
        "/previews",
        guards=[needs("vault:write")],
        status_code=200,
        request_max_body_size=None,
        opt={"body": MEDIA_TYPES},
        operation_id="previewCodes",
        summary="See how a file would be read, keeping nothing",
    )
    async def preview(
        self,
        request: AnyRequest,
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        sku_id: Annotated[str | None, QueryParameter(description="Whose pattern for codes applies")] = None,
        encoding: Annotated[str | None, QueryParameter()] = None,
        delimiter: Annotated[str | None, QueryParameter()] = None,
        header: Annotated[str | None, QueryParameter()] = None,
        columns: Annotated[str | None, QueryParameter()] = None,
    ) -> vault.Preview:
        wishes = _wishes(encoding, delimiter, header, columns)
        pattern, picked = None, False
        if sku_id is not None:
            async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
                pattern, picked = await vault.pattern_of(tx, decode("sku", sku_id)), await vault.is_picked(tx, decode("sku", sku_id))
        with place(merchant.tenant_id):
            return await vault.preview(
                _file(request, process), wishes, pattern=pattern, picked=picked, bytes_max=process.settings.import_bytes_max
            )

    @post(
        "/imports/{import_id:str}/resume",
        guards=[needs("vault:write")],
        status_code=200,
        request_max_body_size=None,
        opt={"body": MEDIA_TYPES},
        operation_id="resumeImport",
        summary="Go on with an import that was cut off, given the same file from its beginning",
    )
    async def resume(
        self, import_id: FromPath[str], request: AnyRequest, process: NamedDependency[Process], merchant: NamedDependency[Merchant]
    ) -> vault.Report:
        with place(merchant.tenant_id):
            return await vault.resume(
                process.app_pool, process.keyring, merchant.tenant_id, decode("bat", import_id), _file(request, process),
                bytes_max=process.settings.import_bytes_max,
            )  # fmt: skip

    @get("/imports", guards=[needs("vault:read")], operation_id="listImports", summary="List imports, newest first")
    async def latest(self, tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> Imports:
        found = await vault.recent(tx, limit=page.rows, before=page.after(UUID))
        return Imports(*page.cut(found, [decode("bat", each.id) for each in found]))

    @get(
        "/imports/{import_id:str}",
        guards=[needs("vault:read")],
        operation_id="getImport",
        summary="How far an import is, and each line it did not load",
    )
    async def report(self, import_id: FromPath[str], tx: NamedDependency[TenantTx]) -> vault.Report:
        return await vault.report(tx, decode("bat", import_id))


def _wishes(encoding: str | None, delimiter: str | None, header: str | None, columns: str | None) -> vault.Wishes:
    if header not in (None, "true", "false"):
        raise BadRequest("header is true or false.", code="header")
    return vault.Wishes.of(encoding=encoding, delimiter=delimiter, columns=columns, header=None if header is None else header == "true")


def filename_of(request: AnyRequest) -> str:
    """`X-Filename`, percent-encoded where it is not ASCII. Raw UTF-8 is understood too: servers hand it over as Latin-1."""
    name = request.headers.get("x-filename", "")
    with suppress(UnicodeError):
        name = name.encode("latin-1").decode("utf-8")
    return unquote(name, errors="replace").replace("\\", "/").rpartition("/")[2]


def _file(request: AnyRequest, process: Process) -> AsyncIterator[bytes]:
    return body_of(request, bytes_max=process.settings.import_bytes_max)


def body_of(request: AnyRequest, *, bytes_max: int) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises `UnsupportedMedia` and `TooLarge` before any of it is read, `SlowBody` in the middle."""
    media_type, _ = request.content_type
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMedia(f"Send the file itself as the body, as one of {', '.join(MEDIA_TYPES)}.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMedia("Send the file without a content encoding.")
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > bytes_max:
        raise TooLarge(f"A file has at most {bytes_max >> 20} MiB. Split it and import the parts one by one.")
    return arriving(request)
