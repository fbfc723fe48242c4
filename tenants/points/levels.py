"""Levels: who has which follows from the growth of his orders, at the moments they were delivered, and from nothing else.

So whatever is told twice, late or in another order comes to the same, and an order that is refunded was never there. A level is reached at
once. Where levels last a period, one that was reached must be earned again within it, or after the grace it falls to what was earned.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from checkout_core.ids import new_id
from tenants.db import TenantTx
from tenants.points.lots import Account
from tenants.points.program import Level, Program

Grown = tuple[dt.datetime, int]


class Standing(NamedTuple):
    """`rank` 0 is no level, 1 the lowest; `growth` is what counts now; until `until` the level is safe, in grace or before."""

    rank: int
    growth: int
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    in_grace: bool = False


def replay(
    grown: Sequence[Grown], thresholds: Sequence[int], period: dt.timedelta | None, grace: dt.timedelta, now: dt.datetime
) -> Standing:
    """Go through it as it was: `grown` in order of time, `thresholds` from the lowest."""
    counted, first, total = 0, 0, 0
    rank, in_grace = 0, False
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def merits(at: dt.datetime) -> int:
        """The level that what counts at `at` is enough for; what is a period old counts no more."""
        nonlocal first, total
        while period is not None and first < counted and grown[first][0] <= at - period:
            total -= grown[first][1]
            first += 1
        return sum(1 for threshold in thresholds if total >= threshold)

    def pass_to(at: dt.datetime) -> None:
        nonlocal rank, since, until, in_grace
        while period is not None and until is not None and until <= at:
            earned = merits(until)
            if earned >= rank:
                until, in_grace = until + period, False
            elif grace and not in_grace:
                until, in_grace = until + grace, True
            else:
                rank, since, in_grace = earned, until, False
                until = until + period if rank else None

    for at, growth in grown:
        if at > now:
            break
        pass_to(at)
        total += growth
        counted += 1
        earned = merits(at)
        if earned > rank:
            rank, since, until, in_grace = earned, at, at + period if period else None, False
        elif in_grace and earned >= rank:
            until, in_grace = at + period if period else None, False
    pass_to(now)
    merits(now)
    return Standing(rank, total, since if rank else None, until if rank else None, in_grace)


async def standing(tx: TenantTx, program: Program, shopper_id: UUID, now: dt.datetime) -> Standing:
    sql = """SELECT delivered_at, growth - growth_back FROM points_order
             WHERE tenant_id = $1 AND shopper_id = $2 AND growth > 0 AND growth > growth_back ORDER BY delivered_at, id"""
    grown = [(row[0], row[1]) for row in await tx.conn.fetch(sql, tx.tenant_id, shopper_id)]
    days = program.rules.period_days
    period, grace = None if days is None else dt.timedelta(days=days), dt.timedelta(days=program.rules.grace_days)
    return replay(grown, [level.growth for level in program.levels], period, grace, now)


def level_of(program: Program, found: Standing) -> Level | None:
    return program.levels[found.rank - 1] if found.rank else None


async def grade(tx: TenantTx, account: Account, program: Program) -> None:
    """Give the account the level that it stands at, and its shopper the prices that come with it."""
    found = await standing(tx, program, account.shopper_id, account.now)
    level = level_of(program, found)
    account.level_since, account.level_until, account.in_grace = found.since, found.until, found.in_grace
    if account.level_id != (level.id if level else None):
        sql = "INSERT INTO points_level_change (tenant_id, shopper_id, id, name, growth) VALUES ($1, $2, $3, $4, $5)"
        await tx.conn.execute(sql, tx.tenant_id, account.shopper_id, new_id(), level.name if level else None, found.growth)
        account.level_id = level.id if level else None
    group_id = level.group_id if level else None
    if account.group_id == group_id:
        return
    if account.group_id is not None:
        sql = "DELETE FROM group_member WHERE tenant_id = $1 AND group_id = $2 AND shopper_id = $3"
        await tx.conn.execute(sql, tx.tenant_id, account.group_id, account.shopper_id)
    if group_id is not None:
        sql = """INSERT INTO group_member (tenant_id, group_id, shopper_id) SELECT $1, $2, $3 WHERE NOT EXISTS (
                     SELECT FROM erased_shopper WHERE tenant_id = $1 AND shopper_id = $3) ON CONFLICT DO NOTHING"""
        await tx.conn.execute(sql, tx.tenant_id, group_id, account.shopper_id)
    account.group_id = group_id


class Change(msgspec.Struct, frozen=True):
    """`name` None is no level."""

    name: str | None
    growth: int
    at: dt.datetime


async def history(tx: TenantTx, shopper_id: UUID, *, limit: int = 20) -> list[Change]:
    """The last ones first."""
    sql = "SELECT name, growth, at FROM points_level_change WHERE tenant_id = $1 AND shopper_id = $2 ORDER BY id DESC LIMIT $3"
    return [Change(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, shopper_id, limit)]
