"""Merchants' accounts. Who signs up is sent a mail, whether or not there is an account; what it holds opens tenant, store and owner.

No answer tells whether a mail is known: both cases do the same work and record a mail, only its words differ. The password is chosen by
whoever holds that mail: who asked with somebody else's address knows nothing of the account that may follow.
"""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.errors import Conflict
from checkout_core.ids import encode, new_id
from tenants import api_keys, mails, memberships, proofs, roles, secret_tokens
from tenants.db import Connection, Pool, platform_tx, tenant_tx
from tenants.passwords import Passwords
from tenants.permissions import PERMISSIONS
from tenants.platform import slugs

IDLE = dt.timedelta(hours=2)  # a session nobody uses for so long is over
SEEN_EVERY = dt.timedelta(minutes=5)  # how finely it is known when one was used last
# A session is of a person at a merchant, and lasts no longer than he works there. One begun by a process of the release before names no
# merchant: it is at the one that he opened.
LIVE_SESSIONS = """merchant_session s JOIN merchant_user u ON u.id = s.user_id
    JOIN membership m ON m.tenant_id = coalesce(s.tenant_id, u.tenant_id) AND m.user_id = s.user_id AND m.created_at <= s.created_at"""


class Taken(Conflict):
    code = "taken"


class SignedUp(NamedTuple):
    tenant_id: UUID
    slug: str
    store_host: str
    api_key: str


class User(NamedTuple):
    """Who a session belongs to."""

    id: UUID
    tenant_id: UUID
    scopes: frozenset[str]
    expires_at: dt.datetime
    session_id: UUID


async def sign_up(
    platform: Pool,
    app: Pool,
    *,
    base_domain: str,
    store: str,
    slug: str,
    mail: str,
    locale: str = "zh-CN",
) -> UUID | None:
    """Send `mail` what opens the account, or word that there is one already; the id of that mail.

    None when it was sent enough of them (`proofs.PER_HOUR`). Nothing is reserved before `confirm`. Raises `Taken` for a slug: stores'
    addresses are public, and by itself none tells of a mail.
    """
    mail = mail.lower()
    async with platform_tx(platform) as conn:
        # A host that a store has left stays its own.
        sql = """SELECT EXISTS (SELECT FROM tenant WHERE slug = $1) OR EXISTS (SELECT FROM store_host WHERE host = $3),
                        EXISTS (SELECT FROM merchant_user WHERE mail = $2)"""
        taken, known = await conn.fetchrow(sql, slug, mail, f"{slug}.{base_domain}")
        if taken or await slugs.is_reserved(conn, slug):
            raise Taken("This store address is taken already. Choose another one.")
        token = await proofs.make(conn, "sign_up", mail, store=store, slug=slug, locale=locale)
        if token is None:
            return None
        async with tenant_tx(app, mails.PLATFORM) as tx:
            if known:  # the token leaves with nobody
                return await mails.send(tx, mail, "known", locale=locale)
            return await mails.send(tx, mail, "sign_up", locale=locale, store=store, token=token)


async def confirm(
    platform: Pool, app: Pool, *, passwords: Passwords, pepper: bytes, base_domain: str, token: str, password: str
) -> SignedUp:
    """Open what was asked for, for whoever got the mail. Raises `proofs.UnknownToken`; `Taken` when somebody was faster."""
    password_hash = await passwords.hash(password)
    async with platform_tx(platform) as conn:
        proof = await proofs.use(conn, "sign_up", token)
        if await slugs.is_reserved(conn, proof.content["slug"]):  # since he asked
            raise Taken("This store address was taken meanwhile. Sign up again with another one.")
        # One that asked of the release before has a password with it, which nobody but who asked may know.
        asked = {name: proof.content[name] for name in ("store", "slug", "locale") if name in proof.content}
        opened = await open_account(
            conn, app, pepper=pepper, base_domain=base_domain, mail=proof.mail, password_hash=password_hash, **asked
        )
        await proofs.forget(conn, "sign_up", proof.mail)
    return opened


async def open_account(
    conn: Connection, app: Pool, *, pepper: bytes, base_domain: str, store: str, slug: str, mail: str, password_hash: str,
    locale: str = "zh-CN",
) -> SignedUp:  # fmt: skip
    """A tenant with its store, host, owner and first API key, in the platform's transaction `conn`. Raises `Taken`."""
    tenant_id, user_id, host = new_id(), new_id(), f"{slug}.{base_domain}"
    try:
        await conn.execute("INSERT INTO tenant (id, slug) VALUES ($1, $2)", tenant_id, slug)
        await conn.execute("INSERT INTO store_host (host, tenant_id) VALUES ($1, $2)", host, tenant_id)
        sql = "INSERT INTO merchant_user (id, tenant_id, mail, password_hash, scopes, locale) VALUES ($1, $2, $3, $4, $5, $6)"
        await conn.execute(sql, user_id, tenant_id, mail, password_hash, sorted(PERMISSIONS), locale)
    except asyncpg.UniqueViolationError:
        raise Taken("This store address or mail was taken meanwhile. Sign in, or sign up again with another address.") from None
    # The tenant's own rows are committed first. Should this process die in between, they belong to a tenant id that exists nowhere
    # else: slug and mail are free, and nobody was told the key.
    async with tenant_tx(app, tenant_id) as tx:
        sql = "INSERT INTO store (tenant_id, slug, name, locale) VALUES ($1, $2, $3, $4)"
        await tx.conn.execute(sql, tenant_id, slug, store, locale)
        await memberships.add(tx, user_id, roles.Ref(roles.OWNER))
        _, key = await api_keys.create(tx, pepper, name="first", scopes=PERMISSIONS, actor=encode("usr", user_id), made_by=user_id)
        await tx.audit(encode("usr", user_id), "merchant.signed_up", encode("ten", tenant_id))
    return SignedUp(tenant_id, slug, host, key)


async def user_of(platform: Pool, token: str) -> User | None:
    """Who holds this session token, while it lasts, is used, and he works where it is for. Leaving ends it; coming back revives none."""
    sql = f"""SELECT s.user_id, m.tenant_id, m.role, r.permissions, s.expires_at, s.id AS session_id,
                     s.seen_at < now() - $3::interval AS is_stale
              FROM {LIVE_SESSIONS} LEFT JOIN staff_role r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
              WHERE s.token_hash = $1 AND s.expires_at > now() AND s.seen_at > now() - $2::interval"""
    async with platform_tx(platform) as conn:
        row = await conn.fetchrow(sql, secret_tokens.hash_of(token), IDLE, SEEN_EVERY)
        if row is None:
            return None
        if row["is_stale"]:
            await conn.execute("UPDATE merchant_session SET seen_at = now() WHERE id = $1", row["session_id"])
    scopes = roles.scopes(row["role"], row["permissions"])
    return User(row["user_id"], row["tenant_id"], scopes, row["expires_at"], row["session_id"])
