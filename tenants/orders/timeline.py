"""What happened to an order, newest first: what its rows say of it, and what the audit says was done with it.

Entries stand in the order of their milliseconds; those of the audit by the time in their ids, which is how they are kept, so that a page
reads no more of them than it shows. Everything else an order has few of.
"""

import datetime as dt
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.ids import encode
from tenants.db import NEWEST, TenantTx
from tenants.orders import read

AUDIT, ROWS = 0, 1  # which of one millisecond comes first
# Notes and mails have rows of their own; what the audit says of them would be said twice.
TOLD_ELSEWHERE = ("order.noted", "order.mailed")


class Entry(msgspec.Struct, frozen=True):
    """`kind` is a word of docs/orders.md, `actor` who did it where somebody did; `detail` says what else there is to know."""

    at: dt.datetime
    kind: str
    id: str
    actor: str | None
    detail: dict[str, Any]


class Place(NamedTuple):
    """Where an entry stands."""

    ms: int
    rank: int
    id: str  # 32 digits


class Page(NamedTuple):
    entries: list[Entry]
    next: Place | None


_ROWS = """
    SELECT created_at AS at, 'reserved' AS kind, id, NULL AS actor,
           jsonb_build_object('state', state, 'channel', channel, 'amount_minor', amount_minor, 'currency', currency) AS detail
    FROM orders WHERE tenant_id = $1 AND id = $2
    UNION ALL SELECT ended_at, 'ended', id, NULL, jsonb_build_object('state', state)
    FROM orders WHERE tenant_id = $1 AND id = $2 AND ended_at IS NOT NULL
    UNION ALL SELECT delivered_at, 'delivered', id, NULL, jsonb_build_object()
    FROM orders WHERE tenant_id = $1 AND id = $2 AND delivered_at IS NOT NULL
    UNION ALL SELECT created_at, 'payment_started', id, NULL,
                     jsonb_build_object('state', state, 'amount_minor', amount_minor, 'currency', currency)
    FROM payment_attempt WHERE tenant_id = $1 AND order_id = $2
    UNION ALL SELECT paid_at, 'paid', id, NULL,
                     jsonb_build_object('disposition', disposition, 'amount_minor', amount_minor, 'currency', currency)
    FROM payment WHERE tenant_id = $1 AND order_id = $2
    UNION ALL SELECT created_at, 'refund_begun', id, NULL,
                     jsonb_build_object('reason', reason, 'amount_minor', amount_minor, 'currency', currency)
    FROM refund WHERE tenant_id = $1 AND order_id = $2
    UNION ALL SELECT finished_at, 'refund_ended', id, NULL, jsonb_build_object('state', state)
    FROM refund WHERE tenant_id = $1 AND order_id = $2 AND finished_at IS NOT NULL
    UNION ALL SELECT created_at, 'note', id, author, jsonb_build_object('words', words)
    FROM order_note WHERE tenant_id = $1 AND order_id = $2
    UNION ALL SELECT created_at, 'mail', id, asked_by, jsonb_build_object('elsewhere', elsewhere, 'state', coalesce((
                         SELECT CASE WHEN sent_at IS NOT NULL THEN 'sent' WHEN refused IS NOT NULL THEN 'refused' ELSE 'waiting' END
                         FROM mail WHERE tenant_id = $1 AND id = order_mail.id), 'sent'))
    FROM order_mail WHERE tenant_id = $1 AND order_id = $2"""
_ACTS = """SELECT id, actor, action, detail FROM audit
           WHERE tenant_id = $1 AND subject = $2 AND id < $3 AND action <> ALL($4) ORDER BY id DESC LIMIT $5"""
_PREFIX = {"payment_started": "att", "paid": "pay", "refund_begun": "ref", "refund_ended": "ref", "note": "nte", "mail": "mai"}


async def latest(tx: TenantTx, order_id: UUID, *, limit: int, before: Place | None = None) -> Page:
    """At most `limit` entries, older than the one at `before`. Raises `NotFound`."""
    await read.must_exist(tx, order_id)
    found: list[tuple[Place, Entry]] = []
    for at, kind, id_, actor, detail in await tx.conn.fetch(_ROWS, tx.tenant_id, order_id):
        # Two entries of one row in one millisecond are told apart by their kinds.
        place = Place(int(at.timestamp() * 1000), ROWS + _KINDS.index(kind), id_.hex)
        if before is None or place < before:
            found.append((place, Entry(at, kind, encode(_PREFIX.get(kind, "ord"), id_), actor, msgspec.json.decode(detail))))
    acts = await tx.conn.fetch(_ACTS, tx.tenant_id, encode("ord", order_id), _acts_before(before), list(TOLD_ELSEWHERE), limit + 1)
    for id_, actor, action, detail in acts:
        kind, at = "revealed" if action == "codes.revealed" else "act", dt.datetime.fromtimestamp((id_.int >> 80) / 1000, dt.UTC)
        entry = Entry(at, kind, encode("aud", id_), actor, {"action": action} | msgspec.json.decode(detail))
        found.append((Place(id_.int >> 80, AUDIT, id_.hex), entry))
    found.sort(key=lambda each: each[0], reverse=True)
    more = len(found) > limit
    return Page([entry for _, entry in found[:limit]], found[limit - 1][0] if more else None)


_KINDS = ("reserved", "payment_started", "paid", "delivered", "ended", "refund_begun", "refund_ended", "note", "mail")


def _acts_before(place: Place | None) -> UUID:
    """Below which id the audit's entries are older than `place`."""
    if place is None:
        return NEWEST
    return UUID(place.id) if place.rank == AUDIT else UUID(int=(place.ms + 1) << 80)
