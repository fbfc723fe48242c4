"""Watches on stock: told once when it is low, again only after there was more; nothing is counted further than needed."""

from typing import Any

import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants.db import Pool, tenant_tx
from tenants.vault import exports, lookup, watches
from tenants.webhooks import translate
from tests.plans import scans
from tests.shop import Store


async def watch(store: Store, sku: str, low_stock_at: int) -> Any:
    return await store.ask("PUT", f"/v1/vault/stock-watches/{sku}", store.merchant, {"low_stock_at": low_stock_at})


async def look(store: Store, sku: str) -> None:
    process = store.process
    await watches.look(process.app_pool, process.platform_pool, store.tenant_id, decode("sku", sku))


async def told(store: Store) -> tuple[list[str], int]:
    """Whom a mail was written to, and how many events there are."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        mails = await tx.conn.fetch("SELECT recipient FROM mail WHERE tenant_id = $1 AND template = 'stock_low' ORDER BY id", tx.tenant_id)
        events = await tx.conn.fetchval("SELECT count(*) FROM outbox WHERE tenant_id = $1 AND topic = 'stock.low'", tx.tenant_id)
    return [row[0] for row in mails], events


class TestPut:
    async def test_who_may_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        path, body = f"/v1/vault/stock-watches/{await acme.sku()}", {"low_stock_at": 1}
        assert (await client.put(path, json=body, headers=acme.at)).status_code == 401
        assert (await client.put(path, json=body, headers=await acme.key_with("vault:read"))).status_code == 403

    async def test_of_another_store(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sku = await globex.sku()
        await watch(globex, sku, 1)
        path = f"/v1/vault/stock-watches/{sku}"
        assert (await client.put(path, json={"low_stock_at": 1}, headers=acme.merchant)).status_code == 404
        assert (await client.delete(path, headers=acme.merchant)).status_code == 404
        assert (await acme.ask("GET", "/v1/vault/stock-watches", acme.merchant))["items"] == []

    @pytest.mark.parametrize("wrong", [0, 100_001, "1", None])
    async def test_bounds(self, client: httpx.AsyncClient, acme: Store, wrong: Any) -> None:
        path = f"/v1/vault/stock-watches/{await acme.sku()}"
        assert (await client.put(path, json={"low_stock_at": wrong}, headers=acme.merchant)).status_code == 400

    async def test_removed(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku()
        await watch(acme, sku, 1)
        assert (await client.delete(f"/v1/vault/stock-watches/{sku}", headers=acme.merchant)).status_code == 204
        await look(acme, sku)
        assert (await client.delete(f"/v1/vault/stock-watches/{sku}", headers=acme.merchant)).status_code == 404


class TestLook:
    async def test_told_once_until_there_is_more_again(self, acme: Store) -> None:
        sku = await acme.sku(3)
        await watch(acme, sku, 2)
        await look(acme, sku)
        assert await told(acme) == ([], 0)
        await acme.sale(3, sku_id=sku)  # what a sale has free can be sold too
        await look(acme, sku)
        assert await told(acme) == ([], 0)
        [sale] = (await acme.ask("GET", "/v1/sales", acme.merchant))["sales"]
        await acme.order(await acme.guest(), sale["id"])
        for _ in range(3):
            await look(acme, sku)
        assert await told(acme) == ([acme.mail], 1)
        [shown] = (await acme.ask("GET", "/v1/vault/stock-watches?stock=low", acme.merchant))["items"]
        assert (shown["units"], shown["low_since"] is None) == (2, False)
        await acme.load(sku, 1)
        await look(acme, sku)
        assert (await acme.ask("GET", "/v1/vault/stock-watches?stock=low", acme.merchant))["items"] == []
        await acme.order(await acme.guest(), sale["id"])
        await look(acme, sku)
        assert await told(acme) == ([acme.mail] * 2, 2)

    async def test_only_who_can_fill_it_up(self, acme: Store) -> None:
        keeper, _ = await acme.employ("operations"), await acme.employ("finance")
        sku = await acme.sku()
        await watch(acme, sku, 5)
        await look(acme, sku)
        recipients, _ = await told(acme)
        assert sorted(recipients) == sorted([acme.mail, keeper.mail])

    async def test_what_is_being_loaded_is_no_stock(self, acme: Store) -> None:
        sku = await acme.sku()
        await acme.load(sku, 9, state="loading")
        await watch(acme, sku, 5)
        await look(acme, sku)
        assert (await told(acme))[1] == 1

    async def test_mails_that_were_not_written_are_owed(self, acme: Store, process: Process) -> None:
        """The process died between the event and the mails: the next look writes them, and no second event."""
        sku = await acme.sku()
        await watch(acme, sku, 5)
        await watches.look(process.app_pool, None, acme.tenant_id, decode("sku", sku))
        assert await told(acme) == ([], 1)
        for _ in range(2):
            await look(acme, sku)
        assert await told(acme) == ([acme.mail], 1)

    async def test_comes_again_within_a_minute(self, acme: Store, process: Process) -> None:
        sku = await acme.sku()
        await watch(acme, sku, 5)
        await look(acme, sku)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT next_try_at - looked_at < interval '60 s' FROM stock_watch WHERE tenant_id = $1"
            assert await tx.conn.fetchval(sql, tx.tenant_id)

    async def test_counts_no_further_than_it_must(self, acme: Store, process: Process) -> None:
        sku = await acme.sku(50)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            assert await watches.left(tx, decode("sku", sku), 5) == 6
            assert await watches.left(tx, decode("sku", sku), 50) == 50


@pytest.mark.parametrize("sql", [watches.FREE, watches.LOOSE, exports.LOOSE, lookup.BY_FINGERPRINT, lookup.ABOUT])
async def test_reads_nothing_whole(acme: Store, young: Pool, sql: str) -> None:
    assert await scans(young, acme.tenant_id, sql) == []


class TestMessage:
    async def test_reaches_a_merchants_program(self, acme: Store) -> None:
        """The event as the catalogue has it."""
        sku = await acme.sku()
        await watch(acme, sku, 5)
        await look(acme, sku)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            rows = await tx.conn.fetch("SELECT id, topic, payload, created_at FROM outbox WHERE tenant_id = $1", tx.tenant_id)
            [event] = await translate.events(tx, rows, {"stock.low"})
        assert f'"data":{{"sku_id":"{sku}","low_stock_at":5,"units":0}}' in event.body
