"""The exception queue: what the rules could not settle waits here for a person. Nothing is lost meanwhile, and nothing is guessed."""

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec

from checkout_core.ids import new_id
from tenants.db import TenantTx

_encode = msgspec.json.Encoder().encode


class Case(msgspec.Struct, frozen=True):
    """`kind` is a stable word, `reference` what it is about; one open case for each pair of them."""

    id: UUID
    kind: str
    reference: str
    detail: dict[str, Any]
    created_at: dt.datetime


async def report(tx: TenantTx, kind: str, reference: str, **detail: Any) -> None:
    """Put a case into the queue, once; said again, it stays as it is. `detail` holds ids and amounts, never codes or contacts."""
    sql = "INSERT INTO exception_case (tenant_id, id, kind, reference, detail) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
    await tx.conn.execute(sql, tx.tenant_id, new_id(), kind, reference, _encode(detail).decode())


async def open_cases(tx: TenantTx, limit: int = 100) -> list[Case]:
    """The open cases, oldest first."""
    sql = """SELECT id, kind, reference, detail, created_at FROM exception_case
             WHERE tenant_id = $1 AND state = 'open' ORDER BY created_at, id LIMIT $2"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, limit)
    return [Case(row["id"], row["kind"], row["reference"], msgspec.json.decode(row["detail"]), row["created_at"]) for row in rows]
