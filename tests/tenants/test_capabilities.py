"""What a merchant may do by what he has shown: where money is real, and nowhere else."""

import asyncio
from typing import Any

import httpx
import pytest

from api.process import Process
from checkout_core.errors import Conflict
from checkout_core.ids import decode, new_id
from tenants import capabilities
from tenants.capabilities import CATEGORIES, GENERAL, GRANTS, CapabilityMissing
from tenants.db import tenant_tx
from tenants.payments import attempts
from tenants.qualifications.kinds import KINDS
from tenants.qualifications.steps import STATES
from tests.shop import Store

LIVE = "wechatpay"


async def qualified(store: Store, kind: str, *, state: str = "approved", ends: str | None = None) -> None:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """INSERT INTO qualification (tenant_id, id, kind, state, particulars, key_id, valid_until)
                 VALUES ($1, $2, $3, $4, '', 1, now() + $5::text::interval)"""
        await tx.conn.execute(sql, tx.tenant_id, new_id(), kind, state, ends)


async def connected(store: Store, provider: str = LIVE) -> None:
    """An account as a provider with real money will leave it: no adapter for one is here yet."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = "INSERT INTO provider_account (tenant_id, id, provider, mch_id, credentials, key_id) VALUES ($1, $2, $3, 'm', '', 1)"
        await tx.conn.execute(sql, tx.tenant_id, new_id(), provider)


async def held(store: Store) -> capabilities.Capabilities:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return await capabilities.of(tx)


async def sku(store: Store, units: int, category: str = GENERAL) -> str:
    product = await store.ask("POST", "/v1/products", store.merchant, {"name": "x", "category": category})
    return await store.sku(units, product_id=product["id"])


async def publish(store: Store, units: int, category: str = GENERAL) -> httpx.Response:
    body = {"sku_id": await sku(store, units, category), "name": "x", "units": units, "limit_per_shopper": 0}
    return await store.client.post("/v1/sales", json=body, headers=store.merchant)


def refusal(response: httpx.Response) -> tuple[Any, ...]:
    problem = response.json()
    return response.status_code, problem.get("code"), problem.get("capability"), problem.get("qualifications")


class TestData:
    def test_every_kind_grants_something_and_every_category_is_granted(self) -> None:
        assert set(GRANTS) == set(KINDS)
        assert {GENERAL}.union(*(grant.categories for grant in GRANTS.values())) == set(CATEGORIES)

    @pytest.mark.parametrize("state", STATES)
    async def test_only_what_is_approved_grants(self, acme: Store, state: str) -> None:
        await qualified(acme, "company", state=state)
        found = await held(acme)
        assert found.live_providers == (state == "approved")
        assert found.sale_units_max == (10_000_000 if state == "approved" else 0)

    async def test_grants_add_up(self, acme: Store) -> None:
        for kind in ("individual", "sole_trader", "gift_cards"):
            await qualified(acme, kind)
        found = await held(acme)
        assert (found.sale_units_max, found.categories) == (20_000, ["general", "gift_cards"])
        assert found.qualifications == ["gift_cards", "individual", "sole_trader"]

    async def test_nobody_elses_count(self, acme: Store, globex: Store) -> None:
        await qualified(globex, "company")
        assert (await held(acme)).qualifications == []

    async def test_a_licence_that_ran_out_grants_nothing_before_the_sweep(self, acme: Store) -> None:
        await qualified(acme, "company", ends="-1 s")
        await qualified(acme, "gift_cards", ends="1 h")
        assert (await held(acme)).qualifications == ["gift_cards"]


class TestSandbox:
    """Without real money nothing has to be shown."""

    async def test_publishes_what_it_likes(self, acme: Store) -> None:
        await connected(acme, "sandbox")
        for units, category in ((5000, GENERAL), (10, "gift_cards")):
            assert (await publish(acme, units, category)).status_code == 201

    async def test_takes_play_money(self, process: Process, acme: Store) -> None:
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            assert await capabilities.may_take_money(tx, "sandbox")
            await capabilities.need_provider(tx, "sandbox")


class TestLive:
    async def test_a_sale_is_as_large_as_the_merchant_is_known(self, acme: Store) -> None:
        await connected(acme)
        assert refusal(await publish(acme, 1)) == (403, "capability_missing", "sale_units", ["individual", "sole_trader", "company"])
        await qualified(acme, "individual")
        assert (await publish(acme, 1000)).status_code == 201
        assert refusal(await publish(acme, 1001)) == (403, "capability_missing", "sale_units", ["sole_trader", "company"])

    async def test_without_the_check_it_would_be_published(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """The twin."""

        async def anything(*_: object) -> None: ...

        await connected(acme)
        monkeypatch.setattr(capabilities, "need_sale", anything)
        assert (await publish(acme, 1001)).status_code == 201

    async def test_a_sale_published_while_an_account_is_connected(self, process: Process, acme: Store) -> None:
        """Each would find the other's not there yet, and both would be."""
        await qualified(acme, "individual")
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            await capabilities.need_provider(tx, LIVE)
            sql = "INSERT INTO provider_account (tenant_id, id, provider, mch_id, credentials, key_id) VALUES ($1, $2, $3, 'm', '', 1)"
            await tx.conn.execute(sql, tx.tenant_id, new_id(), LIVE)
            publishing = asyncio.create_task(publish(acme, 1001))
            await asyncio.sleep(0.2)  # it comes as far as it can
        assert refusal(await publishing)[:3] == (403, "capability_missing", "sale_units")

    async def test_a_refused_sale_leaves_nothing(self, process: Process, acme: Store) -> None:
        await connected(acme)
        await publish(acme, 3)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT count(*) FROM sale WHERE tenant_id = $1", tx.tenant_id) == 0
            assert await tx.conn.fetchval("SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id IS NOT NULL", tx.tenant_id) == 0

    async def test_a_licensed_category_takes_its_licence(self, acme: Store) -> None:
        await connected(acme)
        await qualified(acme, "company")
        assert refusal(await publish(acme, 1, "gift_cards")) == (403, "capability_missing", "sell:gift_cards", ["gift_cards"])
        await qualified(acme, "game_topup")
        assert (await publish(acme, 1, "gift_cards")).status_code == 403
        await qualified(acme, "gift_cards")
        assert (await publish(acme, 1, "gift_cards")).status_code == 201

    async def test_a_running_sale_does_not_grow_or_go_on_past_it(self, acme: Store) -> None:
        await qualified(acme, "individual")
        stock = await sku(acme, 1200)
        body = {"sku_id": stock, "name": "x", "units": 900, "limit_per_shopper": 0}
        sale = str((await acme.ask("POST", "/v1/sales", acme.merchant, body))["id"])
        await connected(acme)
        grown = await acme.client.post(f"/v1/sales/{sale}/stock", json={"add": 200}, headers=acme.merchant)
        assert refusal(grown)[:3] == (403, "capability_missing", "sale_units")
        assert (await acme.ask("GET", f"/v1/sales/{sale}", acme.merchant))["allotted"] == 900
        await acme.ask("POST", f"/v1/sales/{sale}/pause", acme.merchant)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await tx.conn.execute("UPDATE qualification SET state = 'revoked' WHERE tenant_id = $1", tx.tenant_id)
        resumed = await acme.client.post(f"/v1/sales/{sale}/resume", json={}, headers=acme.merchant)
        assert refusal(resumed)[:3] == (403, "capability_missing", "sale_units")

    async def test_connecting_looks_at_what_runs(self, process: Process, acme: Store) -> None:
        """Or a sale that the sandbox allowed would go on with real money."""
        await publish(acme, 1500)
        await qualified(acme, "individual")
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            with pytest.raises(CapabilityMissing) as refused:
                await capabilities.need_provider(tx, LIVE)
        assert refused.value.extra["capability"] == "sale_units"
        running = refused.value.extra["running"]
        await acme.ask("POST", f"/v1/sales/{running}/end", acme.merchant)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            await capabilities.need_provider(tx, LIVE)

    async def test_payments_stop_with_the_qualification(self, process: Process, acme: Store) -> None:
        who = await acme.guest()
        order = await acme.order(who, await acme.sale())
        await connected(acme)
        with pytest.raises(Conflict) as refused:
            await attempts.start(process.app_pool, process.providers, acme.tenant_id, decode("ord", order), notify_base="", return_url="")
        assert refused.value.code == "payments_not_permitted"
        assert (await acme.ask("GET", f"/v1/orders/{order}", who))["state"] == "awaiting"
