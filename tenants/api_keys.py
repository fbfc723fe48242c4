"""API keys: a tenant's programs sign in with them. Shown once, kept as keyed hashes."""

import datetime as dt
import hmac
import secrets
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from checkout_core.errors import NotFound
from checkout_core.ids import encode, new_id
from tenants.db import TenantTx

SECRET_BYTES = 32
LIMIT_MAX = 100


class ApiKey(NamedTuple):
    """What is known of a key besides its hash."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: dt.datetime
    revoked_at: dt.datetime | None


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


async def create(tx: TenantTx, pepper: bytes, *, name: str, scopes: Iterable[str], actor: str) -> tuple[UUID, str]:
    """A new key: its id and its text, which nobody can read again."""
    key_id = new_id()
    key = f"sk_{tx.tenant_id.hex}_{secrets.token_urlsafe(SECRET_BYTES)}"
    sql = "INSERT INTO api_key (tenant_id, id, name, key_hash, scopes) VALUES ($1, $2, $3, $4, $5)"
    await tx.conn.execute(sql, tx.tenant_id, key_id, name, hash_key(pepper, key), sorted(scopes))
    await tx.audit(actor, "api_key.created", encode("key", key_id), name=name, scopes=sorted(scopes))
    return key_id, key


async def find(tx: TenantTx, pepper: bytes, key: str) -> tuple[UUID, frozenset[str]] | None:
    """The id and scopes of a key that is in force. The comparison is of keyed hashes, by index: its time tells nothing of the key."""
    sql = "SELECT id, scopes FROM api_key WHERE tenant_id = $1 AND key_hash = $2 AND revoked_at IS NULL"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, hash_key(pepper, key))
    return (row["id"], frozenset(row["scopes"])) if row else None


async def latest(tx: TenantTx) -> list[ApiKey]:
    """The newest 100 keys, revoked ones too."""
    sql = f"SELECT id, name, scopes, created_at, revoked_at FROM api_key WHERE tenant_id = $1 ORDER BY id DESC LIMIT {LIMIT_MAX}"
    return [ApiKey(*row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def revoke(tx: TenantTx, key_id: UUID, *, actor: str) -> None:
    """End a key, within seconds everywhere (processes remember a key for that long). Again is no error. Raises `NotFound`."""
    sql = "UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE tenant_id = $1 AND id = $2 RETURNING id"
    if await tx.conn.fetchval(sql, tx.tenant_id, key_id) is None:
        raise NotFound("There is no such API key.")
    await tx.audit(actor, "api_key.revoked", encode("key", key_id))
