"""Wrapping every store's data keys by the master key that is listed last: by the platform's role, a store at a time."""

from collections import Counter
from typing import Final
from uuid import UUID

from tenants.db import OLDEST, Pool, TenantTx, platform_tx, tenant_tx
from tenants.keys import Masters

AT_ONCE: Final = 500  # stores whose ids are read at once


async def rewrap(platform: Pool, masters: Masters) -> int:
    """How many data keys were wrapped anew; 0 says that none refers to another master key. `platform` belongs to the role tessera_platform.

    Raises `SealBroken` at a key whose master key is not listed; what was done before it stays done. Data keys themselves stay as they
    are, so that nobody notices: who has them in memory goes on with them.
    """
    done, after = 0, OLDEST
    while tenants := await _tenants(platform, after):
        for after in tenants:
            async with tenant_tx(platform, after) as tx:
                done += await _rewrap(tx, masters)
    return done


async def _rewrap(tx: TenantTx, masters: Masters) -> int:
    sql = "SELECT purpose, id, master_id, wrapped FROM tenant_key WHERE tenant_id = $1 AND master_id <> $2 ORDER BY purpose, id FOR UPDATE"
    rows = await tx.conn.fetch(sql, tx.tenant_id, masters.current)
    for purpose, key_id, master_id, wrapped in rows:
        key = masters.unwrap(master_id, wrapped, tx.tenant_id, purpose, key_id)
        sql = "UPDATE tenant_key SET wrapped = $4, master_id = $5 WHERE tenant_id = $1 AND purpose = $2 AND id = $3"
        await tx.conn.execute(sql, tx.tenant_id, purpose, key_id, masters.wrap(key, tx.tenant_id, purpose, key_id), masters.current)
    return len(rows)


async def usage(platform: Pool) -> Counter[int]:
    """How many data keys each master key wraps."""
    found: Counter[int] = Counter()
    after = OLDEST
    while tenants := await _tenants(platform, after):
        for after in tenants:
            async with tenant_tx(platform, after) as tx:
                sql = "SELECT master_id, count(*) FROM tenant_key WHERE tenant_id = $1 GROUP BY 1"
                found.update(dict(await tx.conn.fetch(sql, tx.tenant_id)))
    return found


async def _tenants(platform: Pool, after: UUID) -> list[UUID]:
    async with platform_tx(platform) as conn:
        return [row[0] for row in await conn.fetch("SELECT id FROM tenant WHERE id > $1 ORDER BY id LIMIT $2", after, AT_ONCE)]
