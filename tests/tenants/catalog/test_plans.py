"""No list or search of the catalogue reads a whole table, by the plan that is made while there is nothing in it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants import catalog, offers
from tenants.catalog import edits, images, schedule, texts
from tenants.db import Pool, TenantTx, tenant_tx
from tests.plans import scans
from tests.shop import Store

LISTS: dict[str, Callable[[TenantTx, "Ids"], Awaitable[object]]] = {
    "products": lambda tx, _: catalog.list_products(tx, limit=20),
    "products of a category": lambda tx, ids: catalog.list_products(tx, limit=20, category_id=ids.category, state="published"),
    "products by words": lambda tx, ids: catalog.list_products(tx, limit=20, q="x", category_id=ids.category),
    "SKUs": lambda tx, _: catalog.list_skus(tx, limit=20),
    "SKUs of a product": lambda tx, ids: catalog.list_skus(tx, limit=20, product_id=ids.product),
    "SKUs by words": lambda tx, _: catalog.list_skus(tx, limit=20, q="x"),
    "the shop": lambda tx, _: offers.products(tx, "web", "en", limit=20),
    "the shop by words": lambda tx, ids: offers.products(tx, "web", "en", limit=20, q="x", category_id=ids.category),
    "one product of the shop": lambda tx, ids: offers.product(tx, ids.product, "web", "en"),
    "pictures": lambda tx, ids: images.all_of(tx, [ids.product]),
    "what a product is found by": lambda tx, ids: texts.keep_products(tx, [ids.product]),
    "an edit of many": lambda tx, ids: edits.edit_skus(tx, [ids.sku], {"price_minor": 1, "category_id": None}, actor="t"),
}
# Read whole by design: a tree of 500 rows at most.
WHOLE = {"category_pkey", "category"}


class Ids:
    def __init__(self, product: str, sku: str, category: str) -> None:
        self.product, self.sku, self.category = decode("prd", product), decode("sku", sku), decode("cat", category)


@pytest.fixture
async def ids(acme: Store) -> Ids:
    category = await acme.ask("POST", "/v1/categories", acme.merchant, {"name": "x"})
    product = (await acme.ask("POST", "/v1/products", acme.merchant, {"name": "x", "category_id": category["id"]}))["id"]
    sku = await acme.sku(1, product_id=product)
    await acme.sale(units=1, sku_id=sku)
    return Ids(product, sku, category["id"])


@pytest.mark.parametrize("name", LISTS)
async def test_reads_what_an_index_leads_to(process: Process, young: Pool, acme: Store, ids: Ids, name: str) -> None:
    asked: list[str] = []
    async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
        with tx.conn.query_logger(lambda record: asked.append(record.query)):
            await LISTS[name](tx, ids)
            await asyncio.sleep(0)  # the logger is told in the loop's next turn
    assert asked
    for sql in asked:
        assert set(await scans(young, acme.tenant_id, sql)) <= WHOLE, sql


async def test_a_careless_statement_is_seen(young: Pool, acme: Store) -> None:
    careless = "SELECT * FROM sku WHERE tenant_id = $1 AND ($2::uuid IS NULL OR product_id = $2) ORDER BY id DESC LIMIT 20"
    assert await scans(young, acme.tenant_id, careless) != []


async def test_a_duty_of_nothing_does_nothing(process: Process, acme: Store, ids: Ids) -> None:
    before = await acme.audited()
    await schedule.keep(process.app_pool, acme.tenant_id, ids.product)
    await schedule.keep(process.app_pool, acme.tenant_id, ids.sku)
    assert await acme.audited() == before
