"""What bundles ask of Postgres: no statement reads a whole table, by the plan that is made while there is nothing in it."""

import asyncio
from uuid import uuid4

from api.process import Process
from checkout_core.ids import decode, new_id
from tenants.db import Pool, tenant_tx
from tenants.orders import bundles, place
from tenants.orders.cart import Wanted
from tenants.orders.place import NewOrder
from tenants.orders.weigh import Buyer
from tests.plans import joined, scans
from tests.shop import Store
from tests.tenants.types.test_bundle import bundle, part


async def asked(process: Process, store: Store) -> set[str]:
    """The statements of a quote, an order, of what there is of it, and whether it may be put on the shelf."""
    sku = await bundle(store, {"sku_id": await part(store)}, {"sku_id": await part(store)}, limit=2)
    sku_id = decode("sku", sku)
    wish = NewOrder(new_id(), Buyer(uuid4(), "api"), [Wanted(sku_id, 1)], b"")
    found: set[str] = set()
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        with tx.conn.query_logger(lambda record: found.add(record.query)):
            await place.quote(tx, wish.buyer, wish.lines)
            await place._placed(tx, wish)
            await bundles.available(tx, [sku_id])
            await bundles.need_parts(tx, sku_id)
            await asyncio.sleep(0)  # the logger is told in the loop's next turn
    return {statement for statement in found if "SAVEPOINT" not in statement}


async def test_nothing_is_read_whole(process: Process, young: Pool, acme: Store) -> None:
    statements = await asked(process, acme)
    assert sum("bundle_quantity" in sql or "'parts'" in sql for sql in statements) >= 3
    for sql in statements:
        assert set(await scans(young, acme.tenant_id, sql)) <= {"store_pkey"}, sql  # a tenant has one store


async def test_a_shoppers_orders_are_looked_up(process: Process, young: Pool, acme: Store) -> None:
    [sql] = {sql for sql in await asked(process, acme) if "DISTINCT o.id" in sql}
    assert await joined(young, acme.tenant_id, sql) == []
