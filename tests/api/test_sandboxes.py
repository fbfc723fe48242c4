"""The sandbox: a second store in which nothing is real, and which cannot touch the first."""

import asyncio
from typing import Any

import httpx
import pytest

from checkout_core.ids import decode
from tenants.accounts import SignedUp
from tenants.db import tenant_tx
from tenants.payments import accounts
from tests.security.world import provider_account
from tests.shop import Store


def as_store(live: Store, made: dict[str, Any]) -> Store:
    opened = SignedUp(decode("ten", made["tenant_id"]), made["slug"], made["store_host"], made["api_key"])
    return Store(live.client, live.process, made["slug"], live.mail, live.password, opened)


async def enter(store: Store) -> Store:
    return as_store(store, await store.ask("POST", "/v1/sandbox", store.merchant))


class TestEnter:
    async def test_anonymous_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.post("/v1/sandbox", json={})).status_code == 401
        assert (await client.post("/v1/sandbox", json={}, headers=await acme.key_with("store:write"))).status_code == 403

    async def test_is_one_however_often_it_is_asked_for(self, client: httpx.AsyncClient, acme: Store) -> None:
        made = await asyncio.gather(*(acme.ask("POST", "/v1/sandbox", acme.merchant) for _ in range(4)))
        assert len({each["tenant_id"] for each in made}) == 1
        assert len({each["api_key"] for each in made}) == 4
        found = [await acme.ask("GET", "/v1/store", {"Authorization": f"Bearer {each['api_key']}"}) for each in made]
        assert {(each["mode"], each["slug"]) for each in found} == {("test", made[0]["slug"])}
        assert (await acme.ask("GET", "/v1/store", acme.merchant))["mode"] == "live"

    async def test_gives_no_permission_that_he_who_asks_has_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        limited = await acme.key_with("api_keys:write", "store:read")
        made = await acme.ask("POST", "/v1/sandbox", limited)
        answer = await client.get("/v1/products", headers={"Authorization": f"Bearer {made['api_key']}"})
        assert answer.status_code == 403

    async def test_has_none_of_its_own(self, client: httpx.AsyncClient, acme: Store) -> None:
        sandbox = await enter(acme)
        refused = await client.post("/v1/sandbox", json={}, headers=sandbox.merchant)
        assert (refused.status_code, refused.json()["code"]) == (409, "is_sandbox")


class TestApart:
    async def test_what_happens_in_it_is_not_in_the_store(self, client: httpx.AsyncClient, acme: Store) -> None:
        sandbox = await enter(acme)
        order = await sandbox.order(await sandbox.guest(), await sandbox.sale(2))
        assert (await acme.ask("GET", "/v1/orders", acme.merchant))["items"] == []
        assert (await acme.ask("GET", "/v1/products", acme.merchant))["products"] == []
        assert (await client.get(f"/v1/orders/{order}", headers=acme.merchant)).status_code == 404
        assert (await client.get("/v1/storefront", headers=acme.at)).json()["sales"] == []

    async def test_its_pages_say_so(self, client: httpx.AsyncClient, acme: Store) -> None:
        sandbox = await enter(acme)
        page = (await client.get("/", headers=sandbox.at | {"accept-language": "en"})).text
        assert "nothing here is real" in page
        assert '<meta name="robots" content="noindex">' in page
        assert "nothing here is real" not in (await client.get("/", headers=acme.at | {"accept-language": "en"})).text

    async def test_takes_no_real_money(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """There is no provider of real money yet: the sandbox one stands in for it once it counts as such."""
        sandbox = await enter(acme)
        assert (await client.post("/v1/provider-accounts", json=provider_account(), headers=sandbox.merchant)).status_code == 201
        monkeypatch.setattr(accounts, "TEST_PROVIDERS", frozenset())
        refused = await client.post("/v1/provider-accounts", json=provider_account(), headers=sandbox.merchant)
        assert (refused.status_code, refused.json()["code"]) == (409, "is_sandbox")
        assert (await client.post("/v1/provider-accounts", json=provider_account(), headers=acme.merchant)).status_code == 201

    async def test_row_level_security_is_what_keeps_it_apart(self, acme: Store) -> None:
        sandbox = await enter(acme)
        product = decode("prd", await sandbox.product())
        for store, seen in ((sandbox, 1), (acme, 0)):
            async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
                assert await tx.conn.fetchval("SELECT count(*) FROM product WHERE id = $1", product) == seen
