"""Events as they leave the outbox: one channel for all tenants; each event names its tenant, and has an id that repetitions share."""

from collections.abc import Callable
from uuid import UUID

import msgspec

CHANNEL = "tessera:events"


class Event(msgspec.Struct, frozen=True):
    """`payload` is the JSON of the event's own struct, unread."""

    id: UUID
    tenant_id: UUID
    topic: str
    payload: msgspec.Raw


encode: Callable[[Event], bytes] = msgspec.json.Encoder().encode
decode: Callable[[bytes], Event] = msgspec.json.Decoder(Event).decode
