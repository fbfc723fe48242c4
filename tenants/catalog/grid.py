"""Many SKUs at once, each with values of its own, as somebody edits them in a grid: all of them, or none."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import AppError, Conflict, NotFound, Unprocessable
from checkout_core.ids import encode
from tenants import sales
from tenants.catalog import review, skus, texts, versions
from tenants.catalog.skus import Sku
from tenants.db import TenantTx
from tenants.units import shelving

ROWS_MAX: Final = 200


class Wanted(NamedTuple):
    """`version` is the one that was read, None for whichever is current. `limit` is that of a shopper on the shelf, None to leave it."""

    sku_id: UUID
    version: int | None
    changes: dict[str, Any]
    limit: int | None = None


class Problem(msgspec.Struct, frozen=True):
    """Why a row cannot be saved: the code and the words that changing this SKU alone would be refused with."""

    sku_id: str
    code: str
    why: str


class Place(msgspec.Struct, frozen=True):
    """What a SKU has on the shelf. `free` units nobody holds or bought."""

    sale_id: UUID
    state: str
    free: int
    limit_per_shopper: int
    takes_new_stock: bool


async def change_skus(tx: TenantTx, wanted: Sequence[Wanted], *, actor: str) -> list[Sku]:
    """Each as it is then, in the order of `wanted`. Raises `NotFound`, `Unprocessable` (`changes_refused`)."""
    assert len(wanted) <= ROWS_MAX
    problems: dict[UUID, AppError] = {}
    if len({each.sku_id for each in wanted}) < len(wanted):
        raise Unprocessable("A SKU is named twice. Nothing was changed.", code="named_twice")
    sql = "SELECT id, product_id FROM sku WHERE tenant_id = $1 AND id = ANY($2)"
    product_of = {row["id"]: row["product_id"] for row in await tx.conn.fetch(sql, tx.tenant_id, [each.sku_id for each in wanted])}
    if missing := [encode("sku", each.sku_id) for each in wanted if each.sku_id not in product_of]:
        raise NotFound("There is no such SKU. Nothing was changed.", missing=missing)
    # Sales before products before SKUs, each kind in one order, as everybody who locks several.
    await _limit(tx, wanted, problems, actor)
    products = sorted(set(product_of.values()))
    await versions.lock(tx, products)
    told: list[UUID] = []
    async with review.watching(tx, *products, skus=sorted(product_of)):
        axes = {product: await skus.axes_of(tx, product) for product in products}
        for each in sorted(wanted, key=lambda one: one.sku_id):
            try:
                async with _by_itself(tx):
                    of = axes[product_of[each.sku_id]]
                    changed = await skus.write(tx, of, each.sku_id, each.changes, version=each.version, actor=actor)
            except AppError as error:
                problems.setdefault(each.sku_id, error)
            else:
                told += [each.sku_id] if skus.TOLD & set(changed) else []
    if problems:
        refused = [(each.sku_id, problems[each.sku_id]) for each in wanted if each.sku_id in problems]
        found = [Problem(encode("sku", sku_id), error.code, error.detail) for sku_id, error in refused]
        detail = f"{len(found)} of {len(wanted)} SKUs cannot be changed so. Nothing was changed; correct them and send all again."
        raise Unprocessable(detail, code="changes_refused", problems=[msgspec.structs.asdict(each) for each in found])
    if told:
        await texts.keep_skus(tx, told)
    return [await skus.get_sku(tx, each.sku_id) for each in wanted]


@asynccontextmanager
async def _by_itself(tx: TenantTx) -> AsyncIterator[None]:
    """What fails is undone, and the rows after it are looked at all the same."""
    await tx.conn.execute("SAVEPOINT one_row")
    try:
        yield
    except AppError:
        await tx.conn.execute("ROLLBACK TO SAVEPOINT one_row")
        raise
    await tx.conn.execute("RELEASE SAVEPOINT one_row")


async def places(tx: TenantTx, sku_ids: Sequence[UUID]) -> dict[UUID, Place]:
    """Those of the SKUs that are on the shelf."""
    sql = """SELECT s.sku_id, s.id AS sale_id, s.state, s.allotted - s.committed AS free, s.limit_per_shopper, s.takes_new_stock
             FROM unnest($2::uuid[]) AS x(id) CROSS JOIN LATERAL (
                 SELECT * FROM sale WHERE tenant_id = $1 AND sku_id = x.id AND door = 'shelf' AND state <> 'ended' OFFSET 0) AS s"""
    rows = [dict(row) for row in await tx.conn.fetch(sql, tx.tenant_id, list(sku_ids))]
    return {row.pop("sku_id"): Place(**row) for row in rows}


async def product_names(tx: TenantTx, product_ids: Collection[UUID]) -> dict[UUID, str]:
    sql = """SELECT p.id, p.name FROM unnest($2::uuid[]) AS x(id) CROSS JOIN LATERAL (
                 SELECT id, name FROM product WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS p"""
    return dict(await tx.conn.fetch(sql, tx.tenant_id, sorted(set(product_ids))))


async def _limit(tx: TenantTx, wanted: Sequence[Wanted], problems: dict[UUID, AppError], actor: str) -> None:
    shelves = [(await shelving.sale_of(tx, each.sku_id), each) for each in wanted if each.limit is not None]
    for sale_id, each in sorted(shelves, key=lambda one: (one[0] is None, one[0], one[1].sku_id)):
        if sale_id is None:
            problems[each.sku_id] = Conflict("It is not on the shelf, so no shopper has a limit there.", code="not_on_shelf")
            continue
        assert each.limit is not None
        try:
            async with _by_itself(tx):
                await sales.set_limit(tx, sale_id, each.limit, actor=actor)
        except AppError as error:
            problems[each.sku_id] = error
