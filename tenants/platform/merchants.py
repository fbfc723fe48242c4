"""Merchants as the platform sees them: pages of all tenants, one by itself, suspended and let go on."""

import datetime as dt
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import NotFound
from checkout_core.ids import encode
from tenants.db import NEWEST, Connection, TenantTx
from tenants.platform import records

SHOWN_MAX = 100  # hosts, and mails, of one merchant


class Standing(msgspec.Struct, frozen=True):
    """The newest qualification of a kind."""

    kind: str
    state: str
    valid_until: dt.datetime | None


class Merchant(msgspec.Struct, frozen=True):
    id: UUID
    slug: str
    name: str
    created_at: dt.datetime
    suspended_at: dt.datetime | None
    suspended_for: str | None
    qualifications: list[Standing]


class Detail(msgspec.Struct, frozen=True):
    """With the first 100 of its hosts, and of the mails of its people."""

    merchant: Merchant
    hosts: list[str]
    mails: list[str]


# What is shown of a tenant, for the few of one page: `t` is where they come from. No tenant is visited by itself.
_SHOWN = """SELECT t.id, t.slug, coalesce(s.name, '') AS name, t.created_at, t.suspended_at, t.suspended_for,
                   coalesce(q.newest, '[]') AS qualifications
            FROM t LEFT JOIN store s ON s.tenant_id = t.id
            LEFT JOIN LATERAL (
                SELECT json_agg(json_build_object('kind', kind, 'state', state, 'valid_until', valid_until) ORDER BY kind) AS newest
                FROM (SELECT DISTINCT ON (kind) kind, state, valid_until FROM qualification WHERE tenant_id = t.id AND state <> 'draft'
                      ORDER BY kind, id DESC) AS each) q ON true"""
_COLUMNS = "id, slug, created_at, suspended_at, suspended_for"


def _merchant(row: asyncpg.Record) -> Merchant:
    return msgspec.convert(dict(row) | {"qualifications": msgspec.json.decode(row["qualifications"])}, Merchant)


async def newest(conn: Connection, *, limit: int, before: UUID | None = None, suspended: bool = False) -> list[Merchant]:
    """At most `limit`, newest first, older than the merchant `before`: ids grow with time. With `suspended` only those."""
    only = "AND suspended_at IS NOT NULL" if suspended else ""
    sql = f"""WITH t AS (SELECT {_COLUMNS} FROM tenant WHERE id < $1 {only} ORDER BY id DESC LIMIT $2)
              {_SHOWN} ORDER BY t.id DESC"""
    return [_merchant(row) for row in await conn.fetch(sql, before or NEWEST, limit)]


async def by_slug(conn: Connection, prefix: str, *, limit: int, after: str | None = None) -> list[Merchant]:
    """At most `limit` of those whose slug begins with `prefix`, by slug, after the slug `after`."""
    # In the C collation "{" comes after everything a slug is made of.
    sql = f"""WITH t AS (SELECT {_COLUMNS} FROM tenant
                         WHERE slug COLLATE "C" >= $1 AND slug COLLATE "C" < $1 || '{{'
                           AND slug COLLATE "C" > $2
                         ORDER BY slug COLLATE "C" LIMIT $3)
              {_SHOWN} ORDER BY t.slug COLLATE "C\""""
    return [_merchant(row) for row in await conn.fetch(sql, prefix, after or "", limit)]


async def by_mail(conn: Connection, mail: str, *, limit: int, before: UUID | None = None) -> list[Merchant]:
    """At most `limit` of those whose people have this mail, newest first, older than the merchant `before`."""
    theirs = "SELECT m.tenant_id FROM membership m JOIN merchant_user u ON u.id = m.user_id WHERE u.mail = $1"
    sql = f"""WITH t AS (SELECT {_COLUMNS} FROM tenant WHERE id IN ({theirs}) AND id < $2 ORDER BY id DESC LIMIT $3)
              {_SHOWN} ORDER BY t.id DESC"""
    return [_merchant(row) for row in await conn.fetch(sql, mail.lower(), before or NEWEST, limit)]


async def get(conn: Connection, tenant_id: UUID) -> Detail:
    """Raises `NotFound`."""
    sql = f"WITH t AS (SELECT {_COLUMNS} FROM tenant WHERE id = $1) {_SHOWN}"
    if (row := await conn.fetchrow(sql, tenant_id)) is None:
        raise NotFound("There is no such merchant.")
    hosts = await conn.fetch("SELECT host FROM store_host WHERE tenant_id = $1 ORDER BY host LIMIT $2", tenant_id, SHOWN_MAX)
    sql = "SELECT u.mail FROM membership m JOIN merchant_user u ON u.id = m.user_id WHERE m.tenant_id = $1 ORDER BY u.mail LIMIT $2"
    mails = await conn.fetch(sql, tenant_id, SHOWN_MAX)
    return Detail(_merchant(row), [row["host"] for row in hosts], [row["mail"] for row in mails])


async def suspend(tx: TenantTx, *, reason: str, actor: str) -> Detail:
    """Close the store, everywhere within two seconds. One that is closed already stays so, for the reason it was. Raises `NotFound`."""
    sql = "UPDATE tenant SET suspended_at = now(), suspended_for = $2 WHERE id = $1 AND suspended_at IS NULL RETURNING id"
    if await tx.conn.fetchval(sql, tx.tenant_id, reason):
        await records.add_both(tx, actor, "merchant.suspended", encode("ten", tx.tenant_id), reason=reason)
    return await get(tx.conn, tx.tenant_id)


async def lift(tx: TenantTx, *, reason: str, actor: str) -> Detail:
    """Open the store again. One that is open stays so. Raises `NotFound`."""
    sql = "UPDATE tenant SET suspended_at = NULL, suspended_for = NULL WHERE id = $1 AND suspended_at IS NOT NULL RETURNING id"
    if await tx.conn.fetchval(sql, tx.tenant_id):
        await records.add_both(tx, actor, "merchant.suspension_lifted", encode("ten", tx.tenant_id), reason=reason)
    return await get(tx.conn, tx.tenant_id)
