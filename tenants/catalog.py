"""The catalogue: products, and under each the SKUs that have a price and stock of their own."""

import datetime as dt
import re
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import NotFound, Unprocessable
from checkout_core.ids import encode, new_id
from tenants.db import TenantTx

LIMIT_MAX = 100


class Product(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    description: str
    created_at: dt.datetime


class Sku(msgspec.Struct, frozen=True):
    id: UUID
    product_id: UUID
    name: str
    price_minor: int
    currency: str
    code_pattern: str | None
    created_at: dt.datetime


async def create_product(tx: TenantTx, *, name: str, description: str, actor: str) -> Product:
    sql = "INSERT INTO product (tenant_id, id, name, description) VALUES ($1, $2, $3, $4) RETURNING id, name, description, created_at"
    product = Product(*await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), name, description))
    await tx.audit(actor, "product.created", encode("prd", product.id), name=name)
    return product


async def get_product(tx: TenantTx, product_id: UUID) -> Product:
    """Raises `NotFound`."""
    sql = "SELECT id, name, description, created_at FROM product WHERE tenant_id = $1 AND id = $2"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, product_id):
        return Product(*row)
    raise NotFound("There is no such product.")


async def list_products(tx: TenantTx, *, limit: int = 20, before: UUID | None = None) -> list[Product]:
    """At most `limit` (≤ 100) products, newest first, older than `before`: ids grow with time."""
    sql = """SELECT id, name, description, created_at FROM product WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
             ORDER BY id DESC LIMIT $3"""
    return [Product(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, before, min(limit, LIMIT_MAX))]


async def create_sku(
    tx: TenantTx, *, product_id: UUID, name: str, price_minor: int, currency: str, code_pattern: str | None, actor: str
) -> Sku:
    """Raises `NotFound` for an unknown product, `Unprocessable` when `code_pattern` is no regular expression."""
    if code_pattern is not None:
        try:
            re.compile(code_pattern)
        except re.error as error:
            raise Unprocessable(f"code_pattern is not a regular expression: {error}.", code="bad_code_pattern") from None
    sql = """INSERT INTO sku (tenant_id, id, product_id, name, price_minor, currency, code_pattern) VALUES ($1, $2, $3, $4, $5, $6, $7)
             RETURNING id, product_id, name, price_minor, currency, code_pattern, created_at"""
    try:
        row = await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), product_id, name, price_minor, currency, code_pattern)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("There is no such product.") from None
    await tx.audit(actor, "sku.created", encode("sku", row["id"]), name=name, price_minor=price_minor, currency=currency)
    return Sku(*row)


async def get_sku(tx: TenantTx, sku_id: UUID, *, lock: bool = False) -> Sku:
    """With `lock`, whoever allots this SKU's units waits in line; imports, which only refer to the row, do not. Raises `NotFound`."""
    sql = f"""SELECT id, product_id, name, price_minor, currency, code_pattern, created_at FROM sku
              WHERE tenant_id = $1 AND id = $2 {"FOR NO KEY UPDATE" if lock else ""}"""
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, sku_id):
        return Sku(*row)
    raise NotFound("There is no such SKU.")
