"""What orders bring, and refunds take back. The duty of an order makes its account what the order and its refunds say: events only wake
it, so it does not matter how often or in which order they come.

An order earns when all of it is delivered, from what was paid for it. Refunded is what was asked to be refunded: points go before money.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tenants import stores
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import release
from tenants.points import levels, lots, program
from tenants.points.lots import Account, Why
from tenants.points.program import Program


async def delivered(tx: TenantTx, order_ids: Sequence[UUID]) -> None:
    """These orders are to be looked at, where points are earned."""
    sql = """INSERT INTO points_order (tenant_id, id) SELECT $1, id FROM unnest($2::uuid[]) AS id
             WHERE EXISTS (SELECT FROM points_program WHERE tenant_id = $1 AND enabled) ON CONFLICT DO NOTHING"""
    await tx.conn.execute(sql, tx.tenant_id, list(order_ids))


async def refunded(tx: TenantTx, order_id: UUID) -> None:
    """The order, whose row is locked, is to be looked at again. One that nobody looked at yet finds its refunds when he does."""
    await tx.conn.execute("UPDATE points_order SET next_try_at = now() WHERE tenant_id = $1 AND id = $2", tx.tenant_id, order_id)


async def settle(pool: Pool, tenant_id: UUID, order_id: UUID) -> None:
    """The duty. Order, its row here, account: whoever locks several locks them so."""
    async with tenant_tx(pool, tenant_id) as tx:
        order = await release.lock(tx, order_id)
        sql = "SELECT * FROM points_order WHERE tenant_id = $1 AND id = $2 AND next_try_at <= now() FOR UPDATE"
        row = await tx.conn.fetchrow(sql, tenant_id, order_id)
        if row is None:
            return
        # Not joined: on a young database a join may read all of a tenant's rows, and keeps its plan.
        sql = """SELECT delivered_at, (SELECT coalesce(sum(amount_minor), 0)::bigint FROM refund
                                       WHERE tenant_id = $1 AND order_id = $2 AND reason = 'requested'),
                        EXISTS (SELECT FROM erased_shopper WHERE tenant_id = $1 AND shopper_id = $3),
                        currency = (SELECT currency FROM store WHERE tenant_id = $1)
                 FROM orders WHERE tenant_id = $1 AND id = $2"""
        delivered_at, refunded_minor, erased, ours = await tx.conn.fetchrow(sql, tenant_id, order_id, order["shopper_id"])
        said = await program.get(tx)
        earns = delivered_at is not None and said.rules.enabled and ours and not erased and refunded_minor < order["amount_minor"]
        values = dict(row)
        if earns if row["settled_at"] is None else row["amount_minor"]:
            account = await lots.lock(tx, order["shopper_id"])
            if row["settled_at"] is None:
                values |= await _earn(tx, account, said, order_id, order["amount_minor"], delivered_at)
            values |= await _give_back(tx, account, order_id, values, refunded_minor)
            await _keep(tx, order_id, account, values)
            await levels.grade(tx, account, said)
            await lots.save(tx, account)
        sql = """UPDATE points_order SET settled_at = coalesce(settled_at, now()), tries = 0, next_try_at = NULL
                 WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tenant_id, order_id)


async def tend(pool: Pool, tenant_id: UUID, shopper_id: UUID) -> None:
    """The duty of an account: what has expired goes, and the level is what it is now."""
    async with tenant_tx(pool, tenant_id) as tx:
        account = await lots.lock(tx, shopper_id)
        await levels.grade(tx, account, await program.get(tx))
        await lots.save(tx, account)


async def _earn(
    tx: TenantTx, account: Account, said: Program, order_id: UUID, amount_minor: int, delivered_at: dt.datetime
) -> dict[str, Any]:
    """What all of the order brings, at the rate of the level that he had before it."""
    rules = said.rules
    percent = next((level.earn_percent for level in said.levels if level.id == account.level_id), 100)
    earned = amount_minor * rules.earn_points * percent // (rules.earn_minor * 100)
    seq = None
    if earned:
        ready_at = delivered_at + dt.timedelta(days=rules.hold_days)
        why = Why("order", order_id, f"order:{order_id.hex}")
        over = program.expires_at(rules, ready_at, await stores.zone(tx))
        seq = await lots.give(tx, account, earned, why, ready_at=ready_at, expires_at=over)
    growth = amount_minor * rules.growth_points // rules.growth_minor
    return {
        "shopper_id": account.shopper_id, "delivered_at": delivered_at, "amount_minor": amount_minor, "earn_percent": percent,
        "lot_seq": seq, "earned": earned, "growth": growth,
    }  # fmt: skip


async def _give_back(tx: TenantTx, account: Account, order_id: UUID, order: dict[str, Any], refunded_minor: int) -> dict[str, Any]:
    """The share of what was earned that belongs to what was refunded, rounded down: with the last part it is all, exactly.

    First from what is left of the order's own lot; then what had expired of it counts, since nobody had it; then from the others, held or
    not, for it was spent; and the rest is owed.
    """
    taken, owed, lapsed = order["taken"], order["owed"], order["lapsed"]
    due = order["earned"] * refunded_minor // order["amount_minor"] - taken - owed - lapsed
    if due > 0:
        sql = "SELECT remaining, expired FROM points_lot WHERE tenant_id = $1 AND shopper_id = $2 AND seq = $3"
        own, expired = await tx.conn.fetchrow(sql, tx.tenant_id, account.shopper_id, order["lot_seq"])
        over = min(max(due - own, 0), expired - lapsed)
        got = 0
        if due > over:
            why = Why("refund", order_id, f"refund:{order_id.hex}:{refunded_minor}")
            got = await lots.take(tx, account, due - over, why, first=order["lot_seq"], held=True)
        account.owed += due - over - got
        taken, owed, lapsed = taken + got, owed + due - over - got, lapsed + over
    growth_back = order["growth"] * refunded_minor // order["amount_minor"]
    return {"refunded_minor": refunded_minor, "taken": taken, "owed": owed, "lapsed": lapsed, "growth_back": growth_back}


_KEPT = (
    "shopper_id", "delivered_at", "amount_minor", "refunded_minor", "earn_percent", "lot_seq", "earned", "taken", "owed", "lapsed",
    "growth", "growth_back",
)  # fmt: skip
_KEEP = f"UPDATE points_order SET {', '.join(f'{name} = ${n}' for n, name in enumerate(_KEPT, 3))} WHERE tenant_id = $1 AND id = $2"


async def _keep(tx: TenantTx, order_id: UUID, account: Account, values: dict[str, Any]) -> None:
    assert values["shopper_id"] == account.shopper_id
    await tx.conn.execute(_KEEP, tx.tenant_id, order_id, *(values[name] for name in _KEPT))
