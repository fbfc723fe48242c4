"""What staff write on an order, for each other: added, never changed. No shopper sees it."""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict
from checkout_core.ids import encode, new_id
from tenants.db import NEWEST, TenantTx
from tenants.orders import read, release

ORDER_MAX = 200


class Note(msgspec.Struct, frozen=True):
    """`author` is `usr_…` or `key_…`; `words` are None when they were erased with the shopper."""

    id: UUID
    author: str
    words: str | None
    created_at: dt.datetime


async def add(tx: TenantTx, order_id: UUID, words: str, *, author: str) -> Note:
    """Raises `NotFound`, and `Conflict` (`too_many_notes`) beyond `ORDER_MAX` of an order."""
    await release.lock(tx, order_id)  # who counts now counts all
    sql = "SELECT count(*) FROM order_note WHERE tenant_id = $1 AND order_id = $2"
    if await tx.conn.fetchval(sql, tx.tenant_id, order_id) >= ORDER_MAX:
        raise Conflict(f"An order has at most {ORDER_MAX} notes.", code="too_many_notes")
    sql = """INSERT INTO order_note (tenant_id, order_id, id, author, words) VALUES ($1, $2, $3, $4, $5)
             RETURNING id, author, words, created_at"""
    note = Note(*await tx.conn.fetchrow(sql, tx.tenant_id, order_id, new_id(), author, words))
    await tx.audit(author, "order.noted", encode("ord", order_id), note=encode("nte", note.id))
    return note


async def latest(tx: TenantTx, order_id: UUID, *, limit: int, before: UUID | None = None) -> list[Note]:
    """At most `limit`, newest first, older than the note `before`. Raises `NotFound`."""
    await read.must_exist(tx, order_id)
    sql = """SELECT id, author, words, created_at FROM order_note
             WHERE tenant_id = $1 AND order_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4"""
    return [Note(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, order_id, before or NEWEST, limit)]
