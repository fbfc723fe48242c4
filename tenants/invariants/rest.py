"""Waiting until a store has come to rest: everything due is done, everything paid is delivered or returned."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg

from checkout_core.config import Settings
from tenants.db import Connection
from tenants.invariants.books import Books
from tenants.invariants.counters import restless
from tenants.invariants.duties import duty_tables
from tenants.invariants.look import Options

POLL_S = 0.5

# A gate is looked after every other second for as long as its sale runs, and new orders are looked for as often where a webhook tells of
# them: due now and then, and at rest all the same.
_BEATS_S = {"sale": 3, "webhook_watch": 3}

# What is under way in other words than a duty that is due. A hold that runs is no unrest: it may run for a day.
_UNDER_WAY = {
    "orders paid or being refunded": """SELECT count(*) FROM orders WHERE state = 'refunding' OR (state = 'paid' AND NOT EXISTS (
        SELECT FROM fulfilment f WHERE f.tenant_id = orders.tenant_id AND f.order_id = orders.id AND f.state IN ('pending', 'failed')))""",
    "refunds without an answer": "SELECT count(*) FROM refund WHERE state = 'requested'",
}


async def wait_for_rest(conn: Connection, settings: Settings, options: Options, books: Callable[[], Awaitable[Books | None]]) -> list[str]:
    """Poll until nothing is under way, at most `options.wait_s`. Notes for the report: how long it took, or what was still going on."""
    start = time.monotonic()
    while True:
        unrest = await what_is_under_way(conn) or await restless(conn, settings)
        if not unrest and (told := await books()):
            unrest = await payments_not_heard_of(conn, told)
        waited = time.monotonic() - start
        if not unrest:
            return [f"at rest after {waited:.1f} s"]
        if waited > options.wait_s:
            return [f"not at rest after {waited:.1f} s: {', '.join(f'{count} {what}' for what, count in unrest.items())}"]
        await asyncio.sleep(POLL_S)


async def what_is_under_way(conn: Connection) -> dict[str, int]:
    due = {
        f"{table} due": f"SELECT count(*) FROM {table} WHERE next_try_at <= now() - interval '{_BEATS_S.get(table, 0)} s'"
        for table in await duty_tables(conn)
    }
    counts = {what: await conn.fetchval(sql) for what, sql in (due | _UNDER_WAY).items()}
    return {what: count for what, count in counts.items() if count}


async def payments_not_heard_of(conn: asyncpg.Connection, books: Books) -> dict[str, int]:
    """Payments at the provider that we have not learnt of: without a notice, the next question finds them."""
    theirs = [(mch_id, p.transaction_id) for mch_id, merchant in books.merchants.items() for p in merchant.payments]
    sql = """SELECT count(*) FROM unnest($1::text[], $2::text[]) AS theirs (mch_id, txn_id)
             WHERE mch_id IN (SELECT mch_id FROM provider_account)
               AND txn_id NOT IN (SELECT txn_id FROM payment)
               AND txn_id NOT IN (SELECT reference FROM exception_case)"""
    count = await conn.fetchval(sql, [mch_id for mch_id, _ in theirs], [txn_id for _, txn_id in theirs])
    return {"payments at the provider not heard of": count} if count else {}
