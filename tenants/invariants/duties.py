"""Duties: every row that owes something has its next time, and the time is kept (I17)."""

import asyncpg

from tenants.invariants.look import Look
from tenants.invariants.registry import invariant

OVERDUE_S = 60

# The states in which a row still owes something; empty where the next time alone says so: an event or mail not sent yet, an entry
# not linked yet, orders that are not indexed yet, a wish for a mail, a sale with a gate, the queue of an endpoint, a licence, what a
# unit entitles to, a product's schedule, a coupon's pieces, points.
OPEN_STATES: dict[str, tuple[str, ...]] = {
    "audit_unlinked": (),
    "coupon": (),
    "data_request": ("running",),
    "code_export": ("requested", "approved"),
    "entitlement": (),
    "fulfilment": ("pending",),
    "key_rotation": ("running",),
    "mail": (),
    "order_change": (),
    "order_reminder": (),
    "orders": ("awaiting", "closing"),
    "outbox": (),
    "payment_attempt": ("creating", "open"),
    "payment_inbox": ("new",),
    "points_account": (),
    "points_order": (),
    "product": (),
    "qualification": (),
    "refund": ("requested",),
    "reminder_round": (),
    "sale": (),
    "stock_watch": (),
    "webhook_endpoint": (),
    "webhook_event": (),
    "webhook_watch": (),
    "store_domain": ("pending", "active"),
    "vault_batch": (),
}


@invariant("I17")
async def every_duty_is_scheduled(look: Look) -> None:
    sentence = "every table of duties is known to the checker"
    try:
        tables = await duty_tables(look.conn)
    except asyncpg.PostgresError as error:
        return look.failed(sentence, str(error))
    look.found(sentence, len(tables), [{"table": name} for name in tables if name not in OPEN_STATES])
    for table in tables:
        states = OPEN_STATES.get(table, ())
        if states:
            open_states = ", ".join(f"'{state}'" for state in states)
            await look.none(
                f"{table}: what is not done has its next time",
                of=f"{table} WHERE state IN ({open_states})",
                sql=f"""SELECT tenant_id AS tenant, id AS "{table}", state, next_try_at FROM {table}
                        WHERE state IN ({open_states}) AND next_try_at IS NULL""",
            )
        await look.none(
            f"{table}: nothing is overdue by more than {OVERDUE_S} s",
            of=f"{table} WHERE next_try_at IS NOT NULL",
            sql=f"""SELECT tenant_id AS tenant, id AS "{table}", next_try_at, tries FROM {table}
                    WHERE next_try_at < now() - interval '{OVERDUE_S} s'""",
            at_rest=True,
        )
    await look.none(
        "a webhook that waits has an endpoint that is scheduled, or off",
        of="webhook_delivery WHERE state = 'waiting'",
        sql="""SELECT d.tenant_id AS tenant, d.endpoint_id AS endpoint, count(*) AS webhooks FROM webhook_delivery d
               LEFT JOIN webhook_endpoint e ON e.tenant_id = d.tenant_id AND e.id = d.endpoint_id
               WHERE d.state = 'waiting' AND (e.id IS NULL OR (e.enabled AND e.next_try_at IS NULL)) GROUP BY 1, 2""",
    )
    await look.none(
        "qualification: what is in force until a day is looked after then",
        of="qualification WHERE state = 'approved' AND valid_until IS NOT NULL",
        sql="""SELECT tenant_id AS tenant, id AS qualification, valid_until FROM qualification
               WHERE state = 'approved' AND valid_until IS NOT NULL AND next_try_at IS NULL""",
    )
    await look.none(
        "vault_batch: one with a unit for sale that ends is looked after then",
        of="unit WHERE state = 'available' AND valid_until IS NOT NULL",
        sql="""SELECT unit.tenant_id AS tenant, batch.id AS batch, min(unit.valid_until) AS valid_until, count(*) AS units FROM unit
               JOIN vault_batch batch ON batch.tenant_id = unit.tenant_id AND batch.id = unit.batch_id
               WHERE unit.state = 'available' AND unit.valid_until IS NOT NULL AND batch.state = 'loaded' AND batch.next_try_at IS NULL
               GROUP BY 1, 2""",
    )
    await look.none(
        "coupon: one with a piece that ends, or that was ended with pieces that are held, is looked after then",
        of="coupon_grant WHERE state = 'held'",
        sql="""SELECT g.tenant_id AS tenant, c.id AS coupon, min(g.valid_until) AS valid_until, count(*) AS pieces FROM coupon_grant g
               JOIN coupon c ON c.tenant_id = g.tenant_id AND c.id = g.coupon_id
               WHERE g.state = 'held' AND (c.state = 'ended' OR g.valid_until IS NOT NULL)
                 AND (c.next_try_at IS NULL OR c.next_try_at > greatest(g.valid_until, now() + interval '1 s')) GROUP BY 1, 2""",
    )
    return None


async def duty_tables(conn: asyncpg.Connection) -> list[str]:
    """The tables whose rows have a next time, from the catalogue: a new kind of duty cannot be forgotten."""
    sql = """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'next_try_at'
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1"""
    return [row[0] for row in await conn.fetch(sql)]
