"""What products and SKUs were shown as, from when on: so that an order finds what it was made of, whatever was edited since.

Whoever edits writes a version, in his transaction and under the product's lock, when it is another than the last. Who sells writes nothing:
an order finds its version by the moment it was made. An edit that was under way in that moment counts from when it was written, a few
milliseconds before others could see it.

What is shown of a product that is reviewed beforehand is what was approved (`product.shown`), and so it is here.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from checkout_core import safeties
from tenants.catalog.options import Option
from tenants.db import TenantTx

ROWS: Final = 1_000  # of one statement


class Words(msgspec.Struct, frozen=True):
    """In another language; None leaves the description that was written."""

    name: str
    description: str | None


class ProductContent(msgspec.Struct, frozen=True):
    """`translations` by language; `images` are digests, in order."""

    name: str
    description: str
    options: list[Option]
    translations: dict[str, Words]
    images: list[str]


class SkuContent(msgspec.Struct, frozen=True):
    """`choices` are in the order of the product's options; `translations` its names by language."""

    name: str
    choices: list[str]
    face_value: str | None
    usage_note: str
    price_minor: int
    currency: str
    type: str
    config: dict[str, Any]
    translations: dict[str, str]


# What is said now, of those in $2.
_PRODUCTS = """SELECT p.id, jsonb_build_object(
                   'name', p.name, 'description', p.description, 'options', p.options,
                   'translations', coalesce((
                       SELECT jsonb_object_agg(t.locale, jsonb_build_object('name', t.name, 'description', t.description))
                       FROM translation t WHERE t.tenant_id = $1 AND t.subject_id = p.id), '{}'),
                   'images', coalesce((SELECT jsonb_agg(i.digest ORDER BY i.position, i.digest) FROM product_image i
                                       WHERE i.tenant_id = $1 AND i.product_id = p.id AND i.position IS NOT NULL), '[]'))
                   || coalesce(p.shown - 'skus', '{}') AS content
               FROM unnest($2::uuid[]) AS x(id)
               CROSS JOIN LATERAL (SELECT id, name, description, options, shown FROM product
                                   WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS p"""
_SKUS = """SELECT k.id, jsonb_build_object(
               'name', k.name, 'choices', k.choices, 'face_value', k.face_value, 'usage_note', k.usage_note,
               'price_minor', k.price_minor, 'currency', k.currency, 'type', k.type, 'config', k.config,
               'translations', coalesce((SELECT jsonb_object_agg(t.locale, t.name) FROM translation t
                                         WHERE t.tenant_id = $1 AND t.subject_id = k.id), '{}'))
               || coalesce(p.shown, '{}') AS content
           FROM unnest($2::uuid[]) AS x(id)
           CROSS JOIN LATERAL (SELECT * FROM sku WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS k
           CROSS JOIN LATERAL (SELECT shown -> 'skus' -> k.id::text AS shown FROM product
                               WHERE tenant_id = $1 AND id = k.product_id OFFSET 0) AS p"""
# What a reviewer approves is shown from then on; the rest is as it was. Read from what was handed in: a reviewer sees no catalogue.
_APPROVED = """SELECT x.id, l.content || x.content AS content
               FROM unnest($2::uuid[]) AS r(id)
               CROSS JOIN LATERAL (SELECT product_id, content FROM product_review WHERE tenant_id = $1 AND id = r.id OFFSET 0) AS v
               CROSS JOIN LATERAL (SELECT v.product_id, v.content - 'skus'
                                   UNION ALL SELECT s.key::uuid, s.value FROM jsonb_each(v.content -> 'skus') AS s) AS x(id, content)
               CROSS JOIN LATERAL (SELECT content FROM content_version WHERE tenant_id = $1 AND subject_id = x.id
                                   ORDER BY since DESC LIMIT 1) AS l"""
# Under the product's lock: a clock that was set back makes no version older than the one before.
_KEEP = """INSERT INTO content_version (tenant_id, subject_id, since, content)
           SELECT $1, n.id, greatest(clock_timestamp(), l.since + interval '1 microsecond'), n.content
           FROM ({now} OFFSET 0) AS n
           LEFT JOIN LATERAL (SELECT since, content FROM content_version WHERE tenant_id = $1 AND subject_id = n.id
                              ORDER BY since DESC LIMIT 1) AS l ON true
           WHERE n.content IS DISTINCT FROM l.content"""


async def lock(tx: TenantTx, product_ids: Collection[UUID]) -> None:
    """Nobody else edits these, or their SKUs, until the commit: of two edits at once the second keeps what both have said."""
    sql = "SELECT 1 FROM product WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE"
    if not safeties.on("edit_line"):
        return
    await tx.conn.execute(sql, tx.tenant_id, sorted(set(product_ids)))


async def keep(tx: TenantTx, product_ids: Collection[UUID] = (), sku_ids: Collection[UUID] = ()) -> None:
    """Write down what these are shown as now, where that is another than before. Their products are locked."""
    for now, ids in ((_PRODUCTS, product_ids), (_SKUS, sku_ids)):
        for part in _parts(sorted(set(ids))):
            await tx.conn.execute(_KEEP.format(now=now), tx.tenant_id, part)


async def keep_approved(tx: TenantTx, review_ids: Sequence[UUID]) -> None:
    """What was handed in with these is what is shown. Their products are locked."""
    for part in _parts(review_ids):
        await tx.conn.execute(_KEEP.format(now=_APPROVED), tx.tenant_id, part)


async def skus_of(tx: TenantTx, product_ids: Collection[UUID]) -> list[UUID]:
    sql = """SELECT k.id FROM unnest($2::uuid[]) AS x(id) CROSS JOIN LATERAL (
                 SELECT id FROM sku WHERE tenant_id = $1 AND product_id = x.id OFFSET 0) AS k"""
    return [row["id"] for row in await tx.conn.fetch(sql, tx.tenant_id, sorted(set(product_ids)))]


# The last version that began by a moment; where none did, the first there is.
AS_OF: Final = """(SELECT since, content FROM (
                       (SELECT since, content FROM content_version WHERE tenant_id = $1 AND subject_id = {of} AND since <= {at}
                        ORDER BY since DESC LIMIT 1)
                       UNION ALL
                       (SELECT since, content FROM content_version WHERE tenant_id = $1 AND subject_id = {of} AND since > {at}
                        ORDER BY since LIMIT 1)) AS around
                   ORDER BY since LIMIT 1)"""


def _parts(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for begin in range(0, len(ids), ROWS):
        yield ids[begin : begin + ROWS]
