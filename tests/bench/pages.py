"""The store's public pages, from a catalogue of 10,000 SKUs on the shelf: what the server takes for them, and what they weigh.

    python -m tests.bench.pages [--skus 10000] [--requests 1000]

The goals are 15 ms p99 for a product's page that is warm, and 30 kB of HTML. Prints one line of JSON.
`cpu` is what this process worked meanwhile, client and server, which a busy machine does not lengthen as much.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import uvloop

from api.app import create_app
from api.process import open_process
from checkout_core.config import Settings
from checkout_core.ids import encode
from tenants.db import tenant_tx
from tenants.migrate import migrate
from tessera.embedded import Servers
from tests.bench.api.figures import told
from tests.bench.catalog import CSV, as_csv, load, rows
from tests.shop import Store, open_store

PAUSE_S = 0.02  # so that the second for which pages are remembered passes many times


async def on_shelf(store: Store) -> list[str]:
    """Each SKU on the shelf with ten units, as figures say; the products, newest first."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """INSERT INTO sale (tenant_id, id, sku_id, name, price_minor, currency, starts_at, limit_per_shopper, door, allotted)
                 SELECT $1, md5('shelf' || id)::uuid, id, 'Shelf', price_minor, currency, now(), 0, 'shelf', 10 FROM sku
                 WHERE tenant_id = $1"""
        await tx.conn.execute(sql, tx.tenant_id)
        found = await tx.conn.fetch("SELECT id FROM product WHERE tenant_id = $1 ORDER BY id DESC", tx.tenant_id)
    return [encode("prd", row["id"]) for row in found]


async def asked(store: Store, place: str, who: dict[str, str], products: list[str], requests: int) -> dict[str, Any]:
    dice, took, worked, weight = random.Random(1), [], [], 0
    for n in range(requests + 1):
        address = place.format(any=dice.choice(products), one=products[0])
        began, worked_before = time.perf_counter(), time.process_time()
        response = await store.client.get(address, headers=store.at | {"accept-encoding": "gzip"} | who)
        if n:  # the first one finds nothing remembered
            took.append((time.perf_counter() - began) * 1000)
            worked.append((time.process_time() - worked_before) * 1000)
        assert response.status_code == 200, response.text
        weight = max(weight, int(response.headers["content-length"]))
        await asyncio.sleep(PAUSE_S if "{any}" not in place else 0)
    return told(took) | {"cpu": told(worked), "gzip_bytes_max": weight}


async def measure(store: Store, count: int, requests: int) -> dict[str, Any]:
    games = await store.ask("POST", "/v1/categories", store.merchant, {"name": "Games"})
    for n in range(20):
        await store.ask("POST", "/v1/categories", store.merchant, {"name": f"Shelf {n}", "parent_id": games["id"]})
    await load(store, as_csv(rows(count)), CSV)
    products = await on_shelf(store)
    shopper = {"cookie": "tessera_shopper=" + (await store.guest())["Authorization"].removeprefix("Bearer ")}
    cases = {
        "product, warm": ("/products/{one}", {}),
        "product, warm, of a shopper": ("/products/{one}", shopper),
        "product, any of them (cold)": ("/products/{any}", {}),
        "front page, warm": ("/", {}),
        "category, warm": (f"/categories/{games['id']}", {}),
        "search, warm": ("/search?q=steam", {}),
    }
    pages = {name: await asked(store, place, who, products, requests) for name, (place, who) in cases.items()}
    return {"skus": count, "requests": requests, "pages": pages, "load_average": os.getloadavg()}


async def run(servers: Servers, count: int, requests: int) -> dict[str, Any]:
    environ = servers.environment | {"TESSERA_ENV": "test", "TESSERA_SECRET": "5e" * 32, "TESSERA_PUBLIC_URL": "http://localhost"}
    settings = Settings.from_env(environ | {"TESSERA_IP_LIMIT_FACTOR": "100000"})
    await migrate(settings)
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app)
    async with open_process(settings) as app.state.process, httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        store = await open_store(client, app.state.process)
        return await asyncio.wait_for(measure(store, count, requests), 1_000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--skus", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=1_000, help="of each page (%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        with Servers(folder) as servers:
            print(json.dumps(uvloop.run(run(servers, args.skus, args.requests)), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
