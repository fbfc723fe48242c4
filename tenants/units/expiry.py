"""What may no longer be sold: a unit past its date, or so near to it as the SKU says, leaves the shelf and its sale.

A batch is due when the next of its available units ends. Held units are honoured: the shopper was promised one. When it is not paid, it
expires in the transaction that takes it back (`fate`), and is nobody's chance for a moment.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from tenants.db import Pool, TenantTx, tenant_tx
from tenants.units import aside

ACTOR: Final = "system"
CHUNK: Final = 10_000  # units of a transaction: a sale's row is held for some tenths of a second
_DAYS: Final = "(SELECT sell_until_days FROM sku WHERE tenant_id = $1 AND id = {sku}) * interval '1 day'"
# What becomes of a unit that returns: of one whose batch was recalled, or that is past its date; else NULL.
FATE: Final = f"""coalesce(
    (SELECT 'recall_' || b.recalled_as FROM vault_batch b WHERE b.tenant_id = $1 AND b.id = unit.batch_id),
    CASE WHEN unit.valid_until <= now() + {_DAYS.format(sku="unit.sku_id")} THEN 'expire' END)"""


async def schedule(tx: TenantTx, batch_ids: Collection[UUID]) -> None:
    """Each batch is looked after when the first of its available units ends. Whoever makes units available, or moves dates, calls this."""
    sql = f"""UPDATE vault_batch SET tries = 0, next_try_at = (
                  SELECT min(valid_until) FROM unit
                  WHERE tenant_id = $1 AND batch_id = vault_batch.id AND state = 'available' AND valid_until IS NOT NULL)
              - {_DAYS.format(sku="vault_batch.sku_id")} WHERE tenant_id = $1 AND id = ANY($2)"""
    await tx.conn.execute(sql, tx.tenant_id, sorted(batch_ids))


async def sweep(pool: Pool, tenant_id: UUID, batch_id: UUID) -> None:
    """The duty of a batch: its available units that have ended become `expired`, out of their sales; then it waits for the next."""
    while True:
        async with tenant_tx(pool, tenant_id) as tx:
            if await _step(tx, batch_id) < CHUNK:
                return


async def _step(tx: TenantTx, batch_id: UUID) -> int:
    sql = f"""SELECT id FROM unit WHERE tenant_id = $1 AND batch_id = $2 AND state = 'available' AND valid_until IS NOT NULL
                AND valid_until <= now() + {_DAYS.format(sku="(SELECT sku_id FROM vault_batch WHERE tenant_id = $1 AND id = $2)")}
              ORDER BY valid_until LIMIT {CHUNK}"""
    ended = [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, batch_id)]
    if ended:
        await aside.locked(tx, ended)
        await aside.move(tx, "expire", ended, actor=ACTOR)
    await schedule(tx, [batch_id])
    return len(ended)
