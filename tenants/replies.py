"""The first answer to a creating request, kept under its Idempotency-Key in the transaction that did the work.

It is kept as long as the store says (`tenants.privacy.retention`).
"""

import hashlib
from typing import NamedTuple

from checkout_core.errors import Conflict
from tenants.db import TenantTx


class Reply(NamedTuple):
    status: int
    body: bytes


class KeyReused(Conflict):
    code = "idempotency_conflict"


def request_hash(*parts: bytes) -> bytes:
    """32 bytes over what was asked: who, method and path, body."""
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


async def recall(tx: TenantTx, key: str, asked: bytes) -> Reply | None:
    """The answer given earlier under `key`, or None for the first to ask; whoever asks meanwhile waits for him.

    Raises `KeyReused` when something else was asked under it.
    """
    await tx.conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{tx.tenant_id}:{key}")
    row = await tx.conn.fetchrow(
        "SELECT request_hash, status, body FROM idempotent_reply WHERE tenant_id = $1 AND key = $2", tx.tenant_id, key
    )
    if row is None:
        return None
    if row["request_hash"] != asked:
        raise KeyReused("This Idempotency-Key came with another request before. Use a new key for a new request.")
    return Reply(row["status"], row["body"])


async def remember(tx: TenantTx, key: str, asked: bytes, reply: Reply) -> None:
    sql = "INSERT INTO idempotent_reply (tenant_id, key, request_hash, status, body) VALUES ($1, $2, $3, $4, $5)"
    await tx.conn.execute(sql, tx.tenant_id, key, asked, *reply)
