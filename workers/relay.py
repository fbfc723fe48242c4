"""The relay: events leave the outbox for everybody who listens, at least once, after their transaction committed.

Listeners are the API processes, which forget what they remember of a tenant when it changed. The channel is Redis' publish: an event
lost there is no harm, since what processes remember also expires by itself.
"""

import logging
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from checkout_core.ids import new_id
from tenants import events
from tenants.db import Pool, tenant_tx

log = logging.getLogger(__name__)

AT_ONCE = 500


class Relay:
    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis

    async def send(self, tenant_id: UUID) -> None:
        """Send what is due of a tenant, oldest first, and mark it sent; a crash between the two sends it again, with the same ids.

        Raises `redis.RedisError` while Redis is away: the events stay and are sent later.
        """
        async with tenant_tx(self._pool, tenant_id) as tx:
            sql = """SELECT id, topic, payload FROM outbox WHERE tenant_id = $1 AND next_try_at <= now()
                     ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED"""
            rows = await tx.conn.fetch(sql, tenant_id, AT_ONCE)
            async with self._redis.pipeline(transaction=False) as pipe:
                for row in rows:
                    pipe.publish(
                        events.CHANNEL,
                        events.encode(events.Event(row["id"], tenant_id, row["topic"], msgspec.Raw(row["payload"].encode()))),
                    )
                await pipe.execute()
            sql = "UPDATE outbox SET next_try_at = NULL WHERE tenant_id = $1 AND id = ANY($2)"
            await tx.conn.execute(sql, tenant_id, [row["id"] for row in rows])

    async def tell(self, tenant_id: UUID, topic: str, event: object) -> None:
        """Say at once what is no news of a transaction but of Redis itself. While it is away there is nothing to say."""
        said = events.Event(new_id(), tenant_id, topic, msgspec.Raw(msgspec.json.encode(event)))
        try:
            await self._redis.publish(events.CHANNEL, events.encode(said))
        except (RedisError, OSError) as error:
            log.info("%s was not said: %s", topic, type(error).__name__)
