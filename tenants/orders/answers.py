"""What Postgres says of orders before anybody is told a refusal: a winner who lost his answer asks again, and must get it."""

from collections.abc import Sequence
from uuid import UUID

from checkout_core.intents import Decision, Intent, SaleKey
from tenants.db import Pool, tenant_tx
from tenants.orders import commit
from tenants.orders.survey import known


async def look(pool: Pool, sale: SaleKey, intents: Sequence[Intent]) -> tuple[int, dict[UUID, Decision]]:
    """The sale's epoch, and by intent the decisions that have a row. The epoch is read first: no order under it is missed."""
    async with tenant_tx(pool, sale.tenant_id) as tx:
        epoch = await tx.conn.fetchval("SELECT epoch FROM sale WHERE tenant_id = $1 AND id = $2", sale.tenant_id, sale.sale_id)
        rows = await known(tx, [i.order_id for i in intents])
    return epoch or 0, {i.intent_id: commit.answer(i, rows[i.order_id]) for i in intents if i.order_id in rows}
