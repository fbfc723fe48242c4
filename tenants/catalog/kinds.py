"""What SKUs are to a shopper before he buys them: of which type, and what the merchant told it."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from tenants import types
from tenants.db import TenantTx
from tenants.types.base import ProductType
from tenants.types.fields import Field


class Kind(NamedTuple):
    """`asks` is the form that must be filled in before it is paid."""

    type: ProductType
    config: Any
    asks: Sequence[Field]


class Asked(NamedTuple):
    """A SKU that asks for something: by itself, or as a part of a bundle."""

    sku_id: UUID
    name: str
    fields: Sequence[Field]


_SQL = """SELECT k.id, k.type, k.config, coalesce(tp.name, p.name), coalesce(tk.name, k.name)
          FROM unnest($2::uuid[]) WITH ORDINALITY AS x(id, n)
          CROSS JOIN LATERAL (SELECT id, name, type, config, product_id FROM sku WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS k
          CROSS JOIN LATERAL (SELECT id, name FROM product WHERE tenant_id = $1 AND id = k.product_id OFFSET 0) AS p
          LEFT JOIN translation AS tp ON tp.tenant_id = $1 AND tp.subject_id = p.id AND tp.locale = $3
          LEFT JOIN translation AS tk ON tk.tenant_id = $1 AND tk.subject_id = k.id AND tk.locale = $3 ORDER BY x.n"""


async def of(tx: TenantTx, sku_ids: Sequence[UUID]) -> dict[UUID, Kind]:
    return {sku_id: kind for sku_id, kind, _ in await _read(tx, sku_ids, "")}


async def asked(tx: TenantTx, sku_ids: Sequence[UUID], locale: str) -> dict[UUID, list[Asked]]:
    """By SKU, what is asked of whoever buys it: of a bundle what its parts ask. Those that ask nothing have an empty list."""
    read = await _read(tx, sku_ids, locale)
    parts = {sku_id: [part.sku_id for part in kind.type.parts(kind.config)] for sku_id, kind, _ in read}
    below = await _read(tx, sorted({part for each in parts.values() for part in each}), locale)
    by_id = {each[0]: each for each in [*read, *below]}
    found = {}
    for sku_id, _, _ in read:
        meant = [by_id[part] for part in parts[sku_id] or [sku_id] if part in by_id]
        found[sku_id] = [Asked(each, name, kind.asks) for each, kind, name in meant if kind.asks]
    return found


async def _read(tx: TenantTx, sku_ids: Sequence[UUID], locale: str) -> list[tuple[UUID, Kind, str]]:
    found = []
    for sku_id, name, config, product, called in await tx.conn.fetch(_SQL, tx.tenant_id, list(sku_ids), locale) if sku_ids else ():
        type_ = types.of(name)
        told = types.configured(type_, msgspec.json.decode(config))
        found.append((sku_id, Kind(type_, told, type_.fields(told)), product if called in product else f"{product} · {called}"))
    return found
