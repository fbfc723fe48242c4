"""HTTP for catalogue files: what a file would do, and doing it, all of it or nothing."""

from typing import Annotated, Final

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.callers import Merchant
from api.guards import needs
from api.process import Process
from api.strict import AnyRequest
from api.uploads import place
from api.vault import MEDIA_TYPES, body_of, filename_of
from tenants.catalog import imports
from tenants.catalog.imports.lines import BYTES_MAX, File, read
from tenants.db import tenant_tx

Encoding = QueryParameter(description="utf-8, utf-16-le, utf-16-be, gb18030 or xlsx; detected")
Delimiter = QueryParameter(description="dashes, tab, comma, semicolon, pipe, space or none; detected")
ABOUT: Final = (
    "The body is the file: CSV or XLSX with a header, a SKU a line. A SKU whose reference is not known is created, another is changed; an "
    "empty cell says nothing. All lines are checked first."
)


class CatalogFileController(Controller):
    path = "/catalog"
    tags = ("Catalogue files",)

    @post(
        "/previews",
        guards=[needs("catalog:write")],
        status_code=200,
        request_max_body_size=None,
        opt={"body": MEDIA_TYPES},
        operation_id="previewCatalog",
        summary="See what a catalogue file would do, and what is wrong in which lines, keeping nothing",
        description=ABOUT,
    )
    async def preview(
        self,
        request: AnyRequest,
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        encoding: Annotated[str | None, Encoding] = None,
        delimiter: Annotated[str | None, Delimiter] = None,
    ) -> imports.CatalogReport:
        with place(merchant.tenant_id):
            file = await _read(request, encoding, delimiter)
            async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
                return await imports.preview(tx, file)

    @post(
        "/imports",
        guards=[needs("catalog:write")],
        status_code=200,
        request_max_body_size=None,
        opt={"body": MEDIA_TYPES},
        problems=[409],  # somebody took a reference just now
        operation_id="importCatalog",
        summary="Create and change products and SKUs from a file, all of it or nothing",
        description=f"{ABOUT} What is wrong is told with line and field, and then nothing is saved. Sent again it changes nothing more.",
    )
    async def load(
        self,
        request: AnyRequest,
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        encoding: Annotated[str | None, Encoding] = None,
        delimiter: Annotated[str | None, Delimiter] = None,
    ) -> imports.CatalogReport:
        with place(merchant.tenant_id):
            file = await _read(request, encoding, delimiter)
            async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
                return await imports.load(tx, file, filename=filename_of(request), actor=merchant.actor)


async def _read(request: AnyRequest, encoding: str | None, delimiter: str | None) -> File:
    """No transaction waits while the file arrives."""
    return await read(body_of(request, bytes_max=BYTES_MAX), encoding=encoding, delimiter=delimiter)
