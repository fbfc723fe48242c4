"""Products: what a store offers. Each is drafted, published or archived, by hand or by its schedule."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound, PreconditionFailed, Unprocessable
from checkout_core.ids import encode, new_id
from tenants import capabilities
from tenants.catalog import categories, options, review, texts
from tenants.catalog.options import Option
from tenants.db import EARLIEST, NEWEST, TenantTx

DRAFT, PUBLISHED, ARCHIVED = STATES = ("draft", "published", "archived")
SYSTEM: Final = "system"
_encode = msgspec.json.Encoder().encode


class Product(msgspec.Struct, frozen=True):
    """`category` is the kind of goods, which may take a licence; `category_id` the store's own shelf.

    What may be seen of it in the store follows from `state` and `moderation` (`tenants.offers`).
    """

    id: UUID
    name: str
    description: str
    category: str
    category_id: UUID | None
    reference: str | None
    state: str
    publish_at: dt.datetime | None
    unpublish_at: dt.datetime | None
    options: list[Option]
    moderation: str
    version: int
    created_at: dt.datetime


_COLUMNS = ", ".join(Product.__struct_fields__)
CHANGEABLE: Final = frozenset(Product.__struct_fields__) - {"id", "moderation", "version", "created_at"}


def _product(row: asyncpg.Record) -> Product:
    return Product(**dict(row) | {"options": msgspec.json.decode(row["options"], type=list[Option])})


async def create_product(
    tx: TenantTx,
    *,
    name: str,
    description: str,
    actor: str,
    category: str = capabilities.GENERAL,
    category_id: UUID | None = None,
    reference: str | None = None,
    state: str = PUBLISHED,
    publish_at: dt.datetime | None = None,
    unpublish_at: dt.datetime | None = None,
    options: Sequence[Option] = (),
) -> Product:
    """Any merchant may keep a product of any of `capabilities.CATEGORIES`; to sell it for money may take a licence.

    Raises `NotFound` for an unknown category, `Conflict` (`reference_taken`), `Unprocessable` (`bad_options`, `bad_schedule`).
    """
    product = Product(
        new_id(), name, description, category, category_id, reference, state, publish_at, unpublish_at, list(options), review.CLEAR, 1,
        dt.datetime.now(dt.UTC),
    )  # fmt: skip
    await _check(tx, product)
    sql = """INSERT INTO product (tenant_id, id, name, description, category, category_id, reference, state, publish_at, unpublish_at,
                                  options, next_try_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $10::timestamptz, $11, least($9::timestamptz, $10::timestamptz))"""
    async with review.watching(tx, product.id):
        try:
            values = (name, description, category, category_id, reference, state, publish_at, unpublish_at)
            await tx.conn.execute(sql, tx.tenant_id, product.id, *values, _encode(product.options).decode())
        except asyncpg.UniqueViolationError:
            raise _reference_taken(reference) from None
    await texts.keep_products(tx, [product.id])
    await tx.audit(actor, "product.created", encode("prd", product.id), name=name, category=category)
    return await get_product(tx, product.id)


async def get_product(tx: TenantTx, product_id: UUID, *, lock: bool = False) -> Product:
    """Raises `NotFound`."""
    sql = f"SELECT {_COLUMNS} FROM product WHERE tenant_id = $1 AND id = $2 {'FOR NO KEY UPDATE' if lock else ''}"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, product_id):
        return _product(row)
    raise NotFound("There is no such product.")


async def list_products(
    tx: TenantTx, *, limit: int, before: UUID | None = None, q: str | None = None, category_id: UUID | None = None, state: str | None = None
) -> list[Product]:
    """At most `limit` products, newest first, older than `before`: ids grow with time.

    With `q` those that have all its words somewhere in their own names or those of one of their SKUs; of a great many,
    `texts.FOUND_MAX` of them. With `category_id` those in the category or below it, with `state` only such. Raises `NotFound` for an
    unknown category.
    """
    arguments: list[Any] = [tx.tenant_id, before or NEWEST, limit]
    parts, where = [], ""
    if state is not None:
        arguments.append(state)
        where = f"AND state = ${len(arguments)}"
    if category_id is not None:
        await categories.get(tx, category_id)
        arguments.append(category_id)
        parts.append(categories.SUBTREE.format(of=f"${len(arguments)}"))
        where += " AND category_id = ANY(ARRAY(TABLE subtree))"
    if q is None:
        sql = f"SELECT {_COLUMNS} FROM product WHERE tenant_id = $1 AND id < $2 {where} ORDER BY id DESC LIMIT $3"
    else:
        arguments.append(q)
        parts.append(texts.finding_products(f"${len(arguments)}"))
        sql = f"""SELECT p.* FROM found AS f CROSS JOIN LATERAL (
                      SELECT {_COLUMNS} FROM product WHERE tenant_id = $1 AND id = f.id {where} OFFSET 0) AS p
                  WHERE p.id < $2 ORDER BY p.id DESC LIMIT $3"""
    beginning = f"WITH RECURSIVE {', '.join(parts)} " if parts else ""
    return [_product(row) for row in await tx.conn.fetch(beginning + sql, *arguments)]


async def change_product(tx: TenantTx, product_id: UUID, changes: dict[str, Any], *, version: int | None, actor: str) -> Product:
    """Set what `changes` names of `CHANGEABLE`. `version` is the one that was read, None for whichever is current.

    A state that is set by hand ends the schedule, unless that is set along with it. Raises `NotFound`, `PreconditionFailed`, `Conflict`
    (`reference_taken`, `option_in_use`, `product_on_sale`), `Unprocessable` (`bad_options`, `bad_schedule`).
    """
    assert changes.keys() <= CHANGEABLE, changes.keys()
    async with review.watching(tx, product_id):
        before = await get_product(tx, product_id, lock=True)
        if version not in (None, before.version):
            raise PreconditionFailed("The product was changed since you read it. Nothing was overwritten; read it again.")
        after = msgspec.structs.replace(before, **_with_its_schedule(before, changes))
        changed = sorted(name for name in CHANGEABLE if getattr(after, name) != getattr(before, name))
        if not changed:
            return before
        await _check(tx, after, before)
        values = [_encode(after.options).decode() if name == "options" else getattr(after, name) for name in changed]
        sql = f"""UPDATE product SET {", ".join(f"{name} = ${n}" for n, name in enumerate(changed, 5))},
                         next_try_at = least($3::timestamptz, $4::timestamptz), tries = 0, version = version + 1
                  WHERE tenant_id = $1 AND id = $2"""
        try:
            await tx.conn.execute(sql, tx.tenant_id, product_id, after.publish_at, after.unpublish_at, *values)
        except asyncpg.UniqueViolationError:
            raise _reference_taken(after.reference) from None
    if {"name", "reference"} & set(changed):
        await texts.keep_products(tx, [product_id])
    await tx.audit(actor, "product.changed", encode("prd", product_id), fields=changed)
    return await get_product(tx, product_id)


async def touched(tx: TenantTx, product_id: UUID) -> None:
    """What belongs to the product and is shown with it was changed."""
    await tx.conn.execute("UPDATE product SET version = version + 1 WHERE tenant_id = $1 AND id = $2", tx.tenant_id, product_id)


def _with_its_schedule(before: Product, changes: dict[str, Any]) -> dict[str, Any]:
    state = changes.get("state", before.state)
    if state == before.state:
        return changes
    over = {PUBLISHED: ("publish_at",), DRAFT: ("unpublish_at",), ARCHIVED: ("publish_at", "unpublish_at")}[state]
    return dict.fromkeys(over) | changes


async def _check(tx: TenantTx, after: Product, before: Product | None = None) -> None:
    if before is None or after.category_id != before.category_id:
        await categories.must_exist(tx, after.category_id)
    if (before is None and after.options) or (before is not None and after.options != before.options):
        options.check(after.options)
        await options.must_fit(tx, after.id, after.options)
    if after.publish_at is not None and after.state != DRAFT:
        raise Unprocessable("Only a draft can be published later. Nothing was changed.", code="bad_schedule")
    if after.unpublish_at is not None and (after.state == ARCHIVED or after.unpublish_at <= (after.publish_at or EARLIEST)):
        raise Unprocessable("It would be taken down before it is published. Nothing was changed.", code="bad_schedule")
    if before is not None and after.category != before.category:
        await _not_on_sale(tx, after.id)


async def _not_on_sale(tx: TenantTx, product_id: UUID) -> None:
    """What kind of goods it is was asked when its sales were opened."""
    sql = """SELECT EXISTS (SELECT 1 FROM sku k CROSS JOIN LATERAL (
                 SELECT 1 FROM sale WHERE tenant_id = $1 AND sku_id = k.id AND state <> 'ended' OFFSET 0) AS s
             WHERE k.tenant_id = $1 AND k.product_id = $2)"""
    if await tx.conn.fetchval(sql, tx.tenant_id, product_id):
        raise Conflict("It is on sale as what it is. End its sales before it becomes goods of another kind.", code="product_on_sale")


def _reference_taken(reference: str | None) -> Conflict:
    return Conflict(f"Another one has the reference {reference!r}. Nothing was changed.", code="reference_taken")
