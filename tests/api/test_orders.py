"""Orders: read, listed, cancelled, looked up; by the one whose they are."""

from uuid import uuid4

import httpx
import pytest

from tenants.orders import index
from tests.shop import Store


class TestRead:
    async def test_without_a_token(self, client: httpx.AsyncClient, acme: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        assert (await client.get(f"/v1/orders/{order}", headers=acme.at)).status_code == 401

    async def test_a_foreign_order_answers_like_a_missing_one(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        missing = await client.get("/v1/orders/ord_" + "0" * 32, headers=await acme.guest())
        for who in (await acme.guest(), await globex.guest(), globex.merchant):
            answer = await client.get(f"/v1/orders/{order}", headers=who)
            assert answer.status_code == 404
            assert answer.json()["detail"] == missing.json()["detail"]

    async def test_its_shopper_and_its_merchant_see_it(self, client: httpx.AsyncClient, acme: Store) -> None:
        who = await acme.guest()
        order = await acme.order(who, await acme.sale(), 2)
        for reader in (who, acme.merchant):
            seen = (await client.get(f"/v1/orders/{order}", headers=reader)).json()
            assert (seen["id"], seen["state"], seen["amount_minor"]) == (order, "awaiting", 19_800)
            assert [(line["quantity"], line["unit_price_minor"]) for line in seen["lines"]] == [(2, 9900)]


class TestList:
    async def test_a_shopper_may_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get("/v1/orders", headers=await acme.guest())).status_code == 401

    async def test_only_the_stores_own_newest_first_page_by_page(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sale = await acme.sale(9)
        made = [await acme.order(await acme.guest(), sale) for _ in range(5)]
        await globex.order(await globex.guest(), await globex.sale())
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await client.get("/v1/orders", params={"limit": 2} | cursor, headers=acme.merchant)).json()
            seen += [order["id"] for order in page["items"]]
            if not page["next_cursor"]:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == made[::-1]

    async def test_by_state(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, who = await acme.sale(9), await acme.guest()
        first, _ = await acme.order(who, sale), await acme.order(who, sale)
        await acme.ask("POST", f"/v1/orders/{first}/cancel", who)
        page = (await client.get("/v1/orders?state=cancelled", headers=acme.merchant)).json()
        assert [order["id"] for order in page["items"]] == [first]

    async def test_by_sale_channel_and_time(self, client: httpx.AsyncClient, acme: Store) -> None:
        one, other = await acme.sale(9), await acme.sale(9)
        first, second, third = [await acme.order(await acme.guest(), sale) for sale in (one, other, one)]
        at = (await acme.ask("GET", f"/v1/orders/{second}", acme.merchant))["created_at"]
        for asked, found in (
            ({"sale_id": one}, [third, first]),
            ({"sale_id": one, "state": "awaiting", "channel": "api"}, [third, first]),
            ({"channel": "web"}, []),
            ({"since": at}, [third, second]),
            ({"until": at}, [first]),
            ({"sale_id": other, "since": at, "limit": 1}, [second]),
        ):
            page = await client.get("/v1/orders", params=asked, headers=acme.merchant)
            assert [order["id"] for order in page.json()["items"]] == found, asked

    async def test_by_words(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        """Before and after it is indexed; never another store's."""
        sale = await acme.sale(9, name="春节特惠 Launch")
        body = {"sale_id": sale, "quantity": 1, "contact": "Ann.Lee84@Example.org"}
        order = str((await acme.ask("POST", "/v1/checkouts", await acme.guest() | {"Idempotency-Key": uuid4().hex}, body))["id"])
        await globex.order(await globex.guest(), await globex.sale(9, name="春节特惠 Launch"))
        for _ in range(2):
            for words in (order, order[4:12], "lee84", "ANN example", "特惠", "launch", "steam"):
                page = await client.get("/v1/orders", params={"q": words}, headers=acme.merchant)
                assert [each["id"] for each in page.json()["items"]] == [order], words
            for words in ("lee85", "ord_00000000", "特价"):
                assert (await client.get("/v1/orders", params={"q": words}, headers=acme.merchant)).json()["items"] == []
            await index.work(acme.process.app_pool, acme.tenant_id)

    @pytest.mark.parametrize(
        "wrong",
        [
            "limit=0", "limit=101", "limit=x", "cursor=nonsense", "color=red", "q=", f"q={'x' * 101}", "q=%00", "since=yesterday",
            "until=2030-01-01T00:00:00", "since=1",
        ],
    )  # fmt: skip
    async def test_malformed(self, client: httpx.AsyncClient, acme: Store, wrong: str) -> None:
        assert (await client.get(f"/v1/orders?{wrong}", headers=acme.merchant)).status_code == 400

    async def test_words_and_a_shopper_at_once(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await client.get(f"/v1/orders?q=ann&shopper_id=shp_{'0' * 32}", headers=acme.merchant)
        assert (response.status_code, response.json()["code"]) == (422, "words_of_a_shopper")


class TestMine:
    async def test_without_a_token(self, client: httpx.AsyncClient, acme: Store) -> None:
        for headers in (acme.at, acme.merchant | acme.at):
            assert (await client.get("/v1/my-orders", headers=headers)).status_code == 401

    async def test_his_own_newest_first_page_by_page(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, who = await acme.sale(9), await acme.guest()
        made = [await acme.order(who, sale) for _ in range(3)]
        await acme.order(await acme.guest(), sale)
        first = (await client.get("/v1/my-orders?limit=2", headers=who)).json()
        rest = (await client.get(f"/v1/my-orders?limit=2&cursor={first['next_cursor']}", headers=who)).json()
        assert [order["id"] for order in first["items"] + rest["items"]] == made[::-1]
        assert rest["next_cursor"] is None
        await acme.ask("POST", f"/v1/orders/{made[1]}/cancel", who)
        gone = (await client.get("/v1/my-orders?state=cancelled", headers=who)).json()["items"]
        assert [(order["id"], order["state"]) for order in gone] == [(made[1], "cancelled")]


class TestCancel:
    async def test_a_foreign_order(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        for who in (await acme.guest(), await globex.guest(), globex.merchant):
            assert (await client.post(f"/v1/orders/{order}/cancel", headers=who)).status_code == 404

    async def test_its_units_are_for_sale_again(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, who = await acme.sale(1, limit_per_shopper=1), await acme.guest()
        order = await acme.order(who, sale)
        answer = await client.post(f"/v1/orders/{order}/cancel", headers=who)
        assert (answer.status_code, answer.json()) == (200, {"state": "cancelled"})
        assert await acme.order(who, sale) != order

    async def test_twice_is_once(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, who = await acme.sale(2), await acme.guest()
        order = await acme.order(who, sale)
        for _ in range(2):
            assert (await client.post(f"/v1/orders/{order}/cancel", headers=who)).json() == {"state": "cancelled"}
        assert (await acme.ask("GET", f"/v1/sales/{sale}", acme.merchant))["committed"] == 0
