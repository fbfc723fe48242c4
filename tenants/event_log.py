"""The list of a store's events: what left the outbox, numbered without a gap, for whoever watches and reads on from a number.

The relay numbers them in the transaction that sends them, one relay of a store after the other: so an event's number is given when it can
be seen, and nobody who has read up to a number ever finds one below it. Only the newest are listed: who was away for longer is told so.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from tenants.db import TenantTx
from tenants.webhooks import translate

KEPT: Final = 2_000  # events of a store
RECORDED: Final = "events.recorded"  # what the relay tells the API processes


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


async def record(tx: TenantTx, ids: Sequence[UUID]) -> None:
    """Number these rows of the outbox, in their order. Whoever numbers next waits for this commit."""
    sql = """WITH head AS (INSERT INTO event_head AS h (tenant_id, seq) VALUES ($1, $2)
                           ON CONFLICT (tenant_id) DO UPDATE SET seq = h.seq + excluded.seq RETURNING seq),
                  listed AS (INSERT INTO event_entry (tenant_id, seq, id)
                             SELECT $1, head.seq - $2 + nth, id FROM head, unnest($3::uuid[]) WITH ORDINALITY AS x(id, nth))
             DELETE FROM event_entry WHERE tenant_id = $1 AND seq <= (SELECT seq FROM head) - $4"""
    await tx.conn.execute(sql, tx.tenant_id, len(ids), ids, KEPT)


async def head(tx: TenantTx) -> int:
    """The number of the last event; 0 before the first."""
    return int(await tx.conn.fetchval("SELECT seq FROM event_head WHERE tenant_id = $1", tx.tenant_id) or 0)


async def read(tx: TenantTx, after: int, upto: int, *, limit: int, types: frozenset[str]) -> Part:
    """The newest `limit` events behind `after` up to `upto`, of these types, oldest first."""
    sql = """SELECT e.seq, o.id, o.topic, o.payload, o.created_at FROM event_entry AS e CROSS JOIN LATERAL (
                 SELECT id, topic, payload, created_at FROM outbox WHERE tenant_id = $1 AND id = e.id OFFSET 0) AS o
             WHERE e.tenant_id = $1 AND e.seq > $2 AND e.seq <= $3 ORDER BY e.seq"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, max(after, upto - limit), upto)
    first = rows[0]["seq"] if rows else upto + 1
    return Part(first - after - 1, first, await _entries(tx, rows, types), upto)


async def _entries(tx: TenantTx, rows: Sequence[asyncpg.Record], types: frozenset[str]) -> list[Entry]:
    seqs: dict[UUID, int] = {row["id"]: row["seq"] for row in rows}
    return [Entry(seqs[event.row_id], event.type, event.body) for event in await translate.events(tx, rows, set(types)) if event.row_id]
