"""A catalogue of 10,000 SKUs through the API: how fast a file makes and changes it, and what lists and searches of it take.

    python -m tests.bench.catalog [--skus 10000] [--rounds 3] [--requests 200]

The goals are 10,000 SKUs a minute and 50 ms p99 for every list. Prints one line of JSON.
"""

import argparse
import asyncio
import io
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import uvloop

from api.app import create_app
from api.process import open_process
from checkout_core.config import Settings
from tenants.db import tenant_tx
from tenants.migrate import migrate
from tessera.embedded import Servers
from tests.bench.api.figures import told
from tests.shop import Store, open_store

OF_PRODUCT = 4
KINDS = ("充值卡", "会员", "gift card", "点券", "wallet", "月卡")
MAKERS = ("Steam", "腾讯视频", "Xbox", "网易云", "Spotify", "爱奇艺", "PlayStation", "哔哩哔哩")
HEAD = ["reference", "product_reference", "product_name", "category", "option:面值", "price", "cost", "description"]
CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def rows(count: int, *, dearer: int = 0) -> list[list[str]]:
    """A file of `count` SKUs in a quarter as many products; with `dearer`, prices are so many cents higher."""
    dice = random.Random(1)
    made = [HEAD]
    for n in range(count):
        product = n // OF_PRODUCT
        name = f"{dice.choice(MAKERS)} {dice.choice(KINDS)} {product}" if n % OF_PRODUCT == 0 else ""
        value = (n % OF_PRODUCT + 1) * 50
        about = f"{MAKERS[product % len(MAKERS)]} 官方正品，自动发货。" if name else ""
        price = f"{value - 1}.{dearer:02}"
        category = f"Games/Shelf {product % 20}" if name else ""
        made.append([f"S-{n}", f"P-{product}", name, category, str(value), price, f"{value * 0.9:.2f}", about])
    return made


def as_csv(table: list[list[str]]) -> bytes:
    return "".join(",".join(row) + "\n" for row in table).encode()


def as_sheet(table: list[list[str]]) -> bytes:
    book, out = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    for row in table:
        sheet.append(row)
    book.save(out)
    return out.getvalue()


async def load(store: Store, content: bytes, kind: str, *, to: str = "imports") -> dict[str, Any]:
    began = time.monotonic()
    headers = store.merchant | {"Content-Type": kind}
    response = await store.client.post(f"/v1/catalog/{to}", content=content, headers=headers, timeout=120)
    took_s = time.monotonic() - began
    assert response.status_code == 200, response.text
    report = response.json()
    made = {name: report[name] for name in ("skus_created", "skus_changed", "skus_unchanged")}
    return {"took_s": round(took_s, 2), "skus_a_minute": round(report["lines"] / took_s * 60), **made}


async def on_sale(store: Store) -> None:
    """A sale of each SKU, as a store has that sells all it has."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """INSERT INTO sale (tenant_id, id, sku_id, name, price_minor, currency, starts_at, limit_per_shopper)
                 SELECT $1, md5('sale' || id)::uuid, id, 'Shelf', price_minor, currency, now(), 0 FROM sku WHERE tenant_id = $1"""
        await tx.conn.execute(sql, tx.tenant_id)


def cases(store: Store, shelves: list[str], count: int) -> dict[str, tuple[dict[str, str], str]]:
    """By name: who asks, and what; `{n}` and `{shelf}` are drawn anew for each request."""
    staff, visitor = store.merchant, store.at
    return {
        "SKUs, first page": (staff, "/v1/skus"),
        "SKUs, by a rare word": (staff, "/v1/skus?q=S-{n}"),
        "SKUs, by Chinese words": (staff, "/v1/skus?q=会员 100"),
        "SKUs, by a word of nearly all": (staff, "/v1/skus?q=s-"),
        "products, first page": (staff, "/v1/products"),
        "products, by a word": (staff, "/v1/products?q=腾讯"),
        "products of a category": (staff, "/v1/products?category_id={shelf}"),
        "shop, first page": (visitor, "/v1/storefront/products"),
        "shop, a category": (visitor, "/v1/storefront/products?category_id={shelf}"),
        "shop, the whole tree's top": (visitor, f"/v1/storefront/products?category_id={shelves[0]}"),
        "shop, by a word": (visitor, "/v1/storefront/products?q=steam"),
        "shop, by a number": (visitor, "/v1/storefront/products?q=充值卡 {n}"),
        "shop, a word in a category": (visitor, "/v1/storefront/products?q=会员&category_id={shelf}"),
    }


async def asked(store: Store, headers: dict[str, str], path: str, shelves: list[str], count: int, requests: int, seed: int) -> Any:
    dice, took, items = random.Random(seed), [], 0
    for _ in range(requests):
        address = path.format(n=dice.randrange(count), shelf=dice.choice(shelves[1:]))
        began = time.perf_counter()
        response = await store.client.get(address, headers=headers)
        took.append((time.perf_counter() - began) * 1000)
        assert response.status_code == 200, response.text
        items += len(next(iter(response.json().values())))
    return told(took) | {"items": round(items / requests, 1)}


async def measure(store: Store, count: int, rounds: int, requests: int) -> dict[str, Any]:
    games = await store.ask("POST", "/v1/categories", store.merchant, {"name": "Games"})
    shelves = [games["id"]]
    for n in range(20):
        new = {"name": f"Shelf {n}", "parent_id": games["id"]}
        shelves.append((await store.ask("POST", "/v1/categories", store.merchant, new))["id"])
    files: dict[str, Any] = {"previewed": await load(store, as_csv(rows(count)), CSV, to="previews")}
    files["made"] = await load(store, as_csv(rows(count)), CSV)
    files["the same again"] = await load(store, as_csv(rows(count)), CSV)
    files["all prices changed"] = await load(store, as_csv(rows(count, dearer=1)), CSV)
    files["changed from XLSX"] = await load(store, as_sheet(rows(count, dearer=2)), XLSX)
    await on_sale(store)
    pages = {
        name: [await asked(store, headers, path, shelves, count, requests, seed) for seed in range(1, rounds + 1)]
        for name, (headers, path) in cases(store, shelves, count).items()
    }
    return {"skus": count, "files": files, "pages": pages, "load_average": os.getloadavg()}


async def run(servers: Servers, count: int, rounds: int, requests: int) -> dict[str, Any]:
    environ = servers.environment | {"TESSERA_ENV": "test", "TESSERA_SECRET": "5e" * 32, "TESSERA_PUBLIC_URL": "http://localhost"}
    settings = Settings.from_env(environ | {"TESSERA_IP_LIMIT_FACTOR": "100000"})
    await migrate(settings)
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app)
    async with open_process(settings) as app.state.process, httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        store = await open_store(client, app.state.process)
        return await asyncio.wait_for(measure(store, count, rounds, requests), 1_000)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.catalog", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--skus", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=200, help="of each case in a round (%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        with Servers(folder) as servers:
            print(json.dumps(uvloop.run(run(servers, args.skus, args.rounds, args.requests)), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
