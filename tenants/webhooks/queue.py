"""The queue of an endpoint: its oldest waiting delivery is tried until it is delivered or given up; the others wait behind it.

Whoever delivers holds a lease. Each step records what came of the last attempt, and takes the next delivery, in one transaction; between
two steps one request is under way. A crash there lets the lease run out: the delivery is sent once more, with the same `webhook-id`.
"""

import datetime as dt
import random
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import msgspec

from checkout_core.ids import encode
from tenants import exceptions
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.webhooks.endpoints import SECRETS, key_ids, secrets
from tenants.webhooks.sender import Attempt

LEASE_S: Final = 30  # one attempt takes 10 s at most
# Between the attempts of one delivery; after the last it is given up: 77 hours in all, as the specification's example has them.
BACKOFF_S: Final = (5, 30, 300, 1800, 7200, 18_000, 36_000, *[43_200] * 5)
DISABLED_AFTER: Final = dt.timedelta(days=5)  # without any success: longer than one delivery may take
NOBODY: Final = "system"  # who the audit names


class Claim(msgspec.Struct, frozen=True):
    endpoint_id: UUID
    lease: UUID
    failing: bool


class Head(msgspec.Struct, frozen=True):
    """What is to be sent next, and where."""

    delivery_id: UUID
    event_id: UUID
    attempts: int
    url: str
    secrets: list[bytes]
    body: bytes


async def claim(tx: TenantTx, endpoint_id: UUID) -> Claim | None:
    """The right to deliver for a while; None when there is nothing due, or another is at it."""
    lease = uuid4()
    sql = """UPDATE webhook_endpoint SET lease = $3, next_try_at = now() + $4::float8 * interval '1 second'
             WHERE tenant_id = $1 AND id = $2 AND enabled AND next_try_at <= now() RETURNING failing_since IS NOT NULL"""
    failing = await tx.conn.fetchval(sql, tx.tenant_id, endpoint_id, lease, LEASE_S)
    return None if failing is None else Claim(endpoint_id, lease, failing)


async def put_back(tx: TenantTx, claim: Claim, after_s: float) -> None:
    """Leave the queue to whoever comes `after_s` from now."""
    sql = """UPDATE webhook_endpoint SET lease = NULL, next_try_at = now() + $4::float8 * interval '1 second'
             WHERE tenant_id = $1 AND id = $2 AND lease = $3 AND enabled"""
    await tx.conn.execute(sql, tx.tenant_id, claim.endpoint_id, claim.lease, after_s)


async def advance(tx: TenantTx, keyring: Keyring, claim: Claim, head: Head | None = None, attempt: Attempt | None = None) -> Head | None:
    """Record the attempt at `head`, if there was one, and take what is next under the same lease; None when there is nothing to do now."""
    sql = f"""SELECT url, failing_since, now() AS now, {SECRETS} FROM webhook_endpoint
              WHERE tenant_id = $1 AND id = $2 AND lease = $3 AND enabled FOR NO KEY UPDATE"""
    endpoint = await tx.conn.fetchrow(sql, tx.tenant_id, claim.endpoint_id, claim.lease)
    failing_since = endpoint["failing_since"] if endpoint else None
    if head is not None and attempt is not None:
        # Also when the lease is another's by now, or nobody's: this was sent.
        state = await _record(tx, head, attempt)
        if endpoint is None:
            return None
        if attempt.status == 410:
            await disable(tx, claim.endpoint_id, "gone")
            return None
        failing_since = None if state == "delivered" else failing_since or endpoint["now"]
        if failing_since and endpoint["now"] - failing_since >= DISABLED_AFTER:
            await disable(tx, claim.endpoint_id, "failing")
            return None
        if state == "waiting":
            wait_s = max(BACKOFF_S[head.attempts] * random.uniform(0.8, 1.2), attempt.retry_after_s or 0)  # noqa: S311  jitter, not a secret
            await _release(tx, claim, failing_since, wait_s)
            return None
    elif endpoint is None:
        return None
    found = await _next(tx, claim.endpoint_id)
    if found is None:
        await _release(tx, claim, failing_since, None)
        return None
    sql = """UPDATE webhook_endpoint SET next_try_at = now() + $3::float8 * interval '1 second', failing_since = $4, tries = 0
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, claim.endpoint_id, LEASE_S, failing_since)
    signing = secrets(await keyring.to_open(tx, *key_ids(endpoint)), claim.endpoint_id, endpoint)
    return Head(found["id"], found["event_id"], found["attempts"], endpoint["url"], signing, found["body"].encode())


async def disable(tx: TenantTx, endpoint_id: UUID, because: str) -> None:
    """Stop, and say so: in the audit, and to a person. What waits stays where it is for when it is enabled again."""
    sql = """UPDATE webhook_endpoint SET enabled = false, disabled_because = $3, next_try_at = NULL, lease = NULL
             WHERE tenant_id = $1 AND id = $2 RETURNING now()"""
    now = await tx.conn.fetchval(sql, tx.tenant_id, endpoint_id, because)
    subject = encode("whe", endpoint_id)
    await tx.audit(NOBODY, "webhook_endpoint.disabled", subject, because=because)
    # By the day: one that is enabled again and fails again is a case of its own.
    await exceptions.report(tx, "webhook_endpoint_disabled", f"{subject}:{now:%Y-%m-%d}", because=because)


async def _record(tx: TenantTx, head: Head, attempt: Attempt) -> str:
    """The delivery's state after the attempt. One that is over already stays so, unless this delivered it."""
    over = attempt.status == 410 or head.attempts >= len(BACKOFF_S)
    state = "delivered" if attempt.succeeded else "given_up" if over else "waiting"
    sql = """WITH done AS (
                 UPDATE webhook_delivery SET attempts = attempts + 1, state = $3, finished_at = CASE WHEN $3 <> 'waiting' THEN now() END
                 WHERE tenant_id = $1 AND id = $2 AND (state = 'waiting' OR $3 = 'delivered') RETURNING id)
             INSERT INTO webhook_attempt (tenant_id, delivery_id, id, at, duration_ms, status, failure, answer)
             SELECT $1, id, $4, $5, $6, $7, $8, $9 FROM done"""
    about = (attempt.id, attempt.at, attempt.duration_ms, attempt.status, attempt.failure, attempt.answer)
    await tx.conn.execute(sql, tx.tenant_id, head.delivery_id, state, *about)
    return state


async def _next(tx: TenantTx, endpoint_id: UUID) -> asyncpg.Record | None:
    # Not joined: on a young database a join may read all of a tenant's events, and keeps its plan.
    sql = """SELECT id, event_id, attempts, (SELECT body FROM webhook_event WHERE tenant_id = $1 AND id = webhook_delivery.event_id) AS body
             FROM webhook_delivery WHERE tenant_id = $1 AND endpoint_id = $2 AND state = 'waiting' ORDER BY seq LIMIT 1"""
    return await tx.conn.fetchrow(sql, tx.tenant_id, endpoint_id)


async def _release(tx: TenantTx, claim: Claim, failing_since: dt.datetime | None, wait_s: float | None) -> None:
    sql = """UPDATE webhook_endpoint SET lease = NULL, next_try_at = now() + $3::float8 * interval '1 second', failing_since = $4, tries = 0
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, claim.endpoint_id, wait_s, failing_since)
