"""The terms of entitlements: the duty of one that is due. Its type tends it, and at its end it expires."""

from uuid import UUID

from tenants import entitlements, types
from tenants.db import Pool, tenant_tx


async def tend(pool: Pool, tenant_id: UUID, entitlement_id: UUID) -> None:
    async with tenant_tx(pool, tenant_id) as tx:
        entitlement = await entitlements.get(tx, entitlement_id, lock=True)
        now = await tx.conn.fetchval("SELECT now()")
        sql = "UPDATE entitlement SET {} WHERE tenant_id = $1 AND id = $2 AND state = 'active' AND next_try_at <= now()"
        if entitlement.valid_until is not None and entitlement.valid_until <= now:
            ended = sql.format("state = 'expired', next_try_at = NULL")
            if await tx.conn.execute(ended, tenant_id, entitlement_id) == "UPDATE 1":
                await types.of(entitlement.type).expired(tx, entitlement)
            return
        again = await types.of(entitlement.type).tend(tx, entitlement)
        due = min((at for at in (again, entitlement.valid_until) if at is not None), default=None)
        await tx.conn.execute(sql.format("next_try_at = $3, tries = 0"), tenant_id, entitlement_id, due)
