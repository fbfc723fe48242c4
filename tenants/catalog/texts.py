"""What products and SKUs are found by: their names in all languages, references and choices. Descriptions are not searched."""

from collections.abc import Sequence
from uuid import UUID

from tenants import search
from tenants.db import TenantTx

TEXT_MAX = 4_000  # letters of one text that are looked through
FOUND_MAX = 1_000  # products, or SKUs, that one search goes through


async def keep_products(tx: TenantTx, product_ids: Sequence[UUID]) -> None:
    """Let these be found by what they are called now, and their SKUs, which are found by their product's name too."""
    sql = """SELECT p.id, concat_ws(' ', p.name, p.reference, (SELECT string_agg(t.name, ' ' ORDER BY t.locale) FROM translation t
                                                               WHERE t.tenant_id = $1 AND t.subject_id = p.id))
             FROM unnest($2::uuid[]) AS x(id) CROSS JOIN LATERAL (
                 SELECT id, name, reference FROM product WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS p"""
    names = dict(await tx.conn.fetch(sql, tx.tenant_id, product_ids))
    await search.keep(tx, "product", [(each, name[:TEXT_MAX]) for each, name in names.items()])
    sql = """SELECT k.id FROM unnest($2::uuid[]) AS x(id) CROSS JOIN LATERAL (
                 SELECT id FROM sku WHERE tenant_id = $1 AND product_id = x.id OFFSET 0) AS k"""
    await keep_skus(tx, [row["id"] for row in await tx.conn.fetch(sql, tx.tenant_id, product_ids)])


async def keep_skus(tx: TenantTx, sku_ids: Sequence[UUID]) -> None:
    """Let these be found by what they and their products are called now."""
    sql = """SELECT k.id, concat_ws(' ', p.name, k.name, array_to_string(k.choices, ' '), k.reference,
                        (SELECT string_agg(t.name, ' ' ORDER BY t.subject_id, t.locale) FROM translation t
                         WHERE t.tenant_id = $1 AND t.subject_id = ANY(ARRAY[p.id, k.id])))
             FROM unnest($2::uuid[]) AS x(id)
             CROSS JOIN LATERAL (SELECT id, product_id, name, choices, reference FROM sku
                                 WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS k
             CROSS JOIN LATERAL (SELECT id, name FROM product WHERE tenant_id = $1 AND id = k.product_id OFFSET 0) AS p"""
    if sku_ids:
        texts = await tx.conn.fetch(sql, tx.tenant_id, sku_ids)
        await search.keep(tx, "sku", [(each, text[:TEXT_MAX]) for each, text in texts])


def finding_products(q: str) -> str:
    """Parts of a WITH that give `found(id)`: the products whose names have the words of parameter `q`, or whose SKUs' do. $1 is the tenant.

    Of a great many, `FOUND_MAX` each.
    """
    return f"""{search.finding(q, product=FOUND_MAX, sku=FOUND_MAX)},
        found AS MATERIALIZED (
            SELECT id FROM found_product
            UNION SELECT k.product_id FROM found_sku AS f CROSS JOIN LATERAL (
                SELECT product_id FROM sku WHERE tenant_id = $1 AND id = f.id OFFSET 0) AS k)"""
