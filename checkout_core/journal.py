"""What the journal holds of an intent: enough for any worker to commit it when the process that admitted it is gone.

admitted_ms 8 | epoch 8 | intent id 16 | body           big endian; `admit.lua` puts the two numbers in front
"""

import struct
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from checkout_core.ids import UUID, of_bytes
from checkout_core.intents import Intent

HEAD: Final = struct.Struct(">QQ16s")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[bytes, Annotated[int, Meta(ge=1)], bytes, str | None, bytes | None, str]).decode


class Entry(NamedTuple):
    """An intent that was admitted and is not known to be decided. Void when its epoch is not the sale's any more."""

    order_id: UUID
    intent_id: UUID
    admitted_ms: int  # by the clock of Redis
    epoch: int
    intent: Intent | None  # None when this version cannot read the body: to be reported and removed


def pack(intent: Intent) -> bytes:
    """`intent` without its order id (which is the field) and its epoch, which the script knows."""
    body = (intent.shopper_id.bytes, intent.quantity, intent.body_hash, intent.contact, intent.lookup_hash, intent.channel)
    return intent.intent_id.bytes + _encode(body)


def unpack(field: bytes, value: bytes) -> Entry:
    """Raises `struct.error` for a value that is not the journal's at all."""
    admitted_ms, epoch, raw_id = HEAD.unpack_from(value)
    order_id, intent_id = of_bytes(field), of_bytes(raw_id)
    try:
        raw_shopper, quantity, body_hash, contact, lookup_hash, channel = _decode(value[HEAD.size :])
        shopper_id = of_bytes(raw_shopper)
    except ValueError:
        return Entry(order_id, intent_id, admitted_ms, epoch, None)
    intent = Intent(order_id, intent_id, shopper_id, quantity, body_hash, epoch, contact, lookup_hash, channel)
    return Entry(order_id, intent_id, admitted_ms, epoch, intent)
