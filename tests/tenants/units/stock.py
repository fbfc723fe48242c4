"""Stock to try things on: batches with priorities and dates, orders that hold or own units."""

import datetime as dt
from typing import Any
from uuid import UUID

from checkout_core.ids import decode
from tenants import delivery
from tenants.db import tenant_tx
from tests.shop import Store


async def rows(store: Store, sql: str, *values: Any) -> list[Any]:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return [tuple(row) for row in await tx.conn.fetch(sql, tx.tenant_id, *values)]


async def states(store: Store, units: list[int]) -> list[str]:
    sql = "SELECT state FROM unit WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id"
    return [row[0] for row in await rows(store, sql, units)]


async def batch_of(store: Store, unit: int) -> UUID:
    [(batch_id,)] = await rows(store, "SELECT batch_id FROM unit WHERE tenant_id = $1 AND id = $2", unit)
    return batch_id  # type: ignore[no-any-return]


async def ends(store: Store, unit: int, in_: dt.timedelta) -> None:
    """The unit is valid for so long from now on; its batch is due as an import leaves it."""
    sql = "UPDATE unit SET valid_until = now() + $3 WHERE tenant_id = $1 AND id = $2"
    await rows(store, f"{sql} RETURNING id", unit, in_)
    sql = """UPDATE vault_batch SET next_try_at = now() + $3
             WHERE tenant_id = $1 AND id = (SELECT batch_id FROM unit WHERE tenant_id = $1 AND id = $2) RETURNING id"""
    await rows(store, sql, unit, in_)


async def order(store: Store, sale: str, quantity: int = 1, *, deliver: bool = False) -> tuple[str, list[int]]:
    """A new shopper's order and the units it holds, or owns when it is delivered; no money moves."""
    made = await store.order(await store.guest(), sale, quantity)
    sql = "SELECT id, shopper_id FROM unit WHERE tenant_id = $1 AND order_id = $2 ORDER BY id"
    held = await rows(store, sql, decode("ord", made))
    if deliver:
        async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
            await delivery.deliver(tx, decode("ord", made), held[0][1], dt.datetime.now(dt.UTC))
    return made, [unit for unit, _ in held]


async def figures(store: Store, sale: str) -> tuple[int, int]:
    """Allotted and committed; and that they are what the units say is asserted."""
    sql = """SELECT allotted, committed, epoch,
                    (SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id = sale.id AND state = 'available'),
                    (SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id = sale.id AND state IN ('held', 'sold')),
                    (SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id = sale.id AND state = 'available' AND rank <= last_unit)
             FROM sale WHERE tenant_id = $1 AND id = $2"""
    [(allotted, committed, _, available, taken, lost)] = await rows(store, sql, decode("sal", sale))
    assert (allotted - committed, committed, lost) == (available, taken, 0)
    return allotted, committed
