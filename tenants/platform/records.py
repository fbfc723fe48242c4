"""The platform's record of what its people did, and the same in a tenant's own audit when it was done to a tenant."""

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec

from checkout_core.ids import new_id
from tenants.db import NEWEST, Connection, TenantTx

_encode = msgspec.json.Encoder().encode


class Record(msgspec.Struct, frozen=True):
    id: UUID
    at: dt.datetime
    actor: str
    action: str
    subject: str
    tenant_id: UUID | None
    detail: dict[str, Any]


async def add(conn: Connection, actor: str, action: str, subject: str, *, tenant_id: UUID | None = None, **detail: Any) -> None:
    """Record who did what to what, in the same transaction as the deed."""
    sql = "INSERT INTO platform_audit (id, actor, action, subject, tenant_id, detail) VALUES ($1, $2, $3, $4, $5, $6)"
    await conn.execute(sql, new_id(), actor, action, subject, tenant_id, _encode(detail).decode())


async def add_both(tx: TenantTx, actor: str, action: str, subject: str, **detail: Any) -> None:
    """What was done to the transaction's tenant: once here, and once where its own people read it."""
    await add(tx.conn, actor, action, subject, tenant_id=tx.tenant_id, **detail)
    await tx.audit(actor, action, subject, **detail)


async def latest(conn: Connection, *, tenant_id: UUID | None = None, limit: int, before: UUID | None = None) -> list[Record]:
    """At most `limit`, newest first, older than the record `before`; with `tenant_id`, what was done to that tenant."""
    where = "tenant_id = $3" if tenant_id else "$3::uuid IS NULL"
    sql = f"""SELECT id, at, actor, action, subject, tenant_id, detail FROM platform_audit
              WHERE id < $1 AND {where} ORDER BY id DESC LIMIT $2"""
    rows = await conn.fetch(sql, before or NEWEST, limit, tenant_id)
    return [msgspec.convert(dict(row) | {"detail": msgspec.json.decode(row["detail"])}, Record) for row in rows]
