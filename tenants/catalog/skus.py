"""SKUs: what has a price and stock of its own under a product; one of its variants, if it has options."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound, PreconditionFailed, Unprocessable
from checkout_core.ids import encode, new_id
from tenants import search, types
from tenants.catalog import options, review, texts
from tenants.catalog.options import Option
from tenants.catalog.products import PUBLISHED
from tenants.db import NEWEST, TenantTx
from tenants.types import ProductType

SKUS_MAX: Final = 1_000  # of a product
_encode = msgspec.json.Encoder().encode


class Sku(msgspec.Struct, frozen=True):
    """`config` is what its `type` must know of it. `choices` is a value of each option of its product; `usage_note` is for who has
    paid. What it cost is the merchant's own business."""

    id: UUID
    product_id: UUID
    name: str
    price_minor: int
    currency: str
    code_pattern: str | None
    type: str
    config: dict[str, Any]
    created_at: dt.datetime
    reference: str | None
    state: str
    choices: dict[str, str]
    cost_minor: int | None
    face_value: str | None
    usage_note: str
    version: int


_COLUMNS = ", ".join(f"k.{name}" for name in Sku.__struct_fields__)
_SELECT = f"""SELECT {_COLUMNS}, p.options FROM sku k CROSS JOIN LATERAL (
                  SELECT options FROM product WHERE tenant_id = $1 AND id = k.product_id OFFSET 0) AS p
              WHERE k.tenant_id = $1"""
CHANGEABLE: Final = frozenset(
    {"name", "price_minor", "code_pattern", "config", "reference", "state", "choices", "cost_minor", "face_value", "usage_note"}
)
TOLD: Final = frozenset({"name", "choices", "reference"})  # what it is found by


def _sku(row: asyncpg.Record) -> Sku:
    values = dict(row)
    axes = msgspec.json.decode(values.pop("options"), type=list[Option])
    return Sku(**values | {"choices": options.named(axes, row["choices"]), "config": msgspec.json.decode(row["config"])})


async def create_sku(
    tx: TenantTx,
    *,
    product_id: UUID,
    name: str,
    price_minor: int,
    currency: str | None,
    code_pattern: str | None,
    actor: str,
    type: str = types.DEFAULT,
    config: dict[str, Any] | None = None,
    reference: str | None = None,
    state: str = PUBLISHED,
    choices: Mapping[str, str] | None = None,
    cost_minor: int | None = None,
    face_value: str | None = None,
    usage_note: str = "",
) -> Sku:
    """Priced in the store's currency, which may be named for certainty.

    Raises `NotFound` for an unknown product, `Unprocessable` for another currency, for a `code_pattern` that is no regular expression, for
    a type that does not exist (`unknown_type`) or a `config` that is not its (`bad_config`), and for choices that are not the product's
    (`bad_choices`); `Conflict` for a reference or a variant that is taken and for too many SKUs.
    """
    kind = types.of(type)
    check_pattern(code_pattern, kind)
    read = await _configured(tx, kind, config or {})
    # Held until the SKU is there: with the first one the store's currency is fixed.
    stores = await tx.conn.fetchval("SELECT currency FROM store WHERE tenant_id = $1 FOR SHARE", tx.tenant_id)
    if currency not in (None, stores):
        raise Unprocessable(f"This store's prices are in {stores}, not in {currency}. Nothing was created.", code="other_currency")
    sku_id = new_id()
    async with review.watching(tx, product_id, skus=[sku_id]):
        values = options.chosen(await _room_for_one(tx, product_id), choices or {})
        sql = """INSERT INTO sku (tenant_id, id, product_id, name, price_minor, currency, code_pattern, reference, state, choices,
                                  cost_minor, face_value, usage_note, type, config, stock, picked)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"""
        more = (reference, state, values, cost_minor, face_value, usage_note, type, read, kind.stock, kind.picked)
        try:
            await tx.conn.execute(sql, tx.tenant_id, sku_id, product_id, name, price_minor, stores, code_pattern, *more)
        except asyncpg.UniqueViolationError as error:
            raise taken(error) from None
    await texts.keep_skus(tx, [sku_id])
    await tx.audit(actor, "sku.created", encode("sku", sku_id), name=name, price_minor=price_minor, currency=stores)
    return await get_sku(tx, sku_id)


async def list_skus(
    tx: TenantTx, *, product_id: UUID | None = None, limit: int, before: UUID | None = None, q: str | None = None,
    ids: Sequence[UUID] | None = None,
) -> list[Sku]:  # fmt: skip
    """At most `limit` SKUs, newest first, older than `before`; with `product_id` those of one product, with `ids` those.

    With `q` those that have all its words somewhere in their names, choices or references, or in their product's; of a great many,
    `texts.FOUND_MAX` of them.
    """
    arguments: list[Any] = [tx.tenant_id, before or NEWEST, limit]
    where = ""
    if product_id is not None:
        arguments.append(product_id)
        where = f"AND k.product_id = ${len(arguments)}"
    if ids is not None:
        arguments.append(ids)
        where += f" AND k.id = ANY(${len(arguments)})"
    if q is None:
        sql = f"{_SELECT} AND k.id < $2 {where} ORDER BY k.id DESC LIMIT $3"
    else:
        arguments.append(q)
        sql = f"""WITH {search.finding(f"${len(arguments)}", sku=texts.FOUND_MAX)}
                  SELECT s.* FROM found_sku AS f CROSS JOIN LATERAL ({_SELECT} AND k.id = f.id {where} OFFSET 0) AS s
                  WHERE s.id < $2 ORDER BY s.id DESC LIMIT $3"""
    return [_sku(row) for row in await tx.conn.fetch(sql, *arguments)]


async def get_sku(tx: TenantTx, sku_id: UUID, *, lock: bool = False) -> Sku:
    """With `lock`, whoever allots this SKU's units waits in line; imports, which only refer to the row, do not. Raises `NotFound`."""
    if row := await tx.conn.fetchrow(f"{_SELECT} AND k.id = $2 {'FOR NO KEY UPDATE OF k' if lock else ''}", tx.tenant_id, sku_id):
        return _sku(row)
    raise NotFound("There is no such SKU.")


async def change_sku(tx: TenantTx, sku_id: UUID, changes: dict[str, Any], *, version: int | None, actor: str) -> Sku:
    """Set what `changes` names of `CHANGEABLE`. `version` is the one that was read, None for whichever is current.

    A price is that of sales to come: those that are open keep theirs. Raises `NotFound`, `PreconditionFailed`, `Conflict`
    (`reference_taken`, `variant_taken`), `Unprocessable` (`bad_choices`, `bad_code_pattern`, `bad_config`).
    """
    product_id = (await get_sku(tx, sku_id)).product_id
    # The product first, as everybody who locks both.
    async with review.watching(tx, product_id, skus=[sku_id]):
        changed = await write(tx, await axes_of(tx, product_id), sku_id, changes, version=version, actor=actor)
    if TOLD & set(changed):
        await texts.keep_skus(tx, [sku_id])
    return await get_sku(tx, sku_id)


async def write(
    tx: TenantTx, axes: list[Option], sku_id: UUID, changes: dict[str, Any], *, version: int | None, actor: str
) -> list[str]:  # fmt: skip
    """What of `changes` is another than before, written and on record. Its product is watched by who calls. Raises as `change_sku`."""
    assert changes.keys() <= CHANGEABLE, changes.keys()
    before = await get_sku(tx, sku_id, lock=True)
    if version not in (None, before.version):
        raise PreconditionFailed("The SKU was changed since you read it. Nothing was overwritten; read it again.")
    after = msgspec.structs.replace(before, **changes)
    changed = sorted(name for name in changes if getattr(after, name) != getattr(before, name))
    if not changed:
        return []
    kind = types.of(before.type)
    if "code_pattern" in changed:
        check_pattern(after.code_pattern, kind)
    stored = {"choices": options.chosen(axes, after.choices), "config": await _configured(tx, kind, after.config)}
    values = [stored.get(name, getattr(after, name)) for name in changed]
    sql = f"""UPDATE sku SET {", ".join(f"{name} = ${n}" for n, name in enumerate(changed, 3))}, version = version + 1
              WHERE tenant_id = $1 AND id = $2"""
    try:
        await tx.conn.execute(sql, tx.tenant_id, sku_id, *values)
    except asyncpg.UniqueViolationError as error:
        raise taken(error) from None
    figures = {"price_minor": after.price_minor} if "price_minor" in changed else {}
    await tx.audit(actor, "sku.changed", encode("sku", sku_id), fields=changed, **figures)
    return changed


async def _configured(tx: TenantTx, kind: ProductType, config: dict[str, Any]) -> str:
    """The config as it is stored. Raises `Unprocessable` (`bad_config`)."""
    read = types.configured(kind, config)
    await kind.check(tx, read)
    return _encode(read).decode()


def check_pattern(code_pattern: str | None, kind: ProductType) -> None:
    """Raises `Unprocessable` (`bad_code_pattern`)."""
    if code_pattern is not None:
        if kind.stock != "imported":
            raise Unprocessable(f"Units of type {kind.name} come from no file: there is no code_pattern.", code="bad_code_pattern")
        try:
            re.compile(code_pattern)
        except re.error as error:
            raise Unprocessable(f"code_pattern is not a regular expression: {error}.", code="bad_code_pattern") from None


def taken(error: asyncpg.UniqueViolationError) -> Conflict:
    """What a SKU collides with, by the index that says so."""
    if error.constraint_name == "sku_choices":
        return Conflict("The product has this variant already. Nothing was changed.", code="variant_taken")
    return Conflict("Another one has this reference. Nothing was changed.", code="reference_taken")


async def axes_of(tx: TenantTx, product_id: UUID) -> list[Option]:
    """The product's options, which stay as they are until the commit. Raises `NotFound`."""
    found = await tx.conn.fetchval("SELECT options FROM product WHERE tenant_id = $1 AND id = $2 FOR SHARE", tx.tenant_id, product_id)
    if found is None:
        raise NotFound("There is no such product.")
    return msgspec.json.decode(found, type=list[Option])


async def _room_for_one(tx: TenantTx, product_id: UUID) -> list[Option]:
    """`_axes`. Raises `Conflict` (`too_many_skus`) too."""
    axes = await axes_of(tx, product_id)
    if await tx.conn.fetchval("SELECT count(*) FROM sku WHERE tenant_id = $1 AND product_id = $2", tx.tenant_id, product_id) >= SKUS_MAX:
        raise Conflict(f"A product has at most {SKUS_MAX:,} SKUs. Make another product.", code="too_many_skus")
    return axes
