"""Reviewing what stores say and show of their products: of which stores it is asked, what waits of all of them, and the decisions."""

import datetime as dt
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode
from tenants import mails
from tenants.catalog import versions
from tenants.catalog.review import CLEAR, MODES, OFF, REFUSED, WAITING
from tenants.db import EARLIEST, OLDEST, Connection, TenantTx
from tenants.platform import records
from tenants.roles import OWNER


class Waiting(msgspec.Struct, frozen=True):
    """Longest waiting first. `name` is what the product calls itself."""

    tenant_id: UUID
    slug: str
    id: UUID
    product_id: UUID
    name: str
    created_at: dt.datetime


class Submission(msgspec.Struct, frozen=True):
    """`content` is all that the product said and showed when it was handed in; `images` in it are digests."""

    id: UUID
    product_id: UUID
    state: str
    content: dict[str, Any]
    reasons: list[str]
    created_at: dt.datetime
    decided_at: dt.datetime | None


async def waiting(conn: Connection, *, limit: int, after: tuple[dt.datetime, UUID] | None = None) -> list[Waiting]:
    """At most `limit` of all stores', after the one handed in then with that id."""
    sql = """SELECT r.tenant_id, t.slug, r.id, r.product_id, r.content ->> 'name', r.created_at
             FROM product_review r JOIN tenant t ON t.id = r.tenant_id
             WHERE r.state = 'waiting' AND (r.created_at, r.id) > ($1::timestamptz, $2::uuid) ORDER BY r.created_at, r.id LIMIT $3"""
    return [Waiting(*row) for row in await conn.fetch(sql, *(after or (EARLIEST, OLDEST)), limit)]


async def get(tx: TenantTx, review_id: UUID) -> Submission:
    """Raises `NotFound`."""
    return _submission(await _row(tx, review_id))


async def approve(tx: TenantTx, review_id: UUID, *, actor: str) -> Submission:
    """Show it as it was handed in: an edit since then has withdrawn it. Raises `NotFound`, `Conflict` (`wrong_state`)."""
    row = await _decided(tx, review_id, "approved", [], actor)
    await versions.keep_approved(tx, [review_id])
    await _moderate(tx, row["product_id"], CLEAR, "NULL")
    await records.add_both(tx, actor, "product.approved", encode("prd", row["product_id"]), review=encode("prv", review_id))
    return await get(tx, review_id)


async def refuse(tx: TenantTx, review_id: UUID, *, reasons: list[str], actor: str) -> Submission:
    """Hide it at once; what was approved before, if it was kept, is shown on. The owners are told. Raises as `approve`."""
    row = await _decided(tx, review_id, "refused", reasons, actor)
    await _moderate(tx, row["product_id"], REFUSED, "shown")
    await records.add_both(tx, actor, "product.refused", encode("prd", row["product_id"]), review=encode("prv", review_id), reasons=reasons)
    store = await tx.conn.fetchval("SELECT name FROM store WHERE tenant_id = $1", tx.tenant_id)
    sql = """SELECT u.mail, u.locale FROM membership m JOIN merchant_user u ON u.id = m.user_id
             WHERE m.tenant_id = $1 AND m.role = $2 ORDER BY u.id LIMIT 100"""
    name = msgspec.json.decode(row["content"])["name"]
    for mail, locale in await tx.conn.fetch(sql, tx.tenant_id, OWNER):
        await mails.send(tx, mail, "product_refused", locale=locale, store=store or "", product=name, reasons="\n".join(reasons))
    return await get(tx, review_id)


async def mode_of(tx: TenantTx) -> str:
    """What is asked of the store: `off`, `after` or `before` it is shown. Raises `NotFound` for no merchant."""
    if await tx.conn.fetchval("SELECT 1 FROM tenant WHERE id = $1", tx.tenant_id) is None:
        raise NotFound("There is no such merchant.")
    return await tx.conn.fetchval("SELECT mode FROM review_rule WHERE tenant_id = $1", tx.tenant_id) or OFF


async def set_mode(tx: TenantTx, mode: str, *, actor: str) -> str:
    """What is published already stays, and its next edit is looked at. `off` lets everything through that waits. Raises `NotFound`."""
    assert mode in MODES
    if await mode_of(tx) == mode:
        return mode
    sql = """INSERT INTO review_rule (tenant_id, mode) VALUES ($1, $2)
             ON CONFLICT (tenant_id) DO UPDATE SET mode = excluded.mode, set_at = now()"""
    await tx.conn.execute(sql, tx.tenant_id, mode)
    if mode == OFF:
        # Products before their reviews, in one order, as everybody who edits one.
        sql = "SELECT id FROM product WHERE tenant_id = $1 AND moderation = $2 ORDER BY id FOR NO KEY UPDATE"
        await tx.conn.execute(sql, tx.tenant_id, WAITING)
        sql = """UPDATE product_review SET state = 'withdrawn', decided_at = now() WHERE tenant_id = $1 AND state = 'waiting'
                 RETURNING id, product_id"""
        let_through = await tx.conn.fetch(sql, tx.tenant_id)
        await versions.keep_approved(tx, [row["id"] for row in let_through])
        sql = "UPDATE product SET moderation = $2, shown = NULL, version = version + 1 WHERE tenant_id = $1 AND moderation = $3"
        await tx.conn.execute(sql, tx.tenant_id, CLEAR, WAITING)
    await records.add_both(tx, actor, "product_review.set", encode("ten", tx.tenant_id), mode=mode)
    return mode


async def _row(tx: TenantTx, review_id: UUID) -> asyncpg.Record:
    sql = """SELECT id, product_id, state, content, reasons, created_at, decided_at FROM product_review
             WHERE tenant_id = $1 AND id = $2"""
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, review_id):
        return row
    raise NotFound("There is no such review.")


def _submission(row: asyncpg.Record) -> Submission:
    return Submission(**dict(row) | {"content": msgspec.json.decode(row["content"])})


async def _decided(tx: TenantTx, review_id: UUID, state: str, reasons: list[str], reviewer: str) -> asyncpg.Record:
    row = await _row(tx, review_id)
    # The product first, as its merchant does who edits it: of the two who come at once the second sees what the first did.
    await tx.conn.execute("SELECT 1 FROM product WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE", tx.tenant_id, row["product_id"])
    sql = """UPDATE product_review SET state = $3, reasons = $4, reviewer = $5, decided_at = now()
             WHERE tenant_id = $1 AND id = $2 AND state = 'waiting' RETURNING 1"""
    if not await tx.conn.fetchval(sql, tx.tenant_id, review_id, state, reasons, reviewer):
        now = (await _row(tx, review_id))["state"]
        raise Conflict(f"It is {now}: there is nothing to decide. Look at what waits now.", code="wrong_state", state=now)
    return row


async def _moderate(tx: TenantTx, product_id: UUID, moderation: str, shown: str) -> None:
    sql = f"UPDATE product SET moderation = $3, shown = {shown}, version = version + 1 WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, product_id, moderation)
