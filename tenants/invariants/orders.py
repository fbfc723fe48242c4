"""Orders: amounts, the end of holds, one wish one order (I13, I16, I18)."""

from tenants.invariants.history import REFUSED, RESERVED
from tenants.invariants.look import Look
from tenants.invariants.registry import invariant

HOLD_OVERDUE_S = 60


@invariant("I13")
async def amounts_are_right(look: Look) -> None:
    await look.none(
        "an order's amount is the sum of its lines, each in its sale's currency and, but on the shelf, at its price; a refused order has "
        "neither",
        of="orders",
        sql="""SELECT o.tenant_id AS tenant, o.id AS "order", o.state, o.amount_minor, coalesce(lines.sum_minor, 0) AS lines_minor
               FROM orders o
               LEFT JOIN (SELECT line.tenant_id, line.order_id,
                                 sum(coalesce(line.amount_minor, line.quantity * line.unit_price_minor)) AS sum_minor,
                                 bool_and(line.unit_price_minor = sale.price_minor OR sale.door = 'shelf') AS at_price,
                                 min(sale.currency) AS currency, max(sale.currency) AS other_currency
                          FROM order_line line JOIN sale ON sale.tenant_id = line.tenant_id AND sale.id = line.sale_id
                          GROUP BY 1, 2) lines ON lines.tenant_id = o.tenant_id AND lines.order_id = o.id
               WHERE o.amount_minor <> coalesce(lines.sum_minor, 0) OR (o.state = 'refused') <> (lines.sum_minor IS NULL)
                  OR NOT lines.at_price OR lines.currency <> o.currency OR lines.other_currency <> o.currency""",
    )
    await look.none(
        "what an order pays for the units of a line, and what was paid for those that were refunded, is the line's amount",
        of="order_line",
        sql="""SELECT o.tenant_id AS tenant, o.id AS "order", line.sale_id AS sale, o.state,
                      coalesce(line.amount_minor, line.quantity * line.unit_price_minor) AS line_minor,
                      coalesce(kept.minor, 0) AS units_minor, coalesce(parts.minor, 0) AS refunded_minor
               FROM orders o
               JOIN order_line line ON line.tenant_id = o.tenant_id AND line.order_id = o.id
               LEFT JOIN (SELECT unit.tenant_id, unit.order_id, unit.sale_id, count(*) AS n,
                                 sum(coalesce(paid_minor, line.unit_price_minor)) AS minor
                          FROM unit JOIN order_line line ON line.tenant_id = unit.tenant_id AND line.order_id = unit.order_id
                                                        AND line.sale_id = unit.sale_id
                          WHERE unit.order_id IS NOT NULL GROUP BY 1, 2, 3) kept
                 ON kept.tenant_id = o.tenant_id AND kept.order_id = o.id AND kept.sale_id = line.sale_id
               LEFT JOIN (SELECT tenant_id, order_id, sale_id, count(*) AS n, sum(amount_minor) AS minor
                          FROM refund_unit GROUP BY 1, 2, 3) parts
                 ON parts.tenant_id = o.tenant_id AND parts.order_id = o.id AND parts.sale_id = line.sale_id
               -- Whether they are all there is looked at elsewhere (I2).
               WHERE coalesce(kept.n, 0) + coalesce(parts.n, 0) = line.quantity
                 AND coalesce(kept.minor, 0) + coalesce(parts.minor, 0)
                     <> coalesce(line.amount_minor, line.quantity * line.unit_price_minor)""",
    )
    await look.none(
        "what an order pays for a unit is said while it holds or has bought it, no longer",
        of="unit WHERE paid_minor IS NOT NULL",
        sql="""SELECT tenant_id AS tenant, id AS unit, state, paid_minor FROM unit WHERE paid_minor IS NOT NULL AND order_id IS NULL""",
    )
    await look.none(
        "a line is of an order, of a sale and of that sale's SKU",
        of="order_line",
        sql="""SELECT line.tenant_id AS tenant, line.order_id AS "order", line.sale_id AS sale, line.sku_id AS sku
               FROM order_line line
               LEFT JOIN orders o ON o.tenant_id = line.tenant_id AND o.id = line.order_id
               LEFT JOIN sale ON sale.tenant_id = line.tenant_id AND sale.id = line.sale_id AND sale.sku_id = line.sku_id
               WHERE o.id IS NULL OR sale.id IS NULL""",
    )
    await look.none(
        "a payment is asked for at the amount and in the currency of its order",
        of="payment_attempt",
        sql="""SELECT attempt.tenant_id AS tenant, attempt.id AS attempt, o.id AS "order", attempt.amount_minor,
                      o.amount_minor AS order_minor
               FROM payment_attempt attempt LEFT JOIN orders o ON o.tenant_id = attempt.tenant_id AND o.id = attempt.order_id
               WHERE (o.amount_minor, o.currency) IS DISTINCT FROM (attempt.amount_minor, attempt.currency)""",
    )
    await look.none(
        "a payment that was accepted is of its order's amount and currency",
        of="payment WHERE disposition = 'applied'",
        sql="""SELECT payment.tenant_id AS tenant, payment.id AS payment, o.id AS "order", payment.amount_minor,
                      o.amount_minor AS order_minor
               FROM payment LEFT JOIN orders o ON o.tenant_id = payment.tenant_id AND o.id = payment.order_id
               WHERE disposition = 'applied' AND (o.amount_minor, o.currency) IS DISTINCT FROM (payment.amount_minor, payment.currency)""",
    )
    await look.none(
        "a payment came to the account, and for the order, that its attempt names",
        of="payment",
        sql="""SELECT payment.tenant_id AS tenant, payment.id AS payment, payment.attempt_id AS attempt, payment.order_id AS "order",
                      payment.account_id AS account
               FROM payment LEFT JOIN payment_attempt attempt ON attempt.tenant_id = payment.tenant_id AND attempt.id = payment.attempt_id
               WHERE (attempt.account_id, attempt.order_id) IS DISTINCT FROM (payment.account_id, payment.order_id)""",
    )
    await look.none(
        "a paid or delivered order was paid by exactly one payment",
        of="orders WHERE state IN ('paid', 'delivered')",
        sql="""SELECT o.tenant_id AS tenant, o.id AS "order", o.state, coalesce(payments, 0) AS payments
               FROM orders o
               LEFT JOIN (SELECT tenant_id, order_id, count(*) AS payments FROM payment WHERE disposition = 'applied' GROUP BY 1, 2) applied
                 ON applied.tenant_id = o.tenant_id AND applied.order_id = o.id
               WHERE coalesce(payments, 0) > 1 OR (o.state IN ('paid', 'delivered') AND payments IS NULL)""",
    )


@invariant("I16")
async def holds_end(look: Look) -> None:
    await look.none(
        "an order that holds units says until when, and when its end is looked at",
        of="orders WHERE state IN ('awaiting', 'closing')",
        sql="""SELECT tenant_id AS tenant, id AS "order", state FROM orders
               WHERE state IN ('awaiting', 'closing') AND (hold_until IS NULL OR next_try_at IS NULL)""",
    )
    await look.none(
        f"no hold lasts longer than {HOLD_OVERDUE_S} s beyond its time",
        of="orders WHERE state IN ('awaiting', 'closing')",
        sql=f"""SELECT tenant_id AS tenant, id AS "order", state, hold_until FROM orders
                WHERE state IN ('awaiting', 'closing') AND hold_until < now() - interval '{HOLD_OVERDUE_S} s'""",
        at_rest=True,
    )


@invariant("I18")
async def one_wish_one_order(look: Look) -> None:
    await look.none(
        "an order is one row, and an intent became one order",
        of="orders",
        sql="""SELECT tenant_id AS tenant, min(id::text)::uuid AS "order", max(id::text)::uuid AS other_order, count(*) AS orders
               FROM orders GROUP BY tenant_id, intent_id HAVING count(*) > 1
               UNION ALL
               SELECT tenant_id, id, id, count(*) FROM orders GROUP BY 1, 2 HAVING count(*) > 1""",
    )
    history = look.store.history
    one_answer, one_order = "every retry of a wish got the same answer", "one key is one order"
    if history is None:
        for sentence in (one_answer, one_order):
            look.unchecked(sentence, "it takes what clients were told (--history FILE)")
        return
    torn = [{"order": order, "told": ", ".join(sorted(told))} for order, told in history.answers.items() if _both(told)]
    look.found(one_answer, len(history.answers), torn)
    await look.none(
        "whoever was told “sold out” or “limit” has no order",
        len(refused := history.orders(REFUSED)),
        """SELECT o.tenant_id AS tenant, o.id AS "order", o.state FROM unnest($1::uuid[]) AS told(id) JOIN orders o USING (id)
           WHERE o.state <> 'refused'""",
        refused,
    )
    split = [{"order": min(orders), "orders": len(orders)} for orders in history.keys.values() if len(orders) > 1]
    look.found(one_order, len(history.keys), split)


def _both(told: set[str]) -> bool:
    """Whether a wish was told that it succeeded and that it failed, or that it failed for two reasons."""
    return len(told & set(REFUSED)) + bool(told & set(RESERVED)) > 1
