"""Requests about data, as rows: each is a duty until it is done, and its archive is removed a week later by the same duty."""

import datetime as dt
from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode, new_id
from tenants.db import NEWEST, Pool, TenantTx, tenant_tx

KEPT = dt.timedelta(days=7)
RIGHTS = ("shopper_export", "shopper_erasure", "store_export")  # what people ask about data as such
LEASE_S = 60  # a crash delays a request by so much at most
_encode = msgspec.json.Encoder().encode


class DataRequest(msgspec.Struct, frozen=True):
    """`progress` counts what is done; `parts` of an archive there are while it can be downloaded."""

    id: UUID
    kind: str
    state: str
    shopper_id: UUID | None
    asked_by: str
    progress: dict[str, Any]
    asked: dict[str, Any] | None  # of an export of orders: what they must be
    created_at: dt.datetime
    finished_at: dt.datetime | None
    expires_at: dt.datetime | None


_COLUMNS = ", ".join(DataRequest.__struct_fields__)


def _of(row: Any) -> DataRequest:
    asked = row["asked"] and msgspec.json.decode(row["asked"])
    return DataRequest(**{**row, "progress": msgspec.json.decode(row["progress"]), "asked": asked})


async def ask(tx: TenantTx, kind: str, *, actor: str, shopper_id: UUID | None = None, asked: dict[str, Any] | None = None) -> DataRequest:
    """A new request, on record by the shopper's pseudonym alone. One of the same that is under way is answered instead."""
    # Of two who ask at once the second finds what the first has asked.
    await tx.conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{tx.tenant_id}:data_request:{kind}:{shopper_id}")
    words = None if asked is None else _encode(asked).decode()
    sql = f"""SELECT {_COLUMNS} FROM data_request
              WHERE tenant_id = $1 AND kind = $2 AND shopper_id IS NOT DISTINCT FROM $3 AND asked IS NOT DISTINCT FROM $4
                AND state = 'running' LIMIT 1"""
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, kind, shopper_id, words):
        return _of(row)
    sql = f"""INSERT INTO data_request (tenant_id, id, kind, shopper_id, asked_by, asked) VALUES ($1, $2, $3, $4, $5, $6)
              RETURNING {_COLUMNS}"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), kind, shopper_id, actor, words)
    subject = encode("shp", shopper_id) if shopper_id else encode("ten", tx.tenant_id)
    await tx.audit(actor, f"data.{kind}", subject, request=encode("dat", row["id"]))
    return _of(row)


async def get(tx: TenantTx, request_id: UUID, *, kinds: Collection[str] = RIGHTS) -> DataRequest:
    """Raises `NotFound`, also for one of another kind."""
    row = await tx.conn.fetchrow(f"SELECT {_COLUMNS} FROM data_request WHERE tenant_id = $1 AND id = $2", tx.tenant_id, request_id)
    if row is None or row["kind"] not in kinds:
        raise NotFound("There is no such request.")
    return _of(row)


async def latest(tx: TenantTx, *, limit: int, before: UUID | None = None, kinds: Collection[str] = RIGHTS) -> list[DataRequest]:
    """At most `limit` of these kinds, newest first, older than the request `before`."""
    sql = f"""SELECT {_COLUMNS} FROM data_request WHERE tenant_id = $1 AND id < $2 AND kind = ANY($4) ORDER BY id DESC LIMIT $3"""
    return [_of(row) for row in await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, limit, kinds)]


async def downloadable(tx: TenantTx, request_id: UUID, *, kinds: Collection[str] = RIGHTS) -> DataRequest:
    """Raises `NotFound`, and `Conflict` (`not_ready`, `expired`) while or when there is no archive."""
    request = await get(tx, request_id, kinds=kinds)
    if request.kind == "shopper_erasure":
        raise NotFound("An erasure has no archive.")
    if request.state == "running":
        raise Conflict("The archive is still being made. Ask for the request again in a while.", code="not_ready")
    if request.state == "expired":
        raise Conflict("The archive was removed. Ask for a new one.", code="expired")
    return request


async def claim(pool: Pool, tenant_id: UUID, request_id: UUID) -> DataRequest | None:
    """The request if it is due, scheduled ahead so that nobody else takes it meanwhile."""
    sql = f"""UPDATE data_request SET next_try_at = now() + {LEASE_S} * interval '1 second'
              WHERE tenant_id = $1 AND id = $2 AND next_try_at <= now() RETURNING {_COLUMNS}"""
    async with tenant_tx(pool, tenant_id) as tx:
        row = await tx.conn.fetchrow(sql, tenant_id, request_id)
    return _of(row) if row else None


async def lock_running(tx: TenantTx, request_id: UUID) -> dict[str, Any] | None:
    """How far the request is, its row locked until the transaction ends: two workers at it make each part once. None when it has ended."""
    sql = "SELECT progress FROM data_request WHERE tenant_id = $1 AND id = $2 AND state = 'running' FOR UPDATE"
    text = await tx.conn.fetchval(sql, tx.tenant_id, request_id)
    return None if text is None else msgspec.json.decode(text, type=dict[str, Any])


async def go_on(tx: TenantTx, request_id: UUID, progress: dict[str, Any], *, after_s: float = LEASE_S) -> None:
    """Note how far a request is, and when it is due again."""
    sql = """UPDATE data_request SET progress = $3, next_try_at = now() + $4::float8 * interval '1 second', tries = 0
             WHERE tenant_id = $1 AND id = $2 AND state = 'running'"""
    await tx.conn.execute(sql, tx.tenant_id, request_id, _encode(progress).decode(), after_s)


async def finish(tx: TenantTx, request_id: UUID, progress: dict[str, Any], *, archive: bool) -> None:
    """It is done. An archive is due once more, when its week is over."""
    sql = """UPDATE data_request SET state = 'done', progress = $3, words = NULL, key_id = NULL, finished_at = now(),
                    expires_at = CASE WHEN $4 THEN now() + $5::interval END, next_try_at = CASE WHEN $4 THEN now() + $5::interval END
             WHERE tenant_id = $1 AND id = $2 AND state = 'running'"""
    await tx.conn.execute(sql, tx.tenant_id, request_id, _encode(progress).decode(), archive, KEPT)


async def expire(tx: TenantTx, request_id: UUID) -> None:
    """Remove an archive, also one that is being made. Again is no error."""
    # First the request: whoever makes the archive holds its row, and all his parts are there when it is ours.
    sql = """UPDATE data_request SET state = 'expired', next_try_at = NULL, words = NULL,
                    asked = CASE WHEN asked IS NOT NULL THEN '{}'::jsonb END
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, request_id)
    await tx.conn.execute("DELETE FROM data_part WHERE tenant_id = $1 AND request_id = $2", tx.tenant_id, request_id)
