"""API keys: a tenant's programs sign in with them. Shown once, kept as keyed hashes.

A key belongs to the merchant and answers to its maker: it may what it was given, as far as that person may it at this moment himself.
Whoever rotates a key becomes its maker.
"""

import datetime as dt
import hmac
import secrets
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from checkout_core.errors import Conflict, Forbidden, NotFound, Unprocessable
from checkout_core.ids import encode, new_id
from tenants import roles
from tenants.db import NEWEST, TenantTx
from tenants.permissions import check_within

SECRET_BYTES = 32
PREFIX_CHARS = 6  # of the secret's 43, that a key may be known by: 36 of 256 bits
USED_EVERY = dt.timedelta(minutes=1)


class KeyEnded(Conflict):
    code = "api_key_ended"


class ApiKey(NamedTuple):
    """What is known of a key besides its hash. `prefix` is how its text begins, None for one made before that was kept.

    `made_by` is a user's id. `last_used_at` is exact to a minute.
    """

    id: UUID
    name: str
    scopes: list[str]
    created_at: dt.datetime
    revoked_at: dt.datetime | None
    prefix: str | None
    made_by: UUID | None
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    old_until: dt.datetime | None


class Found(NamedTuple):
    """A key in force. `scopes` are what it may now; `made_by` is the person it answers to."""

    id: UUID
    scopes: frozenset[str]
    made_by: UUID | None
    expires_at: dt.datetime | None


def tenant_of(key: str) -> UUID | None:
    """The tenant that `sk_<tenant hex>_<secret>` claims to be of; None when it is no key at all."""
    head, _, rest = key.partition("_")
    digits, _, secret = rest.partition("_")
    if head != "sk" or len(digits) != 32 or not secret or len(secret) > 64:
        return None
    try:
        return UUID(hex=digits)
    except ValueError:
        return None


def hash_key(pepper: bytes, key: str) -> bytes:
    """32 bytes; `pepper` is a derived key, so a stolen table alone confirms nothing."""
    return hmac.digest(pepper, key.encode(), "sha256")


async def create(
    tx: TenantTx,
    pepper: bytes,
    *,
    name: str,
    scopes: Iterable[str],
    actor: str,
    made_by: UUID | None,
    expires_at: dt.datetime | None = None,
    maker_ends: dt.datetime | None = None,
) -> tuple[UUID, str]:
    """A new key: its id and its text, which nobody can read again. `maker_ends` is when the key that makes it does, if a key makes it.

    Raises `Unprocessable` when it would have ended already, `Forbidden` when it would outlive its maker.
    """
    _check_end(expires_at, maker_ends)
    key_id = new_id()
    key, prefix = _text(tx.tenant_id)
    if expires_at is not None and expires_at <= dt.datetime.now(dt.UTC):
        raise Unprocessable("A key cannot end in the past.", code="expires_in_the_past")
    sql = """INSERT INTO api_key (tenant_id, id, name, key_hash, scopes, made_by, prefix, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
    await tx.conn.execute(sql, tx.tenant_id, key_id, name, hash_key(pepper, key), sorted(scopes), made_by, prefix, expires_at)
    await tx.audit(actor, "api_key.created", encode("key", key_id), name=name, scopes=sorted(scopes))
    return key_id, key


async def find(tx: TenantTx, pepper: bytes, key: str) -> Found | None:
    """A key that is in force, be it by its new secret or by its old one. The comparison is of keyed hashes, by index: its time tells
    nothing of the key.

    That it was used is written down here, once a minute at most: who asks remembers the answer for seconds, and shoppers have no keys.
    """
    # Two look-ups by index; an OR of the two would be none.
    sql = """WITH named AS (
                 SELECT id FROM api_key WHERE tenant_id = $1 AND key_hash = $2
                 UNION ALL SELECT id FROM api_key WHERE tenant_id = $1 AND old_hash = $2 AND old_until > now())
             SELECT k.id, k.scopes, k.made_by, k.expires_at, m.role, r.permissions,
                    k.last_used_at IS NULL OR k.last_used_at <= now() - $3::interval AS unwritten
             FROM named JOIN api_key k ON k.tenant_id = $1 AND k.id = named.id
             LEFT JOIN membership m ON m.tenant_id = $1 AND m.user_id = k.made_by
             LEFT JOIN staff_role r ON r.tenant_id = $1 AND r.id = m.role_id
             WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, hash_key(pepper, key), USED_EVERY)
    if row is None:
        return None
    if row["unwritten"]:
        # Of several processes that find it unwritten at once the others wait for the first, and then find it written.
        sql = """UPDATE api_key SET last_used_at = now()
                 WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at <= now() - $3::interval)"""
        await tx.conn.execute(sql, tx.tenant_id, row["id"], USED_EVERY)
    given = frozenset(row["scopes"])
    if row["made_by"] is not None:
        given &= roles.scopes(row["role"], row["permissions"]) if row["role"] else frozenset()
    return Found(row["id"], given, row["made_by"], row["expires_at"])


async def latest(tx: TenantTx, *, limit: int, before: UUID | None = None) -> list[ApiKey]:
    """At most `limit` keys, newest first, older than `before`; revoked ones too."""
    sql = """SELECT id, name, scopes, created_at, revoked_at, prefix, made_by, expires_at, last_used_at,
                    CASE WHEN old_until > now() THEN old_until END
             FROM api_key WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, limit)
    return [ApiKey(*row)._replace(prefix=_shown(tx.tenant_id, row["prefix"])) for row in rows]


async def rotate(
    tx: TenantTx,
    pepper: bytes,
    key_id: UUID,
    *,
    overlap: dt.timedelta,
    actor: str,
    made_by: UUID | None,
    own: frozenset[str],
    maker_ends: dt.datetime | None = None,
) -> tuple[str, dt.datetime]:
    """A new secret for a key, in force with the commit, and until when the one it had still works; one from before that ends now.

    Raises `NotFound`, `KeyEnded` for a key that is revoked or has expired, and `Forbidden` when it was given what `actor` (who may
    `own`, until `maker_ends`) may not: the new secret would give him that.
    """
    sql = """SELECT scopes, expires_at, revoked_at IS NOT NULL OR expires_at <= now() AS ended FROM api_key
             WHERE tenant_id = $1 AND id = $2 FOR UPDATE"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, key_id)
    if row is None:
        raise _no_key()
    if row["ended"]:
        raise KeyEnded("This key has ended. Create another one.")
    check_within(frozenset(row["scopes"]), own)
    _check_end(row["expires_at"], maker_ends)
    key, prefix = _text(tx.tenant_id)
    sql = """UPDATE api_key SET old_hash = key_hash, old_until = now() + $3, key_hash = $4, prefix = $5, made_by = coalesce($6, made_by)
             WHERE tenant_id = $1 AND id = $2 RETURNING old_until"""
    old_until = await tx.conn.fetchval(sql, tx.tenant_id, key_id, overlap, hash_key(pepper, key), prefix, made_by)
    await tx.audit(actor, "api_key.rotated", encode("key", key_id), overlap_s=int(overlap.total_seconds()))
    return key, old_until


async def revoke(tx: TenantTx, key_id: UUID, *, actor: str) -> None:
    """End a key, within seconds everywhere (processes remember a key for that long). Again is no error. Raises `NotFound`."""
    sql = "UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE tenant_id = $1 AND id = $2 RETURNING id"
    if await tx.conn.fetchval(sql, tx.tenant_id, key_id) is None:
        raise _no_key()
    await tx.audit(actor, "api_key.revoked", encode("key", key_id))


def _check_end(expires_at: dt.datetime | None, maker_ends: dt.datetime | None) -> None:
    """A key that was given for a while gives nothing for longer. Raises `Forbidden`."""
    if maker_ends is not None and (expires_at is None or expires_at > maker_ends):
        raise Forbidden("Your key ends sooner than this one would. Sign in, or use a key without end.", code="outlives_its_maker")


def _text(tenant_id: UUID) -> tuple[str, str]:
    """A new key's text, and the first characters of its secret."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return f"sk_{tenant_id.hex}_{secret}", secret[:PREFIX_CHARS]


def _shown(tenant_id: UUID, prefix: str | None) -> str | None:
    return f"sk_{tenant_id.hex}_{prefix}" if prefix else None


def _no_key() -> NotFound:
    return NotFound("There is no such API key.")
