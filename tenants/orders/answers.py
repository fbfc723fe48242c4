"""What Postgres says of orders before anybody is told a refusal: a winner who lost his answer asks again, and must get it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from checkout_core.intents import Decision, Intent, SaleKey
from tenants.db import Pool, tenant_tx
from tenants.orders import allot, commit
from tenants.orders.survey import known


class Found(NamedTuple):
    epoch: int  # of the sale; read first: no order under it is missed
    decided: dict[UUID, Decision]  # by intent, of those that have a row
    room: set[UUID]  # the intents that were refused for the limit, but hold so little that they are within it


async def look(pool: Pool, sale: SaleKey, intents: Sequence[Intent], over: Collection[Intent] = ()) -> Found:
    """What became of `intents`; and whether the limit is why those `over` it may be refused.

    The gate counts what it admitted, also what is not committed yet, or is no longer and has not been given back.
    """
    async with tenant_tx(pool, sale.tenant_id) as tx:
        sql = "SELECT epoch, limit_per_shopper FROM sale WHERE tenant_id = $1 AND id = $2"
        epoch, limit = await tx.conn.fetchrow(sql, sale.tenant_id, sale.sale_id) or (0, 0)
        rows = await known(tx, [i.order_id for i in intents])
        held = await allot.held(tx, sale.sale_id, {i.shopper_id for i in over}) if over else {}
    decided = {i.intent_id: commit.answer(i, rows[i.order_id]) for i in intents if i.order_id in rows}
    return Found(epoch, decided, {i.intent_id for i in over if held.get(i.shopper_id, 0) + i.quantity <= limit})
