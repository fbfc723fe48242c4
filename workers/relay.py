"""The relay: events leave the outbox for everybody who listens, at least once, after their transaction committed.

First they are queued for merchants' webhooks and numbered for those who watch, which needs Postgres alone. Then they are published: to the
API processes, which forget what they remember of a tenant when it changed. The channel is Redis' publish: an event lost there is no harm,
since what processes remember also expires by itself.
"""

import logging
from uuid import UUID

import asyncpg
import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from checkout_core.ids import new_id
from tenants import event_log, events
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import tally
from tenants.points import earnings
from tenants.webhooks.fanout import fan_out

log = logging.getLogger(__name__)

AT_ONCE = 500


class Relay:
    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis

    async def send(self, tenant_id: UUID) -> list[UUID]:
        """Send what is due of a tenant, oldest first, and mark it sent; a crash between the two sends it again, with the same ids.

        The webhook endpoints that have something to do now. Raises `redis.RedisError` while Redis is away: webhooks are queued all the
        same, and the events stay to be published later. Two who relay for a tenant do it in turn, or later events might be queued first.
        """
        away: RedisError | OSError | None = None
        async with tenant_tx(self._pool, tenant_id) as tx:
            sql = """SELECT id, topic, payload, created_at, fanned_out FROM outbox WHERE tenant_id = $1 AND next_try_at <= now()
                     ORDER BY id LIMIT $2 FOR UPDATE"""
            rows = await tx.conn.fetch(sql, tenant_id, AT_ONCE)
            fresh = [row for row in rows if not row["fanned_out"]]
            woken = await fan_out(tx, fresh)
            await _count(tx, fresh)
            try:
                await self._publish(tenant_id, rows)
            except (RedisError, OSError) as error:
                away = error
            done = "next_try_at = NULL" if away is None else "fanned_out = true"
            await tx.conn.execute(f"UPDATE outbox SET {done} WHERE tenant_id = $1 AND id = ANY($2)", tenant_id, [row["id"] for row in rows])
        if away is not None:
            raise away
        if rows:
            # Said after the commit: who hears it finds them.
            await self.tell(tenant_id, event_log.RECORDED, {})
        return woken

    async def _publish(self, tenant_id: UUID, rows: list[asyncpg.Record]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for row in rows:
                pipe.publish(
                    events.CHANNEL,
                    events.encode(events.Event(row["id"], tenant_id, row["topic"], msgspec.Raw(row["payload"].encode()))),
                )
            await pipe.execute()

    async def tell(self, tenant_id: UUID, topic: str, event: object) -> None:
        """Say at once what is no news of a transaction but of Redis itself. While it is away there is nothing to say."""
        said = events.Event(new_id(), tenant_id, topic, msgspec.Raw(msgspec.json.encode(event)))
        try:
            await self._redis.publish(events.CHANNEL, events.encode(said))
        except (RedisError, OSError) as error:
            log.info("%s was not said: %s", topic, type(error).__name__)


async def _count(tx: TenantTx, fresh: list[asyncpg.Record]) -> None:
    """Once for each event: its place in the store's list, refunds in the store's day, and orders that may earn points."""
    if fresh:
        await event_log.record(tx, [row["id"] for row in fresh])
    if refunds := [row["payload"] for row in fresh if row["topic"] == "refund.succeeded"]:
        await tally.refunded(tx, [UUID(msgspec.json.decode(payload)["refund_id"]) for payload in refunds])
    if delivered := [row["payload"] for row in fresh if row["topic"] == "order.delivered"]:
        await earnings.delivered(tx, [UUID(msgspec.json.decode(payload)["order_id"]) for payload in delivered])
