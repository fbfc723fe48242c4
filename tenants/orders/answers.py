"""What Postgres says of orders before anybody is told a refusal: a winner who lost his answer asks again, and must get it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from checkout_core.intents import Decision, Intent, SaleKey
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import commit
from tenants.orders.survey import KNOWN, Known


class Found(NamedTuple):
    epoch: int  # of the sale
    decided: dict[UUID, Decision]  # by intent, of those that have a row
    room: set[UUID]  # the intents that were refused for the limit, but hold so little that they are within it


# In one statement, and so of one moment: no order under the epoch that is read is missed.
_READ = f"""SELECT epoch, limit_per_shopper, ARRAY(SELECT ROW(x.*) FROM ({KNOWN.format(ids="$3")}) x),
                   ARRAY(SELECT ROW(u.*) FROM (SELECT shopper_id, count(*) FROM unit WHERE tenant_id = $1 AND sale_id = $2
                                               AND shopper_id = ANY($4) GROUP BY shopper_id) u)
            FROM sale WHERE tenant_id = $1 AND id = $2"""


async def look(pool: Pool, sale: SaleKey, intents: Sequence[Intent], over: Collection[Intent] = ()) -> Found:
    """What became of `intents`; and whether the limit is why those `over` it may be refused.

    The gate counts what it admitted, also what is not committed yet, or is no longer and has not been given back.
    """
    async with tenant_tx(pool, sale.tenant_id) as tx:
        epoch, limit, rows, held = await _read(tx, sale.sale_id, [i.order_id for i in intents], {i.shopper_id for i in over})
    decided = {i.intent_id: commit.answer(i, rows[i.order_id]) for i in intents if i.order_id in rows}
    return Found(epoch, decided, {i.intent_id for i in over if held.get(i.shopper_id, 0) + i.quantity <= limit})


async def _read(
    tx: TenantTx, sale_id: UUID, order_ids: Collection[UUID], shoppers: Collection[UUID]
) -> tuple[int, int, dict[UUID, Known], dict[UUID, int]]:
    """Epoch and limit of the sale; those of the orders that exist; how many units of the sale the shoppers have, of those who have some."""
    row = await tx.conn.fetchrow(_READ, tx.tenant_id, sale_id, order_ids, shoppers)
    if row is None:
        return 0, 0, {}, {}
    epoch, limit, orders, held = row
    return epoch, limit, {order[0]: Known(*order[1:]) for order in orders}, dict(map(tuple, held))
