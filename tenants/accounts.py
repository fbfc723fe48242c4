"""Merchants' accounts: signing up makes a tenant, its store and its owner together; signing in makes a session."""

import datetime as dt
import hashlib
import secrets
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.errors import Conflict, Unauthorized
from checkout_core.ids import encode, new_id
from tenants import api_keys
from tenants.db import Pool, platform_tx, tenant_tx
from tenants.passwords import Passwords

SCOPES = frozenset(
    {
        "catalog:read", "catalog:write", "vault:read", "vault:write", "sales:read", "sales:write",
        "orders:read", "orders:write", "payments:write", "codes:reveal", "api_keys:write",
    }
)  # fmt: skip
SESSION_TTL = dt.timedelta(hours=12)
# Names that a visitor would take for the platform's own.
RESERVED_SLUGS = frozenset(
    {"admin", "api", "app", "console", "docs", "help", "login", "mail", "pay", "platform", "static", "status", "support", "www"}
)


class Taken(Conflict):
    code = "taken"


class SignedUp(NamedTuple):
    tenant_id: UUID
    store_host: str
    api_key: str


class Session(NamedTuple):
    token: str
    tenant_id: UUID
    expires_at: dt.datetime


class User(NamedTuple):
    """Who a session belongs to."""

    id: UUID
    tenant_id: UUID
    scopes: frozenset[str]
    expires_at: dt.datetime


async def sign_up(
    platform: Pool, app: Pool, *, passwords: Passwords, pepper: bytes, base_domain: str, store: str, slug: str, mail: str, password: str
) -> SignedUp:
    """A tenant with its store, host, owner and first API key.

    Raises `Taken` when somebody has the slug or the mail: one answer for both, so that it confirms no mail by itself.
    """
    if slug in RESERVED_SLUGS:
        raise Taken("This address or mail is taken already. Choose another address, or sign in.")
    password_hash = await passwords.hash(password)
    tenant_id, user_id, host = new_id(), new_id(), f"{slug}.{base_domain}"
    try:
        async with platform_tx(platform) as conn:
            await conn.execute("INSERT INTO tenant (id, slug) VALUES ($1, $2)", tenant_id, slug)
            await conn.execute("INSERT INTO store_host (host, tenant_id) VALUES ($1, $2)", host, tenant_id)
            sql = "INSERT INTO merchant_user (id, tenant_id, mail, password_hash, scopes) VALUES ($1, $2, $3, $4, $5)"
            await conn.execute(sql, user_id, tenant_id, mail.lower(), password_hash, sorted(SCOPES))
            # The tenant's own rows are committed first. Should this process die in between, they belong to a tenant id that
            # exists nowhere else: slug and mail are free, and nobody was told the key.
            async with tenant_tx(app, tenant_id) as tx:
                await tx.conn.execute("INSERT INTO store (tenant_id, slug, name) VALUES ($1, $2, $3)", tenant_id, slug, store)
                _, key = await api_keys.create(tx, pepper, name="first", scopes=SCOPES, actor=encode("usr", user_id))
                await tx.audit(encode("usr", user_id), "merchant.signed_up", encode("ten", tenant_id))
    except asyncpg.UniqueViolationError:
        raise Taken("This address or mail is taken already. Choose another address, or sign in.") from None
    return SignedUp(tenant_id, host, key)


async def sign_in(platform: Pool, *, passwords: Passwords, mail: str, password: str) -> Session:
    """A new session. Raises `Unauthorized`, after the same time, for an unknown mail and for a wrong password."""
    async with platform_tx(platform) as conn:
        user = await conn.fetchrow("SELECT id, tenant_id, password_hash FROM merchant_user WHERE mail = $1", mail.lower())
    # No connection is held while the password is hashed.
    if not await passwords.verify(user["password_hash"] if user else None, password):
        raise Unauthorized("Mail and password do not go together.", code="wrong_credentials")
    token = f"se_{secrets.token_urlsafe(32)}"
    async with platform_tx(platform) as conn:
        sql = """INSERT INTO merchant_session (token_hash, user_id, expires_at) VALUES ($1, $2, now() + $3) RETURNING expires_at"""
        expires_at = await conn.fetchval(sql, _hash(token), user["id"], SESSION_TTL)
        await conn.execute("DELETE FROM merchant_session WHERE user_id = $1 AND expires_at < now()", user["id"])
    return Session(token, user["tenant_id"], expires_at)


async def sign_out(platform: Pool, token: str) -> None:
    async with platform_tx(platform) as conn:
        await conn.execute("DELETE FROM merchant_session WHERE token_hash = $1", _hash(token))


async def user_of(platform: Pool, token: str) -> User | None:
    """Who holds this session token, while it lasts."""
    sql = """SELECT u.id, u.tenant_id, u.scopes, s.expires_at FROM merchant_session s JOIN merchant_user u ON u.id = s.user_id
             WHERE s.token_hash = $1 AND s.expires_at > now()"""
    async with platform_tx(platform) as conn:
        row = await conn.fetchrow(sql, _hash(token))
    return User(row["id"], row["tenant_id"], frozenset(row["scopes"]), row["expires_at"]) if row else None


def _hash(token: str) -> bytes:
    """The token has 256 random bits: a plain hash cannot be reversed by guessing."""
    return hashlib.sha256(token.encode()).digest()
