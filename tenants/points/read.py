"""What a shopper's points and level are at this moment, and how they came to it."""

import datetime as dt
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from checkout_core.errors import NotFound
from tenants import stores
from tenants.db import TenantTx
from tenants.points import levels, program
from tenants.points.program import Level

NEWEST: Final = 2**63 - 1


class Entry(msgspec.Struct, frozen=True):
    """`number` counts the account's entries from 1; `balance` is what there was after it."""

    number: int
    amount: int
    kind: str
    balance: int
    order_id: UUID | None
    note: str | None
    at: dt.datetime


class Standing(msgspec.Struct, frozen=True):
    """`level` None is none yet; `until` is when it must have been earned again. `missing` is the growth that `next` takes still."""

    level: Level | None
    growth: int
    since: dt.datetime | None
    until: dt.datetime | None
    in_grace: bool
    next: Level | None
    missing: int


class Account(msgspec.Struct, frozen=True):
    """`balance` = `available` + `held`. `owed` is taken from what comes next. `expiring` of them are over at `expires_at`, before others.

    `sign_in_points` is what signing in brings today, 0 where it brings none or has.
    """

    enabled: bool
    balance: int
    available: int
    held: int
    owed: int
    expiring: int
    expires_at: dt.datetime | None
    standing: Standing
    signed_in_today: bool
    sign_in_points: int


async def known(tx: TenantTx, shopper_id: UUID) -> None:
    """Raises `NotFound` for somebody who never ordered here and has no points."""
    sql = """SELECT EXISTS (SELECT FROM orders WHERE tenant_id = $1 AND shopper_id = $2)
                 OR EXISTS (SELECT FROM points_account WHERE tenant_id = $1 AND id = $2)"""
    if not await tx.conn.fetchval(sql, tx.tenant_id, shopper_id):
        raise NotFound("There is no such shopper.")


def sign_in_of(now: dt.datetime, zone: ZoneInfo) -> str:
    """What is noted of who signs in on this day."""
    return f"sign_in:{now.astimezone(zone).date()}"


async def account(tx: TenantTx, shopper_id: UUID) -> Account:
    """What has expired is not counted, whether or not its entry is written yet. Who never had any has none."""
    said = await program.get(tx)
    now = await tx.conn.fetchval("SELECT clock_timestamp()")
    once = sign_in_of(now, await stores.zone(tx))
    sql = """SELECT coalesce(sum(remaining), 0)::bigint, coalesce(sum(remaining) FILTER (WHERE ready_at <= $3), 0)::bigint,
                    min(expires_at), (SELECT owed FROM points_account WHERE tenant_id = $1 AND id = $2),
                    EXISTS (SELECT FROM points_entry WHERE tenant_id = $1 AND shopper_id = $2 AND once = $4)
             FROM points_lot WHERE tenant_id = $1 AND shopper_id = $2 AND remaining > 0 AND (expires_at IS NULL OR expires_at > $3)"""
    balance, available, expires_at, owed, signed_in = await tx.conn.fetchrow(sql, tx.tenant_id, shopper_id, now, once)
    sql = """SELECT coalesce(sum(remaining), 0)::bigint FROM points_lot
             WHERE tenant_id = $1 AND shopper_id = $2 AND remaining > 0 AND expires_at = $3"""
    expiring = await tx.conn.fetchval(sql, tx.tenant_id, shopper_id, expires_at) if expires_at else 0
    gives = said.rules.sign_in_points if said.rules.enabled and not signed_in else 0
    where = await _standing(tx, said, shopper_id, now)
    return Account(
        said.rules.enabled, balance, available, balance - available, owed or 0, expiring, expires_at, where, signed_in, gives
    )  # fmt: skip


async def _standing(tx: TenantTx, said: program.Program, shopper_id: UUID, now: dt.datetime) -> Standing:
    found = await levels.standing(tx, said, shopper_id, now)
    coming = said.levels[found.rank] if found.rank < len(said.levels) else None
    missing = max(coming.growth - found.growth, 0) if coming else 0
    return Standing(levels.level_of(said, found), found.growth, found.since, found.until, found.in_grace, coming, missing)


_ENTRY = "seq, amount, kind, balance, order_id, note, at"


async def entries(tx: TenantTx, shopper_id: UUID, *, limit: int, before: int | None = None) -> list[Entry]:
    """At most `limit`, the last first, before the one with the number `before`."""
    sql = f"""SELECT {_ENTRY} FROM points_entry WHERE tenant_id = $1 AND shopper_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4"""
    return [Entry(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, shopper_id, NEWEST if before is None else before, limit)]


async def entry(tx: TenantTx, shopper_id: UUID, number: int) -> Entry:
    sql = f"SELECT {_ENTRY} FROM points_entry WHERE tenant_id = $1 AND shopper_id = $2 AND seq = $3"
    return Entry(*await tx.conn.fetchrow(sql, tx.tenant_id, shopper_id, number))
