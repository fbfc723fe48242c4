"""Which tenant a host or slug belongs to. Platform tables: asked before there is a tenant."""

from uuid import UUID

from tenants.db import Pool, platform_tx


async def by_host(platform: Pool, host: str) -> tuple[UUID, str] | None:
    """The tenant and slug of the store that answers to `host` (lower case, no port)."""
    sql = "SELECT t.id, t.slug FROM store_host h JOIN tenant t ON t.id = h.tenant_id WHERE h.host = $1"
    async with platform_tx(platform) as conn:
        row = await conn.fetchrow(sql, host)
    return (row["id"], row["slug"]) if row else None


async def by_slug(platform: Pool, slug: str) -> tuple[UUID, str] | None:
    async with platform_tx(platform) as conn:
        row = await conn.fetchrow("SELECT id, slug FROM tenant WHERE slug = $1", slug)
    return (row["id"], row["slug"]) if row else None
