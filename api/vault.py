"""HTTP for the vault: files of codes in, line reports out. The one place where a body is not read whole: it streams into the import."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any, Final
from urllib.parse import unquote
from uuid import UUID

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import InternalServerException
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import key_of
from api.process import Process
from api.strict import SlowBody
from checkout_core.errors import AppError, BadRequest, TooLarge, TooMany, UnsupportedMedia
from checkout_core.ids import decode
from tenants import vault
from tenants.db import TenantTx, tenant_tx

AnyRequest = Request[Any, Any, Any]
MEDIA_TYPES: Final = (
    "text/plain",
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
)
SILENCE_S: Final = 30  # an upload that pauses longer is given up; the import can be resumed
AT_ONCE_MAX: Final = 2  # files of one merchant in one process
PAGE_MAX: Final = 100


class CutOff(AppError):
    """Nobody is left to read this; it keeps a lost connection from being logged as a failure of ours."""

    status = 400
    code = "upload_cut_off"


_at_work: Counter[UUID] = Counter()


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
        opt={"body": MEDIA_TYPES},
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
        encoding: Annotated[str | None, QueryParameter(description="utf-8, utf-16-le, utf-16-be, gb18030 or xlsx; detected")] = None,
        delimiter: Annotated[str | None, QueryParameter(description="dashes, tab, comma, semicolon, pipe, space or none; detected")] = None,
        header: Annotated[str | None, QueryParameter(description="true or false; detected")] = None,
        columns: Annotated[
            str | None, QueryParameter(description="A role for each column, e.g. `ignore,code,secret,valid_until`; detected")
        ] = None,
    ) -> vault.Report:
        wishes = _wishes(encoding, delimiter, header, columns)
        origin = vault.Origin(
            operator=merchant.actor, filename=_filename(request), source=source, note=note, cost_minor=cost_minor,
            idempotency_key=key_of(request),
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
        pattern = None
        if sku_id is not None:
            async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
                pattern = await vault.pattern_of(tx, decode("sku", sku_id))
        with place(merchant.tenant_id):
            return await vault.preview(_file(request, process), wishes, pattern=pattern, bytes_max=process.settings.import_bytes_max)

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
    async def latest(
        self,
        tx: NamedDependency[TenantTx],
        limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)] = 20,
        cursor: Annotated[str | None, QueryParameter()] = None,
    ) -> Imports:
        found = await vault.recent(tx, limit=limit + 1, before=decode("bat", cursor) if cursor else None)
        return Imports(found[:limit], found[limit - 1].id if len(found) > limit else None)

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


def _filename(request: AnyRequest) -> str:
    """`X-Filename`, percent-encoded where it is not ASCII. Raw UTF-8 is understood too: servers hand it over as Latin-1."""
    name = request.headers.get("x-filename", "")
    with suppress(UnicodeError):
        name = name.encode("latin-1").decode("utf-8")
    return unquote(name, errors="replace").replace("\\", "/").rpartition("/")[2]


def _file(request: AnyRequest, process: Process) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises `UnsupportedMedia` and `TooLarge` before any of it is read, `SlowBody` in the middle."""
    media_type, _ = request.content_type
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMedia(f"Send the file itself as the body, as one of {', '.join(MEDIA_TYPES)}.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMedia("Send the file without a content encoding.")
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > process.settings.import_bytes_max:
        raise TooLarge(f"A file has at most {process.settings.import_bytes_max >> 20} MiB. Split it and import the parts one by one.")
    return arriving(request)


async def arriving(request: AnyRequest) -> AsyncIterator[bytes]:
    """The body, piece by piece. Raises `SlowBody` when it pauses, `CutOff` when the client has hung up."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise SlowBody(f"The upload paused for {SILENCE_S} seconds. Resume the import with the same file.") from None
        except InternalServerException:  # Litestar's word for a client who hung up
            raise CutOff("The connection was lost. Resume the import with the same file.") from None
        if chunk:
            yield chunk


@contextmanager
def place(tenant_id: UUID) -> Iterator[None]:
    """One of the merchant's places to work on a file in this process. Raises `TooMany` when all are taken."""
    if _at_work[tenant_id] >= AT_ONCE_MAX:
        raise TooMany(f"{AT_ONCE_MAX} files of yours are being read already.", retry_after_s=5)
    _at_work[tenant_id] += 1
    try:
        yield
    finally:
        _at_work[tenant_id] -= 1
        if not _at_work[tenant_id]:
            del _at_work[tenant_id]
