"""Many flash sales at once, none of them hot.

    python -m tests.bench.lukewarm [APIS [STORES SALES PRESSES CONNECTIONS]]     (1; 50, 10 each, 80 each; 256)

Every press is somebody new's: whoever presses again is answered from what he holds, which is another figure.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import UUID

import httpx

from api.process import Keys
from checkout_core import tokens
from checkout_core.config import Settings
from checkout_core.ids import decode, new_id
from tenants.db import create_pool, dsn_for, tenant_tx
from tessera.letterbox import sign_up
from tessera.shop import Shop

UNITS = 200


async def stock(settings: Settings, tenant_id: UUID, sku_id: UUID, units: int) -> None:
    """Loose units without codes, as an import leaves them."""
    pool = await create_pool(dsn_for(settings, "tessera_app"), size=1)
    async with tenant_tx(pool, tenant_id) as tx:
        batch_id = new_id()
        sql = "INSERT INTO vault_batch (tenant_id, id, sku_id, state, operator, loaded) VALUES ($1, $2, $3, 'loaded', 'bench', $4)"
        await tx.conn.execute(sql, tenant_id, batch_id, sku_id, units)
        sql = "INSERT INTO unit (tenant_id, id, sku_id, batch_id) SELECT $1, nextval('unit_id_seq'), $2, $3 FROM generate_series(1, $4)"
        await tx.conn.execute(sql, tenant_id, sku_id, batch_id, units)
    await pool.close()


def open_stores(shop: Shop, client: httpx.Client, settings: Settings, stores: int, sales: int) -> list[tuple[str, UUID, list[str]]]:
    """(slug, tenant, its flash sales) of each store."""
    out = []
    for n in range(stores):
        person = {"store": f"Shop {n}", "slug": f"warm-{n}", "mail": f"warm{n}@example.org", "password": f"a password {n}"}
        merchant = sign_up(shop.api_url, shop.mail_url, **person)
        key = {"Authorization": f"Bearer {merchant['api_key']}"}
        product = client.post("/v1/products", json={"name": "Pass"}, headers=key).raise_for_status().json()["id"]
        sku = {"product_id": product, "name": "Day", "price_minor": 100, "currency": "CNY"}
        sku_id = client.post("/v1/skus", json=sku, headers=key).raise_for_status().json()["id"]
        tenant_id = decode("ten", merchant["tenant_id"])
        asyncio.run(stock(settings, tenant_id, decode("sku", sku_id), UNITS * sales))
        sale = {"sku_id": sku_id, "name": "Sale", "units": UNITS, "limit_per_shopper": 1, "door": "gate"}
        out.append(
            (
                f"warm-{n}",
                tenant_id,
                [client.post("/v1/sales", json=sale, headers=key).raise_for_status().json()["id"] for _ in range(sales)],
            )
        )
    return out


def presses(settings: Settings, stores: list[tuple[str, UUID, list[str]]], each: int) -> list[str]:
    """One line for the loader for each press: all sales in turn, every time by somebody new."""
    key = Keys.of(settings.secret).shoppers
    lines = []
    for n in range(each):
        for slug, tenant_id, sales in stores:
            for sale in sales:
                token, _ = tokens.issue(key, tenant_id)
                headers = {"Authorization": f"Bearer {token}", "X-Tessera-Store": slug, "Idempotency-Key": f"press-{n}"}
                headers |= {"Content-Type": "application/json", "Host": "localhost"}
                lines.append(
                    json.dumps({"method": "POST", "path": "/v1/checkouts", "headers": headers, "body": {"sale_id": sale, "quantity": 1}})
                )
    return lines


def main() -> None:
    given = [int(each) for each in sys.argv[1:]]
    apis, stores, sales, each, connections = given + [1, 50, 10, 80, 256][len(given) :]
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        with Shop(place, apis=apis, environ={"TESSERA_IP_LIMIT_FACTOR": "100000"}) as shop:
            settings = Settings.from_env(shop.environ)
            with httpx.Client(base_url=shop.api_url, timeout=30) as client:
                opened = open_stores(shop, client, settings, stores, sales)
            asyncio.run(asyncio.sleep(3))  # every gate is loaded within a second or two
            requests = place / "requests.jsonl"
            lines = presses(settings, opened, each)
            requests.write_text("\n".join(lines) + "\n", encoding="utf-8")
            pids = [f"--pid={name.partition('-')[0]}={pid}" for name, pid in (shop.processes.pids | shop.servers.pids).items()]
            line = [
                sys.executable,
                "-m",
                "loadtests.loader",
                "raw",
                "--port",
                str(shop.port),
                "--requests",
                str(requests),
                "--closed",
                str(connections),
                "--count",
                str(len(lines)),
                *pids,
            ]
            done = subprocess.run(line, capture_output=True, text=True, check=False)
            report = json.loads(done.stdout)
    said = ("answers", "seconds", "per_s", "statuses", "codes", "latency_ms", "cpu_us")
    print({name: report[name] for name in said if name in report} or report)


if __name__ == "__main__":
    main()
