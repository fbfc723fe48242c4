"""Units that end: off the shelf and out of their sales within a minute; held ones are honoured."""

import asyncio
import datetime as dt

import pytest

from checkout_core.ids import decode
from tenants import duties
from tenants.db import create_pool, dsn_for, tenant_tx
from tenants.units import expiry
from tests.shop import Store
from tests.tenants.units.stock import batch_of, ends, figures, order, rows, states
from workers.duties import Services
from workers.sweep import EVERY_S, Sweep

HOUR = dt.timedelta(hours=1)


async def sweep(store: Store, unit: int) -> None:
    await expiry.sweep(store.process.app_pool, store.tenant_id, await batch_of(store, unit))


async def due_in_s(store: Store, unit: int) -> float | None:
    sql = "SELECT extract(epoch FROM next_try_at - now())::float8 FROM vault_batch WHERE tenant_id = $1 AND id = $2"
    [(seconds,)] = await rows(store, sql, await batch_of(store, unit))
    return None if seconds is None else round(seconds, -1)


class TestSweep:
    async def test_what_ended_leaves_shelf_and_sale(self, acme: Store) -> None:
        sku = await acme.sku()
        units = await acme.load(sku, 6)
        sale = await acme.sale(4, sku_id=sku)
        for unit, in_ in ((units[1], -HOUR), (units[2], HOUR), (units[5], -HOUR)):
            await ends(acme, unit, in_)
        await sweep(acme, units[0])
        assert await states(acme, units) == ["available", "expired", "available", "available", "available", "expired"]
        assert await figures(acme, sale) == (3, 0)
        assert await due_in_s(acme, units[0]) == 3600
        told = await rows(acme, "SELECT unit_id, act, actor, from_state, to_state FROM unit_event WHERE tenant_id = $1 ORDER BY unit_id")
        assert told == [(unit, "expire", "system", "available", "expired") for unit in (units[1], units[5])]
        [(epoch,)] = await rows(acme, "SELECT epoch FROM sale WHERE tenant_id = $1 AND id = $2", decode("sal", sale))
        assert epoch == 2

    async def test_so_many_days_before_as_the_sku_says(self, acme: Store) -> None:
        sku = await acme.sku()
        units = await acme.load(sku, 2)
        await ends(acme, units[0], 47 * HOUR)
        await ends(acme, units[1], 49 * HOUR)
        await acme.ask("PUT", f"/v1/skus/{sku}/issue", acme.merchant, {"issue_order": "fifo", "sell_until_days": 2})
        assert await due_in_s(acme, units[0]) == -3600
        await sweep(acme, units[0])
        assert await states(acme, units) == ["expired", "available"]
        assert await due_in_s(acme, units[0]) == 3600

    async def test_a_held_unit_is_honoured(self, acme: Store) -> None:
        sale = await acme.sale(1)
        made, [unit] = await order(acme, sale)
        await ends(acme, unit, -HOUR)
        await sweep(acme, unit)
        assert await states(acme, [unit]) == ["held"]
        assert made

    async def test_a_held_unit_that_ended_does_not_come_back(self, acme: Store) -> None:
        sale = await acme.sale(2)
        made, [unit] = await order(acme, sale)
        await ends(acme, unit, -HOUR)
        await acme.ask("POST", f"/v1/orders/{made}/cancel", acme.merchant)
        assert await states(acme, [unit]) == ["expired"]
        assert await figures(acme, sale) == (1, 0)

    async def test_nor_does_it_when_its_sale_has_ended(self, acme: Store) -> None:
        sale = await acme.sale(1)
        made, [unit] = await order(acme, sale)
        await ends(acme, unit, -HOUR)
        await acme.ask("POST", f"/v1/sales/{sale}/end", acme.merchant)
        await acme.ask("POST", f"/v1/orders/{made}/cancel", acme.merchant)
        assert await states(acme, [unit]) == ["expired"]
        assert await figures(acme, sale) == (0, 0)

    async def test_many_in_steps(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(expiry, "CHUNK", 100)
        units = await acme.load(await acme.sku(), 250)
        sql = "UPDATE unit SET valid_until = now() - interval '1 s' WHERE tenant_id = $1 AND id = ANY($2) RETURNING id"
        await rows(acme, sql, units)
        await sweep(acme, units[0])
        assert set(await states(acme, units)) == {"expired"}
        assert await due_in_s(acme, units[0]) is None

    async def test_two_workers_at_once_and_shoppers(self, acme: Store) -> None:
        sku = await acme.sku()
        units = await acme.load(sku, 20)
        sale = await acme.sale(20, sku_id=sku)
        for unit in units[5:15]:
            await ends(acme, unit, -HOUR)
        await asyncio.gather(*(sweep(acme, units[0]) for _ in range(3)), *(order(acme, sale) for _ in range(4)))
        assert await figures(acme, sale) == (10, 4)
        assert (await states(acme, units)).count("expired") == 10

    async def test_the_worker_does_it_within_seconds(self, acme: Store) -> None:
        """The duty as the sweep finds it: by the sweeper's role, which sees no more than what is due."""
        units = await acme.load(await acme.sku(), 2)
        await ends(acme, units[0], dt.timedelta(seconds=0.5))
        process = acme.process
        sweeper = await create_pool(dsn_for(process.settings, "tessera_sweeper"), size=1)
        services = Services(process.app_pool, process.providers, None, None, None, None, None)  # type: ignore[arg-type]
        try:
            assert "vault_batch" in duties.TABLES
            began = asyncio.get_running_loop().time()
            while (await states(acme, units))[0] == "available":
                await Sweep(services, sweeper).once("vault_batch")
                await asyncio.sleep(0.1)
            assert asyncio.get_running_loop().time() - began < 0.5 + 2 * EVERY_S
        finally:
            await sweeper.close()


class TestImport:
    async def test_dates_of_lines_and_of_the_batch(self, acme: Store) -> None:
        """A line's own date in the store's zone, the batch's for the others; text that is no date is delivered and means nothing."""
        sku = await acme.sku()
        csv = "code,valid until\nAAAA-0001,2031-12-31\nBBBB-0002,\nCCCC-0003,for ever\nDDDD-0004,2020-01-01\n"
        headers = acme.merchant | {"Content-Type": "text/csv"}
        query = f"sku_id={sku}&priority=3&valid_until=2030-01-01T00:00:00Z&columns=code,valid_until&header=true"
        response = await acme.client.post(f"/v1/vault/imports?{query}", content=csv.encode(), headers=headers)
        assert response.status_code == 201, response.text
        sql = "SELECT to_char(valid_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM unit WHERE tenant_id = $1 ORDER BY id"
        found = [row[0] for row in await rows(acme, sql)]
        assert found == ["2031-12-31 16:00", "2030-01-01 00:00", "2030-01-01 00:00", "2020-01-01 16:00"]
        batch = response.json()["id"]
        assert (await acme.ask("GET", f"/v1/vault/batches/{batch}", acme.merchant))["priority"] == 3
        sql = """SELECT unit_from <= min(u.id) AND unit_to >= max(u.id) FROM vault_batch b JOIN unit u ON u.batch_id = b.id
                 WHERE b.tenant_id = $1 GROUP BY b.tenant_id, b.id"""
        assert await rows(acme, sql) == [(True,)]
        await expiry.sweep(acme.process.app_pool, acme.tenant_id, decode("bat", batch))
        sql = "SELECT state FROM unit WHERE tenant_id = $1 ORDER BY id"
        assert [row[0] for row in await rows(acme, sql)] == ["available"] * 3 + ["expired"]

    async def test_a_batch_that_would_end_before_it_begins(self, acme: Store) -> None:
        query = f"sku_id={await acme.sku()}&valid_from=2030-01-01T00:00:00Z&valid_until=2029-01-01T00:00:00Z"
        headers = acme.merchant | {"Content-Type": "text/plain"}
        response = await acme.client.post(f"/v1/vault/imports?{query}", content=b"AAAA-0001\n", headers=headers)
        assert (response.status_code, response.json()["code"]) == (422, "ends_too_early")
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT count(*) FROM vault_batch WHERE tenant_id = $1", tx.tenant_id) == 0
