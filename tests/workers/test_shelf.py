"""The sweep puts products on the shelf and takes them down when their schedule says, at most five seconds late."""

import asyncio
import datetime as dt

from api.process import Process
from tenants.db import create_pool, dsn_for
from tests.shop import Store
from workers.duties import Services
from workers.sweep import Sweep

LATE_S_MAX = 5.0


async def test_within_five_seconds(process: Process, acme: Store, globex: Store) -> None:
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    new = {"name": "x", "state": "draft", "publish_at": at.isoformat()}
    made = [(store, (await store.ask("POST", "/v1/products", store.merchant, new))["id"]) for store in (acme, globex)]
    services = Services(process.app_pool, process.providers, None, None, None, None, None)  # type: ignore[arg-type]
    async with await create_pool(dsn_for(process.settings, "tessera_sweeper"), size=1) as sweeper:
        sweeping = asyncio.create_task(Sweep(services, sweeper)._run("product"))
        try:
            async with asyncio.timeout(1 + LATE_S_MAX):
                for store, product in made:
                    while (await store.ask("GET", f"/v1/products/{product}", store.merchant))["state"] != "published":
                        assert dt.datetime.now(dt.UTC) < at + dt.timedelta(seconds=LATE_S_MAX)
                        await asyncio.sleep(0.05)
            assert dt.datetime.now(dt.UTC) >= at, "not before its moment"
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
