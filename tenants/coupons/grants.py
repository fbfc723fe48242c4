"""Pieces of coupons: how shoppers get them, and how those that nobody used end.

How many there are is counted in the coupon's row, under its lock and a CHECK; how many one shopper has, by a number that is his once.
"""

import datetime as dt
from collections.abc import Sequence
from math import inf
from typing import Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import AppError, Conflict, NotFound
from checkout_core.ids import encode, new_id
from tenants.coupons.definitions import Coupon
from tenants.db import NEWEST, Pool, TenantTx, tenant_tx

CHUNK: Final = 500  # pieces that end in one transaction
MINE_MAX: Final = 100
Source = Literal["claim", "code", "staff"]


class Grant(msgspec.Struct, frozen=True):
    """`state`: held, locked by an order that waits for its payment, used, void, expired."""

    id: UUID
    coupon_id: UUID
    shopper_id: UUID
    source: str
    state: str
    order_id: UUID | None
    valid_from: dt.datetime
    valid_until: dt.datetime | None
    created_at: dt.datetime


class Mine(NamedTuple):
    """A piece, and what it says on it."""

    grant: Grant
    coupon: Coupon


class Claimable(NamedTuple):
    """A coupon that everybody may claim; how many he `has` had of it, and whether there are any left for him."""

    coupon: Coupon
    has: int
    left: bool


class Issued(NamedTuple):
    """How many shoppers got a piece, and how many had as many as they may."""

    issued: int
    skipped: int


_GRANT = ", ".join(Grant.__struct_fields__)
_COUPON: Final = Coupon.__struct_fields__
_LOOK = f"SELECT {', '.join(_COUPON)}, clock_timestamp() AS now FROM coupon WHERE tenant_id = $1 AND id = $2"
_LOCK = f"{_LOOK} FOR NO KEY UPDATE"
_IS_THERE: Final = "SELECT true FROM coupon_grant WHERE tenant_id = $1 AND id = $2"


async def claim(tx: TenantTx, coupon_id: UUID, shopper_id: UUID, channel: str, grant_id: UUID | None = None) -> Grant:
    """A piece of a public coupon; asked for again with its `grant_id`, the same.

    Raises `NotFound`, `Conflict` (`not_claimable`, `none_left`, `had_enough`).
    """
    # Whom there is nothing for is told without standing in line.
    coupon, now = await _look(tx, _LOOK, coupon_id)
    try:
        _open(coupon, now, "public", channel)
        return await _one(tx, coupon_id, shopper_id, "claim", channel, grant_id)
    except Conflict:
        sql = f"SELECT {_GRANT} FROM coupon_grant WHERE tenant_id = $1 AND id = $2 AND coupon_id = $3 AND shopper_id = $4"
        if grant_id is not None and (row := await tx.conn.fetchrow(sql, tx.tenant_id, grant_id, coupon_id, shopper_id)):
            return Grant(**row)
        raise


async def by_code(tx: TenantTx, code: str, shopper_id: UUID, channel: str) -> Grant:
    """A piece of the coupon with this code; one that he holds of it he has already. Raises as `claim`, `NotFound` (`unknown_code`)."""
    sql = "SELECT id FROM coupon WHERE tenant_id = $1 AND code = $2 AND state IN ('active', 'paused', 'ended')"
    coupon_id = await tx.conn.fetchval(sql, tx.tenant_id, code.strip().upper())
    if coupon_id is None:
        raise NotFound("There is no coupon with this code.", code="unknown_code")
    coupon, now = await _look(tx, _LOOK, coupon_id)
    try:
        _open(coupon, now, "code", channel)
        return await _one(tx, coupon_id, shopper_id, "code", channel)
    except Conflict:
        sql = f"""SELECT {_GRANT} FROM coupon_grant WHERE tenant_id = $1 AND coupon_id = $2 AND shopper_id = $3 AND state = 'held'
                  AND (valid_until IS NULL OR valid_until > now()) ORDER BY id LIMIT 1"""
        if row := await tx.conn.fetchrow(sql, tx.tenant_id, coupon_id, shopper_id):
            return Grant(**row)
        raise


async def issue(tx: TenantTx, coupon_id: UUID, shopper_ids: Sequence[UUID], *, actor: str) -> Issued:
    """A piece for each who may have one more; a shopper that is named twice gets two. All of them, or none.

    Raises `NotFound`, `Conflict` (`not_claimable` unless it is active, `none_left`).
    """
    coupon, now = await _look(tx, _LOCK, coupon_id)
    if coupon.state != "active":
        raise Conflict(f"The coupon is {coupon.state}. Nobody got anything.", code="not_claimable", state=coupon.state)
    has = await _has(tx, coupon_id, sorted(set(shopper_ids)))
    rows = []
    for shopper_id in shopper_ids:
        if has.get(shopper_id, 0) < coupon.per_shopper_max:
            has[shopper_id] = has.get(shopper_id, 0) + 1
            rows.append((shopper_id, has[shopper_id]))
    _room(coupon, len(rows))
    await _give(tx, coupon, now, [(new_id(), *row) for row in rows], "staff")
    skipped = len(shopper_ids) - len(rows)
    await tx.audit(actor, "coupon.issued", encode("cpn", coupon_id), issued=len(rows), skipped=skipped)
    return Issued(len(rows), skipped)


async def void(tx: TenantTx, grant_id: UUID, *, actor: str) -> Grant:
    """A piece that somebody holds is worth nothing from here on. Raises `NotFound`, `Conflict` (`grant_not_held`)."""
    sql = f"UPDATE coupon_grant SET state = 'void' WHERE tenant_id = $1 AND id = $2 AND state = 'held' RETURNING {_GRANT}"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, grant_id):
        await tx.audit(actor, "coupon.voided", encode("cpg", grant_id), coupon_id=encode("cpn", row["coupon_id"]))
        return Grant(**row)
    row = await tx.conn.fetchrow(f"SELECT {_GRANT} FROM coupon_grant WHERE tenant_id = $1 AND id = $2", tx.tenant_id, grant_id)
    if row is None:
        raise NotFound("There is no such piece of a coupon.")
    if row["state"] != "void":
        raise Conflict(f"The piece is {row['state']}. Nothing was changed.", code="grant_not_held", state=row["state"])
    return Grant(**row)


async def mine(tx: TenantTx, shopper_id: UUID) -> list[Mine]:
    """The newest, at most `MINE_MAX`; what is over, but not written down so yet, reads `expired`."""
    sql = f"""SELECT {", ".join(f"g.{name}" for name in Grant.__struct_fields__)}, {", ".join(f"c.{name} AS c_{name}" for name in _COUPON)},
                     g.state = 'held' AND g.valid_until <= clock_timestamp() AS over
              FROM (SELECT * FROM coupon_grant WHERE tenant_id = $1 AND shopper_id = $2 ORDER BY id DESC LIMIT $3 OFFSET 0) AS g
              CROSS JOIN LATERAL (SELECT * FROM coupon WHERE tenant_id = $1 AND id = g.coupon_id OFFSET 0) AS c ORDER BY g.id DESC"""
    found = []
    for row in await tx.conn.fetch(sql, tx.tenant_id, shopper_id, MINE_MAX):
        coupon = Coupon(**{name: row[f"c_{name}"] for name in _COUPON})
        grant = Grant(**{name: row[name] for name in Grant.__struct_fields__})
        over = "expired" if row["over"] else "void" if grant.state == "held" and coupon.state == "ended" else grant.state
        found.append(Mine(msgspec.structs.replace(grant, state=over), coupon))
    return found


async def held_of(tx: TenantTx, coupon_id: UUID, *, limit: int, before: UUID | None = None) -> list[Grant]:
    """A coupon's pieces, newest first, for the store's people."""
    sql = f"SELECT {_GRANT} FROM coupon_grant WHERE tenant_id = $1 AND coupon_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4"
    return [Grant(**row) for row in await tx.conn.fetch(sql, tx.tenant_id, coupon_id, before or NEWEST, limit)]


async def claimable(tx: TenantTx, shopper_id: UUID | None, channel: str) -> list[Claimable]:
    """What the claim centre shows: public coupons whose time it is, newest first."""
    sql = f"""SELECT {", ".join(_COUPON)} FROM coupon
              WHERE tenant_id = $1 AND state = 'active' AND claim = 'public' AND (channels = '{{}}' OR $2 = ANY(channels))
                AND (claim_from IS NULL OR claim_from <= now()) AND (claim_until IS NULL OR claim_until > now())
                AND (valid_until IS NULL OR valid_until > now()) ORDER BY id DESC LIMIT 100"""
    coupons = [Coupon(**row) for row in await tx.conn.fetch(sql, tx.tenant_id, channel)]
    sql = """SELECT x, (SELECT count(*) FROM coupon_grant WHERE tenant_id = $1 AND coupon_id = x AND shopper_id = $3)
             FROM unnest($2::uuid[]) AS x"""
    has = dict(await tx.conn.fetch(sql, tx.tenant_id, [each.id for each in coupons], shopper_id)) if shopper_id else {}
    return [Claimable(each, count := has.get(each.id, 0), count < each.per_shopper_max and _left(each) > 0) for each in coupons]


async def sweep(pool: Pool, tenant_id: UUID, coupon_id: UUID) -> int:
    """The duty of a coupon: pieces whose time is over expire, all that is held of one that was ended is void; how many. Then it is due
    when the next of them ends, or at once when there are more."""
    async with tenant_tx(pool, tenant_id) as tx:
        sql = "SELECT state FROM coupon WHERE tenant_id = $1 AND id = $2 AND next_try_at <= now()"
        state = await tx.conn.fetchval(sql, tenant_id, coupon_id)
        if state is None:
            return 0
        ends = "true" if state == "ended" else "valid_until <= clock_timestamp()"
        sql = f"""UPDATE coupon_grant SET state = $3 WHERE tenant_id = $1 AND id = ANY(ARRAY(
                      SELECT id FROM coupon_grant WHERE tenant_id = $1 AND coupon_id = $2 AND state = 'held' AND {ends}
                      ORDER BY valid_until, id LIMIT {CHUNK} FOR UPDATE SKIP LOCKED)) AND state = 'held' RETURNING id"""
        over = await tx.conn.fetch(sql, tenant_id, coupon_id, "void" if state == "ended" else "expired")
        # After the coupon's row is ours nobody adds a piece that this does not see.
        await tx.conn.execute("SELECT 1 FROM coupon WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE", tenant_id, coupon_id)
        due = "CASE WHEN count(*) > 0 THEN now() + interval '1 second' END" if state == "ended" else "min(valid_until)"
        sql = f"""UPDATE coupon SET tries = 0, next_try_at = (
                      SELECT {due} FROM (SELECT valid_until FROM coupon_grant WHERE tenant_id = $1 AND coupon_id = $2 AND state = 'held'
                                         ORDER BY valid_until LIMIT 1) AS held)
                  WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tenant_id, coupon_id)
        return len(over)


async def _one(tx: TenantTx, coupon_id: UUID, shopper_id: UUID, source: Source, channel: str, grant_id: UUID | None = None) -> Grant:
    coupon, now = await _look(tx, _LOCK, coupon_id)
    _open(coupon, now, coupon.claim, channel)
    # A statement of its own: the snapshot of the one that locked may be older than the lock it waited for.
    has = (await _has(tx, coupon_id, [shopper_id])).get(shopper_id, 0)
    asked_before = grant_id is not None and await tx.conn.fetchval(_IS_THERE, tx.tenant_id, grant_id)
    if has >= coupon.per_shopper_max or asked_before:
        detail = f"One shopper gets {coupon.per_shopper_max} of this coupon."
        raise Conflict(detail, code="had_enough", per_shopper_max=coupon.per_shopper_max)
    [grant] = await _give(tx, coupon, now, [(grant_id or new_id(), shopper_id, has + 1)], source)
    return grant


async def _look(tx: TenantTx, sql: str, coupon_id: UUID) -> tuple[Coupon, dt.datetime]:
    row = await tx.conn.fetchrow(sql, tx.tenant_id, coupon_id)
    if row is None:
        raise NotFound("There is no such coupon.")
    return Coupon(**{name: row[name] for name in _COUPON}), row["now"]


async def _has(tx: TenantTx, coupon_id: UUID, shopper_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many pieces each has had, whatever became of them."""
    sql = """SELECT x, (SELECT count(*) FROM coupon_grant WHERE tenant_id = $1 AND coupon_id = $2 AND shopper_id = x)
             FROM unnest($3::uuid[]) AS x"""
    return dict(await tx.conn.fetch(sql, tx.tenant_id, coupon_id, shopper_ids))


async def _give(tx: TenantTx, coupon: Coupon, now: dt.datetime, rows: Sequence[tuple[UUID, UUID, int]], source: Source) -> list[Grant]:
    """The n-th piece for each, by its id; the coupon's row is locked."""
    if not rows:
        return []
    since = max(now, coupon.valid_from) if coupon.valid_from else now
    until = since + dt.timedelta(days=coupon.valid_days) if coupon.valid_days else coupon.valid_until
    sql = f"""INSERT INTO coupon_grant (tenant_id, id, coupon_id, shopper_id, n, source, valid_from, valid_until)
              SELECT $1, x.id, $2, x.shopper_id, x.n, $3, $4, $5 FROM unnest($6::uuid[], $7::uuid[], $8::smallint[]) AS x(id, shopper_id, n)
              RETURNING {_GRANT}"""
    made = await tx.conn.fetch(sql, tx.tenant_id, coupon.id, source, since, until, *map(list, zip(*rows, strict=True)))
    sql = "UPDATE coupon SET claimed = claimed + $3, next_try_at = least(next_try_at, $4) WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, coupon.id, len(rows), until)
    return [Grant(**row) for row in made]


def _open(coupon: Coupon, now: dt.datetime, claim: str, channel: str) -> None:
    problem: AppError | None = None
    if coupon.claim != claim or coupon.state == "draft":
        raise NotFound("There is no such coupon.")
    if coupon.state != "active" or (coupon.claim_until and coupon.claim_until <= now) or (coupon.valid_until and coupon.valid_until <= now):
        problem = Conflict("This coupon cannot be had any more, or not just now.", code="not_claimable", state=coupon.state)
    elif coupon.claim_from and coupon.claim_from > now:
        problem = Conflict("This coupon cannot be had yet.", code="not_claimable", claim_from=coupon.claim_from)
    elif coupon.channels and channel not in coupon.channels:
        problem = Conflict("This coupon is for other channels.", code="not_claimable", channels=coupon.channels)
    if problem:
        raise problem
    _room(coupon, 1)


def _left(coupon: Coupon) -> float:
    return inf if coupon.claims_max is None else coupon.claims_max - coupon.claimed


def _room(coupon: Coupon, pieces: int) -> None:
    if pieces > _left(coupon):
        raise Conflict("All pieces of this coupon are gone.", code="none_left", left=_left(coupon))
