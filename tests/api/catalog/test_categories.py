"""Categories: the tree, its bounds, and what is shown of it."""

from typing import Any

import httpx
import pytest

from tests.shop import Store


async def make(store: Store, name: str, parent: str | None = None, position: int = 0) -> str:
    body = {"name": name, "parent_id": parent, "position": position}
    return str((await store.ask("POST", "/v1/categories", store.merchant, body))["id"])


async def change(store: Store, category: str, tag: str = "*", **fields: Any) -> httpx.Response:
    return await store.client.patch(f"/v1/categories/{category}", json=fields, headers=store.merchant | {"If-Match": tag})


async def tree(store: Store, path: str = "/v1/categories", headers: dict[str, str] | None = None) -> list[tuple[str, int]]:
    found = await store.ask("GET", path, store.merchant if headers is None else headers)
    return [(each["name"], each["level"]) for each in found["categories"]]


class TestCreate:
    async def test_anonymous_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.post("/v1/categories", json={"name": "x"})).status_code == 401
        response = await client.post("/v1/categories", json={"name": "x"}, headers=await acme.key_with("catalog:read"))
        assert (response.status_code, response.json()["code"]) == (403, "missing_permission")

    async def test_four_levels_and_no_more(self, client: httpx.AsyncClient, acme: Store) -> None:
        at = None
        for level in range(1, 5):
            at = await make(acme, f"level {level}", at)
        refused = await client.post("/v1/categories", json={"name": "x", "parent_id": at}, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (422, "too_deep")
        assert await tree(acme) == [(f"level {level}", level) for level in range(1, 5)]

    async def test_another_tenants_parent_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        response = await client.post("/v1/categories", json={"name": "x", "parent_id": await make(acme, "a")}, headers=globex.merchant)
        assert response.status_code == 404


class TestChange:
    async def test_siblings_stand_in_their_order(self, acme: Store) -> None:
        first, second = await make(acme, "a", position=1), await make(acme, "b", position=2)
        assert await tree(acme) == [("a", 1), ("b", 1)]
        assert (await change(acme, second, position=0)).json()["position"] == 0
        assert await tree(acme) == [("b", 1), ("a", 1)]
        assert (await change(acme, first, '"00000000000"', position=0)).status_code in (400, 412)

    async def test_what_stands_below_comes_along(self, acme: Store) -> None:
        top, other = await make(acme, "top"), await make(acme, "other")
        middle = await make(acme, "middle", top)
        await make(acme, "leaf", middle)
        await change(acme, middle, parent_id=other, name="moved")
        assert sorted(await tree(acme)) == [("leaf", 3), ("moved", 2), ("other", 1), ("top", 1)]
        await change(acme, middle, parent_id=None)
        assert sorted(await tree(acme)) == [("leaf", 2), ("moved", 1), ("other", 1), ("top", 1)]

    async def test_never_below_itself_nor_too_deep(self, acme: Store) -> None:
        chain = [await make(acme, "1")]
        for level in "234":
            chain.append(await make(acme, level, chain[-1]))
        round_ = await change(acme, chain[0], parent_id=chain[2])
        assert (round_.status_code, round_.json()["code"]) == (422, "below_itself")
        deep = await change(acme, chain[1], parent_id=await make(acme, "x", await make(acme, "y")))
        assert (deep.status_code, deep.json()["code"]) == (422, "too_deep")

    async def test_by_who_has_read_the_newest(self, client: httpx.AsyncClient, acme: Store) -> None:
        category = await make(acme, "a")
        tag = (await client.get(f"/v1/categories/{category}", headers=acme.merchant)).headers["etag"]
        assert (await change(acme, category, tag, name="b")).status_code == 200
        assert (await change(acme, category, tag, name="c")).status_code == 412


class TestRemove:
    async def test_only_when_nothing_is_in_it(self, client: httpx.AsyncClient, acme: Store) -> None:
        top = await make(acme, "top")
        below = await make(acme, "below", top)
        product = await acme.ask("POST", "/v1/products", acme.merchant, {"name": "x", "category_id": below})
        for category in (top, below):
            refused = await client.delete(f"/v1/categories/{category}", headers=acme.merchant)
            assert (refused.status_code, refused.json()["code"]) == (409, "category_in_use")
        headers = acme.merchant | {"If-Match": "*"}
        assert (await client.patch(f"/v1/products/{product['id']}", json={"category_id": None}, headers=headers)).status_code == 200
        for category in (below, top):
            assert (await client.delete(f"/v1/categories/{category}", headers=acme.merchant)).status_code == 204
        assert await tree(acme) == []


class TestShown:
    async def test_in_the_visitors_language(self, acme: Store) -> None:
        category = await make(acme, "游戏")
        await acme.ask("PUT", f"/v1/translations/{category}/en", acme.merchant, {"name": "Games"})
        assert await tree(acme, "/v1/storefront/categories?locale=en", acme.at) == [("Games", 1)]
        assert await tree(acme, "/v1/storefront/categories", acme.at) == [("游戏", 1)]


class TestProductsOfCategory:
    @pytest.fixture
    async def shelf(self, acme: Store) -> dict[str, str]:
        """Ids by name: a category in another, and a product in each and in none, all on sale."""
        ids = {"games": await make(acme, "Games")}
        ids["steam"] = await make(acme, "Steam", ids["games"])
        for name, category in (("switch", ids["games"]), ("wallet", ids["steam"]), ("music", None)):
            made = await acme.ask("POST", "/v1/products", acme.merchant, {"name": f"{name} 充值", "category_id": category})
            ids[name] = made["id"]
            await acme.sale(units=1, sku_id=await acme.sku(1, product_id=made["id"]))
        return ids

    async def test_those_in_it_and_below_it(self, acme: Store, shelf: dict[str, str]) -> None:
        for query, found in (
            ("", ["music", "wallet", "switch"]), (f"category_id={shelf['games']}", ["wallet", "switch"]),
            (f"category_id={shelf['steam']}", ["wallet"]), ("q=充值", ["music", "wallet", "switch"]), ("q=wall", ["wallet"]),
            (f"category_id={shelf['steam']}&q=music", []), ("q=nothing", []),
        ):  # fmt: skip
            shown = await acme.ask("GET", f"/v1/storefront/products?{query}", acme.at)
            assert [each["id"] for each in shown["products"]] == [shelf[name] for name in found], query
            if query:
                staffs = await acme.ask("GET", f"/v1/products?{query}", acme.merchant)
                assert [each["id"] for each in staffs["products"]] == [shelf[name] for name in found], query

    async def test_page_by_page_with_their_offers(self, acme: Store, shelf: dict[str, str]) -> None:
        first = await acme.ask("GET", "/v1/storefront/products?limit=2", acme.at)
        rest = await acme.ask("GET", f"/v1/storefront/products?limit=2&cursor={first['next_cursor']}", acme.at)
        found = first["products"] + rest["products"]
        assert [each["id"] for each in found] == [shelf[name] for name in ("music", "wallet", "switch")]
        assert [(len(each["offers"]), each["offers"][0]["stock"]) for each in found] == [(1, 1)] * 3
        one = await acme.ask("GET", f"/v1/storefront/products/{shelf['wallet']}", acme.at)
        assert one == found[1]

    async def test_what_is_not_on_sale_or_not_in_the_channel_is_not_shown(self, acme: Store, shelf: dict[str, str]) -> None:
        await acme.product("充值, of nothing")
        await acme.ask("PUT", f"/v1/products/{shelf['music']}/channels", acme.merchant, {"channels": ["web"]})
        shown = await acme.ask("GET", "/v1/storefront/products?q=充值", acme.at)
        assert [each["id"] for each in shown["products"]] == [shelf["wallet"], shelf["switch"]]

    async def test_another_stores_category_is_not_found(self, client: httpx.AsyncClient, globex: Store, shelf: dict[str, str]) -> None:
        response = await client.get(f"/v1/storefront/products?category_id={shelf['games']}", headers=globex.at)
        assert response.status_code == 404
