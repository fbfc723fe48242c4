"""The ledger of a shopper's points. An entry brings a lot or takes from lots, first from those that expire first; none is ever changed.

balance = sum of the entries = what is left in the lots, and never below zero. Who must give back more than he has owes the rest, and pays
it from whatever he gets next. All of it happens under the lock of the account's row.
"""

import datetime as dt
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from tenants.db import TenantTx

Kind = Literal["order", "sign_in", "staff", "refund", "owed", "expired"]


class Account(msgspec.Struct):
    """A locked account as it will be saved."""

    shopper_id: UUID
    now: dt.datetime
    balance: int
    owed: int
    entries: int
    level_id: UUID | None
    level_since: dt.datetime | None
    level_until: dt.datetime | None
    in_grace: bool
    group_id: UUID | None


_KEPT = "balance, owed, entries, level_id, level_since, level_until, in_grace, group_id"


class Why(NamedTuple):
    """`once` names what may happen to the account a single time."""

    kind: Kind
    order_id: UUID | None = None
    once: str | None = None
    note: str | None = None


async def lock(tx: TenantTx, shopper_id: UUID) -> Account:
    """The account, made if there is none, without what has expired by now."""
    sql = "INSERT INTO points_account (tenant_id, id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    await tx.conn.execute(sql, tx.tenant_id, shopper_id)
    sql = f"SELECT clock_timestamp(), {_KEPT} FROM points_account WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
    account = Account(shopper_id, *await tx.conn.fetchrow(sql, tx.tenant_id, shopper_id))
    sql = """SELECT seq, remaining FROM points_lot WHERE tenant_id = $1 AND shopper_id = $2 AND remaining > 0 AND expires_at <= $3
             ORDER BY expires_at, seq"""
    for lot_seq, remaining in await tx.conn.fetch(sql, tx.tenant_id, shopper_id, account.now):
        await _spend(tx, account, {lot_seq: remaining}, Why("expired"))
    return account


async def save(tx: TenantTx, account: Account) -> None:
    """As it is now; its duty comes when the next lot expires, or its level may end."""
    sql = """UPDATE points_account SET balance = $3, owed = $4, entries = $5, level_id = $6, level_since = $7, level_until = $8,
                 in_grace = $9, group_id = $10, tries = 0, next_try_at = least($8, (
                     SELECT min(expires_at) FROM points_lot WHERE tenant_id = $1 AND shopper_id = $2 AND remaining > 0))
             WHERE tenant_id = $1 AND id = $2"""
    kept = msgspec.structs.astuple(account)[2:]
    await tx.conn.execute(sql, tx.tenant_id, account.shopper_id, *kept)


async def happened(tx: TenantTx, account: Account, once: str) -> bool:
    sql = "SELECT EXISTS (SELECT FROM points_entry WHERE tenant_id = $1 AND shopper_id = $2 AND once = $3)"
    return bool(await tx.conn.fetchval(sql, tx.tenant_id, account.shopper_id, once))


async def give(
    tx: TenantTx, account: Account, amount: int, why: Why, *, ready_at: dt.datetime | None = None, expires_at: dt.datetime | None = None
) -> int:
    """Bring `amount` > 0; what is owed is paid from it at once. The number of the lot."""
    assert amount > 0
    seq = await _write(tx, account, amount, why)
    sql = """INSERT INTO points_lot (tenant_id, shopper_id, seq, amount, remaining, ready_at, expires_at)
             VALUES ($1, $2, $3, $4, $4, $5, $6)"""
    await tx.conn.execute(sql, tx.tenant_id, account.shopper_id, seq, amount, ready_at or account.now, expires_at)
    if pays := min(account.owed, amount):
        account.owed -= pays
        await _spend(tx, account, {seq: pays}, Why("owed"))
    return seq


async def available(tx: TenantTx, account: Account) -> int:
    """What he may spend now: what is neither held nor over."""
    sql = """SELECT coalesce(sum(remaining), 0)::bigint FROM points_lot
             WHERE tenant_id = $1 AND shopper_id = $2 AND remaining > 0 AND ready_at <= $3"""
    return int(await tx.conn.fetchval(sql, tx.tenant_id, account.shopper_id, account.now))


async def take(tx: TenantTx, account: Account, amount: int, why: Why, *, first: int | None = None, held: bool = False) -> int:
    """Take up to `amount`: from the lot `first`, then from those that expire first, of held ones only if `held`. How much there was."""
    sql = """SELECT seq, remaining FROM points_lot
             WHERE tenant_id = $1 AND shopper_id = $2 AND remaining > 0 AND (ready_at <= $3 OR $4)
             ORDER BY seq IS DISTINCT FROM $5::bigint, expires_at, seq"""
    used: dict[int, int] = {}
    left = amount
    for seq, remaining in await tx.conn.fetch(sql, tx.tenant_id, account.shopper_id, account.now, held, first):
        if not left:
            break
        used[seq] = min(remaining, left)
        left -= used[seq]
    if used:
        await _spend(tx, account, used, why)
    return amount - left


async def _spend(tx: TenantTx, account: Account, used: dict[int, int], why: Why) -> None:
    seq = await _write(tx, account, -sum(used.values()), why)
    sql = """WITH used AS (SELECT * FROM unnest($4::bigint[], $5::bigint[]) AS given (lot_seq, amount)),
                  told AS (INSERT INTO points_consumption (tenant_id, shopper_id, seq, lot_seq, amount)
                           SELECT $1, $2, $3, lot_seq, amount FROM used)
             UPDATE points_lot AS l SET remaining = remaining - used.amount, expired = expired + CASE WHEN $6 THEN used.amount ELSE 0 END
             FROM used WHERE l.tenant_id = $1 AND l.shopper_id = $2 AND l.seq = used.lot_seq"""
    given = (list(used), list(used.values()), why.kind == "expired")
    await tx.conn.execute(sql, tx.tenant_id, account.shopper_id, seq, *given)


async def _write(tx: TenantTx, account: Account, amount: int, why: Why) -> int:
    account.balance += amount
    account.entries += 1
    assert account.balance >= 0
    sql = """INSERT INTO points_entry (tenant_id, shopper_id, seq, amount, balance, kind, order_id, once, note)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
    await tx.conn.execute(sql, tx.tenant_id, account.shopper_id, account.entries, amount, account.balance, *why)
    return account.entries
