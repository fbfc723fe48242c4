"""Points: an account is the sum of what happened to it (I26), and an order brings and takes back what is its own (I27)."""

from tenants.invariants.look import Look
from tenants.invariants.registry import invariant


@invariant("I26")
async def points_add_up(look: Look) -> None:
    await look.none(
        "a balance is the sum of its entries and of what is left of its lots, and not below zero; who owes has none",
        of="points_account",
        sql="""SELECT a.tenant_id AS tenant, a.id AS shopper, a.balance, a.owed, coalesce(e.total, 0) AS of_entries,
                      coalesce(l.total, 0) AS of_lots
               FROM points_account a
               LEFT JOIN (SELECT tenant_id, shopper_id, sum(amount) AS total FROM points_entry GROUP BY 1, 2) e
                   ON e.tenant_id = a.tenant_id AND e.shopper_id = a.id
               LEFT JOIN (SELECT tenant_id, shopper_id, sum(remaining) AS total FROM points_lot GROUP BY 1, 2) l
                   ON l.tenant_id = a.tenant_id AND l.shopper_id = a.id
               WHERE a.balance <> coalesce(e.total, 0) OR a.balance <> coalesce(l.total, 0) OR a.balance < 0 OR a.owed < 0
                  OR (a.owed > 0 AND a.balance > 0)""",
    )
    await look.none(
        "entries are numbered without a gap, and each says what there was after it",
        of="points_entry",
        sql="""SELECT tenant_id AS tenant, shopper_id AS shopper, seq, balance, after FROM (
                   SELECT e.*, a.entries AS told, sum(amount) OVER own AS after, row_number() OVER own AS place, count(*) OVER whole AS n
                   FROM points_entry e LEFT JOIN points_account a ON a.tenant_id = e.tenant_id AND a.id = e.shopper_id
                   WINDOW own AS (PARTITION BY e.tenant_id, shopper_id ORDER BY seq), whole AS (PARTITION BY e.tenant_id, shopper_id)) s
               WHERE seq <> place OR balance <> after OR n IS DISTINCT FROM told""",
    )
    await look.none(
        "an entry that brings points has a lot of them, one that takes some took them from lots",
        of="points_entry",
        sql="""SELECT e.tenant_id AS tenant, e.shopper_id AS shopper, e.seq, e.kind, e.amount, l.amount AS lot, c.total AS used
               FROM points_entry e
               LEFT JOIN points_lot l ON l.tenant_id = e.tenant_id AND l.shopper_id = e.shopper_id AND l.seq = e.seq
               LEFT JOIN (SELECT tenant_id, shopper_id, seq, sum(amount) AS total FROM points_consumption GROUP BY 1, 2, 3) c
                   ON c.tenant_id = e.tenant_id AND c.shopper_id = e.shopper_id AND c.seq = e.seq
               WHERE coalesce(l.amount, 0) - coalesce(c.total, 0) <> e.amount OR (l.amount IS NOT NULL AND c.total IS NOT NULL)""",
    )
    await look.none(
        "of a lot there is left what nobody took, and none is below zero",
        of="points_lot",
        sql="""SELECT l.tenant_id AS tenant, l.shopper_id AS shopper, l.seq, l.amount, l.remaining, l.expired,
                      coalesce(c.total, 0) AS used, coalesce(c.over, 0) AS over
               FROM points_lot l LEFT JOIN (
                   SELECT c.tenant_id, c.shopper_id, c.lot_seq, sum(c.amount) AS total,
                          sum(c.amount) FILTER (WHERE e.kind = 'expired') AS over
                   FROM points_consumption c JOIN points_entry e
                       ON e.tenant_id = c.tenant_id AND e.shopper_id = c.shopper_id AND e.seq = c.seq GROUP BY 1, 2, 3) c
                   ON c.tenant_id = l.tenant_id AND c.shopper_id = l.shopper_id AND c.lot_seq = l.seq
               WHERE l.remaining < 0 OR l.remaining <> l.amount - coalesce(c.total, 0) OR l.expired <> coalesce(c.over, 0)""",
    )
    await look.none(
        "nothing happens to an account twice that happens once",
        of="points_entry WHERE once IS NOT NULL",
        sql="""SELECT tenant_id AS tenant, shopper_id AS shopper, once, count(*) AS times FROM points_entry WHERE once IS NOT NULL
               GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    )
    await look.none(
        "the application may add entries, and change or remove none",
        of="(VALUES ('points_entry'), ('points_consumption'), ('points_lot')) AS kept",
        sql="""SELECT name AS "table", attname AS "column"
               FROM (VALUES ('points_entry'), ('points_consumption'), ('points_lot')) AS kept (name)
               JOIN pg_attribute a ON a.attrelid = name::regclass AND a.attnum > 0 AND NOT a.attisdropped
               WHERE has_table_privilege('tessera_app', name, 'DELETE, TRUNCATE')
                  OR (has_column_privilege('tessera_app', name, attname, 'UPDATE')
                      AND (name, attname) NOT IN (('points_entry', 'note'), ('points_lot', 'remaining'), ('points_lot', 'expired')))""",
    )


@invariant("I27")
async def orders_earn_once(look: Look) -> None:
    await look.none(
        "an order brought what it says it earned, and what was taken back of it is its share, at most all",
        of="points_order WHERE earned > 0",
        sql="""SELECT o.tenant_id AS tenant, o.id AS "order", o.shopper_id AS shopper, o.earned, o.taken, o.owed, o.lapsed,
                      coalesce(e.brought, 0) AS brought, coalesce(e.took, 0) AS took
               FROM points_order o LEFT JOIN (
                   SELECT tenant_id, order_id, shopper_id, sum(amount) FILTER (WHERE kind = 'order') AS brought,
                          -sum(amount) FILTER (WHERE kind = 'refund') AS took
                   FROM points_entry WHERE order_id IS NOT NULL GROUP BY 1, 2, 3) e
                   ON e.tenant_id = o.tenant_id AND e.order_id = o.id AND e.shopper_id = o.shopper_id
               WHERE o.earned <> coalesce(e.brought, 0) OR o.taken <> coalesce(e.took, 0) OR o.taken + o.owed + o.lapsed > o.earned
                  OR (o.earned > 0 AND o.taken + o.owed + o.lapsed <> o.earned * o.refunded_minor / o.amount_minor)""",
    )
    await look.none(
        "entries of an order are of one that is known, and of its shopper",
        of="points_entry WHERE order_id IS NOT NULL",
        sql="""SELECT e.tenant_id AS tenant, e.order_id AS "order", e.shopper_id AS shopper, e.seq FROM points_entry e
               LEFT JOIN points_order o ON o.tenant_id = e.tenant_id AND o.id = e.order_id
               WHERE e.order_id IS NOT NULL AND e.shopper_id IS DISTINCT FROM o.shopper_id""",
    )
    await look.none(
        "what an account owes is what its orders left owing, less what was paid of it",
        of="points_account",
        sql="""SELECT a.tenant_id AS tenant, a.id AS shopper, a.owed, coalesce(o.total, 0) AS left_owing, coalesce(p.total, 0) AS paid
               FROM points_account a
               LEFT JOIN (SELECT tenant_id, shopper_id, sum(owed) AS total FROM points_order GROUP BY 1, 2) o
                   ON o.tenant_id = a.tenant_id AND o.shopper_id = a.id
               LEFT JOIN (SELECT tenant_id, shopper_id, -sum(amount) AS total FROM points_entry WHERE kind = 'owed' GROUP BY 1, 2) p
                   ON p.tenant_id = a.tenant_id AND p.shopper_id = a.id
               WHERE a.owed <> coalesce(o.total, 0) - coalesce(p.total, 0)""",
    )
    await look.none(
        "an order counts for its shopper with what was paid and not refunded",
        of="points_order WHERE amount_minor > 0",
        sql="""SELECT p.tenant_id AS tenant, p.id AS "order", p.amount_minor, p.refunded_minor, p.growth, p.growth_back
               FROM points_order p LEFT JOIN orders o ON o.tenant_id = p.tenant_id AND o.id = p.id
               WHERE p.amount_minor > 0 AND (o.amount_minor IS DISTINCT FROM p.amount_minor OR o.shopper_id IS DISTINCT FROM p.shopper_id
                  OR o.delivered_at IS NULL OR p.growth_back <> p.growth * p.refunded_minor / p.amount_minor)""",
    )
    await look.none(
        "what was refunded of an order is known where it earned, or is about to be",
        of="points_order WHERE amount_minor > 0",
        sql="""SELECT p.tenant_id AS tenant, p.id AS "order", p.refunded_minor, r.total AS refunds_minor FROM points_order p
               LEFT JOIN (SELECT tenant_id, order_id, sum(amount_minor) AS total FROM refund WHERE reason = 'requested' GROUP BY 1, 2) r
                   ON r.tenant_id = p.tenant_id AND r.order_id = p.id
               WHERE p.amount_minor > 0 AND p.next_try_at IS NULL AND p.refunded_minor <> coalesce(r.total, 0)""",
    )
