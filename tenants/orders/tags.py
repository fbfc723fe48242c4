"""Tags: a store's own words to sort orders by. Those that have one are listed in the order of time, like those of a state (`find`)."""

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode, new_id
from tenants.db import TenantTx
from tenants.orders import release

STORE_MAX = 200
ORDER_MAX = 20


class Tag(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    created_at: dt.datetime


class TagTaken(Conflict):
    code = "tag_taken"


async def latest(tx: TenantTx) -> list[Tag]:
    """All of a store's, by name."""
    rows = await tx.conn.fetch("SELECT id, name, created_at FROM tag WHERE tenant_id = $1 ORDER BY lower(name)", tx.tenant_id)
    return [Tag(*row) for row in rows]


async def create(tx: TenantTx, name: str, *, actor: str) -> Tag:
    """Raises `TagTaken` for a name that another has in whatever capitals, `Conflict` (`too_many_tags`) beyond `STORE_MAX`."""
    await tx.in_line()
    if await tx.conn.fetchval("SELECT count(*) FROM tag WHERE tenant_id = $1", tx.tenant_id) >= STORE_MAX:
        raise Conflict(f"A store has at most {STORE_MAX} tags. Remove one that no order has.", code="too_many_tags")
    sql = "INSERT INTO tag (tenant_id, id, name) VALUES ($1, $2, $3) RETURNING id, name, created_at"
    try:
        tag = Tag(*await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), name))
    except asyncpg.UniqueViolationError:
        raise _taken(name) from None
    await tx.audit(actor, "tag.created", encode("tag", tag.id))
    return tag


async def rename(tx: TenantTx, tag_id: UUID, name: str, *, actor: str) -> Tag:
    """Its orders keep it. Raises `NotFound`, `TagTaken`."""
    sql = "UPDATE tag SET name = $3 WHERE tenant_id = $1 AND id = $2 RETURNING id, name, created_at"
    try:
        row = await tx.conn.fetchrow(sql, tx.tenant_id, tag_id, name)
    except asyncpg.UniqueViolationError:
        raise _taken(name) from None
    if row is None:
        raise _missing()
    await tx.audit(actor, "tag.renamed", encode("tag", tag_id))
    return Tag(*row)


async def remove(tx: TenantTx, tag_id: UUID, *, actor: str) -> None:
    """Raises `NotFound`, and `Conflict` (`tag_in_use`) while an order has it."""
    if not await tx.conn.fetchval("SELECT 1 FROM tag WHERE tenant_id = $1 AND id = $2 FOR UPDATE", tx.tenant_id, tag_id):
        raise _missing()
    # Whoever tags an order holds the tag's row until his commit: from here on nobody does.
    if await tx.conn.fetchval("SELECT 1 FROM order_posting WHERE tenant_id = $1 AND term = $2 LIMIT 1", tx.tenant_id, tag_id):
        raise Conflict("Orders have this tag. Take it from them first, or give it another name.", code="tag_in_use")
    await tx.conn.execute("DELETE FROM tag WHERE tenant_id = $1 AND id = $2", tx.tenant_id, tag_id)
    await tx.audit(actor, "tag.removed", encode("tag", tag_id))


async def put(tx: TenantTx, order_id: UUID, tag_ids: Collection[UUID], *, actor: str) -> list[UUID]:
    """Exactly these are the order's tags from now on, at most `ORDER_MAX`. Raises `NotFound` for an order or a tag, `Conflict`."""
    order = await release.lock(tx, order_id)
    return await _change(tx, order, await _of(tx, order_id), set(tag_ids), actor)


async def add(tx: TenantTx, order_id: UUID, tag_id: UUID, *, actor: str) -> list[UUID]:
    """One more. Raises as `put`."""
    order = await release.lock(tx, order_id)
    has = await _of(tx, order_id)
    return await _change(tx, order, has, has | {tag_id}, actor)


async def take_off(tx: TenantTx, order_id: UUID, tag_id: UUID, *, actor: str) -> list[UUID]:
    """One less. Raises `NotFound` for an order or a tag."""
    order = await release.lock(tx, order_id)
    await _hold(tx, [tag_id])
    has = await _of(tx, order_id)
    return await _change(tx, order, has, has - {tag_id}, actor)


async def _change(tx: TenantTx, order: asyncpg.Record, has: set[UUID], wanted: set[UUID], actor: str) -> list[UUID]:
    if len(wanted) > ORDER_MAX:
        raise Conflict(f"An order has at most {ORDER_MAX} tags. Nothing was changed.", code="too_many_tags")
    added, dropped = sorted(wanted - has), sorted(has - wanted)
    await _hold(tx, added)
    if dropped:
        sql = """WITH gone AS (DELETE FROM order_tag WHERE tenant_id = $1 AND order_id = $2 AND tag_id = ANY($4))
                 DELETE FROM order_posting WHERE tenant_id = $1 AND term = ANY($4) AND at = $3 AND order_id = $2"""
        await tx.conn.execute(sql, tx.tenant_id, order["id"], order["created_at"], dropped)
    if added:
        sql = """WITH tagged AS (INSERT INTO order_tag (tenant_id, order_id, tag_id) SELECT $1, $2, unnest($4::uuid[]))
                 INSERT INTO order_posting (tenant_id, term, at, order_id) SELECT $1, unnest($4::uuid[]), $3, $2"""
        await tx.conn.execute(sql, tx.tenant_id, order["id"], order["created_at"], added)
    if added or dropped:
        told = {"added": [encode("tag", each) for each in added], "removed": [encode("tag", each) for each in dropped]}
        await tx.audit(actor, "order.tagged", encode("ord", order["id"]), **told)
    return sorted(wanted)


async def _of(tx: TenantTx, order_id: UUID) -> set[UUID]:
    rows = await tx.conn.fetch("SELECT tag_id FROM order_tag WHERE tenant_id = $1 AND order_id = $2", tx.tenant_id, order_id)
    return {row[0] for row in rows}


async def _hold(tx: TenantTx, tag_ids: Sequence[UUID]) -> None:
    """Nobody removes these before this transaction ends."""
    sql = "SELECT id FROM tag WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR SHARE"
    if len(await tx.conn.fetch(sql, tx.tenant_id, tag_ids)) < len(tag_ids):
        raise _missing()


def _missing() -> NotFound:
    return NotFound("There is no such tag. GET /v1/order-tags lists those there are.")


def _taken(name: str) -> TagTaken:
    return TagTaken(f"There is a tag {name!r} already.")
