"""What a cart asks of Postgres: no statement reads a whole table, by the plan that is made while there is nothing in it."""

import asyncio

from api.process import Process
from tenants import shelf as shelves
from tenants.db import Pool, tenant_tx
from tenants.orders import place
from tests.plans import joined, scans
from tests.shop import Store
from tests.tenants.orders.carts import Shelf


async def asked(process: Process, store: Store) -> list[str]:
    """The statements of an order, of the same again, of a quote, and of the shelf's own acts."""
    shelf = await Shelf.of(store, {"a": 3, "b": 3})
    await shelf.hall("hall", {"gala.stalls": (2, 0), "gala.box": (2, 2500)})
    wish = shelf.wish("ann", {"a": 1, "b": 2, "hall": ["gala.box"]})
    found: list[str] = []
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        with tx.conn.query_logger(lambda record: found.append(record.query)):
            await place.quote(tx, wish.buyer, wish.lines)
            for _ in range(2):
                await place._placed(tx, wish)
            for sku in {line.sku_id for line in wish.lines}:
                await shelves.put(tx, sku, units=1, limit_per_shopper=0, hold_s=900, takes_new_stock=True, actor="test")
            await asyncio.sleep(0)  # the logger is told in the loop's next turn
    return [statement for statement in found if "SAVEPOINT" not in statement]


async def test_nothing_is_read_whole(process: Process, young: Pool, acme: Store) -> None:
    statements = await asked(process, acme)
    assert len(statements) > 20
    for sql in statements:
        assert await scans(young, acme.tenant_id, sql) == [], sql


async def test_units_are_looked_up_pick_by_pick(process: Process, young: Pool, acme: Store) -> None:
    [sql] = {sql for sql in await asked(process, acme) if "pick = p.pick" in sql and "FOR UPDATE" in sql}
    assert "unit" not in await joined(young, acme.tenant_id, sql)
