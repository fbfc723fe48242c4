"""Products and SKUs."""

import httpx
import pytest

from tests.shop import Store


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

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=101", "limit=1.0", "limit=+1", "limit=", "limit=1&limit=1", "limit=%201", "offset=1"]
    )
    async def test_bad_parameters(self, client: httpx.AsyncClient, acme: Store, query: str) -> None:
        assert (await client.get(f"/v1/products?{query}", headers=acme.merchant)).status_code == 400


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


class TestGetSku:
    async def test_counts_stock_by_state(self, acme: Store) -> None:
        sku = await acme.sku(units=5)
        sale = await acme.sale(units=3, sku_id=sku)
        await acme.order(await acme.guest(), sale, quantity=2)
        stock = (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]
        assert stock == {"available": 3, "held": 2, "sold": 0, "void": 0, "quarantined": 0, "unallotted": 2, "loading": 0}
