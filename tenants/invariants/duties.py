"""Duties: every row that owes something has its next time, and the time is kept (I17)."""

import asyncpg

from tenants.invariants.look import Look
from tenants.invariants.registry import invariant

OVERDUE_S = 60

# The states in which a row still owes something; empty where the next time alone says so: an event not sent yet, a sale with a gate.
OPEN_STATES: dict[str, tuple[str, ...]] = {
    "orders": ("awaiting", "closing"),
    "outbox": (),
    "payment_attempt": ("creating", "open"),
    "payment_inbox": ("new",),
    "refund": ("requested",),
    "sale": (),
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
    return None


async def duty_tables(conn: asyncpg.Connection) -> list[str]:
    """The tables whose rows have a next time, from the catalogue: a new kind of duty cannot be forgotten."""
    sql = """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'next_try_at'
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1"""
    return [row[0] for row in await conn.fetch(sql)]
