"""What one payment costs each process: `python -m tests.bench.payments [payments] [at once] [--statements]` (600, 16).

A whole shop sells; every order is started to be paid over HTTP (row, provider, row), all are paid at the provider, whose notices the API
receives and the worker confirms. Processor time is the kernel's count of each process with its children, less what it used at rest in the
same time: it hardly depends on what else runs. The rate is what this machine gave at that moment with the asker on the same cores.
With `--statements` Postgres' own account of each phase follows: how often a statement was run for a payment, and how long it took.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from api.process import Keys
from checkout_core import tokens
from checkout_core.config import Settings
from checkout_core.ids import decode
from loadtests.loader.cpu import seconds_of, used
from loadtests.loader.http import Pool, Target, request
from tenants.db import dsn_for
from tessera.letterbox import sign_up
from tessera.shop import Shop
from tests.bench.lukewarm import stock

Work = Callable[[], Coroutine[Any, Any, None]]
WARM_UP = 64
REST_S = 3.0


class Till:
    """A store whose orders can be paid, and those who pay."""

    def __init__(self, shop: Shop, payments: int, at_once: int, *, told: bool) -> None:
        self.shop, self.settings, self.at_once, self.told = shop, Settings.from_env(shop.environ), at_once, told
        self.store, self.provider = Target.parse(shop.api_url), Target.parse(shop.provider_url)
        self.pids = {name: [pid] for name, pid in shop.processes.pids.items() if pid} | {
            name: [pid] for name, pid in shop.servers.pids.items() if pid
        }
        self.tenant_id, self.sale = self._open(payments)
        self.rest = dict.fromkeys(self.pids, 0.0)

    def _open(self, units: int) -> tuple[UUID, str]:
        admin = {"Authorization": f"Bearer {self.shop.provider.admin_token}"}
        account = httpx.post(f"{self.shop.provider_url}/admin/merchants", json={"name": "till"}, headers=admin, timeout=30).json()
        with httpx.Client(base_url=self.shop.api_url, timeout=30) as client:

            def made(path: str, **body: Any) -> dict[str, Any]:
                answer: dict[str, Any] = client.post(path, json=body).raise_for_status().json()
                return answer

            person = {"store": "Till", "slug": "till", "mail": "till@example.org", "password": "a long password"}
            merchant = sign_up(self.shop.api_url, self.shop.mail_url, **person)
            client.headers["Authorization"] = f"Bearer {merchant['api_key']}"
            made("/v1/provider-accounts", provider="sandbox", **account)
            sku = {"product_id": made("/v1/products", name="Pass")["id"], "name": "Day", "price_minor": 100, "currency": "CNY"}
            sku_id = made("/v1/skus", **sku)["id"]
            tenant_id = decode("ten", merchant["tenant_id"])
            asyncio.run(stock(self.settings, tenant_id, decode("sku", sku_id), units))
            return tenant_id, made("/v1/sales", sku_id=sku_id, name="Sale", units=units, limit_per_shopper=0)["id"]

    async def measured(
        self, name: str, works: list[Callable[[], Coroutine[Any, Any, None]]], until: Callable[[], Any] | None = None
    ) -> None:
        """Do all works, `at_once` at a time; print processor time per work of each process."""
        queue = iter(works)

        async def hand() -> None:
            for work in queue:
                await work()

        before, began = seconds_of(self.pids), time.perf_counter()
        await asyncio.gather(*(hand() for _ in range(self.at_once)))
        if until is not None:
            await until()
        seconds = time.perf_counter() - began
        spent = used(before, seconds_of(self.pids))
        each = {name: max(0.0, spent[name] - self.rest[name] * seconds) / len(works) * 1e6 for name in self.pids}
        print(f"{name:<10} {len(works) / seconds:6.0f} /s   µs CPU each: " + "  ".join(f"{who} {us:5.0f}" for who, us in each.items()))
        await self.statements(len(works))

    async def statements(self, works: int) -> None:
        """Postgres' account since the last time, by statement."""
        if not self.told:
            return
        conn = await asyncpg.connect(self.settings.database_url)
        await conn.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        sql = """SELECT calls, total_plan_time + total_exec_time AS ms, regexp_replace(query, '\\s+', ' ', 'g') FROM pg_stat_statements
                 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY ms DESC LIMIT 24"""
        for calls, ms, text in await conn.fetch(sql):
            print(f"    {calls / works:7.2f} times {ms / works * 1e3:7.1f} µs each payment   {text[:110]}")
        await conn.execute("SELECT pg_stat_statements_reset()")
        await conn.close()

    async def sell(self, payments: int) -> None:
        stores, providers = Pool(self.store, self.at_once, 30), Pool(self.provider, self.at_once, 30)
        key = Keys.of(self.settings.secret).shoppers
        admin = {"Authorization": f"Bearer {self.shop.provider.admin_token}"}
        orders: list[tuple[dict[str, str], str]] = []
        pages: list[str] = []

        async def asked(pool: Pool, path: str, headers: dict[str, str], body: Any, wanted: int) -> dict[str, Any]:
            answer, _ = await pool.ask(request(pool.target, "POST", path, headers, body))
            assert answer.status == wanted, answer
            document: dict[str, Any] = answer.json()
            return document

        async def order() -> None:
            token, _ = tokens.issue(key, self.tenant_id)
            headers = {"Authorization": f"Bearer {token}", "X-Tessera-Store": "till"}
            wish = {"sale_id": self.sale, "quantity": 1}
            made = await asked(stores, "/v1/checkouts", headers | {"Idempotency-Key": uuid4().hex}, wish, 201)
            orders.append((headers, made["id"]))

        async def start() -> None:
            headers, order_id = orders.pop()
            pages.append((await asked(stores, f"/v1/orders/{order_id}/payments", headers, {}, 201))["pay_url"])

        async def pay() -> None:
            await asked(providers, f"/admin/pay/{pages.pop().rpartition('/')[2]}", admin, {}, 200)

        conn = await asyncpg.connect(dsn_for(self.settings, "tessera_migrator"))

        async def delivered(count: int) -> None:
            ending = time.monotonic() + 120
            while await conn.fetchval("SELECT count(*) FROM orders WHERE state = 'delivered'") < count:
                assert time.monotonic() < ending, "not all orders were delivered"
                await asyncio.sleep(0.3)

        for _ in range(WARM_UP):
            await order()
        for work in (start, pay):
            await asyncio.gather(*(work() for _ in range(WARM_UP)))
        await delivered(WARM_UP)
        before = seconds_of(self.pids)
        await asyncio.sleep(REST_S)
        self.rest = {name: spent / REST_S for name, spent in used(before, seconds_of(self.pids)).items()}
        print("at rest, ms of CPU a second: " + "  ".join(f"{who} {s * 1e3:.0f}" for who, s in self.rest.items()))
        await self.measured("order", [order] * payments)
        await self.measured("start", [start] * payments)
        await self.measured("pay", [pay] * payments, lambda: delivered(WARM_UP + payments))
        await conn.close()
        stores.close()
        providers.close()


def main() -> None:
    words = [int(word) for word in sys.argv[1:] if word != "--statements"]
    payments, at_once = (words + [600, 16][len(words) :])[:2]
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        with Shop(place, environ={"TESSERA_IP_LIMIT_FACTOR": "100000"}) as shop:
            till = Till(shop, payments + WARM_UP, at_once, told="--statements" in sys.argv)
            asyncio.run(till.sell(payments))


if __name__ == "__main__":
    main()
