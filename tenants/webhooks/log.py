"""The log of deliveries: what was to be told to whom, how each attempt went; and sending it again."""

import datetime as dt
from typing import Final
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode
from tenants.db import NEWEST, TenantTx
from tenants.webhooks.endpoints import wake

ATTEMPTS_SHOWN: Final = 100  # of one delivery; sent again and again it has more
REDELIVERED_MAX: Final = 10_000  # by one request
STATES: Final = ("waiting", "delivered", "given_up", "cancelled")


class Delivery(msgspec.Struct, frozen=True):
    """`attempts` counts those since it was last queued."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    type: str
    state: str
    attempts: int
    created_at: dt.datetime
    finished_at: dt.datetime | None


class Attempted(msgspec.Struct, frozen=True):
    id: UUID
    at: dt.datetime
    duration_ms: int
    status: int | None
    failure: str | None
    answer: str


class Detail(msgspec.Struct, frozen=True):
    """`body` is what was signed, byte for byte; `attempts` are the newest 100, in their order."""

    delivery: Delivery
    body: str
    attempts: list[Attempted]


_COLUMNS = ", ".join(Delivery.__struct_fields__)
_ATTEMPT = ", ".join(Attempted.__struct_fields__)


async def latest(
    tx: TenantTx,
    *,
    endpoint_id: UUID | None = None,
    type_: str | None = None,
    state: str | None = None,
    limit: int,
    before: UUID | None = None,
) -> list[Delivery]:
    """Deliveries, the newest first, at most `limit`, older than the delivery `before`."""
    # Two statements, for a kept plan: with an endpoint its own index, without one the primary key.
    of_endpoint = "AND endpoint_id = $6" if endpoint_id else "AND $6::uuid IS NULL"
    sql = f"""SELECT {_COLUMNS} FROM webhook_delivery
              WHERE tenant_id = $1 AND id < $2 AND ($3::text IS NULL OR type = $3) AND ($4::text IS NULL OR state = $4) {of_endpoint}
              ORDER BY id DESC LIMIT $5"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, type_, state, limit, endpoint_id)
    return [Delivery(*row) for row in rows]


async def get(tx: TenantTx, delivery_id: UUID) -> Detail:
    """Raises `NotFound`."""
    delivery = await _delivery(tx, delivery_id)
    body = await tx.conn.fetchval("SELECT body FROM webhook_event WHERE tenant_id = $1 AND id = $2", tx.tenant_id, delivery.event_id)
    sql = f"SELECT {_ATTEMPT} FROM webhook_attempt WHERE tenant_id = $1 AND delivery_id = $2 ORDER BY id DESC LIMIT $3"
    rows = await tx.conn.fetch(sql, tx.tenant_id, delivery_id, ATTEMPTS_SHOWN)
    return Detail(delivery, body, [Attempted(*row) for row in reversed(rows)])


async def redeliver(tx: TenantTx, delivery_id: UUID, *, actor: str) -> Delivery:
    """Send a delivery again, whatever became of it: at the end of its endpoint's queue, with the same `webhook-id`.

    One that waits already stays where it is. Raises `NotFound`, and `Conflict` (`endpoint_deleted`).
    """
    endpoint_id = (await _delivery(tx, delivery_id)).endpoint_id
    last_seq = await _locked(tx, endpoint_id)
    if last_seq is None:
        raise Conflict("Its endpoint was deleted: there is nowhere to send this to.", code="endpoint_deleted")
    sql = """UPDATE webhook_delivery SET state = 'waiting', seq = $3, attempts = 0, finished_at = NULL
             WHERE tenant_id = $1 AND id = $2 AND state <> 'waiting' RETURNING true"""
    if await tx.conn.fetchval(sql, tx.tenant_id, delivery_id, last_seq + 1):
        await _queued(tx, endpoint_id, last_seq + 1)
        await tx.audit(actor, "webhook_delivery.redelivered", encode("whd", delivery_id))
    return await _delivery(tx, delivery_id)


async def redeliver_failed(tx: TenantTx, endpoint_id: UUID, since: dt.datetime, *, actor: str) -> int:
    """Send again, in their order, what was queued since then and given up; how many they are, at most 10,000. Raises `NotFound`."""
    last_seq = await _locked(tx, endpoint_id)
    if last_seq is None:
        raise NotFound("There is no such webhook endpoint.")
    sql = """WITH failed AS (
                 SELECT id, row_number() OVER (ORDER BY seq) AS n FROM webhook_delivery
                 WHERE tenant_id = $1 AND endpoint_id = $2 AND state = 'given_up' AND created_at >= $3 ORDER BY seq LIMIT $5)
             UPDATE webhook_delivery SET state = 'waiting', seq = $4 + failed.n, attempts = 0, finished_at = NULL
             FROM failed WHERE webhook_delivery.tenant_id = $1 AND webhook_delivery.id = failed.id"""
    count = int((await tx.conn.execute(sql, tx.tenant_id, endpoint_id, since, last_seq, REDELIVERED_MAX)).rpartition(" ")[2])
    if count:
        await _queued(tx, endpoint_id, last_seq + count)
        await tx.audit(actor, "webhook_endpoint.redelivered", encode("whe", endpoint_id), since=since, deliveries=count)
    return count


async def cancel(tx: TenantTx, delivery_id: UUID, *, actor: str) -> Delivery:
    """Give up a delivery that waits, so that those behind it go on. Raises `NotFound`, and `Conflict` (`not_waiting`)."""
    delivery = await _delivery(tx, delivery_id)
    await _locked(tx, delivery.endpoint_id)
    sql = """UPDATE webhook_delivery SET state = 'cancelled', finished_at = now()
             WHERE tenant_id = $1 AND id = $2 AND state = 'waiting' RETURNING true"""
    if not await tx.conn.fetchval(sql, tx.tenant_id, delivery_id):
        raise Conflict("The delivery does not wait: there is nothing to cancel.", code="not_waiting")
    await wake(tx, delivery.endpoint_id)
    await tx.audit(actor, "webhook_delivery.cancelled", encode("whd", delivery_id))
    return await _delivery(tx, delivery_id)


async def _delivery(tx: TenantTx, delivery_id: UUID) -> Delivery:
    sql = f"SELECT {_COLUMNS} FROM webhook_delivery WHERE tenant_id = $1 AND id = $2"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, delivery_id):
        return Delivery(*row)
    raise NotFound("There is no such webhook delivery.")


async def _locked(tx: TenantTx, endpoint_id: UUID) -> int | None:
    """Lock the endpoint, always before its deliveries; the last place in its queue."""
    sql = "SELECT last_seq FROM webhook_endpoint WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE"
    last_seq: int | None = await tx.conn.fetchval(sql, tx.tenant_id, endpoint_id)
    return last_seq


async def _queued(tx: TenantTx, endpoint_id: UUID, last_seq: int) -> None:
    sql = """UPDATE webhook_endpoint SET last_seq = $3, next_try_at = CASE WHEN enabled THEN coalesce(next_try_at, now()) END
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, endpoint_id, last_seq)
