"""How long webhooks are remembered: an event goes 30 days after it was told, with its deliveries and their attempts.

It is a duty of the event's own row, found by when it is due: no tenant is visited that has nothing to forget.
"""

from uuid import UUID

from tenants.db import Pool, tenant_tx

AT_ONCE = 500


async def forget(pool: Pool, tenant_id: UUID) -> int:
    """Forget what is due of a tenant, the oldest first; how many events there were."""
    async with tenant_tx(pool, tenant_id) as tx:
        sql = """SELECT id FROM webhook_event WHERE tenant_id = $1 AND next_try_at <= now()
                 ORDER BY next_try_at LIMIT $2 FOR UPDATE SKIP LOCKED"""
        events = [row[0] for row in await tx.conn.fetch(sql, tenant_id, AT_ONCE)]
        sql = "SELECT id FROM webhook_delivery WHERE tenant_id = $1 AND event_id = ANY($2) FOR UPDATE"
        deliveries = [row[0] for row in await tx.conn.fetch(sql, tenant_id, events)]
        await tx.conn.execute("DELETE FROM webhook_attempt WHERE tenant_id = $1 AND delivery_id = ANY($2)", tenant_id, deliveries)
        await tx.conn.execute("DELETE FROM webhook_delivery WHERE tenant_id = $1 AND id = ANY($2)", tenant_id, deliveries)
        await tx.conn.execute("DELETE FROM webhook_event WHERE tenant_id = $1 AND id = ANY($2)", tenant_id, events)
    return len(events)
