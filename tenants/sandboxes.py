"""Sandboxes: a second store of the merchant's in which nothing is real.

It is a tenant of its own, so that what keeps tenants apart keeps it apart: stock, counters, ledger, shoppers, keys and codes. It takes
money from test providers only (`payments.accounts`).
"""

import secrets
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from checkout_core.errors import Conflict
from checkout_core.ids import encode, new_id
from tenants import api_keys, stores
from tenants.db import Pool, platform_tx, tenant_tx

SLUG_MAX = 32


class Sandbox(NamedTuple):
    tenant_id: UUID
    slug: str
    host: str
    api_key: str


async def of(platform: Pool, tenant_id: UUID) -> UUID | None:
    """The sandbox of a store, once its own store is there."""
    async with platform_tx(platform) as conn:
        sql = "SELECT t.id FROM tenant t JOIN store s ON s.tenant_id = t.id WHERE t.sandbox_of = $1"
        found: UUID | None = await conn.fetchval(sql, tenant_id)
        return found


async def enter(
    platform: Pool, app: Pool, tenant_id: UUID, *, pepper: bytes, base_domain: str, scopes: Iterable[str], actor: str
) -> Sandbox:
    """The store's sandbox, opened at the first call, with a new API key to it that has `scopes`.

    Cut off in the middle it is finished by the next call. Raises `Conflict` (`is_sandbox`) for a sandbox.
    """
    sandbox_id, slug = await open_for(platform, app, tenant_id, base_domain=base_domain, actor=actor)
    async with tenant_tx(app, sandbox_id) as tx:
        # Nobody works at a sandbox: its keys answer to nobody.
        _, key = await api_keys.create(tx, pepper, name="sandbox", scopes=scopes, actor=actor, made_by=None)
    return Sandbox(sandbox_id, slug, f"{slug}.{base_domain}", key)


async def open_for(platform: Pool, app: Pool, tenant_id: UUID, *, base_domain: str, actor: str) -> tuple[UUID, str]:
    """The store's sandbox and its slug. Raises as `enter`."""
    async with tenant_tx(app, tenant_id) as tx:
        live = await stores.get(tx)
    if live.mode == "test":
        raise Conflict("This store is a sandbox itself. Ask as the store that it belongs to.", code="is_sandbox")
    async with platform_tx(platform) as conn:
        # Two at once open one: the second waits here, and finds it.
        await conn.execute("SELECT 1 FROM tenant WHERE id = $1 FOR NO KEY UPDATE", tenant_id)
        row = await conn.fetchrow("SELECT id, slug FROM tenant WHERE sandbox_of = $1", tenant_id)
        if row is None:
            ending = f"-test-{secrets.token_hex(3)}"
            slug = live.slug[: SLUG_MAX - len(ending)].rstrip("-") + ending
            sql = "INSERT INTO tenant (id, slug, sandbox_of) VALUES ($1, $2, $3) RETURNING id, slug"
            row = await conn.fetchrow(sql, new_id(), slug, tenant_id)
            await conn.execute("INSERT INTO store_host (host, tenant_id) VALUES ($1, $2)", f"{slug}.{base_domain}", row["id"])
    sandbox_id, slug = row
    async with tenant_tx(app, sandbox_id) as tx:
        sql = """INSERT INTO store (tenant_id, slug, name, currency, zone, locale, locales, mode)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'test') ON CONFLICT DO NOTHING"""
        await tx.conn.execute(sql, sandbox_id, slug, live.name, live.currency, live.zone, live.locale, live.locales)
    async with tenant_tx(app, tenant_id) as tx:
        await tx.audit(actor, "sandbox.entered", encode("ten", sandbox_id))
    return sandbox_id, slug
