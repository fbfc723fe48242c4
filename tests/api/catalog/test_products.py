"""Products: made, found, changed, and on the shelf by hand or by a clock."""

import asyncio
import datetime as dt
from typing import Any

import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants import duties
from tenants.catalog import schedule
from tenants.db import create_pool, dsn_for, tenant_tx
from tests.shop import Store


def in_seconds(seconds: float) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).isoformat()


async def change(store: Store, product: str, tag: str = "*", **fields: Any) -> httpx.Response:
    return await store.client.patch(f"/v1/products/{product}", json=fields, headers=store.merchant | {"If-Match": tag})


async def changed(store: Store, product: str, **fields: Any) -> dict[str, Any]:
    response = await change(store, product, **fields)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


class TestCreateProduct:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/products", json={"name": "x"})).status_code == 401

    async def test_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await client.post("/v1/products", json={"name": "x"}, headers=await acme.key_with("catalog:read"))
        assert (response.status_code, response.json()["code"]) == (403, "missing_permission")

    async def test_created(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await client.post("/v1/products", json={"name": "蒸汽 100", "description": "A code."}, headers=acme.merchant)
        assert response.status_code == 201
        assert response.json()["description"] == "A code."
        assert await acme.ask("GET", f"/v1/products/{response.json()['id']}", acme.merchant) == response.json()


class TestGetProduct:
    async def test_another_tenants_is_not_found_like_a_missing_one(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        foreign = await client.get(f"/v1/products/{await acme.product()}", headers=globex.merchant)
        missing = await client.get(f"/v1/products/prd_{'0' * 32}", headers=globex.merchant)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content

    @pytest.mark.parametrize("odd", ["x", "prd_", "prd_zz", f"sku_{'0' * 32}", f"prd_{'0' * 31}", "prd_" + "A" * 32, "%00"])
    async def test_an_odd_id_is_not_found(self, client: httpx.AsyncClient, acme: Store, odd: str) -> None:
        assert (await client.get(f"/v1/products/{odd}", headers=acme.merchant)).status_code == 404


class TestListProducts:
    async def test_page_by_page_newest_first(self, acme: Store, globex: Store) -> None:
        await globex.product("foreign")
        for n in range(5):
            await acme.product(str(n))
        names, cursor = [], ""
        while True:
            page = await acme.ask("GET", f"/v1/products?limit=2{cursor}", acme.merchant)
            names.append([product["name"] for product in page["products"]])
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert names == [["4", "3"], ["2", "1"], ["0"]]

    async def test_by_words_of_their_names_and_their_skus(self, acme: Store, globex: Store) -> None:
        """Any part of a name, in any script, without regard to case or width; all words, in any order."""
        steam, spring = await acme.product("Steam 充值卡"), await acme.product("ＳＰＲＩＮＧ gift")
        new = {"product_id": steam, "name": "100 元", "price_minor": 1, "currency": "CNY"}
        await acme.ask("POST", "/v1/skus", acme.merchant, new)
        await globex.product("Steam 充值卡")
        for words, found in (
            ("steam", [steam]), ("EAM", [steam]), ("充值", [steam]), ("卡", [steam]), ("100 充值", [steam]), ("元", [steam]),
            ("spring", [spring]), ("g", [spring]), ("gift steam", []), ("充卡", []), ("s", [spring, steam]),
        ):  # fmt: skip
            answer = await acme.client.get("/v1/products", params={"q": words}, headers=acme.merchant)
            assert [product["id"] for product in answer.json()["products"]] == found, words

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=101", "limit=1.0", "limit=+1", "limit=", "limit=1&limit=1", "limit=%201", "offset=1"]
    )
    async def test_bad_parameters(self, client: httpx.AsyncClient, acme: Store, query: str) -> None:
        assert (await client.get(f"/v1/products?{query}", headers=acme.merchant)).status_code == 400


class TestChangeProduct:
    async def test_anonymous(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.patch(f"/v1/products/{await acme.product()}", json={"name": "x"})).status_code == 401

    async def test_another_tenants_is_not_found(self, acme: Store, globex: Store) -> None:
        assert (await change(globex, await acme.product(), name="x")).status_code == 404

    async def test_who_read_it_changes_it_and_nobody_elses_change_is_lost(self, client: httpx.AsyncClient, acme: Store) -> None:
        product = await acme.product()
        tag = (await client.get(f"/v1/products/{product}", headers=acme.merchant)).headers["etag"]
        done = await change(acme, product, tag, name="Steam 200", description="New.")
        assert (done.status_code, done.json()["name"], done.json()["description"]) == (200, "Steam 200", "New.")
        assert (await change(acme, product, tag, name="lost")).status_code == 412
        assert (await change(acme, product, done.headers["etag"], name="Steam 300")).json()["name"] == "Steam 300"
        without = await client.patch(f"/v1/products/{product}", json={"name": "x"}, headers=acme.merchant)
        assert without.status_code == 428

    async def test_is_found_by_its_new_name_and_so_are_its_skus(self, acme: Store) -> None:
        product = await acme.product("Oldword")
        sku = await acme.sku(product_id=product, name="100")
        await changed(acme, product, name="Newword 充值")
        for q, count in (("oldword", 0), ("newword", 1), ("充值", 1)):
            found = await acme.client.get("/v1/products", params={"q": q}, headers=acme.merchant)
            assert len(found.json()["products"]) == count, q
            skus = await acme.client.get("/v1/skus", params={"q": f"{q} 100"}, headers=acme.merchant)
            assert [each["id"] for each in skus.json()["skus"]] == [sku] * count, q

    async def test_the_same_again_changes_nothing(self, acme: Store) -> None:
        product = await acme.product("x")
        before = len(await acme.audited())
        await changed(acme, product, name="x")
        assert len(await acme.audited()) == before

    async def test_a_reference_is_one_products(self, acme: Store, globex: Store) -> None:
        first, second = await acme.product(), await acme.product()
        await changed(acme, first, reference="STEAM")
        refused = await change(acme, second, reference="STEAM")
        assert (refused.status_code, refused.json()["code"]) == (409, "reference_taken")
        assert (await changed(globex, await globex.product(), reference="STEAM"))["reference"] == "STEAM"

    async def test_what_is_on_sale_stays_the_goods_it_is(self, acme: Store) -> None:
        product = await acme.product()
        await acme.sale(sku_id=await acme.sku(3, product_id=product))
        refused = await change(acme, product, category="gift_cards")
        assert (refused.status_code, refused.json()["code"]) == (409, "product_on_sale")
        assert (await changed(acme, await acme.product(), category="gift_cards"))["category"] == "gift_cards"

    @pytest.mark.parametrize(
        "wrong", [{"name": ""}, {"state": "gone"}, {"publish_at": "tomorrow"}, {"options": [{"name": "x", "values": []}]}, {"version": 1}]
    )
    async def test_bad_input(self, acme: Store, wrong: dict[str, Any]) -> None:
        assert (await change(acme, await acme.product(), **wrong)).status_code == 400


class TestOptions:
    async def test_options_that_cannot_be(self, acme: Store) -> None:
        product = await acme.product()
        for options in ([{"name": "a", "values": ["1", "1"]}], [{"name": "a", "values": ["1"]}] * 2):
            refused = await change(acme, product, options=options)
            assert (refused.status_code, refused.json()["code"]) == (422, "bad_options")

    async def test_a_value_that_a_sku_has_stays(self, acme: Store) -> None:
        product = await acme.product()
        await changed(acme, product, options=[{"name": "面值", "values": ["50", "100"]}])
        await acme.sku(product_id=product, choices={"面值": "100"})
        refused = await change(acme, product, options=[{"name": "面值", "values": ["50"]}])
        assert (refused.status_code, refused.json()["code"]) == (409, "option_in_use")
        both = [{"name": "面值", "values": ["100"]}, {"name": "时长", "values": ["月"]}]
        assert (await change(acme, product, options=both)).json()["code"] == "option_in_use"
        assert await changed(acme, product, options=[{"name": "Face value", "values": ["100", "200"]}])


class TestShelf:
    async def test_only_what_is_published_is_shown(self, client: httpx.AsyncClient, acme: Store) -> None:
        product = await acme.product()
        sale = await acme.sale(sku_id=await acme.sku(3, product_id=product))

        async def shown() -> tuple[int, int, int]:
            listed = (await acme.ask("GET", "/v1/storefront", acme.at))["sales"]
            products = (await acme.ask("GET", "/v1/storefront/products", acme.at))["products"]
            return len(listed), len(products), (await client.get(f"/v1/storefront/sales/{sale}", headers=acme.at)).status_code

        assert await shown() == (1, 1, 200)
        for state in ("draft", "archived"):
            await changed(acme, product, state=state)
            assert await shown() == (0, 0, 404)
            assert (await client.get(f"/v1/storefront/products/{product}", headers=acme.at)).status_code == 404
        await changed(acme, product, state="published")
        assert await shown() == (1, 1, 200)

    async def test_the_list_by_state(self, acme: Store) -> None:
        draft = await acme.ask("POST", "/v1/products", acme.merchant, {"name": "d", "state": "draft"})
        await acme.product()
        listed = await acme.ask("GET", "/v1/products?state=draft", acme.merchant)
        assert [each["id"] for each in listed["products"]] == [draft["id"]]


class TestSchedule:
    async def test_is_carried_out_by_the_duty_and_on_record_once(self, process: Process, acme: Store) -> None:
        at = {"publish_at": in_seconds(0.3), "unpublish_at": in_seconds(0.9)}
        made = await acme.ask("POST", "/v1/products", acme.merchant, {"name": "x", "state": "draft", **at})
        product = decode("prd", made["id"])
        seen = []
        async with await create_pool(dsn_for(process.settings, "tessera_sweeper"), size=1) as sweeper:
            for _ in range(60):
                if any(due.id == product for due in await duties.due(sweeper, "product", 200)):
                    await schedule.keep(process.app_pool, acme.tenant_id, product)
                    await schedule.keep(process.app_pool, acme.tenant_id, product)
                now = await acme.ask("GET", f"/v1/products/{made['id']}", acme.merchant)
                if seen[-1:] != [now["state"]]:
                    seen.append(now["state"])
                if len(seen) == 3:
                    break
                await asyncio.sleep(0.05)
        assert seen == ["draft", "published", "draft"]
        assert (now["publish_at"], now["unpublish_at"]) == (None, None)
        assert [each for each in await acme.audited() if each in ("product.published", "product.taken_down")] == [
            "product.published", "product.taken_down",
        ]  # fmt: skip
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT next_try_at FROM product WHERE tenant_id = $1 AND id = $2", tx.tenant_id, product) is None

    async def test_of_both_moments_passed_the_later_one_stays(self, process: Process, acme: Store) -> None:
        at = {"publish_at": in_seconds(-60), "unpublish_at": in_seconds(-30)}
        made = await acme.ask("POST", "/v1/products", acme.merchant, {"name": "x", "state": "draft", **at})
        await schedule.keep(process.app_pool, acme.tenant_id, decode("prd", made["id"]))
        assert (await acme.ask("GET", f"/v1/products/{made['id']}", acme.merchant))["state"] == "draft"

    async def test_a_state_set_by_hand_ends_it(self, acme: Store) -> None:
        made = await acme.ask("POST", "/v1/products", acme.merchant, {"name": "x", "state": "draft", "publish_at": in_seconds(60)})
        assert (await changed(acme, made["id"], state="published"))["publish_at"] is None
        assert (await changed(acme, made["id"], unpublish_at=in_seconds(60)))["unpublish_at"] is not None
        assert (await changed(acme, made["id"], state="draft"))["unpublish_at"] is None

    @pytest.mark.parametrize(
        "wrong",
        [
            {"state": "published", "publish_at": in_seconds(60)},
            {"state": "archived", "unpublish_at": in_seconds(60)},
            {"state": "draft", "publish_at": in_seconds(60), "unpublish_at": in_seconds(30)},
        ],
    )
    async def test_what_cannot_be(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, str]) -> None:
        refused = await client.post("/v1/products", json={"name": "x"} | wrong, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_schedule")
