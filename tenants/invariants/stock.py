"""Stock: every unit is somewhere, once, and the figures of the sales count them (I1–I4, I8, I9)."""

import datetime as dt

from tenants.invariants.look import Look
from tenants.invariants.registry import invariant

FALSE_SOLD_OUT_S = 2  # how late an API process may learn that stock came back


@invariant("I1")
async def every_unit_is_accounted_for(look: Look) -> None:
    await look.none(
        "a batch has exactly the units it loaded, and a code for each where they are sealed",
        of="vault_batch",
        sql="""SELECT batch.tenant_id AS tenant, batch.id AS batch, batch.loaded, coalesce(units.n, 0) AS units,
                      coalesce(codes.n, 0) AS codes
               FROM vault_batch batch
               LEFT JOIN (SELECT tenant_id, batch_id, count(*) AS n FROM unit GROUP BY 1, 2) units
                 ON units.tenant_id = batch.tenant_id AND units.batch_id = batch.id
               LEFT JOIN (SELECT tenant_id, batch_id, count(*) AS n FROM code GROUP BY 1, 2) codes
                 ON codes.tenant_id = batch.tenant_id AND codes.batch_id = batch.id
               WHERE batch.loaded <> coalesce(units.n, 0) OR coalesce(codes.n, 0) <> CASE WHEN batch.sealed THEN batch.loaded ELSE 0 END""",
    )
    await look.none(
        "units of sealed batches and codes are the same set, each code of its unit's SKU and batch",
        of="unit",
        sql="""SELECT coalesce(unit.tenant_id, code.tenant_id) AS tenant, coalesce(unit.id, code.unit_id) AS unit,
                      unit.id IS NOT NULL AS has_unit, code.unit_id IS NOT NULL AS has_code
               FROM unit FULL JOIN code ON code.tenant_id = unit.tenant_id AND code.unit_id = unit.id
               LEFT JOIN vault_batch batch ON batch.tenant_id = unit.tenant_id AND batch.id = unit.batch_id
               WHERE unit.id IS NULL OR (code.unit_id IS NULL AND batch.sealed) OR code.sku_id <> unit.sku_id
                  OR code.batch_id <> unit.batch_id""",
    )
    await look.none(
        "a sale's committed units are those held and sold, and the rest of its allotment is available",
        of="sale",
        sql="""SELECT sale.tenant_id AS tenant, sale.id AS sale, allotted, committed,
                      coalesce(taken, 0) AS held_and_sold, coalesce(available, 0) AS available
               FROM sale
               LEFT JOIN (SELECT tenant_id, sale_id, count(*) FILTER (WHERE state IN ('held', 'sold')) AS taken,
                                 count(*) FILTER (WHERE state = 'available') AS available
                          FROM unit WHERE sale_id IS NOT NULL GROUP BY 1, 2) units
                 ON units.tenant_id = sale.tenant_id AND units.sale_id = sale.id
               WHERE committed <> coalesce(taken, 0) OR allotted - committed <> coalesce(available, 0) OR committed > allotted""",
    )
    await look.none(
        "a unit is of the SKU of its batch and of its sale",
        of="unit",
        sql="""SELECT units.tenant_id AS tenant, units.sku_id AS sku, batch.id AS batch, sale.id AS sale, units.n AS units
               FROM (SELECT tenant_id, sku_id, batch_id, sale_id, count(*) AS n FROM unit GROUP BY 1, 2, 3, 4) units
               LEFT JOIN vault_batch batch ON batch.tenant_id = units.tenant_id AND batch.id = units.batch_id
               LEFT JOIN sale ON sale.tenant_id = units.tenant_id AND sale.id = units.sale_id
               WHERE batch.sku_id IS DISTINCT FROM units.sku_id
                  OR (units.sale_id IS NOT NULL AND sale.sku_id IS DISTINCT FROM units.sku_id)""",
    )
    await look.none(
        "a unit's history ends with its state, unless it was sold since",
        of="unit_event",
        sql="""SELECT last.tenant_id AS tenant, last.unit_id AS unit, last.to_state AS told, unit.state
               FROM (SELECT DISTINCT ON (tenant_id, unit_id) tenant_id, unit_id, to_state
                     FROM unit_event ORDER BY tenant_id, unit_id, id DESC) last
               LEFT JOIN unit ON unit.tenant_id = last.tenant_id AND unit.id = last.unit_id
               WHERE unit.state IS DISTINCT FROM last.to_state AND last.to_state NOT IN ('available', 'sold')""",
    )
    await look.none(
        "a unit is in a state that exists, and is one row",
        of="unit",
        sql="""SELECT tenant_id AS tenant, id AS unit, count(*) AS copies, min(state) AS state FROM unit GROUP BY 1, 2
               HAVING count(*) > 1 OR min(state) NOT IN ('available', 'held', 'sold', 'locked', 'void', 'expired', 'quarantined')""",
    )


@invariant("I2")
async def units_and_orders_agree(look: Look) -> None:
    await look.none(
        "a unit is held or sold if and only if it has an order",
        of="unit",
        sql="""SELECT tenant_id AS tenant, id AS unit, state, order_id AS "order" FROM unit
               WHERE (state IN ('held', 'sold')) <> (order_id IS NOT NULL)""",
    )
    await look.none(
        "a line of a live order has exactly its quantity of units, held until it is paid and from then on sold or refunded; a dead order "
        "has none",
        of="order_line",
        sql="""SELECT o.tenant_id AS tenant, o.id AS "order", line.sale_id AS sale, o.state, line.quantity,
                      coalesce(held, 0) AS held, coalesce(sold, 0) AS sold, coalesce(refunded, 0) AS refunded
               FROM orders o
               JOIN order_line line ON line.tenant_id = o.tenant_id AND line.order_id = o.id
               LEFT JOIN (SELECT tenant_id, order_id, sale_id, count(*) FILTER (WHERE state = 'held') AS held,
                                 count(*) FILTER (WHERE state = 'sold') AS sold
                          FROM unit WHERE order_id IS NOT NULL GROUP BY 1, 2, 3) units
                 ON units.tenant_id = o.tenant_id AND units.order_id = o.id AND units.sale_id = line.sale_id
               LEFT JOIN (SELECT tenant_id, order_id, sale_id, count(*) AS refunded FROM refund_unit GROUP BY 1, 2, 3) parts
                 ON parts.tenant_id = o.tenant_id AND parts.order_id = o.id AND parts.sale_id = line.sale_id
               WHERE NOT CASE
                   WHEN o.state IN ('awaiting', 'closing') THEN coalesce(held, 0) = line.quantity AND coalesce(sold, 0) = 0
                   WHEN o.state IN ('paid', 'delivered')
                       THEN coalesce(held, 0) = 0 AND coalesce(sold, 0) + coalesce(refunded, 0) = line.quantity
                   -- What was delivered before stays sold; money that came too late never had units.
                   -- Refunds did not always name their units.
                   WHEN o.state IN ('refunding', 'refunded') THEN coalesce(held, 0) = 0 AND coalesce(sold, 0) IN (0, line.quantity)
                                                                  AND coalesce(refunded, 0) IN (0, line.quantity)
                   ELSE coalesce(held, 0) = 0 AND coalesce(sold, 0) = 0 AND refunded IS NULL END""",
    )
    await look.none(
        "a held or sold unit belongs to a line of its order, of the same SKU, and to the order's shopper",
        of="unit WHERE order_id IS NOT NULL",
        sql="""SELECT unit.tenant_id AS tenant, unit.id AS unit, unit.order_id AS "order", unit.sale_id AS sale
               FROM unit
               LEFT JOIN orders o ON o.tenant_id = unit.tenant_id AND o.id = unit.order_id
               LEFT JOIN order_line line
                 ON line.tenant_id = unit.tenant_id AND line.order_id = unit.order_id AND line.sale_id = unit.sale_id
               WHERE unit.order_id IS NOT NULL
                 AND (line.sku_id IS DISTINCT FROM unit.sku_id OR o.shopper_id IS DISTINCT FROM unit.shopper_id)""",
    )


@invariant("I3")
async def delivered_once(look: Look) -> None:
    await look.none(
        "a unit has at most one delivery",
        of="delivery",
        sql="SELECT tenant_id AS tenant, unit_id AS unit, count(*) AS deliveries FROM delivery GROUP BY 1, 2 HAVING count(*) > 1",
    )
    await look.none(
        "a delivered unit belongs to no other order than the one it was delivered to",
        of="delivery",
        sql="""SELECT delivery.tenant_id AS tenant, unit_id AS unit, delivery.order_id AS "order", unit.order_id AS owner
               FROM delivery LEFT JOIN unit ON unit.tenant_id = delivery.tenant_id AND unit.id = delivery.unit_id
               WHERE unit.id IS NULL OR unit.order_id <> delivery.order_id OR unit.sale_id <> delivery.sale_id""",
    )
    await look.none(
        "a delivered order has one delivery that stands for each unit it bought and kept until then, one that was paid at most; one that "
        "was not paid has none",
        of="orders",
        sql="""SELECT o.tenant_id AS tenant, o.id AS "order", o.state, coalesce(wanted, 0) AS wanted, coalesce(deliveries, 0) AS deliveries,
                      coalesce(never, 0) AS refunded_before
               FROM orders o
               LEFT JOIN (SELECT tenant_id, order_id, sum(quantity) AS wanted FROM order_line GROUP BY 1, 2) lines
                 ON lines.tenant_id = o.tenant_id AND lines.order_id = o.id
               LEFT JOIN (SELECT tenant_id, order_id, count(*) AS deliveries FROM delivery WHERE replaced_by IS NULL GROUP BY 1, 2) given
                 ON given.tenant_id = o.tenant_id AND given.order_id = o.id
               LEFT JOIN (SELECT part.tenant_id, part.order_id, count(*) AS never FROM refund_unit part
                          LEFT JOIN delivery ON delivery.tenant_id = part.tenant_id AND delivery.unit_id = part.unit_id
                          WHERE delivery.unit_id IS NULL GROUP BY 1, 2) parts
                 ON parts.tenant_id = o.tenant_id AND parts.order_id = o.id
               WHERE NOT CASE o.state
                   WHEN 'delivered' THEN coalesce(deliveries, 0) + coalesce(never, 0) = coalesce(wanted, 0) AND deliveries > 0
                   WHEN 'paid' THEN coalesce(deliveries, 0) + coalesce(never, 0) < wanted
                   WHEN 'refunding' THEN coalesce(deliveries, 0) + coalesce(never, 0) <= wanted
                   WHEN 'refunded' THEN coalesce(deliveries, 0) + coalesce(never, 0) <= wanted
                   ELSE deliveries IS NULL AND never IS NULL END""",
    )
    await look.none(
        "what replaced a delivered unit was delivered to the same order, and the faulty one is no order's any more",
        of="delivery WHERE replaced_by IS NOT NULL",
        sql="""SELECT old.tenant_id AS tenant, old.unit_id AS unit, old.replaced_by AS "by", old.order_id AS "order", unit.state
               FROM delivery old
               JOIN unit ON unit.tenant_id = old.tenant_id AND unit.id = old.unit_id
               LEFT JOIN delivery new ON new.tenant_id = old.tenant_id AND new.unit_id = old.replaced_by
               WHERE old.replaced_by IS NOT NULL
                 AND (new.order_id IS DISTINCT FROM old.order_id OR new.sale_id <> old.sale_id OR unit.order_id IS NOT NULL)""",
    )
    await look.none(
        "a delivered unit has a code to show, or was fulfilled",
        of="delivery",
        sql="""SELECT delivery.tenant_id AS tenant, delivery.unit_id AS unit, delivery.order_id AS "order"
               FROM delivery LEFT JOIN code ON code.tenant_id = delivery.tenant_id AND code.unit_id = delivery.unit_id
               LEFT JOIN unit ON unit.tenant_id = delivery.tenant_id AND unit.id = delivery.unit_id
               LEFT JOIN vault_batch batch ON batch.tenant_id = unit.tenant_id AND batch.id = unit.batch_id
               WHERE code.unit_id IS NULL AND batch.sealed IS DISTINCT FROM false""",
    )


@invariant("I4")
async def delivered_is_gone(look: Look) -> None:
    await look.none(
        "a delivered unit stays sold, or is void or quarantined: it is never offered again",
        of="delivery",
        sql="""SELECT delivery.tenant_id AS tenant, unit_id AS unit, unit.state, delivery.order_id AS "order",
                      revealed_at IS NOT NULL AS revealed
               FROM delivery JOIN unit ON unit.tenant_id = delivery.tenant_id AND unit.id = delivery.unit_id
               WHERE unit.state NOT IN ('sold', 'void', 'quarantined')""",
    )


# Who held more when the limit was lowered keeps it; from then on he gets nothing. Both times were read under the lock of the sale's row.
_HELD = """FROM unit JOIN sale ON sale.tenant_id = unit.tenant_id AND sale.id = unit.sale_id
           JOIN orders o ON o.tenant_id = unit.tenant_id AND o.id = unit.order_id
           WHERE unit.shopper_id IS NOT NULL AND limit_per_shopper > 0"""


@invariant("I8")
async def limits_are_kept(look: Look) -> None:
    await look.none(
        "nobody who has more than the limit of units in a sale got one since it is the limit",
        of="sale WHERE limit_per_shopper > 0",
        sql=f"""SELECT sale.tenant_id AS tenant, sale.id AS sale, unit.shopper_id AS shopper, limit_per_shopper AS "limit",
                       count(*) AS units
                {_HELD}
                GROUP BY 1, 2, 3, 4, limit_since HAVING count(*) > limit_per_shopper AND max(o.created_at) > limit_since""",
    )
    await look.none(
        "in a sale with a limit each unit of a shopper fills a slot within it, and no slot is filled twice",
        of="unit WHERE slot IS NOT NULL",
        sql=f"""SELECT sale.tenant_id AS tenant, sale.id AS sale, unit.shopper_id AS shopper, slot, count(*) AS units, min(unit.id) AS unit
                {_HELD}
                GROUP BY 1, 2, 3, 4, limit_per_shopper, limit_since
                HAVING count(*) > 1 OR slot IS NULL OR slot NOT BETWEEN 1 AND limit_per_shopper AND max(o.created_at) > limit_since""",
    )


@invariant("I9")
async def nothing_is_lost_to_a_sale(look: Look) -> None:
    await look.none(
        "no available unit lies below its sale's low-water mark, where no commit would find it",
        of="unit WHERE state = 'available' AND sale_id IS NOT NULL",
        sql="""SELECT sale.tenant_id AS tenant, sale.id AS sale, unit.id AS unit, rank, last_unit
               FROM unit JOIN sale ON sale.tenant_id = unit.tenant_id AND sale.id = unit.sale_id
               WHERE unit.state = 'available' AND rank <= last_unit""",
    )
    await look.none(
        "a sale that has ended keeps no unit that nobody holds",
        of="sale WHERE state = 'ended'",
        sql="""SELECT sale.tenant_id AS tenant, sale.id AS sale, count(*) AS units
               FROM sale JOIN unit ON unit.tenant_id = sale.tenant_id AND unit.sale_id = sale.id AND unit.state = 'available'
               WHERE sale.state = 'ended' GROUP BY 1, 2""",
    )
    sentence = f"nobody was told “sold out” when all that was reserved until {FALSE_SOLD_OUT_S} s later left enough"
    history = look.store.history
    if history is None:
        return look.unchecked(sentence, "it takes what clients were told (--history FILE)")
    told = [(sale, quantity, dt.datetime.fromtimestamp(at, dt.UTC), order) for (sale, quantity), (at, order) in history.sold_out.items()]
    sales, quantities, times, orders = map(list, zip(*told, strict=True)) if told else ([], [], [], [])
    await look.none(sentence, len(told), _FALSE_SOLD_OUT, sales, quantities, times, orders, dt.timedelta(seconds=FALSE_SOLD_OUT_S))
    return None


# Counting every order ever reserved, also those whose units came back, errs on the sale's side. A sale whose epoch moved had its
# stock or its state changed, and may have been short or closed for reasons that left no time behind.
_FALSE_SOLD_OUT = """
    SELECT sale.tenant_id AS tenant, sale.id AS sale, told.order_id AS "order", told.quantity, told.at, sale.allotted,
           coalesce(reserved.units, 0) AS reserved
    FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::uuid[]) AS told(sale_id, quantity, at, order_id)
    JOIN sale ON sale.id = told.sale_id
    CROSS JOIN LATERAL (
        SELECT sum(line.quantity) AS units
        FROM order_line line JOIN orders o ON o.tenant_id = line.tenant_id AND o.id = line.order_id
        WHERE line.tenant_id = sale.tenant_id AND line.sale_id = sale.id AND o.created_at <= told.at + $5::interval) reserved
    WHERE sale.epoch = 1 AND coalesce(reserved.units, 0) + told.quantity <= sale.allotted"""
