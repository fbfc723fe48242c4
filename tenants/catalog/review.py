"""Content review: for some stores the platform looks at what their products say and show, before shoppers see it or after.

Whoever changes what is shown does so inside `watching`, which notices what a product says and shows before and after. What is new waits for
a reviewer as it is (`product_review.content`). Meanwhile, where it is looked at before, shoppers go on seeing what was approved last
(`product.shown`), and nothing of what never was.
"""

import datetime as dt
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import msgspec

from checkout_core.ids import new_id
from tenants.catalog import versions
from tenants.db import NEWEST, TenantTx

OFF, AFTER, BEFORE = "off", "after", "before"
MODES: Final = (OFF, AFTER, BEFORE)
CLEAR, WAITING, REFUSED = "clear", "waiting", "refused"

_CONTENT = """jsonb_build_object(
    'name', p.name, 'description', p.description, 'options', p.options,
    'translations', coalesce((SELECT jsonb_object_agg(t.locale, jsonb_build_object('name', t.name, 'description', t.description))
                              FROM translation t WHERE t.tenant_id = $1 AND t.subject_id = p.id), '{}'),
    'images', coalesce((SELECT jsonb_agg(i.digest ORDER BY i.position, i.digest)
                        FROM product_image i WHERE i.tenant_id = $1 AND i.product_id = p.id AND i.position IS NOT NULL), '[]'),
    'skus', coalesce((SELECT jsonb_object_agg(k.id, jsonb_build_object(
                          'name', k.name, 'choices', k.choices, 'face_value', k.face_value,
                          'translations', coalesce((SELECT jsonb_object_agg(t.locale, t.name) FROM translation t
                                                    WHERE t.tenant_id = $1 AND t.subject_id = k.id), '{}')))
                      FROM sku k WHERE k.tenant_id = $1 AND k.product_id = p.id), '{}'))"""
# What shoppers may see of product p and its SKU k: of a product that is looked at before it is shown, the SKUs that were approved.
VISIBLE: Final = """p.state = 'published' AND k.state = 'published' AND (p.moderation = 'clear' OR p.shown -> 'skus' ? k.id::text)"""
# The rows are locked in one order: nobody edits a product while its review is noted.
_SEEN = f"""SELECT p.id, p.state, p.moderation, p.shown, {_CONTENT} AS content
            FROM product p WHERE p.tenant_id = $1 AND p.id = ANY($2) ORDER BY p.id FOR NO KEY UPDATE OF p"""


class Review(msgspec.Struct, frozen=True):
    """`state`: waiting, approved, refused, or withdrawn by a later edit. `reasons` are those of a refusal."""

    id: UUID
    product_id: UUID
    state: str
    reasons: list[str]
    created_at: dt.datetime
    decided_at: dt.datetime | None


async def mode_of(tx: TenantTx) -> str:
    """What the platform asks of this store: one of `MODES`."""
    return await tx.conn.fetchval("SELECT mode FROM review_rule WHERE tenant_id = $1", tx.tenant_id) or OFF


@asynccontextmanager
async def watching(tx: TenantTx, *product_ids: UUID, skus: Collection[UUID] = ()) -> AsyncIterator[None]:
    """Around whatever may change what these products say or show, their making and their states too; `skus` are theirs that change.

    What is shown afterwards is written down for the orders to come (`versions`). Nobody else edits the products meanwhile.
    """
    mode = await mode_of(tx)
    ids = sorted(set(product_ids))
    if mode == OFF:
        await versions.lock(tx, ids)
        yield
        await versions.keep(tx, ids, skus)
        return
    before = {row["id"]: row for row in await tx.conn.fetch(_SEEN, tx.tenant_id, ids)}
    yield
    for now in await tx.conn.fetch(_SEEN, tx.tenant_id, ids):
        await _noted(tx, mode, before.get(now["id"]), now)
    # Of its SKUs too something else is shown when what is shown is no longer, or again, what they say.
    await versions.keep(tx, ids, await versions.skus_of(tx, ids))


async def history(tx: TenantTx, product_id: UUID, *, limit: int, before: UUID | None = None) -> list[Review]:
    """At most `limit` of a product, newest first, older than the review `before`."""
    sql = """SELECT id, product_id, state, reasons, created_at, decided_at FROM product_review
             WHERE tenant_id = $1 AND product_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4"""
    return [Review(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, product_id, before or NEWEST, limit)]


async def _noted(tx: TenantTx, mode: str, was: Any, now: Any) -> None:
    """What becomes of a product that is `now` so and was so, None when it was not there."""
    was_published = was is not None and was["state"] == "published"
    if now["state"] != "published":
        if was_published:
            await _withdraw(tx, now["id"])
            await _set(tx, now["id"], REFUSED if now["moderation"] == REFUSED else CLEAR, None)
        return
    if was_published and was["content"] == now["content"]:
        return
    await _withdraw(tx, now["id"])
    if now["content"] == await _approved_last(tx, now["id"]):
        await _set(tx, now["id"], CLEAR, None)
        return
    sql = "INSERT INTO product_review (tenant_id, id, product_id, content) VALUES ($1, $2, $3, $4)"
    await tx.conn.execute(sql, tx.tenant_id, new_id(), now["id"], now["content"])
    if mode == BEFORE:
        # What was shown until now was approved, or published before anybody asked for reviews.
        shown = was["content"] if was_published and was["moderation"] == CLEAR else now["shown"]
        await _set(tx, now["id"], WAITING, shown)
    elif now["moderation"] == REFUSED:
        await _set(tx, now["id"], WAITING, now["shown"])


async def _approved_last(tx: TenantTx, product_id: UUID) -> str | None:
    sql = """SELECT content FROM product_review WHERE tenant_id = $1 AND product_id = $2 AND state = 'approved'
             ORDER BY id DESC LIMIT 1"""
    found: str | None = await tx.conn.fetchval(sql, tx.tenant_id, product_id)
    return found


async def _withdraw(tx: TenantTx, product_id: UUID) -> None:
    sql = "UPDATE product_review SET state = 'withdrawn', decided_at = now() WHERE tenant_id = $1 AND product_id = $2 AND state = 'waiting'"
    await tx.conn.execute(sql, tx.tenant_id, product_id)


async def _set(tx: TenantTx, product_id: UUID, moderation: str, shown: str | None) -> None:
    sql = "UPDATE product SET moderation = $3, shown = $4, version = version + 1 WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, product_id, moderation, shown)
