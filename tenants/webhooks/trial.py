"""A test send: a `webhook.test` is delivered now, past the queue, and whoever asked hears what came back."""

from uuid import UUID

from checkout_core.errors import NotFound
from checkout_core.ids import encode, new_id
from tenants.db import Pool, tenant_tx
from tenants.keys import Keyring
from tenants.webhooks import catalogue
from tenants.webhooks.catalogue import TEST
from tenants.webhooks.endpoints import SECRETS, key_ids, secrets
from tenants.webhooks.sender import Attempt, Sender


async def send(pool: Pool, keyring: Keyring, sender: Sender, tenant_id: UUID, endpoint_id: UUID, *, actor: str) -> tuple[UUID, Attempt]:
    """The delivery as it stands in the log, and what came of it. Also to an endpoint that is disabled. Raises `NotFound`.

    Takes up to 10 s, and holds no connection to Postgres meanwhile.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        sql = f"SELECT url, now() AS now, {SECRETS} FROM webhook_endpoint WHERE tenant_id = $1 AND id = $2"
        endpoint = await tx.conn.fetchrow(sql, tenant_id, endpoint_id)
        if endpoint is None:
            raise NotFound("There is no such webhook endpoint.")
        signing = secrets(await keyring.to_open(tx, *key_ids(endpoint)), endpoint_id, endpoint)
    event_id, delivery_id = new_id(), new_id()
    body = catalogue.body(TEST, endpoint["now"], catalogue.Test(endpoint_id=encode("whe", endpoint_id)))
    attempt = await sender.send(endpoint["url"], signing, event_id, body.encode())
    async with tenant_tx(pool, tenant_id) as tx:
        await tx.conn.execute(
            "INSERT INTO webhook_event (tenant_id, id, type, body) VALUES ($1, $2, $3, $4)", tenant_id, event_id, TEST.name, body
        )
        sql = """WITH told AS (
                     INSERT INTO webhook_delivery (tenant_id, id, endpoint_id, event_id, type, seq, state, attempts, finished_at)
                     VALUES ($1, $2, $3, $4, $5, 0, $6, 1, now()))
                 INSERT INTO webhook_attempt (tenant_id, delivery_id, id, at, duration_ms, status, failure, answer)
                 VALUES ($1, $2, $7, $8, $9, $10, $11, $12)"""
        await tx.conn.execute(
            sql, tenant_id, delivery_id, endpoint_id, event_id, TEST.name, "delivered" if attempt.succeeded else "given_up",
            attempt.id, attempt.at, attempt.duration_ms, attempt.status, attempt.failure, attempt.answer,
        )  # fmt: skip
        await tx.audit(actor, "webhook_endpoint.tested", encode("whe", endpoint_id), status=attempt.status)
    return delivery_id, attempt
