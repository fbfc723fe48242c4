"""What came of a coupon, as its merchant is told."""

from typing import NamedTuple

from tenants.coupons.definitions import Coupon
from tenants.db import TenantTx


class Figures(NamedTuple):
    """Pieces by their state; uses that were returned by refunds or borne by the merchant; and minor units: taken off, borne, and what
    orders that used it paid."""

    claimed: int
    held: int
    locked: int
    used: int
    void: int
    expired: int
    returned: int
    borne: int
    spent_minor: int
    borne_minor: int
    paid_minor: int


async def of(tx: TenantTx, coupon: Coupon) -> Figures:
    """Counted from its pieces and uses; a coupon of a million pieces takes its time."""
    sql = "SELECT state, count(*) FROM coupon_grant WHERE tenant_id = $1 AND coupon_id = $2 GROUP BY 1"
    pieces = dict(await tx.conn.fetch(sql, tx.tenant_id, coupon.id))
    sql = """SELECT x.state, count(*), sum(x.discount_minor)::bigint, sum(o.amount_minor)::bigint
             FROM (SELECT order_id, state, discount_minor FROM coupon_use WHERE tenant_id = $1 AND coupon_id = $2 OFFSET 0) AS x
             CROSS JOIN LATERAL (SELECT amount_minor FROM orders WHERE tenant_id = $1 AND id = x.order_id OFFSET 0) AS o GROUP BY 1"""
    uses = {state: rest for state, *rest in await tx.conn.fetch(sql, tx.tenant_id, coupon.id)}
    none = (0, 0, 0)
    borne = uses.get("borne", none)
    return Figures(
        claimed=coupon.claimed,
        **{state: pieces.get(state, 0) for state in ("held", "locked", "used", "void", "expired")},
        returned=uses.get("returned", none)[0],
        borne=borne[0],
        spent_minor=coupon.spent_minor,
        borne_minor=borne[1],
        paid_minor=uses.get("used", none)[2] + borne[2],
    )
