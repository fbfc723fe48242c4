"""Texts of products, SKUs, categories and sales in the store's other languages. What is not translated is shown as it was written."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import decode
from tenants import catalog, sales
from tenants.catalog import categories, review, texts
from tenants.db import TenantTx

TRANSLATIONS_MAX = 50  # of one of them


class Translation(msgspec.Struct, frozen=True):
    """`description` is a product's; None leaves the one that was written."""

    locale: str
    name: str
    description: str | None


async def all_of(tx: TenantTx, subject: str) -> list[Translation]:
    """By locale. `subject` is the id of any of them as it is written. Raises `NotFound`."""
    sql = "SELECT locale, name, description FROM translation WHERE tenant_id = $1 AND subject_id = $2 ORDER BY locale"
    return [Translation(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, await _found(tx, subject))]


async def put(tx: TenantTx, subject: str, translation: Translation, *, actor: str) -> Translation:
    """Raises `NotFound`, `Conflict` for too many, and `Unprocessable` for a language that is not the store's, or a description of what has
    none.
    """
    subject_id = await _found(tx, subject)
    locales = await tx.conn.fetchval("SELECT locales FROM store WHERE tenant_id = $1", tx.tenant_id)
    if translation.locale not in locales:
        raise Unprocessable("This is none of the store's languages. Add it to `locales` first.", code="unknown_locale", locales=locales)
    if translation.description is not None and not subject.startswith("prd_"):
        raise Unprocessable("Only products have a description.", code="no_description")
    await tx.in_line()
    # Of languages that the store no longer speaks too.
    sql = "SELECT count(*) FROM translation WHERE tenant_id = $1 AND subject_id = $2 AND locale <> $3"
    if await tx.conn.fetchval(sql, tx.tenant_id, subject_id, translation.locale) >= TRANSLATIONS_MAX:
        raise Conflict(f"There are {TRANSLATIONS_MAX} translations already. Remove one first.", code="too_many_translations")
    sql = """INSERT INTO translation (tenant_id, subject_id, locale, name, description) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id, subject_id, locale) DO UPDATE SET name = $4, description = $5"""
    async with _noticed(tx, subject, subject_id):
        await tx.conn.execute(sql, tx.tenant_id, subject_id, *msgspec.structs.astuple(translation))
    await tx.audit(actor, "translation.set", subject, locale=translation.locale)
    return translation


async def remove(tx: TenantTx, subject: str, locale: str, *, actor: str) -> None:
    """Show what was written again. Again is no error. Raises `NotFound` for an unknown subject."""
    sql = "DELETE FROM translation WHERE tenant_id = $1 AND subject_id = $2 AND locale = $3 RETURNING 1"
    subject_id = await _found(tx, subject)
    async with _noticed(tx, subject, subject_id):
        removed = await tx.conn.fetchval(sql, tx.tenant_id, subject_id, locale)
    if removed:
        await tx.audit(actor, "translation.removed", subject, locale=locale)


@asynccontextmanager
async def _noticed(tx: TenantTx, subject: str, subject_id: UUID) -> AsyncIterator[None]:
    """Products and SKUs are reviewed in all their languages, and found by their names in each."""
    match subject[:3]:
        case "prd":
            async with review.watching(tx, subject_id):
                yield
            await texts.keep_products(tx, [subject_id])
        case "sku":
            async with review.watching(tx, (await catalog.get_sku(tx, subject_id)).product_id, skus=[subject_id]):
                yield
            await texts.keep_skus(tx, [subject_id])
        case _:
            yield


async def _found(tx: TenantTx, subject: str) -> UUID:
    match subject[:3]:
        case "prd":
            return (await catalog.get_product(tx, decode("prd", subject))).id
        case "sku":
            return (await catalog.get_sku(tx, decode("sku", subject))).id
        case "cat":
            return (await categories.get(tx, decode("cat", subject))).id
        case "sal":
            return (await sales.get(tx, decode("sal", subject))).id
    raise NotFound("There is no such product, SKU, category or sale.")
