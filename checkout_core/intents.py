"""An intent is one wish to buy; its order id follows from who asks and the key he asks under."""

import datetime as dt
from enum import IntEnum
from typing import NamedTuple

from checkout_core import decide, safeties
from checkout_core.ids import UUID, new_id, of_bytes
from checkout_core.secrets import Mac


class Outcome(IntEnum):
    """What became of an intent. The first three are decided by arithmetic, in `decide`."""

    RESERVED = decide.RESERVED
    LIMIT = decide.LIMIT
    SOLD_OUT = decide.SOLD_OUT
    NOT_STARTED = 3
    ENDED = 4
    PAUSED = 5
    UNPAID_CAP = 6
    COOL_DOWN = 7
    CONFLICT = 8  # the same key was used with another body
    STALE = 9  # admitted under an epoch that is over: it counts for nothing, ask again
    WRONG_DOOR = 10  # the sale is sold through its gate, or no longer
    ON_THE_SHELF = 11  # only orders with a cart buy there


class SaleKey(NamedTuple):
    tenant_id: UUID
    sale_id: UUID


class Intent(NamedTuple):
    order_id: UUID
    intent_id: UUID
    shopper_id: UUID
    quantity: int
    body_hash: bytes  # 16 bytes over what was asked, to tell a retry from a changed mind
    epoch: int | None  # the sale's epoch as the gate saw it; None at the direct door
    contact: str | None = None
    lookup_hash: bytes | None = None
    channel: str = "web"
    retried: bool = False  # the client says that it asked before: a refusal is looked up first

    def under(self, epoch: int) -> "Intent":
        """The intent as the gate admitted it. Not `_replace`, which takes three times as long."""
        order, intent, shopper, quantity, body, _, contact, lookup, channel, retried = self
        return Intent(order, intent, shopper, quantity, body, epoch, contact, lookup, channel, retried)


class Decision(NamedTuple):
    """The answer to an intent; a retry gets the same one. Amounts in minor units."""

    outcome: Outcome
    order_id: UUID
    state: str
    quantity: int
    amount_minor: int
    currency: str
    created_at: dt.datetime
    hold_until: dt.datetime | None


def order_id(key: bytes, tenant_id: UUID, shopper_id: UUID, idempotency_key: str) -> UUID:
    """128-bit MAC of (tenant | shopper | idempotency key): a retry finds its order even when everything but Postgres forgot.

    `key` never rotates, else a retry across the rotation would buy twice.
    """
    return order_under(Mac(key), tenant_id, shopper_id, idempotency_key.encode())


def order_under(mac: Mac, tenant_id: UUID, shopper_id: UUID, idempotency_key: bytes) -> UUID:
    """The same by a MAC whose key is set."""
    if not safeties.on("idempotent_order"):
        return new_id()
    # Two parts of 16 bytes before the last one: no two lists of parts share an input.
    return of_bytes(mac.of(tenant_id.bytes + shopper_id.bytes + idempotency_key))
