"""A catalogue file held against the catalogue, and then saved as a whole: one transaction, or none."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict
from checkout_core.ids import encode
from tenants.catalog import categories, options, review, texts
from tenants.catalog.imports import plan
from tenants.catalog.imports.lines import PROBLEMS_MAX, File, LineProblem, refused
from tenants.catalog.imports.plan import Known, Plan, ProductRow, SkuRow
from tenants.db import TenantTx

ROWS: Final = 1_000  # of one statement
_PRODUCT = "id, reference, name, description, category, category_id, state, options"
_SKU = "id, product_id, reference, name, price_minor, code_pattern, state, choices, cost_minor, face_value, usage_note"
_PRODUCTS = """json_to_recordset($2::json) AS x(id uuid, reference text, name text, description text, category text, category_id uuid,
                                             state text, options jsonb)"""
_SKUS = """json_to_recordset($2::json) AS x(id uuid, product_id uuid, reference text, name text, price_minor bigint, code_pattern text,
                                         state text, choices text[], cost_minor bigint, face_value text, usage_note text)"""


Row = TypeVar("Row")


class CatalogReport(msgspec.Struct, frozen=True, kw_only=True):
    """`lines` without the header and blank ones. `wrong` is how many problems there are; the first 100 are told."""

    columns: list[str]
    lines: int
    products_created: int
    products_changed: int
    skus_created: int
    skus_changed: int
    skus_unchanged: int
    wrong: int
    problems: list[LineProblem]


async def preview(tx: TenantTx, file: File) -> CatalogReport:
    """What `load` would do. Nothing is kept."""
    return _report(file, await _plan(tx, file))


async def load(tx: TenantTx, file: File, *, filename: str, actor: str) -> CatalogReport:
    """Save what the file says: all of it, or nothing.

    Raises `Unprocessable` (`import_refused`) with what is wrong in which lines, `Conflict` when somebody took a reference or a variant just
    now.
    """
    await tx.unhurried()
    # One file of a store at a time: each is held against what the one before has left.
    await tx.conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{tx.tenant_id}:catalog")
    made = await _plan(tx, file)
    report = _report(file, made)
    if made.problems:
        raise refused(made.problems)
    skus = [*made.new_skus, *made.changed_skus]
    touched = {product.id for product in (*made.new_products, *made.changed_products)} | {sku.product_id for sku in skus}
    try:
        async with review.watching(tx, *touched, skus=[sku.id for sku in skus]):
            await _write(tx, made)
    except asyncpg.UniqueViolationError:
        raise Conflict("Somebody took a reference or a variant of this file just now. Nothing was saved; send it again.") from None
    for ids in _parts([*(product.id for product in made.new_products), *made.renamed_products]):
        await texts.keep_products(tx, ids)
    for ids in _parts([*(sku.id for sku in made.new_skus), *made.retold_skus]):
        await texts.keep_skus(tx, ids)
    told = {name: getattr(report, name) for name in report.__struct_fields__ if name.startswith(("products", "skus"))}
    await tx.audit(actor, "catalog.imported", encode("ten", tx.tenant_id), filename=filename[:200], lines=report.lines, **told)
    return report


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for begin in range(0, len(rows), ROWS):
        yield rows[begin : begin + ROWS]


def _report(file: File, made: Plan) -> CatalogReport:
    return CatalogReport(
        columns=file.columns, lines=len(file.lines), products_created=len(made.new_products), products_changed=len(made.changed_products),
        skus_created=len(made.new_skus), skus_changed=len(made.changed_skus), skus_unchanged=made.unchanged,
        wrong=len(made.problems), problems=made.problems[:PROBLEMS_MAX],
    )  # fmt: skip


async def _plan(tx: TenantTx, file: File) -> Plan:
    return await asyncio.to_thread(plan.make, file, await _known(tx, file))


async def _known(tx: TenantTx, file: File) -> Known:
    """What is there of what the file names, locked until the commit: products first, each kind in one order."""
    # With the first SKU the store's currency is fixed. Until then it is held; later the row is free for whoever changes settings.
    held = "" if await tx.conn.fetchval("SELECT EXISTS (SELECT 1 FROM sku WHERE tenant_id = $1)", tx.tenant_id) else "FOR SHARE"
    currency = await tx.conn.fetchval(f"SELECT currency FROM store WHERE tenant_id = $1 {held}", tx.tenant_id)
    references = sorted({line.cells["reference"] for line in file.lines if "reference" in line.cells})
    named = sorted({line.cells["product_reference"] for line in file.lines if "product_reference" in line.cells})
    sql = "SELECT product_id FROM sku WHERE tenant_id = $1 AND reference = ANY($2)"
    owners = {row["product_id"] for row in await tx.conn.fetch(sql, tx.tenant_id, references)}
    sql = "SELECT id FROM product WHERE tenant_id = $1 AND reference = ANY($2)"
    owners |= {row["id"] for row in await tx.conn.fetch(sql, tx.tenant_id, named)}
    sql = f"SELECT {_PRODUCT} FROM product WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE"
    products = [_product(row) for row in await tx.conn.fetch(sql, tx.tenant_id, sorted(owners))]
    sql = f"SELECT {_SKU} FROM sku WHERE tenant_id = $1 AND reference = ANY($2) ORDER BY id FOR NO KEY UPDATE"
    skus = [SkuRow(**row) for row in await tx.conn.fetch(sql, tx.tenant_id, references)]
    sql = """SELECT x.id, k.choices FROM unnest($2::uuid[]) AS x(id) CROSS JOIN LATERAL (
                 SELECT choices FROM sku WHERE tenant_id = $1 AND product_id = x.id OFFSET 0) AS k"""
    others: dict[UUID, set[tuple[str, ...]]] = {}
    counts: dict[UUID, int] = {}
    for product_id, choices in await tx.conn.fetch(sql, tx.tenant_id, sorted(owners)):
        counts[product_id] = counts.get(product_id, 0) + 1
        if choices:
            others.setdefault(product_id, set()).add(tuple(choices))
    sql = """SELECT DISTINCT x.id FROM unnest($2::uuid[]) AS x(id)
             CROSS JOIN LATERAL (SELECT id FROM sku WHERE tenant_id = $1 AND product_id = x.id OFFSET 0) AS k
             CROSS JOIN LATERAL (SELECT 1 FROM sale WHERE tenant_id = $1 AND sku_id = k.id AND state <> 'ended' OFFSET 0) AS s"""
    on_sale = {row["id"] for row in await tx.conn.fetch(sql, tx.tenant_id, sorted(owners))}
    return Known(
        currency, {product.id: product for product in products}, {sku.reference: sku for sku in skus},
        categories.paths(await categories.all_of(tx)), others, counts, frozenset(on_sale),
    )  # fmt: skip


def _product(row: asyncpg.Record) -> ProductRow:
    return ProductRow(**dict(row) | {"options": msgspec.json.decode(row["options"], type=list[options.Option])})


async def _write(tx: TenantTx, made: Plan) -> None:
    sql = f"INSERT INTO product (tenant_id, {_PRODUCT}) SELECT $1, {_PRODUCT} FROM {_PRODUCTS}"
    for rows in _parts(made.new_products):
        await tx.conn.execute(sql, tx.tenant_id, plan.as_json(rows))
    # A state that is said ends what was scheduled for it.
    sql = f"""UPDATE product p SET name = x.name, description = x.description, category = x.category, category_id = x.category_id,
                     state = x.state, options = x.options, version = version + 1,
                     publish_at = CASE WHEN x.state = p.state THEN publish_at END,
                     unpublish_at = CASE WHEN x.state = p.state THEN unpublish_at END,
                     next_try_at = CASE WHEN x.state = p.state THEN next_try_at END
              FROM {_PRODUCTS} WHERE p.tenant_id = $1 AND p.id = x.id"""
    for rows in _parts(made.changed_products):
        await tx.conn.execute(sql, tx.tenant_id, plan.as_json(rows))
    currency = "(SELECT currency FROM store WHERE tenant_id = $1)"
    sql = f"INSERT INTO sku (tenant_id, currency, {_SKU}) SELECT $1, {currency}, {_SKU} FROM {_SKUS}"
    for skus in _parts(made.new_skus):
        await tx.conn.execute(sql, tx.tenant_id, plan.as_json(skus))
    # Two variants may change places: what they were is let go first.
    sql = "UPDATE sku SET choices = '{}' WHERE tenant_id = $1 AND id = ANY($2) AND choices <> '{}'"
    for skus in _parts(made.changed_skus):
        await tx.conn.execute(sql, tx.tenant_id, [sku.id for sku in skus])
    sql = f"""UPDATE sku k SET name = x.name, price_minor = x.price_minor, code_pattern = x.code_pattern, state = x.state,
                     choices = x.choices, cost_minor = x.cost_minor, face_value = x.face_value, usage_note = x.usage_note,
                     version = version + 1
              FROM {_SKUS} WHERE k.tenant_id = $1 AND k.id = x.id"""
    for skus in _parts(made.changed_skus):
        await tx.conn.execute(sql, tx.tenant_id, plan.as_json(skus))
