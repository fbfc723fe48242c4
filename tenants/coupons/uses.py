"""What becomes of coupons with an order: locked by it, used when it is paid, given back when it ends unpaid, returned when it is refunded.

All of it under the order's lock, which the caller has; then the pieces by id, then the coupons by id, and nothing after those. A row of
`coupon_use` leaves `locked` once, and `used` or `borne` once more: so each end happens once, however often it is asked for.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.ids import encode
from tenants.coupons.share import Share
from tenants.db import TenantTx

ACTOR = "coupons"


class _Use(NamedTuple):
    grant_id: UUID
    coupon_id: UUID
    state: str
    discount_minor: int


async def lock(tx: TenantTx, order_id: UUID, shares: Sequence[Share], wholes: Mapping[UUID, int]) -> bool:
    """The pieces are the order's, whose row is new: written down with what each takes off which sale's line, of what the line would cost
    (`wholes`). False when a piece or a bound of its coupon went meanwhile; then nothing of the transaction may stay."""
    if not shares:
        return True
    taken = await tx.conn.fetch(
        """UPDATE coupon_grant SET state = 'locked', order_id = $2 WHERE tenant_id = $1 AND id = ANY(ARRAY(
               SELECT id FROM coupon_grant WHERE tenant_id = $1 AND id = ANY($3) AND state = 'held' ORDER BY id FOR UPDATE))
           RETURNING id""",
        tx.tenant_id, order_id, [share.grant_id for share in shares],
    )  # fmt: skip
    coupons = await _coupons(tx, [share.coupon_id for share in shares])
    if len(taken) != len(shares) or not all(_has_room(coupons[share.coupon_id], share.discount_minor) for share in shares):
        return False
    await _count(tx, [(share.coupon_id, 1, 0, share.discount_minor) for share in shares])
    uses = [(share.grant_id, share.coupon_id, share.discount_minor) for share in shares]
    sql = """INSERT INTO coupon_use (tenant_id, order_id, grant_id, coupon_id, discount_minor)
             SELECT $1, $2, * FROM unnest($3::uuid[], $4::uuid[], $5::bigint[])"""
    await tx.conn.execute(sql, tx.tenant_id, order_id, *map(list, zip(*uses, strict=True)))
    lines = [(sale, share.grant_id, off, wholes[sale]) for share in shares for sale, off in share.lines.items()]
    sql = """INSERT INTO coupon_line (tenant_id, order_id, sale_id, grant_id, discount_minor, whole_minor)
             SELECT $1, $2, * FROM unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[])"""
    await tx.conn.execute(sql, tx.tenant_id, order_id, *map(list, zip(*lines, strict=True)))
    return True


async def paid(tx: TenantTx, order_id: UUID) -> None:
    """The order is paid. When it was over before, and its coupons were given back, they are taken again as far as they are still there:
    what the shopper paid counts, and what cannot be taken the merchant bears, on record."""
    uses = await _uses(tx, order_id, ("locked", "released"))
    if not uses:
        return
    # Of one that was released the piece may be anybody's order's by now, or be over: it was in time when it was first locked.
    sql = "SELECT id, state, order_id FROM coupon_grant WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE"
    pieces = {row["id"]: row for row in await tx.conn.fetch(sql, tx.tenant_id, [use.grant_id for use in uses])}
    coupons = await _coupons(tx, [use.coupon_id for use in uses])
    free = {use.grant_id for use in uses if use.state == "locked" or pieces[use.grant_id]["state"] in ("held", "expired")}
    borne = [
        use for use in uses
        if use.state == "released" and not (use.grant_id in free and _has_room(coupons[use.coupon_id], use.discount_minor, late=True))
    ]  # fmt: skip
    await _move(tx, free, "used", order_id)
    counted = [use for use in uses if use not in borne]
    await _count(tx, [(use.coupon_id, -1, 1, 0) if use.state == "locked" else (use.coupon_id, 0, 1, use.discount_minor) for use in counted])
    await _end(tx, order_id, counted, "used")
    await _end(tx, order_id, borne, "borne")
    for use in borne:
        about = {"grant_id": encode("cpg", use.grant_id), "discount_minor": use.discount_minor}
        await tx.audit(ACTOR, "coupon.borne", encode("ord", order_id), coupon_id=encode("cpn", use.coupon_id), **about)


async def give_back(tx: TenantTx, order_id: UUID) -> None:
    """The order ended unpaid."""
    uses = await _uses(tx, order_id, ("locked",))
    if not uses:
        return
    await _move(tx, [use.grant_id for use in uses], "held", None)
    await _coupons(tx, [use.coupon_id for use in uses])
    await _count(tx, [(use.coupon_id, -1, 0, -use.discount_minor) for use in uses])
    await _look_again(tx, uses)
    await _end(tx, order_id, uses, "released")


async def refunded(tx: TenantTx, order_id: UUID) -> None:
    """All of the order's money is back: so are the pieces whose coupons say so. One whose time is over is back for nothing."""
    uses = await _uses(tx, order_id, ("used", "borne"))
    if not uses:
        return
    sql = "SELECT id FROM coupon WHERE tenant_id = $1 AND id = ANY($2) AND returned_on_refund"
    returned = {row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, [use.coupon_id for use in uses])}
    sql = "SELECT id FROM coupon_grant WHERE tenant_id = $1 AND id = ANY($2) AND state = 'used' AND order_id = $3 ORDER BY id FOR UPDATE"
    own = {row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, [use.grant_id for use in uses], order_id)}
    back = [use for use in uses if use.coupon_id in returned and use.grant_id in own]
    if not back:
        return
    await _move(tx, [use.grant_id for use in back], "held", None)
    await _coupons(tx, [use.coupon_id for use in back])
    await _count(tx, [(use.coupon_id, 0, -1, -use.discount_minor) for use in back if use.state == "used"])
    await _look_again(tx, back)
    await _end(tx, order_id, back, "returned")


async def _uses(tx: TenantTx, order_id: UUID, states: Collection[str]) -> list[_Use]:
    """The order's, in these states; one statement for an order without any."""
    sql = "SELECT grant_id, coupon_id, state, discount_minor FROM coupon_use WHERE tenant_id = $1 AND order_id = $2 ORDER BY grant_id"
    return [use for row in await tx.conn.fetch(sql, tx.tenant_id, order_id) if (use := _Use(*row)).state in states]


async def _coupons(tx: TenantTx, coupon_ids: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
    """The coupons' rows, locked by id."""
    sql = """SELECT id, state, uses_max, budget_minor, locked + used AS uses, spent_minor FROM coupon
             WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE"""
    return {row["id"]: row for row in await tx.conn.fetch(sql, tx.tenant_id, sorted(set(coupon_ids)))}


def _has_room(coupon: asyncpg.Record, discount_minor: int, *, late: bool = False) -> bool:
    """Whether one more use fits its bounds. What was ordered while it was active is used, whatever it is when the money comes."""
    return (
        (late or coupon["state"] == "active")
        and (coupon["uses_max"] is None or coupon["uses"] < coupon["uses_max"])
        and (coupon["budget_minor"] is None or coupon["spent_minor"] + discount_minor <= coupon["budget_minor"])
    )


async def _move(tx: TenantTx, grant_ids: Collection[UUID], state: str, order_id: UUID | None) -> None:
    sql = """UPDATE coupon_grant SET state = $3, order_id = $4 WHERE tenant_id = $1 AND id = ANY(ARRAY(
                 SELECT id FROM coupon_grant WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE))"""
    await tx.conn.execute(sql, tx.tenant_id, sorted(grant_ids), state, order_id)


async def _count(tx: TenantTx, moves: Sequence[tuple[UUID, int, int, int]]) -> None:
    """By coupon: locked, used, spent. Moved by what happened, never to a number read earlier: the CHECKs judge the sum of all orders."""
    if not moves:
        return
    sql = """UPDATE coupon SET locked = locked + x.to_locked, used = used + x.to_used, spent_minor = spent_minor + x.to_spent
             FROM unnest($2::uuid[], $3::integer[], $4::integer[], $5::bigint[]) AS x(id, to_locked, to_used, to_spent)
             WHERE coupon.tenant_id = $1 AND coupon.id = ANY($2) AND coupon.id = x.id"""
    await tx.conn.execute(sql, tx.tenant_id, *map(list, zip(*moves, strict=True)))


async def _look_again(tx: TenantTx, uses: Sequence[_Use]) -> None:
    """Pieces that came back end in their time, or at once: their coupons are looked at then."""
    sql = """UPDATE coupon AS c SET next_try_at = CASE WHEN c.state = 'ended' THEN now() ELSE least(c.next_try_at, (
                 SELECT min(valid_until) FROM coupon_grant WHERE tenant_id = $1 AND id = ANY($3) AND coupon_id = c.id)) END
             WHERE c.tenant_id = $1 AND c.id = ANY($2)"""
    await tx.conn.execute(sql, tx.tenant_id, [use.coupon_id for use in uses], [use.grant_id for use in uses])


async def _end(tx: TenantTx, order_id: UUID, uses: Sequence[_Use], state: str) -> None:
    if uses:
        sql = """UPDATE coupon_use SET state = $4, ended_at = now()
                 WHERE tenant_id = $1 AND order_id = $2 AND grant_id = ANY($3)"""
        await tx.conn.execute(sql, tx.tenant_id, order_id, [use.grant_id for use in uses], state)
