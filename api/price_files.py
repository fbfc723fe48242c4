"""HTTP for files of prices."""

from typing import Annotated, Final

from litestar import Controller, post
from litestar.di import NamedDependency

from api.callers import Merchant
from api.catalog.imports import Delimiter, Encoding
from api.guards import needs
from api.process import Process
from api.strict import AnyRequest
from api.uploads import place
from api.vault import MEDIA_TYPES, body_of, filename_of
from tenants.catalog.imports.lines import BYTES_MAX, File, read
from tenants.db import tenant_tx
from tenants.prices import files

ABOUT: Final = (
    "The body is the file: CSV or XLSX with a header, a price a line: `list` by name, `reference` of the SKU, `least_quantity` (1 where it "
    "is empty), `price`. All lines are checked first."
)


class PriceFileController(Controller):
    path = "/price-lists"
    tags = ("Prices",)

    @post(
        "/previews",
        guards=[needs("prices:write")],
        status_code=200,
        request_max_body_size=None,
        opt={"body": MEDIA_TYPES},
        operation_id="previewPrices",
        summary="See which prices a file would set, and what is wrong in which lines, keeping nothing",
        description=ABOUT,
    )
    async def preview(
        self,
        request: AnyRequest,
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        encoding: Annotated[str | None, Encoding] = None,
        delimiter: Annotated[str | None, Delimiter] = None,
    ) -> files.PriceReport:
        with place(merchant.tenant_id):
            file = await _read(request, encoding, delimiter)
            async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
                return await files.preview(tx, file)

    @post(
        "/imports",
        guards=[needs("prices:write")],
        status_code=200,
        request_max_body_size=None,
        opt={"body": MEDIA_TYPES},
        problems=[409],  # more prices than a list may have
        operation_id="importPrices",
        summary="Set prices from a file, all of it or nothing",
        description=f"{ABOUT} What is wrong is told with line and field, and then nothing is saved. Sent again it changes nothing more.",
    )
    async def load(
        self,
        request: AnyRequest,
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        encoding: Annotated[str | None, Encoding] = None,
        delimiter: Annotated[str | None, Delimiter] = None,
    ) -> files.PriceReport:
        with place(merchant.tenant_id):
            file = await _read(request, encoding, delimiter)
            async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
                return await files.load(tx, file, filename=filename_of(request), actor=merchant.actor)


async def _read(request: AnyRequest, encoding: str | None, delimiter: str | None) -> File:
    """No transaction waits while the file arrives."""
    return await read(body_of(request, bytes_max=BYTES_MAX), files.SHEET, encoding=encoding, delimiter=delimiter)
