"""`order.reserved`: found in the rows of orders, by a look every second while a sale is open, where an endpoint names it.

The commit of a flash sale is the one deed that must not pay for webhooks, so it says nothing: no statement, no memory of who wants what.
What it wrote says enough, and the index by which a sold-out sale is watched leads there (migration 0011). A look is for one tenant and
takes a few statements.
"""

from uuid import UUID

from tenants.db import Pool, TenantTx, tenant_tx
from tenants.webhooks import translate
from tenants.webhooks.catalogue import RESERVED
from tenants.webhooks.fanout import listening, queue

EVERY_S = 0.5  # so the sweep, which comes by once a second, finds it each time
IDLE_S = 30.0  # while no sale is open, nor begins sooner
AT_ONCE = 2_000  # orders; a commit writes fewer, all of them with the same time

# Whatever began before this instant has ended: orders carry the time their transaction began, and are seen when it has committed.
# A session says that it has begun a moment after it read the clock: hence the second.
_HORIZON = """SELECT least(now() - interval '1 second', (SELECT min(xact_start) FROM pg_stat_activity
              WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()))"""


async def watch(tx: TenantTx) -> None:
    """Look for new orders of this tenant from now on."""
    sql = """INSERT INTO webhook_watch AS w (tenant_id, id) VALUES ($1, $1) ON CONFLICT (tenant_id, id) DO UPDATE
             SET next_try_at = now(), seen = CASE WHEN w.next_try_at IS NULL THEN now() ELSE w.seen END"""
    await tx.conn.execute(sql, tx.tenant_id)


async def wake(tx: TenantTx) -> None:
    """A sale is open or will be: whoever looks for orders looks now, and then knows when to look again."""
    sql = "UPDATE webhook_watch SET next_try_at = now() WHERE tenant_id = $1 AND id = $1 AND next_try_at > now()"
    await tx.conn.execute(sql, tx.tenant_id)


async def look(pool: Pool, tenant_id: UUID) -> list[UUID]:
    """Queue `order.reserved` for the orders made since the last look; the endpoints that have something to do now.

    When no endpoint names it any more, the duty is done.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        # Endpoints first, as whoever changes one locks them.
        endpoints = [each for each in await listening(tx) if RESERVED in each["event_types"]]
        sql = "SELECT seen FROM webhook_watch WHERE tenant_id = $1 AND id = $1 AND next_try_at <= now() FOR UPDATE"
        seen = await tx.conn.fetchval(sql, tenant_id)
        if seen is None:
            return []
        horizon = await tx.conn.fetchval(_HORIZON)
        sql = """SELECT id, CASE WHEN state = 'open' AND (ends_at IS NULL OR ends_at > now())
                             THEN greatest(0, extract(epoch FROM starts_at - now()))::float8 END AS opens_in_s
                 FROM sale WHERE tenant_id = $1"""
        sales = await tx.conn.fetch(sql, tenant_id)
        sql = """SELECT DISTINCT order_id, created_at FROM order_line
                 WHERE tenant_id = $1 AND sale_id = ANY($2) AND created_at >= $3 AND created_at < $4 ORDER BY created_at LIMIT $5"""
        lines = await tx.conn.fetch(sql, tenant_id, [row["id"] for row in sales], seen, horizon, AT_ONCE) if endpoints else []
        orders = await translate.read_orders(tx, {row["order_id"] for row in lines})
        woken = await queue(tx, endpoints, [translate.reserved(row["order_id"], orders[row["order_id"]]) for row in lines])
        more = len(lines) == AT_ONCE
        opening_s = min((row["opens_in_s"] for row in sales if row["opens_in_s"] is not None), default=IDLE_S)
        wait_s = 0.0 if more else min(max(EVERY_S, opening_s), IDLE_S)
        sql = """UPDATE webhook_watch SET tries = 0, seen = greatest(seen, $2),
                     next_try_at = CASE WHEN $3 THEN now() + $4::float8 * interval '1 second' END
                 WHERE tenant_id = $1 AND id = $1"""
        await tx.conn.execute(sql, tenant_id, lines[-1]["created_at"] if more else horizon, bool(endpoints), wait_s)
    return woken
