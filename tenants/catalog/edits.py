"""Many SKUs at once: one change for all of a list, or for none."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from checkout_core.errors import NotFound
from checkout_core.ids import encode
from tenants.catalog import categories, versions
from tenants.db import TenantTx

EDITED_MAX: Final = 1_000
CHANGEABLE: Final = frozenset({"state", "price_minor", "cost_minor", "category_id"})


async def edit_skus(tx: TenantTx, sku_ids: Sequence[UUID], changes: dict[str, Any], *, actor: str) -> int:
    """Set what `changes` names of `CHANGEABLE` for all of these; how many they are. `category_id` is set for their products.

    Raises `NotFound`, with those that are `missing`, and then nothing was changed.
    """
    assert changes.keys() <= CHANGEABLE, changes.keys()
    assert len(sku_ids) <= EDITED_MAX
    ids = sorted(set(sku_ids))
    # Products before SKUs, each kind in one order, as everybody who locks both.
    sql = "SELECT DISTINCT product_id FROM sku WHERE tenant_id = $1 AND id = ANY($2) ORDER BY 1"
    products = [row["product_id"] for row in await tx.conn.fetch(sql, tx.tenant_id, ids)]
    if "category_id" in changes:
        await categories.must_exist(tx, changes["category_id"])
    await versions.lock(tx, products)
    sql = "SELECT id FROM sku WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE"
    there = {row["id"] for row in await tx.conn.fetch(sql, tx.tenant_id, ids)}
    if missing := [encode("sku", each) for each in ids if each not in there]:
        raise NotFound("There is no such SKU. Nothing was changed.", missing=missing)
    own = [name for name in changes if name != "category_id"]
    if own:
        sql = f"""UPDATE sku SET {", ".join(f"{name} = ${n}" for n, name in enumerate(own, 3))}, version = version + 1
                  WHERE tenant_id = $1 AND id = ANY($2)"""
        await tx.conn.execute(sql, tx.tenant_id, ids, *(changes[name] for name in own))
    if "price_minor" in changes:
        await versions.keep(tx, sku_ids=ids)
    if "category_id" in changes:
        sql = "UPDATE product SET category_id = $3, version = version + 1 WHERE tenant_id = $1 AND id = ANY($2)"
        await tx.conn.execute(sql, tx.tenant_id, products, changes["category_id"])
    category_id = changes.get("category_id")
    said = changes | ({"category_id": encode("cat", category_id) if category_id else None} if "category_id" in changes else {})
    await tx.audit(actor, "skus.edited", encode("ten", tx.tenant_id), changes=said, skus=[encode("sku", each) for each in ids])
    return len(ids)
