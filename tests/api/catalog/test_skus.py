"""SKUs: made, changed one by one or many at once, as variants of their product."""

import asyncio
from typing import Any

import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants import catalog
from tenants.db import tenant_tx
from tests.security.test_audited import delivered
from tests.security.world import Browser, World, bearer
from tests.shop import Store

AXES = [{"name": "面值", "values": ["50", "100"]}, {"name": "时长", "values": ["月", "年"]}]


async def with_options(store: Store) -> str:
    """A product whose SKUs are variants."""
    return str((await store.ask("POST", "/v1/products", store.merchant, {"name": "Video", "options": AXES}))["id"])


async def make(store: Store, product: str, **more: Any) -> httpx.Response:
    body = {"product_id": product, "name": "x", "price_minor": 100} | more
    return await store.client.post("/v1/skus", json=body, headers=store.merchant)


async def change(store: Store, sku: str, tag: str = "*", **fields: Any) -> httpx.Response:
    return await store.client.patch(f"/v1/skus/{sku}", json=fields, headers=store.merchant | {"If-Match": tag})


class TestCreateSku:
    async def test_another_tenants_product_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        body = {"product_id": await acme.product(), "name": "100", "price_minor": 1, "currency": "CNY"}
        assert (await client.post("/v1/skus", json=body, headers=globex.merchant)).status_code == 404

    @pytest.mark.parametrize(
        "wrong",
        [
            {"price_minor": 0}, {"price_minor": -1}, {"price_minor": 100_000_000_001}, {"price_minor": "1"}, {"price_minor": 1.0},
            {"currency": "cny"}, {"currency": "CNY\n"}, {"currency": ""}, {"name": ""}, {"name": " "}, {"name": "x" * 201},
            {"product_id": "x"}, {"code_pattern": ""}, {"stock": 1},
        ],
    )  # fmt: skip
    async def test_bad_input(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, object]) -> None:
        body = {"product_id": await acme.product(), "name": "100", "price_minor": 1, "currency": "CNY"}
        assert (await client.post("/v1/skus", json=body | wrong, headers=acme.merchant)).status_code == 400

    async def test_a_pattern_that_is_none_is_refused(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"product_id": await acme.product(), "name": "100", "price_minor": 1, "currency": "CNY", "code_pattern": "(["}
        response = await client.post("/v1/skus", json=body, headers=acme.merchant)
        assert (response.status_code, response.json()["code"]) == (422, "bad_code_pattern")

    async def test_the_currency_is_the_stores(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"product_id": await acme.product(), "name": "100", "price_minor": 1}
        assert (await acme.ask("POST", "/v1/skus", acme.merchant, body))["currency"] == "CNY"
        refused = await client.post("/v1/skus", json=body | {"currency": "EUR"}, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (422, "other_currency")

    async def test_the_stores_currency_waits_for_the_first_sku(self, process: Process, acme: Store) -> None:
        """Changed at the same moment it would leave a price in a currency that the store no longer has."""
        product = decode("prd", await acme.product())
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            await catalog.create_sku(tx, product_id=product, name="100", price_minor=1, currency="CNY", code_pattern=None, actor="t")
            change = asyncio.create_task(acme.client.patch(
                "/v1/store", json={"currency": "EUR"}, headers=acme.merchant | {"If-Match": "*"},
            ))  # fmt: skip
            done, _ = await asyncio.wait([change], timeout=0.2)
            assert not done
        assert (await change).json()["code"] == "currency_in_use"


class TestGetSku:
    async def test_counts_stock_by_state(self, acme: Store) -> None:
        sku = await acme.sku(units=5)
        sale = await acme.sale(units=3, sku_id=sku)
        await acme.order(await acme.guest(), sale, quantity=2)
        stock = (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]
        assert stock == {
            "available": 3,
            "held": 2,
            "sold": 0,
            "void": 0,
            "locked": 0,
            "expired": 0,
            "quarantined": 0,
            "unallotted": 2,
            "loading": 0,
        }

    async def test_the_tag_tells_stock_apart_and_a_change_asks_for_the_version_alone(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku(units=2)
        first = (await client.get(f"/v1/skus/{sku}", headers=acme.merchant)).headers["etag"]
        await acme.load(sku, 1)
        second = (await client.get(f"/v1/skus/{sku}", headers=acme.merchant)).headers["etag"]
        assert first != second
        done = await change(acme, sku, first, price_minor=5)
        assert (done.status_code, done.json()["price_minor"], done.json()["stock"]["unallotted"]) == (200, 5, 3)
        assert (await change(acme, sku, second, price_minor=6)).status_code == 412


class TestListSkus:
    async def test_by_words_of_its_own_and_its_products_names(self, acme: Store, globex: Store) -> None:
        product = await acme.product("影视会员")
        year, month = [await acme.sku(product_id=product, name=name, reference=ref) for name, ref in (("年卡", "V-12"), ("月卡", "V-01"))]
        await globex.sku(product_id=await globex.product("影视会员"), name="年卡")
        for q, found in (("影视", [month, year]), ("年", [year]), ("v-01", [month]), ("会员 月", [month]), ("周", [])):
            answer = await acme.client.get("/v1/skus", params={"q": q}, headers=acme.merchant)
            assert [each["id"] for each in answer.json()["skus"]] == found, q

    async def test_of_one_product(self, acme: Store) -> None:
        product = await acme.product()
        skus = [await acme.sku(product_id=product) for _ in range(3)]
        await acme.sku()
        page = await acme.ask("GET", f"/v1/skus?product_id={product}&limit=2", acme.merchant)
        rest = await acme.ask("GET", f"/v1/skus?product_id={product}&limit=2&cursor={page['next_cursor']}", acme.merchant)
        assert [each["id"] for each in page["skus"] + rest["skus"]] == skus[::-1]

    async def test_those_that_are_named(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        first, _, third = [await acme.sku() for _ in range(3)]
        found = await acme.ask("GET", f"/v1/skus?ids={first},{third},{await globex.sku()}", acme.merchant)
        assert [each["id"] for each in found["skus"]] == [third, first]
        many = ",".join([first] * 101)
        assert (await client.get(f"/v1/skus?ids={many}", headers=acme.merchant)).json()["code"] == "too_many_ids"

    async def test_each_has_its_tag_and_its_place_on_the_shelf(self, acme: Store) -> None:
        sku = await acme.sku(units=3)
        [loose] = (await acme.ask("GET", f"/v1/skus?ids={sku}", acme.merchant))["skus"]
        assert loose["shelf"] is None
        await acme.ask("PUT", f"/v1/skus/{sku}/shelf", acme.merchant, {"units": 2, "limit_per_shopper": 1})
        assert (await change(acme, sku, loose["etag"], name="y")).status_code == 200
        [shelved] = (await acme.ask("GET", f"/v1/skus?ids={sku}", acme.merchant))["skus"]
        assert (shelved["shelf"]["free"], shelved["shelf"]["limit_per_shopper"], shelved["shelf"]["state"]) == (2, 1, "open")
        assert shelved["etag"] != loose["etag"]


class TestVariants:
    async def test_each_is_a_value_of_each_option_and_there_once(self, acme: Store) -> None:
        product = await with_options(acme)
        made = await make(acme, product, choices={"时长": "年", "面值": "100"})
        assert (made.status_code, made.json()["choices"]) == (201, {"面值": "100", "时长": "年"})
        again = await make(acme, product, choices={"面值": "100", "时长": "年"})
        assert (again.status_code, again.json()["code"]) == (409, "variant_taken")
        assert (await make(acme, product, choices={"面值": "50", "时长": "年"})).status_code == 201

    @pytest.mark.parametrize("choices", [{"面值": "100"}, {"面值": "1", "时长": "年"}, {"面值": "100", "时长": "年", "颜色": "红"}])
    async def test_what_is_no_variant(self, acme: Store, choices: dict[str, str]) -> None:
        refused = await make(acme, await with_options(acme), choices=choices)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_choices")

    async def test_of_two_at_once_one_is_made(self, acme: Store) -> None:
        product = await with_options(acme)
        both = await asyncio.gather(*(make(acme, product, choices={"面值": "50", "时长": "月"}) for _ in range(2)))
        assert sorted(each.status_code for each in both) == [201, 409]


class TestChangeSku:
    async def test_anonymous_and_another_tenant(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sku = await acme.sku()
        assert (await client.patch(f"/v1/skus/{sku}", json={"name": "x"})).status_code == 401
        assert (await change(globex, sku, name="x")).status_code == 404

    async def test_what_is_named_is_set(self, acme: Store) -> None:
        sku = await acme.sku()
        fields = {
            "name": "One year", "price_minor": 19_900, "cost_minor": 12_000, "face_value": "12 个月", "usage_note": "Sign in first.",
            "reference": "V-12", "code_pattern": "[A-Z]{4}", "state": "draft",
        }  # fmt: skip
        response = await change(acme, sku, **fields)
        assert {name: response.json()[name] for name in fields} == fields
        cleared = await change(acme, sku, cost_minor=None, face_value=None, reference=None)
        assert [cleared.json()[name] for name in ("cost_minor", "face_value", "reference", "name")] == [None, None, None, "One year"]

    async def test_a_price_is_that_of_sales_to_come(self, acme: Store) -> None:
        sku = await acme.sku(units=3)
        sale = await acme.sale(units=1, sku_id=sku)
        await change(acme, sku, price_minor=1)
        assert (await acme.ask("GET", f"/v1/sales/{sale}", acme.merchant))["price_minor"] == 9900
        later = await acme.sale(units=1, sku_id=sku)
        assert (await acme.ask("GET", f"/v1/sales/{later}", acme.merchant))["price_minor"] == 1

    async def test_one_that_is_no_longer_published_is_not_shown(self, acme: Store) -> None:
        sku = await acme.sku(units=3)
        await acme.sale(units=1, sku_id=sku)
        await change(acme, sku, state="archived")
        assert (await acme.ask("GET", "/v1/storefront", acme.at))["sales"] == []

    async def test_no_shopper_is_told_what_it_cost_or_how_it_is_used(self, acme: Store) -> None:
        sku = await acme.sku(units=3, cost_minor=4321, usage_note="only after payment")
        await acme.sale(units=1, sku_id=sku)
        for path in ("", "/products"):
            told = await acme.client.get(f"/v1/storefront{path}", headers=acme.at)
            assert "4321" not in told.text
            assert "only after payment" not in told.text


class TestEditSkus:
    async def edit(self, store: Store, skus: list[str], **changes: Any) -> httpx.Response:
        return await store.client.post("/v1/skus/edits", json={"sku_ids": skus, **changes}, headers=store.merchant)

    async def test_all_of_a_list_or_none(self, acme: Store, globex: Store) -> None:
        skus = [await acme.sku() for _ in range(3)]
        category = (await acme.ask("POST", "/v1/categories", acme.merchant, {"name": "Games"}))["id"]
        done = await self.edit(acme, skus, price_minor=7, state="draft", category_id=category)
        assert (done.status_code, done.json()) == (200, {"skus": 3})
        for sku in skus:
            now = await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant)
            assert (now["price_minor"], now["state"]) == (7, "draft")
            assert (await acme.ask("GET", f"/v1/products/{now['product_id']}", acme.merchant))["category_id"] == category
        foreign = await globex.sku()
        refused = await self.edit(acme, [*skus, foreign], price_minor=8)
        assert (refused.status_code, refused.json()["missing"]) == (404, [foreign])
        assert {(await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["price_minor"] for sku in skus} == {7}

    async def test_too_many(self, acme: Store) -> None:
        assert (await self.edit(acme, [f"sku_{n:032x}" for n in range(1001)], price_minor=8)).status_code == 400


class TestUsageNote:
    async def test_comes_with_the_codes_and_not_before(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        world = await World.of(acme)
        await change(acme, world.ids["sku_id"], usage_note="Sign in <first>.")
        browser = Browser.of(process, acme.at, shopper=bearer(world.owner))
        path = f"/orders/{world.ids['order_id']}"
        assert "Sign in" not in (await client.get(path, headers=browser.headers)).text
        await delivered(world)
        codes = await acme.ask("GET", f"/v1/orders/{world.ids['order_id']}/codes", world.owner)
        assert {each["usage_note"] for each in codes["codes"]} == {"Sign in <first>."}
        assert "Sign in" not in (await client.get(path, headers=browser.headers)).text
        page = await client.post(f"{path}/codes", data=browser.fields, headers=browser.headers)
        assert page.text.count("Sign in &lt;first&gt;.") == 1
