"""What an API process hears from the relay: a sale was changed or units came back, so what it remembers of the sale is out of date; or
a store has new events, for those who watch it.

An event that is lost does no harm: whatever a process remembers also expires by itself within two seconds, and watched stores are looked
at unasked.
"""

import asyncio
import logging
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.doors import Doors
from api.viewers import Hub
from checkout_core.errors import NotFound
from checkout_core.ids import decode
from checkout_core.intents import SaleKey
from tenants import event_log, events

log = logging.getLogger(__name__)

TOPICS = ("sale.changed", "sale.restocked", "order.ended")


class _Sales(msgspec.Struct):
    """The part of an event of `TOPICS` that says which sales it is about."""

    sale_id: str = ""
    sale_ids: list[UUID] = []


_sales = msgspec.json.Decoder(_Sales).decode


async def listen(url: str, doors: Doors, hub: Hub) -> None:
    """Forget what events say is out of date, until cancelled."""
    while True:
        try:
            async with Redis.from_url(url, socket_connect_timeout=1) as redis, redis.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(events.CHANNEL)
                async for message in channel.listen():
                    _heed(message["data"], doors, hub)
        except (RedisError, OSError) as error:
            log.info("no events for now: %s", type(error).__name__)
        await asyncio.sleep(1)


def _heed(data: bytes, doors: Doors, hub: Hub) -> None:
    try:
        event = events.decode(data)
        if event.topic == event_log.RECORDED:
            hub.wake(event.tenant_id)
        elif event.topic in TOPICS:
            named = _sales(event.payload)
            for sale_id in [decode("sal", named.sale_id)] if named.sale_id else named.sale_ids:
                doors.forget(SaleKey(event.tenant_id, sale_id))
    except (msgspec.DecodeError, NotFound) as error:
        log.warning("an event cannot be read: %s", error)
