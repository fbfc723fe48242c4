"""How long after it was due an order of a rush is in the index, and what indexing costs. A note is due some seconds after its commit."""

import asyncio
import time
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from checkout_core.config import Settings
from checkout_core.ids import decode, new_id
from checkout_core.intents import Intent, SaleKey
from tenants import duties
from tenants.db import Pool, create_pool, dsn_for, tenant_tx
from tenants.orders import commit_batch, index
from tests.bench.api.figures import told
from workers.sweep import EVERY_S

BATCH = 200


async def lag(settings: Settings, client: httpx.AsyncClient, key: str, tenant: UUID, *, large: bool) -> dict[str, Any]:
    """Sell in batches, with a sweep each second as the worker has it; how late notes were indexed, and µs of indexing an order."""
    units = 20_000 if large else 400
    sale = await on_sale(settings, client, key, tenant, units)
    waited: list[float] = []
    spent_s = 0.0
    selling = True

    async def sweep() -> None:
        nonlocal spent_s
        async with (
            await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool,
            await create_pool(dsn_for(settings, "tessera_sweeper"), size=1) as sweeper,
        ):
            while selling or await _left(pool, tenant):
                found = await duties.due(sweeper, "order_change", 200)
                began = time.perf_counter()
                if found:
                    await index.work(pool, tenant)
                spent_s += time.perf_counter() - began
                now = time.time()
                waited.extend(now - note.next_try_at.timestamp() for note in found)
                await asyncio.sleep(EVERY_S)

    async with await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool:
        sweeping = asyncio.create_task(sweep())
        began = time.perf_counter()
        for _ in range(units // BATCH):
            await commit_batch(pool, sale, wishes(BATCH))
        sold_s = time.perf_counter() - began
        selling = False
        await sweeping
    return {
        "orders": units, "orders_per_s": round(units / sold_s), "waited": told([1000 * each for each in waited]),
        "indexing_us_per_order": round(spent_s / units * 1e6, 1),
    }  # fmt: skip


async def _left(pool: Pool, tenant: UUID) -> int:
    async with tenant_tx(pool, tenant) as tx:
        count: int = await tx.conn.fetchval("SELECT count(*) FROM order_change WHERE tenant_id = $1", tenant)
    return count


def wishes(count: int) -> list[Intent]:
    """Of shoppers who come for the first time, each with a contact of his own."""
    contacts = [f"rush.{new_id().hex[-9:]}@example.org" for _ in range(count)]
    # Numbers of orders are drawn from a MAC: they lie anywhere, not one after the other.
    return [Intent(uuid4(), new_id(), new_id(), 1, bytes(16), None, contact) for contact in contacts]


async def on_sale(settings: Settings, client: httpx.AsyncClient, key: str, tenant: UUID, units: int) -> SaleKey:
    """A new sale of so many units that are in the vault."""
    headers = {"Authorization": f"Bearer {key}"}
    product = (await client.post("/v1/products", json={"name": "Rush"}, headers=headers)).json()["id"]
    new = {"product_id": product, "name": "100", "price_minor": 9900, "currency": "CNY"}
    sku = (await client.post("/v1/skus", json=new, headers=headers)).json()["id"]
    admin = await asyncpg.connect(settings.database_url)
    batch = new_id()
    sql = "INSERT INTO vault_batch (tenant_id, id, sku_id, state, operator, loaded) VALUES ($1, $2, $3, 'loaded', 'bench', $4)"
    await admin.execute(sql, tenant, batch, decode("sku", sku), units)
    sql = """INSERT INTO unit (tenant_id, id, sku_id, batch_id)
             SELECT $1, nextval('unit_id_seq'), $2, $3 FROM generate_series(1, $4::integer)"""
    await admin.execute(sql, tenant, decode("sku", sku), batch, units)
    await admin.close()
    response = await client.post("/v1/sales", json={"sku_id": sku, "name": "Rush", "units": units, "limit_per_shopper": 0}, headers=headers)
    return SaleKey(tenant, decode("sal", response.json()["id"]))
