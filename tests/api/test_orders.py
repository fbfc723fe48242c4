"""Orders: read, listed, cancelled, looked up; by the one whose they are."""

from uuid import uuid4

import httpx
import pytest

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

    @pytest.mark.parametrize("wrong", ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "color=red"])
    async def test_malformed(self, client: httpx.AsyncClient, acme: Store, wrong: str) -> None:
        assert (await client.get(f"/v1/orders?{wrong}", headers=acme.merchant)).status_code == 400


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


class TestLookUp:
    @pytest.fixture
    async def order(self, client: httpx.AsyncClient, acme: Store) -> str:
        body = {"sale_id": await acme.sale(), "quantity": 1, "contact": "Ann@Example.org", "lookup_password": "open sesame"}
        answer = await client.post("/v1/checkouts", json=body, headers=await acme.guest() | {"Idempotency-Key": uuid4().hex})
        return str(answer.json()["id"])

    async def test_with_the_password(self, client: httpx.AsyncClient, acme: Store, order: str) -> None:
        found = await client.post("/v1/order-lookups", json={"order_id": order, "lookup_password": "open sesame"}, headers=acme.at)
        assert found.status_code == 200
        token = {"Authorization": f"Bearer {found.json()['access_token']}", **acme.at}
        assert (await client.get(f"/v1/orders/{order}", headers=token)).status_code == 200

    @pytest.mark.parametrize("proof", [{"lookup_password": "wrong"}, {"contact": "ann@example.org"}])
    async def test_a_wrong_proof_answers_like_a_wrong_number(
        self, client: httpx.AsyncClient, acme: Store, order: str, proof: dict[str, str]
    ) -> None:
        """Where there is a password, the contact is no proof: it is easier to guess."""
        wrong = await client.post("/v1/order-lookups", json={"order_id": order} | proof, headers=acme.at)
        missing = await client.post("/v1/order-lookups", json={"order_id": "ord_" + "0" * 32} | proof, headers=acme.at)
        assert wrong.status_code == missing.status_code == 404
        assert wrong.json() == missing.json()

    async def test_at_another_store(self, client: httpx.AsyncClient, globex: Store, order: str) -> None:
        asked = {"order_id": order, "lookup_password": "open sesame"}
        assert (await client.post("/v1/order-lookups", json=asked, headers=globex.at)).status_code == 404

    async def test_a_contact_will_do_without_a_password(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"sale_id": await acme.sale(), "quantity": 1, "contact": "Ann@Example.org"}
        made = await client.post("/v1/checkouts", json=body, headers=await acme.guest() | {"Idempotency-Key": "k"})
        asked = {"order_id": made.json()["id"], "contact": " ann@example.ORG "}
        assert (await client.post("/v1/order-lookups", json=asked, headers=acme.at)).status_code == 200

    async def test_an_order_without_any_proof_is_never_found(self, client: httpx.AsyncClient, acme: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        asked = {"order_id": order, "contact": "x"}
        assert (await client.post("/v1/order-lookups", json=asked, headers=acme.at)).status_code == 404

    async def test_no_proof_at_all(self, client: httpx.AsyncClient, acme: Store, order: str) -> None:
        assert (await client.post("/v1/order-lookups", json={"order_id": order}, headers=acme.at)).status_code == 400
