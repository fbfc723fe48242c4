"""The schedule of products: what is to be published, or taken down again, at a moment. A duty; the sweep comes by every second."""

import datetime as dt
from uuid import UUID

from checkout_core.ids import encode
from tenants.catalog import review
from tenants.catalog.products import DRAFT, PUBLISHED, SYSTEM
from tenants.db import Pool, tenant_tx


async def keep(pool: Pool, tenant_id: UUID, product_id: UUID) -> None:
    """Do what is due by now, in order: of both moments passed at once the later one stays. Nothing is done twice."""
    async with tenant_tx(pool, tenant_id) as tx, review.watching(tx, product_id):
        sql = """SELECT publish_at, unpublish_at, now() FROM product WHERE tenant_id = $1 AND id = $2 AND next_try_at <= now()
                 FOR NO KEY UPDATE"""
        row = await tx.conn.fetchrow(sql, tenant_id, product_id)
        if row is None:
            return
        *moments, now = row
        due: list[tuple[dt.datetime, str]] = []
        for at, state in zip(moments, (PUBLISHED, DRAFT), strict=True):
            if at is not None and at <= now:
                due.append((at, state))
        sql = """UPDATE product SET state = coalesce($3, state), version = version + 1,
                        publish_at = CASE WHEN publish_at > now() THEN publish_at END,
                        unpublish_at = CASE WHEN unpublish_at > now() THEN unpublish_at END,
                        next_try_at = CASE WHEN publish_at > now() THEN publish_at WHEN unpublish_at > now() THEN unpublish_at END,
                        tries = 0
                 WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tenant_id, product_id, max(due)[1] if due else None)
        for _, state in sorted(due):
            action = "product.published" if state == PUBLISHED else "product.taken_down"
            await tx.audit(SYSTEM, action, encode("prd", product_id))
