"""The list of a store's events: what left the outbox, numbered without a gap, for whoever watches and reads on from a number.

The relay numbers them in the transaction that sends them, one relay of a store after the other: so an event's number is given when it can
be seen, and nobody who has read up to a number ever finds one below it. The rows stay as long as the store keeps events.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from tenants.db import TenantTx
from tenants.webhooks import translate

RECORDED = "events.recorded"  # what the relay tells the API processes


class Entry(NamedTuple):
    """`body` is the JSON of a webhook's message."""

    seq: int
    type: str
    body: str


class Part(NamedTuple):
    """`missed` events lie before the `first` that was read and are not told: they are forgotten, or too many. `seq` is where to read on."""

    missed: int
    first: int
    entries: list[Entry]
    seq: int


async def number(tx: TenantTx, count: int) -> int:
    """The first of `count` new numbers; whoever asks next waits for this commit."""
    sql = """INSERT INTO event_head AS h (tenant_id, seq) VALUES ($1, $2)
             ON CONFLICT (tenant_id) DO UPDATE SET seq = h.seq + excluded.seq RETURNING seq"""
    return int(await tx.conn.fetchval(sql, tx.tenant_id, count)) - count + 1


async def head(tx: TenantTx) -> int:
    """The number of the last event; 0 before the first."""
    return int(await tx.conn.fetchval("SELECT seq FROM event_head WHERE tenant_id = $1", tx.tenant_id) or 0)


async def read(tx: TenantTx, after: int, upto: int, *, limit: int, types: frozenset[str]) -> Part:
    """The newest `limit` events behind `after` up to `upto`, of these types, oldest first."""
    sql = """SELECT seq, id, topic, payload, created_at FROM outbox WHERE tenant_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, max(after, upto - limit), upto)
    first = rows[0]["seq"] if rows else upto + 1
    return Part(first - after - 1, first, await _entries(tx, rows, types), upto)


async def _entries(tx: TenantTx, rows: Sequence[asyncpg.Record], types: frozenset[str]) -> list[Entry]:
    seqs: dict[UUID, int] = {row["id"]: row["seq"] for row in rows}
    return [Entry(seqs[event.row_id], event.type, event.body) for event in await translate.events(tx, rows, set(types)) if event.row_id]
