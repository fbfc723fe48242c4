"""A store that its merchant has closed for a while: it sells nothing, says until when, and serves those who hold an order as ever."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import httpx

from tests.api.later import WITHIN_S, later
from tests.api.test_storefront import buy, fields
from tests.shop import Store

__all__ = ["later"]
CLOSED = {(503, "store_closed")}


async def shut(store: Store, later: SimpleNamespace, **fields: Any) -> None:
    """Close it, or whatever `fields` says, and let two seconds pass."""
    await store.ask("PATCH", "/v1/store", store.merchant | {"If-Match": "*"}, {"closed": True} | fields)
    later.ahead_s += WITHIN_S


async def ways(client: httpx.AsyncClient, store: Store, shopper: dict[str, str], sale: str) -> list[httpx.Response]:
    """The answers of all ways to what is on sale."""
    key = {"Idempotency-Key": "k"}
    line = {"lines": [{"sku_id": f"sku_{'0' * 32}", "quantity": 1}]}
    return [
        await client.get("/v1/storefront", headers=store.at),
        await client.get(f"/v1/storefront/sales/{sale}", headers=store.at),
        await client.post("/v1/shopper-tokens", json={}, headers=store.at),
        await client.post("/v1/checkouts", json={"sale_id": sale, "quantity": 1}, headers=shopper | key),
        await client.post("/v1/orders", json=line, headers=shopper | key),
        await client.put("/v1/cart", json=line, headers=shopper),
    ]


def said(answers: list[httpx.Response]) -> set[tuple[int, str]]:
    return {(each.status_code, str(each.json().get("code", ""))) for each in answers}


class TestClosed:
    async def test_sells_nothing_and_its_neighbour_goes_on(
        self, client: httpx.AsyncClient, acme: Store, globex: Store, later: SimpleNamespace
    ) -> None:
        shopper, sale, theirs = await acme.guest(), await acme.sale(2), await globex.sale(1)
        assert not said(await ways(client, acme, shopper, sale)) & CLOSED
        await shut(acme, later)
        answers = await ways(client, acme, shopper, sale)
        assert said(answers) == CLOSED
        assert {each.headers["retry-after"] for each in answers} == {"600"}
        assert (await client.get(f"/v1/storefront/sales/{theirs}", headers=globex.at)).status_code == 200
        await shut(acme, later, closed=False)
        assert not said(await ways(client, acme, shopper, sale)) & CLOSED

    async def test_who_may_not_write_settings_closes_nothing(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        headers = {"If-Match": "*"}
        assert (await client.patch("/v1/store", json={"closed": True}, headers=headers)).status_code == 401
        reader = await acme.key_with("store:read")
        assert (await client.patch("/v1/store", json={"closed": True}, headers=reader | headers)).status_code == 403
        await client.patch("/v1/store", json={"closed": True}, headers=globex.merchant | headers)
        assert (await client.get("/v1/store", headers=acme.merchant)).json()["closed"] is False

    async def test_its_people_go_on(self, client: httpx.AsyncClient, acme: Store, later: SimpleNamespace) -> None:
        await shut(acme, later)
        assert (await client.post("/v1/products", json={"name": "x"}, headers=acme.merchant)).status_code == 201

    async def test_an_impossible_moment_is_refused(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await client.patch("/v1/store", json={"opens_at": "0001-01-01T00:00:00Z"}, headers=acme.merchant | {"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_time")


class TestPages:
    async def test_say_why_and_until_when(self, client: httpx.AsyncClient, acme: Store, later: SimpleNamespace) -> None:
        sale = await acme.sale(1)
        opens_at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30)
        await shut(acme, later, closed_notice="Taking <stock>.\nBack at noon.", opens_at=opens_at.isoformat())
        for path in ("/", f"/sales/{sale}", "/cart", "/checkout", "/search?q=x"):
            page = await client.get(path, headers=acme.at | {"Accept-Language": "en"})
            assert page.status_code == 503, path
            assert "Taking &lt;stock&gt;." in page.text
            assert f'datetime="{opens_at:%Y-%m-%d}' in page.text
            assert 1700 <= int(page.headers["retry-after"]) <= 1800
            assert page.headers["cache-control"] == "no-store"

    async def test_a_moment_that_is_over_is_not_told(self, client: httpx.AsyncClient, acme: Store, later: SimpleNamespace) -> None:
        await shut(acme, later, opens_at="2026-01-01T00:00:00Z")
        page = await client.get("/", headers=acme.at | {"Accept-Language": "en"})
        assert (page.status_code, "Expected back" in page.text) == (503, False)
        assert page.headers["retry-after"] == "60"

    async def test_who_has_bought_finds_pays_and_sees(self, client: httpx.AsyncClient, acme: Store, later: SimpleNamespace) -> None:
        order = (await buy(client, acme, await acme.sale(1))).headers["location"]
        await shut(acme, later)
        for path in (order, "/orders", "/me", "/policies/refund"):
            assert (await client.get(path, headers=acme.at)).status_code in (200, 404), path
        assert (await client.get(order, headers=acme.at)).status_code == 200
        assert 'href="/cart"' not in (await client.get("/orders", headers=acme.at)).text

    async def test_a_press_under_way_is_told_so_and_not_sent_again(
        self, client: httpx.AsyncClient, acme: Store, later: SimpleNamespace
    ) -> None:
        """It is no 503 that stands for "busy": the page would press again by itself."""
        sale = await acme.sale(1)
        page = await client.get(f"/sales/{sale}", headers=acme.at)
        await shut(acme, later)
        answer = await client.post(f"/sales/{sale}/buy", data=fields(page) | {"quantity": "1"}, headers=acme.at)
        assert (answer.status_code, "data-by-itself" in answer.text) == (503, False)


class TestOrders:
    async def test_an_order_is_cancelled_while_its_store_is_closed(
        self, client: httpx.AsyncClient, acme: Store, later: SimpleNamespace
    ) -> None:
        shopper, sale = await acme.guest(), await acme.sale(1)
        order = await acme.order(shopper, sale)
        await shut(acme, later)
        answer = await client.post(f"/v1/orders/{order}/cancel", json={}, headers=shopper)
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")

    async def test_an_order_is_paid_while_its_store_is_closed(self, client: httpx.AsyncClient, acme: Store, later: SimpleNamespace) -> None:
        """Not refused for that: this store has no account, which is said instead."""
        shopper, sale = await acme.guest(), await acme.sale(1)
        order = await acme.order(shopper, sale)
        await shut(acme, later)
        answer = await client.post(f"/v1/orders/{order}/payments", json={}, headers=shopper)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_payment_account")
