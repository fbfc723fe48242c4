"""The exception queue: what the rules could not settle waits here for a person. Nothing is lost meanwhile, and nothing is guessed."""

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec

from checkout_core.ids import new_id
from tenants.db import OLDEST, TenantTx

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
    sql = """INSERT INTO exception_case (tenant_id, id, kind, reference, detail) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING RETURNING id"""
    case_id = await tx.conn.fetchval(sql, tx.tenant_id, new_id(), kind, reference, _encode(detail).decode())
    if case_id is not None:
        await tx.emit("exception.reported", {"exception_id": case_id, "kind": kind, "reference": reference})


async def open_cases(tx: TenantTx, *, kind: str | None = None, limit: int, after: UUID | None = None) -> list[Case]:
    """At most `limit` open cases, oldest first, younger than `after`: ids grow with time. With `kind` only such."""
    sql = """SELECT id, kind, reference, detail, created_at FROM exception_case
             WHERE tenant_id = $1 AND state = 'open' AND id > $2 AND ($4::text IS NULL OR kind = $4) ORDER BY id LIMIT $3"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, after or OLDEST, limit, kind)
    return [Case(row["id"], row["kind"], row["reference"], msgspec.json.decode(row["detail"]), row["created_at"]) for row in rows]
