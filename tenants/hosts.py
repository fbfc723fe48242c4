"""Which store answers to a host, and which host is a store's own. Platform tables: asked before there is a tenant.

A sub-domain that a store has left stays its own for ever, and leads on for a while. A domain goes to whoever proved it last.
"""

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.errors import Conflict, NotFound
from tenants.accounts import Taken
from tenants.db import Connection, Pool, platform_tx
from tenants.platform import slugs

REDIRECTS_FOR = dt.timedelta(days=90)
LEFT_MAX = 5  # sub-domains that one store may have left behind


class Home(NamedTuple):
    """A store by one of its names. `primary_host` is None for one that uses its sub-domain.

    `moved` says that the name is an old one, `suspended` that the platform has closed the store, `closed` that its merchant has for a
    while.
    """

    tenant_id: UUID
    slug: str
    primary_host: str | None
    moved: bool
    suspended: bool
    closed: bool
    opens_at: dt.datetime | None


_PRIMARY = "LEFT JOIN store_host p ON p.host = t.primary_host AND p.tenant_id = t.id AND p.redirects_until IS NULL"
# A store that leaves is closed from the moment it was asked for, and so is its sandbox.
_STAYS = "NOT EXISTS (SELECT 1 FROM off_boarding o WHERE o.tenant_id IN (t.id, t.sandbox_of) AND o.state <> 'cancelled')"
_STORE = "LEFT JOIN store s ON s.tenant_id = t.id"
_STANDS = "t.suspended_at IS NOT NULL, coalesce(s.closed, false), s.opens_at"
_HOME = f"SELECT t.id, t.slug, p.host, false, {_STANDS} FROM tenant t {_STORE} {_PRIMARY}"


async def by_host(platform: Pool, host: str) -> Home | None:
    """The store that answers to `host` (lower case, no port)."""
    sql = f"""SELECT t.id, t.slug, p.host, h.redirects_until IS NOT NULL, {_STANDS}
              FROM store_host h JOIN tenant t ON t.id = h.tenant_id {_STORE} {_PRIMARY}
              WHERE h.host = $1 AND (h.redirects_until IS NULL OR h.redirects_until > now()) AND {_STAYS}"""
    async with platform_tx(platform) as conn:
        row = await conn.fetchrow(sql, host)
    return Home(*row) if row else None


async def by_slug(platform: Pool, slug: str, base_domain: str) -> Home | None:
    """The store whose sub-domain `slug` is, or was until a while ago."""
    async with platform_tx(platform) as conn:
        row = await conn.fetchrow(f"{_HOME} WHERE t.slug = $1 AND {_STAYS}", slug)
    return Home(*row) if row else await by_host(platform, f"{slug}.{base_domain}")


async def move(platform: Pool, tenant_id: UUID, slug: str, base_domain: str) -> str:
    """Give the store the sub-domain `slug`; its host. The one it had leads on for 90 days. Again is no error.

    Raises `Taken` when another store has or had it, `Conflict` (`too_many_addresses`) after five moves.
    """
    taken = Taken("This address is taken already. Nothing was changed; choose another.")
    host = f"{slug}.{base_domain}"
    async with platform_tx(platform) as conn:
        before = await _locked(conn, tenant_id)
        if before == slug:
            return host
        if await slugs.is_reserved(conn, slug):
            raise taken
        if await conn.fetchval("SELECT tenant_id FROM store_host WHERE host = $1", host) is None:
            sql = "SELECT count(*) FROM store_host WHERE tenant_id = $1 AND redirects_until IS NOT NULL"
            if await conn.fetchval(sql, tenant_id) >= LEFT_MAX:
                raise Conflict("This store has left as many addresses as it may. It can return to any of them.", code="too_many_addresses")
        sql = """INSERT INTO store_host (host, tenant_id) VALUES ($1, $2)
                 ON CONFLICT (host) DO UPDATE SET redirects_until = NULL WHERE store_host.tenant_id = $2 RETURNING 1"""
        try:
            if not await conn.fetchval(sql, host, tenant_id):
                raise taken
            await conn.execute("UPDATE tenant SET slug = $2 WHERE id = $1", tenant_id, slug)
        except asyncpg.UniqueViolationError:
            raise taken from None
        sql = "UPDATE store_host SET redirects_until = now() + $2 WHERE host = $1"
        await conn.execute(sql, f"{before}.{base_domain}", REDIRECTS_FOR)
    return host


async def claim(platform: Pool, host: str, tenant_id: UUID, *, still_proven: Callable[[UUID], bool]) -> tuple[bool, UUID | None]:
    """Whether `host` is the tenant's now, and who had it before. One that another has goes over unless he is `still_proven`."""
    async with platform_tx(platform) as conn:
        if await conn.fetchval(
            "INSERT INTO store_host (host, tenant_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1", host, tenant_id
        ):
            return True, None
        holder = await conn.fetchval("SELECT tenant_id FROM store_host WHERE host = $1 FOR UPDATE", host)
        if holder == tenant_id:
            return True, None
        if holder is None or still_proven(holder):  # gone in this moment: the next check claims it
            return False, holder
        await conn.execute("UPDATE store_host SET tenant_id = $2 WHERE host = $1", host, tenant_id)
    return True, holder


async def release(platform: Pool, host: str, tenant_id: UUID) -> None:
    """The tenant's own domain leads nowhere any more. Again, or one that went to another, is no error."""
    async with platform_tx(platform) as conn:
        await conn.execute("DELETE FROM store_host WHERE host = $1 AND tenant_id = $2", host, tenant_id)


async def holder(platform: Pool, host: str) -> UUID | None:
    async with platform_tx(platform) as conn:
        found: UUID | None = await conn.fetchval("SELECT tenant_id FROM store_host WHERE host = $1", host)
    return found


async def home(platform: Pool, tenant_id: UUID) -> Home:
    """Raises `NotFound`."""
    async with platform_tx(platform) as conn:
        row = await conn.fetchrow(f"{_HOME} WHERE t.id = $1", tenant_id)
    if row is None:
        raise NotFound("There is no such store.")
    return Home(*row)


async def prefer(platform: Pool, tenant_id: UUID, host: str) -> None:
    """Name `host` in links to the store. Raises `NotFound` for a host that is not in use by it."""
    async with platform_tx(platform) as conn:
        await _locked(conn, tenant_id)
        sql = "SELECT 1 FROM store_host WHERE host = $1 AND tenant_id = $2 AND redirects_until IS NULL"
        if not await conn.fetchval(sql, host, tenant_id):
            raise NotFound("Your store does not answer to this host. Prove the domain first.", code="no_such_host")
        await conn.execute("UPDATE tenant SET primary_host = $2 WHERE id = $1", tenant_id, host)


async def _locked(conn: Connection, tenant_id: UUID) -> str:
    slug: str = await conn.fetchval("SELECT slug FROM tenant WHERE id = $1 FOR NO KEY UPDATE", tenant_id)
    return slug


async def is_suspended(platform: Pool, tenant_id: UUID) -> bool:
    async with platform_tx(platform) as conn:
        return bool(await conn.fetchval("SELECT 1 FROM tenant WHERE id = $1 AND suspended_at IS NOT NULL", tenant_id))
