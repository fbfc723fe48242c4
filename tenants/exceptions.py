"""The exception queue: what the rules could not settle waits here for a person. Nothing is lost meanwhile, and nothing is guessed.

What people do with a case is in `tenants.resolutions`.
"""

import datetime as dt
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.ids import new_id
from tenants.db import NEWEST, OLDEST, TenantTx

_encode = msgspec.json.Encoder().encode


class Case(msgspec.Struct, frozen=True):
    """`kind` is a stable word, `reference` what it is about; one case for each pair of them. Of one that is open, `asked_by` wants it
    closed for `resolution`, and waits for another to agree."""

    id: UUID
    kind: str
    reference: str
    detail: dict[str, Any]
    state: str
    created_at: dt.datetime
    resolution: str | None
    asked_by: str | None
    asked_at: dt.datetime | None
    resolved_by: str | None
    resolved_at: dt.datetime | None


COLUMNS = ", ".join(Case.__struct_fields__)


async def report(tx: TenantTx, kind: str, reference: str, **detail: Any) -> None:
    """Put a case into the queue, once; said again while it is open, it stays as it is. `detail` holds ids and amounts, never codes or
    contacts."""
    sql = """INSERT INTO exception_case AS c (tenant_id, id, kind, reference, detail) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (kind, reference, tenant_id) DO UPDATE
             SET state = 'open', detail = excluded.detail, resolution = NULL, asked_by = NULL, asked_by_user = NULL, asked_at = NULL,
                 resolved_by = NULL, resolved_at = NULL
             WHERE c.state = 'resolved' RETURNING id"""
    case_id = await tx.conn.fetchval(sql, tx.tenant_id, new_id(), kind, reference, _encode(detail).decode())
    if case_id is not None:
        await tx.emit("exception.reported", {"exception_id": case_id, "kind": kind, "reference": reference})


async def open_cases(tx: TenantTx, *, kind: str | None = None, limit: int, after: UUID | None = None) -> list[Case]:
    """At most `limit` open cases, oldest first, younger than `after`: ids grow with time. With `kind` only such."""
    sql = f"""SELECT {COLUMNS} FROM exception_case
              WHERE tenant_id = $1 AND state = 'open' AND id > $2 AND ($4::text IS NULL OR kind = $4) ORDER BY id LIMIT $3"""
    return [case_of(row) for row in await tx.conn.fetch(sql, tx.tenant_id, after or OLDEST, limit, kind)]


async def closed(tx: TenantTx, *, kind: str | None = None, limit: int, before: UUID | None = None) -> list[Case]:
    """At most `limit` that were closed, newest first, older than `before`."""
    sql = f"""SELECT {COLUMNS} FROM exception_case
              WHERE tenant_id = $1 AND state = 'resolved' AND id < $2 AND ($4::text IS NULL OR kind = $4) ORDER BY id DESC LIMIT $3"""
    return [case_of(row) for row in await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, limit, kind)]


def case_of(row: asyncpg.Record) -> Case:
    return Case(**{**row, "detail": msgspec.json.decode(row["detail"])})
