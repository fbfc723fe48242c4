"""What Postgres says of orders before anybody is told a refusal: a winner who lost his answer asks again, and must get it."""

from collections.abc import Sequence
from uuid import UUID

from checkout_core.intents import Decision, Intent, SaleKey
from tenants.db import Pool, tenant_tx
from tenants.orders import commit
from tenants.orders.survey import known


async def look(pool: Pool, sale: SaleKey, intents: Sequence[Intent]) -> tuple[int, dict[UUID, Decision]]:
    """The sale's epoch, and the decisions of those intents that have a row. The epoch is read first: no order under it is missed."""
    async with tenant_tx(pool, sale.tenant_id) as tx:
        epoch = await tx.conn.fetchval("SELECT epoch FROM sale WHERE tenant_id = $1 AND id = $2", sale.tenant_id, sale.sale_id)
        rows = await known(tx, [i.order_id for i in intents])
    return epoch or 0, {i.order_id: commit.answer(i, rows[i.order_id]) for i in intents if i.order_id in rows}


async def holders(pool: Pool, sale: SaleKey) -> set[int]:
    """Who holds units of the sale, as the last 8 random bytes of each shopper's id."""
    sql = "SELECT DISTINCT shopper_id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id IS NOT NULL"
    async with tenant_tx(pool, sale.tenant_id) as tx:
        return {short(row[0]) for row in await tx.conn.fetch(sql, sale.tenant_id, sale.sale_id)}


def short(shopper_id: UUID) -> int:
    return shopper_id.int & 0xFFFF_FFFF_FFFF_FFFF
