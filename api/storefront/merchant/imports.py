"""Importing codes: the file's layout shown first, then the report, line by line."""

import secrets
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from api.storefront.language import Words
from api.storefront.merchant.desk import shelf_view
from api.storefront.merchant.session import allow, card, signed_in
from api.storefront.merchant.upload import Upload, open_upload
from api.storefront.rendering import Notice
from api.storefront.visit import AVisit, Visit
from api.uploads import place
from checkout_core.errors import AppError, BadRequest
from checkout_core.ids import decode
from tenants import overview, vault
from tenants.db import tenant_tx
from tenants.vault.codes import Pattern
from tenants.vault.fields import DELIMITERS
from tenants.vault.layout import ENCODINGS

LINES_SHOWN = 500


@get("/merchant/imports", dependencies=signed_in)
async def form(visit: AVisit, sku: FromQuery[str] = "") -> Response[bytes]:
    return await page(visit, {"sku": sku})


@post("/merchant/previews", dependencies=signed_in, status_code=200, request_max_body_size=None)
async def preview(visit: AVisit) -> Response[bytes]:
    """What the file looks like to us. Nothing of it is kept."""
    allow(visit, "vault:write")
    upload = await _uploaded(visit)
    assert visit.merchant is not None
    try:
        pattern, picked = await _expected(visit, upload)
        with place(visit.merchant.tenant_id):
            seen = await vault.preview(
                upload.chunks, _wishes(upload), pattern=pattern, picked=picked, bytes_max=visit.process.settings.import_bytes_max
            )
    except AppError as error:
        return await _refused(visit, upload, error)
    t = visit.words
    sample = [
        [cell for cell in (each.code, each.secret, each.valid_until, each.face_value, each.label) if cell is not None]
        for each in seen.sample
    ]
    shown = {
        "encoding": seen.layout.encoding.upper(), "delimiter": _delimiter(t, seen.layout), "columns": _columns(t, seen.layout),
        "header": " · ".join(seen.layout.names) if seen.layout.header else t("no"), "sample": sample,
    }  # fmt: skip
    return await page(visit, upload.fields, preview=shown)


@post("/merchant/imports", dependencies=signed_in, status_code=200, request_max_body_size=None)
async def load(visit: AVisit) -> Response[bytes]:
    actor = allow(visit, "vault:write")
    upload = await _uploaded(visit)
    assert visit.merchant is not None
    try:
        key = upload.fields.get("key", "")
        origin = vault.Origin(
            operator=actor, filename=upload.filename, source=upload.fields.get("source", "")[:200], idempotency_key=key[:64] or None
        )
        sku_id = decode("sku", upload.fields.get("sku", ""))
        with place(visit.merchant.tenant_id):
            done = await vault.run(
                visit.process.app_pool, visit.process.keyring, visit.merchant.tenant_id, sku_id, upload.chunks, _wishes(upload), origin,
                bytes_max=visit.process.settings.import_bytes_max,
            )  # fmt: skip
    except AppError as error:
        return await _refused(visit, upload, error)
    return visit.go(f"/merchant/imports/{done.id}")


@get("/merchant/imports/{batch:str}", dependencies=signed_in)
async def report(visit: AVisit, batch: FromPath[str]) -> Response[bytes]:
    allow(visit, "vault:read")
    assert visit.merchant is not None
    async with tenant_tx(visit.process.app_pool, visit.merchant.tenant_id) as tx:
        await card(visit, tx)
        told = await vault.report(tx, decode("bat", batch))
    t = visit.words
    lines = [{"line": line.line, "reason": t(f"line.{line.reason}")} for line in told.errors[:LINES_SHOWN]]
    shown = {
        "state": told.state, "failure": told.failure, "filename": told.filename, "sku": told.sku_id,
        "layout": " · ".join((told.layout.encoding.upper(), _columns(t, told.layout))),
        "loaded": told.loaded, "duplicates": told.duplicates, "malformed": told.malformed_count, "blank": told.blank,
        "lines": lines, "more": told.malformed_count + told.duplicates - len(lines),
    }  # fmt: skip
    return visit.render("merchant/report.html", report=shown)


async def page(
    visit: Visit, form: dict[str, str], *, status: int = 200, preview: dict[str, Any] | None = None, notice: Notice | None = None
) -> Response[bytes]:
    allow(visit, "vault:write", "catalog:read")
    assert visit.merchant is not None
    async with tenant_tx(visit.process.app_pool, visit.merchant.tenant_id) as tx:
        await card(visit, tx)
        skus = [shelf_view(shelf) for shelf in await overview.shelves(tx)]
    visit.page.path = "/merchant/imports"
    shown = {name: form.get(name, "") for name in ("sku", "source", "encoding", "delimiter")}
    # The same file sent again under one key goes on where it broke off.
    shown["key"] = f"page-{secrets.token_urlsafe(16)}"
    return visit.render(
        "merchant/imports.html",
        status=status,
        form=shown,
        preview=preview,
        notice=notice,
        skus=skus,
        encodings=ENCODINGS,
        delimiters=tuple(DELIMITERS),
    )


async def _uploaded(visit: Visit) -> Upload:
    upload = await open_upload(visit.request, size_max=visit.process.settings.import_bytes_max)
    visit.check(upload.fields.pop("csrf", ""))
    return upload


async def _refused(visit: Visit, upload: Upload, error: AppError) -> Response[bytes]:
    """The form again, with what is wrong with the file. The rest of the upload is read and dropped, so that the browser listens."""
    if error.status >= 500:
        raise error
    t = visit.words
    try:
        async for _ in upload.chunks:
            pass
    except (BadRequest, RuntimeError):
        pass
    detail = t("wrong.file") if not upload.filename else f"{error.detail} {t('import.kept')}"
    return await page(visit, upload.fields, status=error.status, notice=Notice(t("wrong.title"), detail, "bad"))


async def _expected(visit: Visit, upload: Upload) -> tuple[Pattern | None, bool]:
    """What codes of the SKU look like, and whether each needs a label."""
    assert visit.merchant is not None
    sku_id = decode("sku", upload.fields.get("sku", ""))
    async with tenant_tx(visit.process.app_pool, visit.merchant.tenant_id) as tx:
        return await vault.pattern_of(tx, sku_id), await vault.is_picked(tx, sku_id)


def _wishes(upload: Upload) -> vault.Wishes:
    return vault.Wishes.of(encoding=upload.fields.get("encoding") or None, delimiter=upload.fields.get("delimiter") or None)


def _delimiter(t: Words, layout: vault.Layout) -> str:
    return layout.sheet if layout.is_sheet else t(f"delimiter.{layout.delimiter}")


def _columns(t: Words, layout: vault.Layout) -> str:
    return " · ".join(t(f"role.{role}") for role in layout.columns)
