"""The shelf and carts over HTTP: who may, what is answered, and what the store's page makes of it without a script."""

import asyncio
from typing import Any

import httpx
import pytest

from api.limits import POLICIES
from tenants import prices
from tenants.db import TenantTx, create_pool, dsn_for
from tenants.prices import Price
from tenants.privacy import retention
from tests.api.test_checkouts import press
from tests.api.test_storefront import buy, fields
from tests.paying import fulfil, pay
from tests.shop import Store
from tests.tenants.orders.carts import key, shelve, sql
from tests.tenants.types import picked
from tests.tenants.units.stock import figures

SKU = "sku_" + "0" * 32


def line(sku: str, quantity: int = 1, *picks: str) -> dict[str, Any]:
    return {"sku_id": sku, "quantity": quantity} | ({"picks": list(picks)} if picks else {})


async def order(store: Store, who: dict[str, str], *lines: dict[str, Any], **more: Any) -> httpx.Response:
    headers = more.pop("headers", key())
    return await store.client.post("/v1/orders", json={"lines": lines, **more}, headers=who | headers)


async def shelved(store: Store, units: int = 3, **changes: Any) -> tuple[str, str]:
    """A SKU on the shelf, and its sale."""
    sku = await store.sku(units, **changes)
    return sku, await shelve(store, sku)


class TestPut:
    async def test_without_permission(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sku, reader = await acme.sku(1), await acme.key_with("sales:read")
        for headers, status in (({}, 401), (reader, 403), (globex.merchant, 404)):
            answer = await client.put(f"/v1/skus/{sku}/shelf", json={"units": 1}, headers=headers)
            assert answer.status_code == status, answer.text

    async def test_is_a_sale_behind_a_door_of_its_own(self, acme: Store) -> None:
        sku = await acme.sku(5)
        sale = await acme.ask("PUT", f"/v1/skus/{sku}/shelf", acme.merchant, {"units": 3, "limit_per_shopper": 2, "hold_s": 60})
        told = {name: sale[name] for name in ("door", "state", "sku_id", "allotted", "limit_per_shopper", "hold_s", "ends_at")}
        assert told == {
            "door": "shelf", "state": "open", "sku_id": sku, "allotted": 3, "limit_per_shopper": 2, "hold_s": 60, "ends_at": None,
        }  # fmt: skip
        assert (await acme.ask("GET", f"/v1/sales/{sale['id']}", acme.merchant))["id"] == sale["id"]

    async def test_again_is_the_same_sale_with_what_was_missing(self, acme: Store) -> None:
        sku, sale = await shelved(acme, 3)
        await acme.load(sku, 4)
        said = {"units": 5, "limit_per_shopper": 1, "takes_new_stock": True}
        again = [await acme.ask("PUT", f"/v1/skus/{sku}/shelf", acme.merchant, said) for _ in range(2)]
        assert again[0] == again[1]
        assert (again[0]["id"], again[0]["allotted"], again[0]["limit_per_shopper"]) == (sale, 5, 1)
        assert (await acme.ask("PUT", f"/v1/skus/{sku}/shelf", acme.merchant, {"units": "all"}))["allotted"] == 7
        assert (await acme.ask("PUT", f"/v1/skus/{sku}/shelf", acme.merchant, {"units": "all"}))["allotted"] == 7
        assert {"sale.limit_changed", "sale.shelf_changed", "sale.stock_added"} <= set(await acme.audited())

    async def test_more_than_there_is(self, client: httpx.AsyncClient, acme: Store) -> None:
        for sku, units in ((await acme.sku(1), 2), (await acme.sku(), "all")):
            answer = await client.put(f"/v1/skus/{sku}/shelf", json={"units": units}, headers=acme.merchant)
            assert (answer.status_code, answer.json()["code"]) == (409, "not_enough_stock")

    async def test_off_and_on_again(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku, sale = await shelved(acme, 2)
        await acme.ask("DELETE", f"/v1/skus/{sku}/shelf", acme.merchant)
        assert (await client.delete(f"/v1/skus/{sku}/shelf", headers=acme.merchant)).status_code == 404
        assert await figures(acme, sale) == (0, 0)
        assert await shelve(acme, sku) != sale

    async def test_two_at_once_are_one(self, acme: Store) -> None:
        sku = await acme.sku(3)
        assert len({*await asyncio.gather(*(shelve(acme, sku, 1) for _ in range(4)))}) == 1


class TestNewStock:
    async def test_goes_there_by_itself(self, acme: Store) -> None:
        """Made, loaded, or back from a refund; and stays loose where nobody said so."""
        for takes in (True, False):
            sku = await picked.ticket(acme, refund_until_h=0)
            await picked.make(acme, sku, 1, picks=[picked.session(begins=30, ends=31)])
            sale = await shelve(acme, sku, takes_new_stock=takes)
            await picked.make(acme, sku, 2, picks=[picked.session(begins=30, ends=31)])
            assert await figures(acme, sale) == (3 if takes else 1, 0)
            who = await acme.guest()
            bought = (await order(acme, who, line(sku, 1, "gala.stalls"))).json()["id"]
            assert await pay(acme, bought) == "applied"
            await fulfil(acme, bought)
            await acme.ask("POST", f"/v1/orders/{bought}/refund", acme.merchant)
            assert await figures(acme, sale) == (3 if takes else 0, 0)

    async def test_loaded_from_a_file(self, acme: Store) -> None:
        sku = await acme.sku()
        sale = await shelve(acme, sku, takes_new_stock=True)
        headers = acme.merchant | {"Content-Type": "text/plain"}
        loaded = await acme.client.post(f"/v1/vault/imports?sku_id={sku}", headers=headers, content=b"AAAA-1\nAAAA-2\n")
        assert loaded.status_code == 201, loaded.text
        assert await figures(acme, sale) == (2, 0)


class TestPress:
    async def test_is_sent_on(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, sale = await shelved(acme)
        answer = await press(client, await acme.guest(), {"sale_id": sale, "quantity": 1})
        assert (answer.status_code, answer.json()["code"]) == (409, "on_the_shelf")


class TestCreate:
    async def test_without_a_token_or_key(self, acme: Store) -> None:
        sku, _ = await shelved(acme)
        assert (await order(acme, acme.at, line(sku))).status_code == 401
        assert (await order(acme, acme.merchant | acme.at, line(sku))).status_code == 401
        assert (await order(acme, await acme.guest(), line(sku), headers={})).status_code == 400

    async def test_another_stores_sku_is_none(self, acme: Store, globex: Store) -> None:
        foreign, _ = await shelved(globex)
        who = await acme.guest()
        told = [(await order(acme, who, line(sku))).json() for sku in (foreign, SKU)]
        assert [each.pop("sku_id") for each in told] == [foreign, SKU]
        assert told[0] == told[1]
        assert told[0]["code"] == "not_on_the_shelf"

    async def test_reserves_all_of_it(self, acme: Store) -> None:
        (a, sale_a), (b, _) = await shelved(acme), await shelved(acme, price_minor=100)
        who = await acme.guest()
        answer = await order(acme, who, line(b, 2), line(a), line(b), contact="ann@example.org")
        assert answer.status_code == 201
        made = answer.json()
        assert (made["state"], made["amount_minor"], made["contact"]) == ("awaiting", 10_200, "ann@example.org")
        assert {each["sku_id"]: (each["quantity"], each["amount_minor"]) for each in made["lines"]} == {a: (1, 9900), b: (3, 300)}
        assert await acme.ask("GET", f"/v1/orders/{made['id']}", who) == made
        assert await figures(acme, sale_a) == (3, 1)
        found = await acme.ask("GET", "/v1/orders?q=Steam", acme.merchant)
        assert [each["id"] for each in found["items"]] == [made["id"]]

    async def test_again_is_the_same_order(self, acme: Store) -> None:
        (sku, sale), who, same = await shelved(acme), await acme.guest(), key()
        first, again = [await order(acme, who, line(sku, 2), headers=same) for _ in range(2)]
        assert first.json() == again.json()
        other = await order(acme, who, line(sku), headers=same)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
        assert await figures(acme, sale) == (3, 2)

    async def test_a_refusal_names_the_line(self, acme: Store) -> None:
        (a, sale), (b, _) = await shelved(acme), await shelved(acme, 1)
        answer = await order(acme, await acme.guest(), line(a), line(b, 2))
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["sku_id"], problem["available"]) == (409, "sold_out", b, 1)
        assert await figures(acme, sale) == (3, 0)

    @pytest.mark.parametrize(
        "wrong", [{}, {"lines": []}, {"lines": [line(SKU, 0)]}, {"lines": [line(SKU, 101)]}, {"lines": [line(SKU)] * 51},
                  {"lines": [line("sal_" + "0" * 32)]}, {"lines": [line(SKU) | {"price": 1}]}],
    )  # fmt: skip
    async def test_bad_bodies(self, acme: Store, wrong: dict[str, Any]) -> None:
        answer = await acme.client.post("/v1/orders", json=wrong, headers=await acme.guest() | key())
        assert answer.status_code == 400

    async def test_is_paid_and_delivered_as_any_order(self, acme: Store) -> None:
        sku = await acme.sku(type="licence", config={"days": 30})
        await picked.make(acme, sku, 2)
        await shelve(acme, sku)
        who = await acme.guest()
        made = (await order(acme, who, line(sku, 2))).json()["id"]
        assert await pay(acme, made) == "applied"
        assert set(await fulfil(acme, made)) <= {"done"}
        assert len(await picked.codes(acme, who, made)) == 2

    async def test_too_often(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(acme.process.limits, "_factor", 1)
        monkeypatch.setitem(POLICIES, "carts", POLICIES["carts"]._replace(quota=2, window_s=3600))
        who = await acme.guest()
        assert [(await order(acme, who, line(SKU))).status_code for _ in range(3)] == [404, 404, 429]


class TestQuote:
    async def test_says_all_there_is_to_say_and_reserves_nothing(self, acme: Store) -> None:
        (a, sale), (b, _) = await shelved(acme), await shelved(acme, 1, price_minor=100)
        hall = await picked.ticket(acme)
        await picked.make(acme, hall, 1, picks=[picked.session(surcharge_minor=500)])
        await shelve(acme, hall)
        body = {"lines": [line(a, 2), line(b, 2), line(SKU), line(hall, 1, "gala.stalls"), line(a)]}
        quote = await acme.ask("POST", "/v1/quotes", await acme.guest(), body)
        told = [(each["quantity"], each["amount_minor"], each["available"], (each["problem"] or {}).get("code")) for each in quote["lines"]]
        assert told == [(3, 29_700, 3, None), (2, 200, 1, "sold_out"), (1, None, 0, "not_on_the_shelf"), (1, 10_400, 1, None)]
        assert (quote["amount_minor"], quote["currency"]) == (40_100, "CNY")
        assert await figures(acme, sale) == (3, 0)

    async def test_a_price_of_a_list_stands_beside_the_usual_one(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        sku, sale = await shelved(acme)

        async def half(tx: TenantTx, shopper_id: Any, channel: str, asks: Any) -> list[Price]:
            return [Price(4950, None, 9900, "CNY") for _ in asks]

        monkeypatch.setattr(prices, "of", half)
        quote = await acme.ask("POST", "/v1/quotes", await acme.guest(), {"lines": [line(sku, 2)]})
        assert [(each["amount_minor"], each["base_minor"]) for each in quote["lines"]] == [(9900, 19_800)]
        made = (await order(acme, await acme.guest(), line(sku, 2))).json()
        assert (made["amount_minor"], made["lines"][0]["unit_price_minor"]) == (9900, 4950)
        offer = await acme.ask("GET", f"/v1/storefront/sales/{sale}", acme.at)
        assert (offer["price_minor"], offer["base_price_minor"], offer["door"], offer["sku_id"]) == (4950, 9900, "shelf", sku)


class TestCart:
    async def test_without_a_token(self, client: httpx.AsyncClient, acme: Store) -> None:
        for method in ("GET", "PUT", "DELETE"):
            answer = await client.request(method, "/v1/cart", headers=acme.at, json={"lines": [line(SKU)]} if method == "PUT" else None)
            assert answer.status_code == 401

    async def test_is_kept_for_its_shopper(self, acme: Store) -> None:
        (sku, _), who = await shelved(acme), await acme.guest()
        empty = {"lines": [], "amount_minor": 0, "currency": "CNY", "discount_minor": 0, "coupons": [], "updated_at": None}
        assert await acme.ask("GET", "/v1/cart", who) == empty
        kept = await acme.ask("PUT", "/v1/cart", who, {"lines": [line(sku), line(SKU), line(sku)]})
        assert [(each["sku_id"], each["quantity"]) for each in kept["lines"]] == [(sku, 2), (SKU, 1)]
        assert await acme.ask("GET", "/v1/cart", who) == kept
        assert await acme.ask("GET", "/v1/cart", await acme.guest()) == empty
        await acme.ask("DELETE", "/v1/cart", who)
        assert await acme.ask("GET", "/v1/cart", who) == empty

    async def test_tells_what_has_changed_since(self, acme: Store) -> None:
        (sku, sale), who = await shelved(acme), await acme.guest()
        await acme.ask("PUT", "/v1/cart", who, {"lines": [line(sku, 3)]})
        await acme.ask("POST", f"/v1/sales/{sale}/stock", acme.merchant, {"withdraw": 1})
        await acme.ask("PATCH", f"/v1/skus/{sku}", acme.merchant | {"If-Match": "*"}, {"price_minor": 100})
        [kept] = (await acme.ask("GET", "/v1/cart", who))["lines"]
        assert (kept["amount_minor"], kept["available"], kept["problem"]["code"]) == (300, 2, "sold_out")

    async def test_goes_when_nobody_touches_it(self, acme: Store) -> None:
        old, young = await acme.guest(), await acme.guest()
        for who in (old, young):
            await acme.ask("PUT", "/v1/cart", who, {"lines": [line(SKU)]})
        await acme.ask("PUT", "/v1/retention", acme.merchant, {"cart_days": 7})
        oldest = "updated_at = (SELECT min(updated_at) FROM cart WHERE tenant_id = $1)"
        await sql(acme, f"UPDATE cart SET updated_at = now() - interval '8 days' WHERE tenant_id = $1 AND {oldest}")
        async with await create_pool(dsn_for(acme.process.settings, "tessera_retention"), size=1) as pool:
            await retention.sweep(pool)
        assert [len((await acme.ask("GET", "/v1/cart", who))["lines"]) for who in (old, young)] == [0, 1]


class TestPage:
    async def test_buys_with_an_order_of_one_line(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, sale = await shelved(acme)
        page = await client.get(f"/sales/{sale}", headers=acme.at)
        sent = fields(page) | {"quantity": "2"}
        first, again = [await client.post(f"/sales/{sale}/buy", data=sent, headers=acme.at) for _ in range(2)]
        assert (first.status_code, first.headers["location"]) == (303, again.headers["location"])
        shown = await client.get(first.headers["location"], headers=acme.at)
        assert "× 2" in shown.text
        assert await figures(acme, sale) == (3, 2)

    async def test_refusals_are_said_in_words(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, sale = await shelved(acme, 1)
        answer = await buy(client, acme, sale, quantity="2")
        assert answer.status_code == 409

    async def test_a_seat_is_chosen_from_a_list(self, client: httpx.AsyncClient, acme: Store) -> None:
        hall = await picked.ticket(acme)
        await picked.make(acme, hall, 1, picks=[picked.session(surcharge_minor=500)])
        sale = await shelve(acme, hall)
        page = await client.get(f"/sales/{sale}", headers=acme.at)
        assert '<option value="gala.stalls">' in page.text
        assert (await buy(client, acme, sale)).status_code == 422
        bought = await buy(client, acme, sale, pick="gala.stalls")
        assert bought.status_code == 303
        assert "104.00" in (await client.get(bought.headers["location"], headers=acme.at)).text
