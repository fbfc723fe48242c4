"""Coupons: bounds, pieces and their orders, and what is taken off (I25)."""

from tenants.invariants.look import Look
from tenants.invariants.registry import invariant


@invariant("I25")
async def bounds_hold(look: Look) -> None:
    await look.none(
        "a coupon counts the pieces that were claimed, those that orders locked and used, and what these took off",
        of="coupon",
        sql="""SELECT c.tenant_id AS tenant, c.id AS coupon, c.claimed, coalesce(pieces.n, 0) AS pieces, c.locked, c.used, c.spent_minor,
                      coalesce(uses.locked, 0) AS uses_locked, coalesce(uses.used, 0) AS uses_used, coalesce(uses.minor, 0) AS uses_minor
               FROM coupon c
               LEFT JOIN (SELECT tenant_id, coupon_id, count(*) AS n FROM coupon_grant GROUP BY 1, 2) pieces
                 ON pieces.tenant_id = c.tenant_id AND pieces.coupon_id = c.id
               LEFT JOIN (SELECT tenant_id, coupon_id, count(*) FILTER (WHERE state = 'locked') AS locked,
                                 count(*) FILTER (WHERE state = 'used') AS used, sum(discount_minor) AS minor
                          FROM coupon_use WHERE state IN ('locked', 'used') GROUP BY 1, 2) uses
                 ON uses.tenant_id = c.tenant_id AND uses.coupon_id = c.id
               WHERE (c.claimed, c.locked, c.used, c.spent_minor)
                  <> (coalesce(pieces.n, 0), coalesce(uses.locked, 0), coalesce(uses.used, 0), coalesce(uses.minor, 0))""",
    )
    await look.none(
        "no coupon is claimed, used or spent beyond its bounds",
        of="coupon",
        sql="""SELECT tenant_id AS tenant, id AS coupon, claimed, claims_max, locked + used AS uses, uses_max, spent_minor, budget_minor
               FROM coupon WHERE claimed > claims_max OR locked + used > uses_max OR spent_minor > budget_minor""",
    )
    await look.none(
        "a shopper's pieces of a coupon are its first, second and so on",
        of="coupon_grant",
        sql="""SELECT tenant_id AS tenant, coupon_id AS coupon, shopper_id AS shopper, count(*) AS pieces, max(n) AS highest
               FROM coupon_grant GROUP BY 1, 2, 3 HAVING count(*) <> max(n) OR count(DISTINCT n) <> count(*)""",
    )


@invariant("I25")
async def pieces_are_in_one_order(look: Look) -> None:
    await look.none(
        "a piece is locked or used by the one order that says so, and a piece that is neither by none",
        of="coupon_grant",
        sql="""SELECT g.tenant_id AS tenant, g.id AS grant, g.state, g.order_id AS "order", coalesce(uses.locked, 0) AS locked,
                      coalesce(uses.used, 0) AS used
               FROM coupon_grant g
               LEFT JOIN (SELECT u.tenant_id, u.grant_id, count(*) FILTER (WHERE u.state = 'locked') AS locked,
                                 count(*) FILTER (WHERE u.state = 'used' OR u.state = 'borne' AND u.order_id = own.order_id) AS used,
                                 bool_and(u.order_id = own.order_id) FILTER (WHERE u.state IN ('locked', 'used')) AS same
                          FROM coupon_use u JOIN coupon_grant own ON own.tenant_id = u.tenant_id AND own.id = u.grant_id
                          GROUP BY 1, 2) uses ON uses.tenant_id = g.tenant_id AND uses.grant_id = g.id
               WHERE coalesce(uses.locked, 0) <> (g.state = 'locked')::integer OR coalesce(uses.used, 0) <> (g.state = 'used')::integer
                  OR NOT uses.same""",
    )
    await look.none(
        "what an order used is a piece of its shopper and of the coupon that it names",
        of="coupon_use",
        sql="""SELECT u.tenant_id AS tenant, u.order_id AS "order", u.grant_id AS grant FROM coupon_use u
               LEFT JOIN coupon_grant g ON g.tenant_id = u.tenant_id AND g.id = u.grant_id
               LEFT JOIN orders o ON o.tenant_id = u.tenant_id AND o.id = u.order_id
               WHERE g.id IS NULL OR o.id IS NULL OR g.coupon_id <> u.coupon_id OR g.shopper_id <> o.shopper_id""",
    )
    await look.none(
        "a lock ends with its order, once: used when it was paid, released when it was not, returned when all of it was refunded",
        of="coupon_use",
        sql="""SELECT u.tenant_id AS tenant, u.order_id AS "order", u.grant_id AS grant, u.state, o.state AS order_state
               FROM coupon_use u JOIN orders o ON o.tenant_id = u.tenant_id AND o.id = u.order_id
               WHERE NOT CASE u.state WHEN 'locked' THEN o.state IN ('awaiting', 'closing')
                                      WHEN 'released' THEN o.state IN ('expired', 'cancelled')
                                      WHEN 'returned' THEN o.state = 'refunded'
                                      ELSE o.state IN ('paid', 'delivered', 'refunding', 'refunded') END
                  OR (u.state = 'locked') <> (u.ended_at IS NULL)""",
    )


@invariant("I25")
async def what_is_taken_off_is_not_paid(look: Look) -> None:
    await look.none(
        "what a piece takes off an order is what it takes off its lines",
        of="coupon_use",
        sql="""SELECT u.tenant_id AS tenant, u.order_id AS "order", u.grant_id AS grant, u.discount_minor,
                      coalesce(lines.minor, 0) AS lines_minor
               FROM coupon_use u
               LEFT JOIN (SELECT tenant_id, order_id, grant_id, sum(discount_minor) AS minor FROM coupon_line GROUP BY 1, 2, 3) lines
                 ON lines.tenant_id = u.tenant_id AND lines.order_id = u.order_id AND lines.grant_id = u.grant_id
               WHERE u.discount_minor <> coalesce(lines.minor, 0)""",
    )
    await look.none(
        "a line costs what it would without coupons, less what they take off",
        of="coupon_line",
        sql="""SELECT off.tenant_id AS tenant, off.order_id AS "order", off.sale_id AS sale, off.minor, off.whole_minor,
                      coalesce(line.amount_minor, line.quantity * line.unit_price_minor) AS line_minor
               FROM (SELECT tenant_id, order_id, sale_id, sum(discount_minor) AS minor, min(whole_minor) AS whole_minor,
                            max(whole_minor) AS other_minor FROM coupon_line GROUP BY 1, 2, 3) off
               LEFT JOIN order_line line ON line.tenant_id = off.tenant_id AND line.order_id = off.order_id AND line.sale_id = off.sale_id
               WHERE off.whole_minor - off.minor IS DISTINCT FROM coalesce(line.amount_minor, line.quantity * line.unit_price_minor)
                  OR off.whole_minor <> off.other_minor OR off.whole_minor < line.quantity * line.unit_price_minor""",
    )
