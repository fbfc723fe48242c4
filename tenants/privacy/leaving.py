"""A store leaves: its owner asks with his password, thirty days pass in which he may think again, then all data is deleted for good.

The store is closed at once: visitors find none. Its programs and people may still sign in, take the data along, or cancel. Slug and hosts
stay nobody's for a quarantine, so that nobody else receives what old links bring. What remains are a random id, times, and the last hash of
the audit, which the anchors name too.
"""

import datetime as dt
from graphlib import TopologicalSorter
from typing import NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, Forbidden, NotFound
from checkout_core.ids import encode
from tenants import mails, profile
from tenants.audit.anchors import Anchored, Signer, Sink, keep
from tenants.db import Connection, Pool, TenantTx, platform_tx, tenant_tx
from tenants.passwords import Passwords
from tenants.privacy.find import UNFINISHED
from tenants.roles import OWNER

GRACE = dt.timedelta(days=30)
QUARANTINE = dt.timedelta(days=90)
AT_ONCE = 5000  # rows a transaction


class Leaving(msgspec.Struct, frozen=True):
    """`state`: asked, cancelled, deleting, deleted."""

    state: str
    asked_at: dt.datetime
    delete_at: dt.datetime


async def get(platform: Pool, tenant_id: UUID) -> Leaving:
    """Raises `NotFound` for a store that stays."""
    async with platform_tx(platform) as conn:
        row = await conn.fetchrow("SELECT state, asked_at, delete_at FROM off_boarding WHERE tenant_id = $1", tenant_id)
    if row is None:
        raise NotFound("This store is not leaving.")
    return Leaving(*row)


async def ask(platform: Pool, app: Pool, passwords: Passwords, tenant_id: UUID, user_id: UUID, password: str) -> Leaving:
    """Close the store and have it deleted after the grace. Again, it stays as it was asked first.

    Raises `Forbidden` (`owner_only`, `wrong_password`), `TooMany` after some wrong ones, and `Conflict` (`open_sales`, `open_orders`)
    while somebody may still be owed something.
    """
    async with platform_tx(platform) as conn:
        sql = "SELECT true FROM membership WHERE tenant_id = $1 AND user_id = $2 AND role = $3"
        is_owner = await conn.fetchval(sql, tenant_id, user_id, OWNER)
    if not is_owner:
        raise owner_only()
    await profile.prove(platform, passwords, user_id, password)
    async with platform_tx(platform) as conn:
        sql = """INSERT INTO off_boarding (tenant_id, state, delete_at) VALUES ($1, 'asked', now() + $2::interval)
                 ON CONFLICT (tenant_id) DO UPDATE SET state = 'asked', asked_at = now(), delete_at = now() + $2::interval
                 WHERE off_boarding.state = 'cancelled' RETURNING 1"""
        if await conn.fetchval(sql, tenant_id, GRACE):
            # On record before it is so: a crash in between leaves a word too many, never a deed without one.
            async with tenant_tx(app, tenant_id) as tx:
                await _owes_nothing(tx)
                await tx.audit(encode("usr", user_id), "store.leaving", encode("ten", tenant_id))
    return await get(platform, tenant_id)


def owner_only() -> Forbidden:
    return Forbidden("Only an owner, signed in, can do this; no API key can.", code="owner_only")


async def cancel(platform: Pool, app: Pool, tenant_id: UUID, *, actor: str) -> Leaving:
    """Stay after all; the store is open again. Raises `NotFound`, and `Conflict` (`too_late`) once deletion has begun."""
    async with platform_tx(platform) as conn:
        sql = "UPDATE off_boarding SET state = 'cancelled' WHERE tenant_id = $1 AND state = 'asked' RETURNING state"
        if await conn.fetchval(sql, tenant_id):
            async with tenant_tx(app, tenant_id) as tx:
                await tx.audit(actor, "store.stays", encode("ten", tenant_id))
    leaving = await get(platform, tenant_id)
    if leaving.state != "cancelled":
        raise Conflict("The data is being deleted already.", code="too_late")
    return leaving


async def _owes_nothing(tx: TenantTx) -> None:
    sql = """SELECT (SELECT count(*) FROM sale WHERE tenant_id = $1 AND (state <> 'ended' OR next_try_at IS NOT NULL)),
                    (SELECT count(*) FROM orders WHERE tenant_id = $1 AND state = ANY($2)),
                    (SELECT count(*) FROM refund WHERE tenant_id = $1 AND state = 'requested')"""
    sales, orders, refunds = await tx.conn.fetchrow(sql, tx.tenant_id, UNFINISHED)
    if sales:
        raise Conflict(f"{sales} sales have not ended. End them, then ask again.", code="open_sales", sales=sales)
    if orders or refunds:
        raise Conflict(
            f"{orders} orders and {refunds} refunds have not ended. Let them end, then ask again.",
            code="open_orders", orders=orders, refunds=refunds,
        )  # fmt: skip


class Hands(NamedTuple):
    """What deletion works with. `retention` belongs to the role tessera_retention, whose policies show it stores past their grace alone."""

    app: Pool
    platform: Pool
    retention: Pool
    signer: Signer
    sink: Sink


async def carry_out(hands: Hands) -> int:
    """Delete the stores whose grace is over, and give slugs and hosts back whose quarantine is; how many stores.

    What a crash left half deleted is gone on with.
    """
    leaving = await _due(hands.platform)
    for tenant_id, is_sandbox in leaving.items():
        await _delete(hands, tenant_id, is_sandbox=is_sandbox)
    async with platform_tx(hands.platform) as conn:
        # A sandbox goes with the store it belongs to, in the same run.
        sql = """INSERT INTO off_boarding (tenant_id, state, delete_at)
                 SELECT t.id, 'asked', now() FROM off_boarding o JOIN tenant t ON t.sandbox_of = o.tenant_id
                 WHERE o.state IN ('deleting', 'deleted')
                 ON CONFLICT (tenant_id) DO UPDATE SET state = 'asked', delete_at = now() WHERE off_boarding.state = 'cancelled'"""
        await conn.execute(sql)
    sandboxes = {tenant_id: True for tenant_id, is_sandbox in (await _due(hands.platform)).items() if is_sandbox}
    for tenant_id in sandboxes:
        await _delete(hands, tenant_id, is_sandbox=True)
    async with platform_tx(hands.platform) as conn:
        sql = """SELECT tenant_id FROM off_boarding o WHERE state = 'deleted' AND deleted_at < now() - $1::interval
                 AND NOT EXISTS (SELECT 1 FROM tenant t WHERE t.sandbox_of = o.tenant_id) LIMIT 100"""
        for (tenant_id,) in await conn.fetch(sql, QUARANTINE):
            await conn.execute("DELETE FROM store_host WHERE tenant_id = $1", tenant_id)
            await conn.execute("DELETE FROM tenant WHERE id = $1", tenant_id)
            await conn.execute("UPDATE off_boarding SET state = 'released' WHERE tenant_id = $1", tenant_id)
    return len(leaving | sandboxes)


async def _due(platform: Pool) -> dict[UUID, bool]:
    """The stores whose grace is over, and whether each is a sandbox."""
    sql = """SELECT o.tenant_id, t.sandbox_of IS NOT NULL FROM off_boarding o JOIN tenant t ON t.id = o.tenant_id
             WHERE o.state = 'deleting' OR (o.state = 'asked' AND o.delete_at <= now()) LIMIT 100"""
    async with platform_tx(platform) as conn:
        return dict(await conn.fetch(sql))


async def _delete(hands: Hands, tenant_id: UUID, *, is_sandbox: bool) -> None:
    async with tenant_tx(hands.app, tenant_id) as tx:
        try:
            if not is_sandbox:  # nothing in one is real
                await _owes_nothing(tx)
        except Conflict:
            return  # something came up within the grace: it is looked at again
        last = await tx.conn.fetchrow("SELECT seq, hash FROM audit_head WHERE tenant_id = $1", tenant_id)
    async with platform_tx(hands.platform) as conn:
        sql = """UPDATE off_boarding SET state = 'deleting', audit_seq = coalesce(audit_seq, $2), audit_hash = coalesce(audit_hash, $3)
                 WHERE tenant_id = $1 AND state IN ('asked', 'deleting') AND delete_at <= now() RETURNING audit_seq, audit_hash"""
        closed = await conn.fetchrow(sql, tenant_id, *(last or (None, None)))
    if closed is None:
        return  # cancelled in this very moment
    await _let_people_go(hands, tenant_id)
    for table in await tables_in_order(hands.retention):
        while await _delete_some(hands.retention, table, tenant_id) == AT_ONCE:
            pass
    if closed["audit_seq"]:
        await keep(hands.sink, hands.signer, [], [Anchored(tenant_id, *closed)])
    async with platform_tx(hands.platform) as conn:
        await conn.execute("UPDATE off_boarding SET state = 'deleted', deleted_at = now() WHERE tenant_id = $1", tenant_id)


async def _let_people_go(hands: Hands, tenant_id: UUID) -> None:
    """End the accounts of who works nowhere else. Before the memberships go, which say who that is; what a crash leaves is found again."""
    async with platform_tx(hands.platform) as conn:
        sql = """SELECT u.id, u.mail FROM merchant_user u
                 WHERE (u.tenant_id = $1 OR EXISTS (SELECT 1 FROM membership m WHERE m.tenant_id = $1 AND m.user_id = u.id))
                   AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.user_id = u.id AND m.tenant_id <> $1) FOR UPDATE OF u"""
        people = await conn.fetch(sql, tenant_id)
        ids, addresses = [row["id"] for row in people], [row["mail"] for row in people]
        async with tenant_tx(hands.app, mails.PLATFORM) as tx:
            await tx.conn.execute("DELETE FROM mail WHERE tenant_id = $1 AND recipient = ANY($2)", mails.PLATFORM, addresses)
        await conn.execute("DELETE FROM proof WHERE user_id = ANY($1) OR mail = ANY($2)", ids, addresses)
        await conn.execute("DELETE FROM merchant_session WHERE user_id = ANY($1) OR tenant_id = $2", ids, tenant_id)
        for table in ("merchant_place", "merchant_recovery_code", "merchant_totp"):
            await conn.execute(f"DELETE FROM {table} WHERE user_id = ANY($1)", ids)
        await conn.execute("DELETE FROM merchant_user WHERE id = ANY($1)", ids)
        await conn.execute("UPDATE merchant_user SET tenant_id = NULL WHERE tenant_id = $1", tenant_id)


async def _delete_some(retention: Pool, table: str, tenant_id: UUID) -> int:
    sql = f"DELETE FROM {table} WHERE tenant_id = $1 AND ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE tenant_id = $1 LIMIT {AT_ONCE}))"
    return int((await retention.execute(sql, tenant_id)).rpartition(" ")[2])


async def tables_in_order(conn: Pool | Connection) -> list[str]:
    """Every table of tenants, those that refer to others first: from the catalogue, so that a new one cannot be forgotten."""
    sql = """SELECT c.relname::text, coalesce(array_agg(f.relname::text) FILTER (WHERE f.oid IS NOT NULL AND f.oid <> c.oid), '{}')
             FROM pg_class c LEFT JOIN pg_constraint k ON k.confrelid = c.oid AND k.contype = 'f' LEFT JOIN pg_class f ON f.oid = k.conrelid
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relforcerowsecurity GROUP BY 1"""
    rows = await conn.fetch(sql)
    return list(TopologicalSorter({name: set(referring) for name, referring in rows}).static_order())
