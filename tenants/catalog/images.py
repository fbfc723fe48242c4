"""A product's pictures, in their order. Each is encoded anew (`tenants.images`) and served under the name of its content for ever."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import encode
from tenants.catalog import review
from tenants.db import TenantTx
from tenants.images import Encoded, Smaller

IMAGES_MAX: Final = 10  # of a product
KIND: Final = "product"  # of `tenants.images.KINDS`


class ProductImage(msgspec.Struct, frozen=True):
    digest: str
    media_type: str
    width: int
    height: int

    @property
    def path(self) -> str:
        """Where the store's hosts serve it."""
        return path_of(self.digest)


def path_of(digest: str) -> str:
    return f"/images/{digest}.webp"


async def all_of(tx: TenantTx, product_ids: Sequence[UUID]) -> dict[UUID, list[ProductImage]]:
    """The pictures of each, in order."""
    sql = """SELECT i.product_id, i.digest, i.media_type, i.width, i.height FROM unnest($2::uuid[]) AS x(id) CROSS JOIN LATERAL (
                 SELECT product_id, digest, media_type, width, height, position FROM product_image
                 WHERE tenant_id = $1 AND product_id = x.id AND position IS NOT NULL OFFSET 0) AS i
             ORDER BY i.product_id, i.position, i.digest"""
    found: dict[UUID, list[ProductImage]] = {each: [] for each in product_ids}
    for product_id, *image in await tx.conn.fetch(sql, tx.tenant_id, product_ids):
        found[product_id].append(ProductImage(*image))
    return found


async def sizes(tx: TenantTx, product_ids: Sequence[UUID]) -> dict[str, tuple[int, int]]:
    """Width and height of all pictures of the products, by path; those that only an approved content still shows too."""
    sql = """SELECT i.digest, i.width, i.height FROM unnest($2::uuid[]) AS x(id) CROSS JOIN LATERAL (
                 SELECT digest, width, height FROM product_image WHERE tenant_id = $1 AND product_id = x.id OFFSET 0) AS i"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, list(product_ids))
    return {path_of(digest): (width, height) for digest, width, height in rows}


async def add(tx: TenantTx, product_id: UUID, encoded: Encoded, smaller: Smaller = Smaller(), *, actor: str) -> ProductImage:  # noqa: B008
    """Put it behind the others; one that is there already stays where it is. Raises `NotFound`, `Conflict` (`too_many_images`)."""
    image, content = encoded
    async with review.watching(tx, product_id):
        shown = await _locked(tx, product_id)
        if image.digest not in shown:
            if len(shown) >= IMAGES_MAX:
                raise Conflict(f"A product has at most {IMAGES_MAX} pictures. Remove one first.", code="too_many_images")
            sql = """INSERT INTO product_image (tenant_id, product_id, digest, position, media_type, width, height, content, small, medium)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                     ON CONFLICT (tenant_id, product_id, digest) DO UPDATE SET position = $4"""
            at = max(shown.values(), default=0) + 1
            media = (image.media_type, image.width, image.height, content, *smaller)
            await tx.conn.execute(sql, tx.tenant_id, product_id, image.digest, at, *media)
            await _changed(tx, product_id, actor, "product.image_added", image.digest)
    return ProductImage(image.digest, image.media_type, image.width, image.height)


async def remove(tx: TenantTx, product_id: UUID, digest: str, *, actor: str) -> None:
    """Raises `NotFound`, also for a picture of another product."""
    async with review.watching(tx, product_id):
        if digest not in await _locked(tx, product_id):
            raise NotFound("There is no such picture.")
        sql = "UPDATE product_image SET position = NULL WHERE tenant_id = $1 AND product_id = $2 AND digest = $3"
        await tx.conn.execute(sql, tx.tenant_id, product_id, digest)
        await _changed(tx, product_id, actor, "product.image_removed", digest)
    await _prune(tx, product_id)


async def order(tx: TenantTx, product_id: UUID, digests: Sequence[str], *, actor: str) -> None:
    """The first one is the product's face. Raises `NotFound`, `Unprocessable` (`other_images`) unless all its pictures are named once."""
    async with review.watching(tx, product_id):
        shown = await _locked(tx, product_id)
        if sorted(digests) != sorted(shown):
            raise Unprocessable("Name each of the product's pictures once. Nothing was changed.", code="other_images", images=list(shown))
        if list(digests) == list(shown):
            return
        sql = """UPDATE product_image SET position = array_position($3::text[], digest)
                 WHERE tenant_id = $1 AND product_id = $2 AND digest = ANY($3)"""
        await tx.conn.execute(sql, tx.tenant_id, product_id, list(digests))
        await _changed(tx, product_id, actor, "product.images_ordered", *digests[:1])


async def _locked(tx: TenantTx, product_id: UUID) -> dict[str, int]:
    """Its pictures in order, with their places; nobody else changes them until the commit. Raises `NotFound`."""
    sql = "SELECT 1 FROM product WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE"
    if not await tx.conn.fetchval(sql, tx.tenant_id, product_id):
        raise NotFound("There is no such product.")
    sql = """SELECT digest, position FROM product_image WHERE tenant_id = $1 AND product_id = $2 AND position IS NOT NULL
             ORDER BY position, digest"""
    return dict(await tx.conn.fetch(sql, tx.tenant_id, product_id))


async def _changed(tx: TenantTx, product_id: UUID, actor: str, action: str, *digests: str) -> None:
    await tx.conn.execute("UPDATE product SET version = version + 1 WHERE tenant_id = $1 AND id = $2", tx.tenant_id, product_id)
    await tx.audit(actor, action, encode("prd", product_id), images=digests)


async def _prune(tx: TenantTx, product_id: UUID) -> None:
    """Forget pictures that were taken away and that nobody is shown any more."""
    sql = """DELETE FROM product_image i WHERE tenant_id = $1 AND product_id = $2 AND position IS NULL
             AND NOT EXISTS (SELECT 1 FROM product p WHERE p.tenant_id = $1 AND p.id = $2 AND p.shown -> 'images' ? i.digest)"""
    await tx.conn.execute(sql, tx.tenant_id, product_id)
