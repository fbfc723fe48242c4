"""Slugs that no merchant gets: names that a visitor would take for the platform's own, and those kept for somebody."""

import datetime as dt

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound
from tenants.db import Connection
from tenants.platform import records


class ReservedSlug(msgspec.Struct, frozen=True):
    slug: str
    reason: str
    created_at: dt.datetime


async def is_reserved(conn: Connection, slug: str) -> bool:
    return await conn.fetchval("SELECT 1 FROM reserved_slug WHERE slug = $1", slug) is not None


async def reserved(conn: Connection, *, limit: int, after: str | None = None) -> list[ReservedSlug]:
    """At most `limit`, in their order, after the slug `after`."""
    sql = "SELECT slug, reason, created_at FROM reserved_slug WHERE slug > $1 ORDER BY slug LIMIT $2"
    return [ReservedSlug(*row) for row in await conn.fetch(sql, after or "", limit)]


async def reserve(conn: Connection, slug: str, *, reason: str, actor: str) -> ReservedSlug:
    """Raises `Conflict` when it is reserved already, or a merchant's."""
    if await conn.fetchval("SELECT 1 FROM tenant WHERE slug = $1", slug):
        raise Conflict("A merchant has this slug.", code="slug_in_use")
    try:
        sql = "INSERT INTO reserved_slug (slug, reason) VALUES ($1, $2) RETURNING slug, reason, created_at"
        row = await conn.fetchrow(sql, slug, reason)
    except asyncpg.UniqueViolationError:
        raise Conflict("This slug is reserved already.", code="slug_reserved") from None
    await records.add(conn, actor, "slug.reserved", slug, reason=reason)
    return ReservedSlug(*row)


async def free(conn: Connection, slug: str, *, actor: str) -> None:
    """Raises `NotFound`."""
    if await conn.fetchval("DELETE FROM reserved_slug WHERE slug = $1 RETURNING slug", slug) is None:
        raise NotFound("This slug is not reserved.")
    await records.add(conn, actor, "slug.freed", slug)
