"""How the old code shops allot: SELECT a free code, then UPDATE it. Over the same schema, in the same race, judged by the same checker.

Each wish is a transaction of its own that reads what is free, and then writes what it read, as dujiaoka and its like do. Under READ
COMMITTED two of them read the same code; the second UPDATE waits for the first and then takes the code away from its buyer.
"""

import functools
from collections.abc import AsyncGenerator, Sequence
from uuid import uuid4

from checkout_core.batcher import Batcher
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tenants.db import Pool, TenantTx, tenant_tx
from tests.drills.scenes import crowds
from tests.drills.scenes.market import Market


async def select_then_update(market: Market, rounds: int) -> AsyncGenerator[list[str]]:
    """200 shoppers, ten units, eight processes: the race of `crowds.last_few`."""
    doors = [Batcher(functools.partial(commit, pool)) for pool in market.pools]
    store = await market.open_store(units=crowds.FEW * rounds)
    for _ in range(rounds):
        sale = await market.open_sale(store, units=crowds.FEW)
        answers = await market.press(sale, [market.wish(sale, uuid4()) for _ in range(crowds.CROWD)], doors)
        yield crowds.differs(answers, RESERVED=crowds.FEW, SOLD_OUT=crowds.CROWD - crowds.FEW)


async def commit(pool: Pool, sale: SaleKey, intents: Sequence[Intent]) -> list[Decision]:
    """One wish after the other, as one process of such a shop serves its visitors."""
    decisions = []
    for intent in intents:
        async with tenant_tx(pool, sale.tenant_id) as tx:
            decisions.append(await allot(tx, sale, intent))
    return decisions


async def allot(tx: TenantTx, sale: SaleKey, intent: Intent) -> Decision:
    sql = "SELECT sku_id, price_minor, currency, now(), now() + hold_s * interval '1 s' FROM sale WHERE tenant_id = $1 AND id = $2"
    sku_id, price_minor, currency, now, hold_until = await tx.conn.fetchrow(sql, *sale)
    sql = "SELECT id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'available' ORDER BY rank LIMIT 1"
    unit = await tx.conn.fetchval(sql, *sale)
    if unit is None:
        return Decision(Outcome.SOLD_OUT, intent.order_id, "", 1, 0, currency, now, None)
    sql = """INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, amount_minor, currency, body_hash, channel, hold_until,
                                 next_try_at)
             VALUES ($1, $2, $3, $4, 'awaiting', $5, $6, $7, 'peer', $8, $8)"""
    await tx.conn.execute(
        sql, tx.tenant_id, intent.order_id, intent.intent_id, intent.shopper_id, price_minor, currency, intent.body_hash, hold_until
    )
    sql = "INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor) VALUES ($1, $2, $3, $4, 1, $5)"
    await tx.conn.execute(sql, tx.tenant_id, intent.order_id, sale.sale_id, sku_id, price_minor)
    sql = "UPDATE unit SET state = 'held', order_id = $3, shopper_id = $4 WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, unit, intent.order_id, intent.shopper_id)
    # Their stock is the count of what is not sold.
    sql = """UPDATE sale SET committed = (SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state <> 'available')
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, *sale)
    return Decision(Outcome.RESERVED, intent.order_id, "awaiting", 1, price_minor, currency, now, hold_until)
