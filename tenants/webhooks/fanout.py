"""Fan-out: what left the outbox becomes one delivery for each endpoint that wants it, at the end of that endpoint's queue.

It runs in the relay's transaction, beside the deed and never in it: a tenant without endpoints costs the relay one look at an index, and a
checkout, a payment or a refund nothing.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from checkout_core.ids import new_id
from tenants.db import TenantTx
from tenants.webhooks import catalogue, translate
from tenants.webhooks.translate import Event


async def fan_out(tx: TenantTx, rows: Sequence[asyncpg.Record]) -> list[UUID]:
    """Queue what these outbox rows mean (id, topic, payload, created_at); the endpoints that have something to do now.

    Told again it queues nothing twice: an event is known by its id, a delivery by event and endpoint.
    """
    rows = [row for row in rows if row["topic"] in translate.TYPES]
    if not rows or not (endpoints := await listening(tx)):
        return []
    types = {type_ for type_ in catalogue.KINDS if any(catalogue.wants(each["event_types"], type_) for each in endpoints)}
    return await queue(tx, endpoints, await translate.events(tx, rows, types))


async def listening(tx: TenantTx) -> list[asyncpg.Record]:
    """The endpoints that are on, locked: who queues at one place must not overtake another."""
    sql = """SELECT id, event_types, last_seq, created_at FROM webhook_endpoint WHERE tenant_id = $1 AND enabled
             ORDER BY id FOR NO KEY UPDATE"""
    found: list[asyncpg.Record] = await tx.conn.fetch(sql, tx.tenant_id)
    return found


async def queue(tx: TenantTx, endpoints: Sequence[asyncpg.Record], events: Sequence[Event]) -> list[UUID]:
    """Put the events into the queues of those of the locked endpoints that want them. An endpoint hears nothing from before it was."""
    places = [
        (event, endpoint["id"], endpoint["last_seq"] + n)
        for n, event in enumerate(events, start=1)
        for endpoint in endpoints
        if catalogue.wants(endpoint["event_types"], event.type) and endpoint["created_at"] <= event.at
    ]
    if not places:
        return []
    told = {event.id: event for event, _, _ in places}.values()
    # The ids in the order of places too: the log is read by them. Awake only who has nothing to do yet: a queue whose head waits for its
    # next try waits, and who delivers just now goes on by himself.
    sql = """WITH told AS (
                 INSERT INTO webhook_event (tenant_id, id, type, body) SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[])
                 ON CONFLICT DO NOTHING),
             queued AS (
                 INSERT INTO webhook_delivery (tenant_id, id, endpoint_id, event_id, type, seq)
                 SELECT $1, * FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::bigint[])
                 ON CONFLICT DO NOTHING RETURNING endpoint_id, seq)
             UPDATE webhook_endpoint SET last_seq = last.seq, next_try_at = coalesce(next_try_at, now())
             FROM (SELECT endpoint_id, max(seq) AS seq FROM queued GROUP BY endpoint_id) AS last
             WHERE tenant_id = $1 AND id = last.endpoint_id RETURNING id, next_try_at <= now() AS due"""
    found = await tx.conn.fetch(
        sql, tx.tenant_id, [e.id for e in told], [e.type for e in told], [e.body for e in told],
        sorted(new_id() for _ in places), [endpoint for _, endpoint, _ in places], [e.id for e, _, _ in places],
        [e.type for e, _, _ in places], [seq for _, _, seq in places],
    )  # fmt: skip
    return [row["id"] for row in found if row["due"]]
