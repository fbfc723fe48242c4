"""The cart and the checkout on the pages: who puts in, what is told of changes, what is asked, and that all is ordered or nothing."""

import html
import re
from typing import Any

import httpx
import pytest

from checkout_core.ids import decode
from tenants import inputs
from tenants.db import tenant_tx
from tests.api.test_storefront import fields
from tests.shop import Store
from tests.tenants.orders.carts import shelve
from tests.tenants.types import picked

OURS = {"origin": "http://localhost"}
XSS = '"><script>alert(1)</script>'
ACCOUNT = {"name": "account", "label": {"en": "Account", "zh-CN": "账号"}, "kind": "digits", "min_length": 5, "confirm": True}
EN = {"accept-language": "en"}


class Browser:
    """A browser with cookies, at one store."""

    def __init__(self, client: httpx.AsyncClient, store: Store) -> None:
        self.client, self.at = client, store.at | EN

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path, headers=self.at)

    async def post(self, path: str, data: dict[str, str], **headers: str) -> httpx.Response:
        return await self.client.post(path, data=data, headers=self.at | OURS | headers)

    async def add(self, sku: str, quantity: int = 1, **more: str) -> httpx.Response:
        return await self.post("/cart/lines", {"sku": sku, "quantity": str(quantity), **more})

    async def change(self, **fields_: str) -> httpx.Response:
        hidden = {name: value for name, value in fields(await self.get("/cart")).items() if name not in ("remove", "then")}
        return await self.post("/cart", hidden | fields_)


@pytest.fixture
def browser(client: httpx.AsyncClient, acme: Store) -> Browser:
    return Browser(client, acme)


async def shelved(store: Store, units: int = 5, **changes: Any) -> str:
    sku = await store.sku(units, **changes)
    await shelve(store, sku)
    return sku


async def topup(store: Store) -> str:
    sku = await store.sku(type="topup", config={"credited": "100", "fields": [ACCOUNT]}, name="Phone credit")
    await picked.make(store, sku, 5)
    await shelve(store, sku)
    return sku


async def ordered(store: Store) -> list[Any]:
    return list((await store.ask("GET", "/v1/orders", store.merchant))["items"])


def asks(sku: str, **said: str) -> dict[str, str]:
    return {f"in.{decode('sku', sku).hex}.{name}": value for name, value in said.items()}


class TestAdd:
    async def test_nobody_elses_page_puts_in(self, browser: Browser, acme: Store) -> None:
        """The form has no proof of its own: the browser's word stands for it, and a neighbour's page is not ours."""
        sku = await shelved(acme)
        wish = {"sku": sku, "quantity": "1"}
        for headers in (
            {"origin": "https://evil.example"}, {"origin": "http://globex.localhost"}, {"origin": "null"},
            OURS | {"sec-fetch-site": "same-site"}, OURS | {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "none"},
        ):  # fmt: skip
            answer = await browser.client.post("/cart/lines", data=wish, headers=browser.at | headers)
            assert answer.status_code == 403, headers
            assert "set-cookie" not in answer.headers or "tessera_shopper" not in answer.headers["set-cookie"]
        for headers in (OURS, {"sec-fetch-site": "same-origin"}):
            assert (await browser.client.post("/cart/lines", data=wish, headers=browser.at | headers)).status_code == 303

    async def test_a_browser_that_says_nothing_presses_once_more(self, browser: Browser, acme: Store) -> None:
        sku = await shelved(acme)
        asked = await browser.client.post("/cart/lines", data={"sku": sku, "quantity": "2"}, headers=browser.at)
        assert asked.status_code == 403
        assert "Steam" not in (await browser.get("/cart")).text
        again = await browser.client.post("/cart/lines", data=fields(asked), headers=browser.at)
        assert again.status_code == 303
        assert f'name="q.{sku}" type="number" inputmode="numeric" min="0" max="100" step="1" value="2"' in (await browser.get("/cart")).text

    @pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "101", "", "x"])
    async def test_a_wrong_quantity_is_said_on_the_product(self, browser: Browser, acme: Store, quantity: str) -> None:
        sku = await shelved(acme)
        answer = await browser.post("/cart/lines", {"sku": sku, "quantity": quantity})
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text

    async def test_what_is_not_on_the_shelf(self, browser: Browser, acme: Store, globex: Store) -> None:
        for sku in (await acme.sku(3), await shelved(globex), "sku_" + "0" * 32, "x"):
            assert (await browser.add(sku)).status_code == 404

    async def test_what_is_chosen_by_the_unit(self, browser: Browser, acme: Store) -> None:
        hall = await picked.ticket(acme)
        await picked.make(acme, hall, 5, picks=[picked.session()])
        await picked.make(acme, hall, 1, picks=[picked.session("gala.box.7", surcharge_minor=2000)])
        await shelve(acme, hall)
        nothing = await browser.post("/cart/lines", {"sku": hall, "pick.gala.stalls": "0"})
        assert (nothing.status_code, 'role="alert"' in nothing.text) == (422, True)
        for _ in range(2):  # the seat is there once, however often it is put in
            await browser.post("/cart/lines", {"sku": hall, "pick.gala.stalls": "1", "pick.gala.box.7": "1"})
        cart = html.unescape((await browser.get("/cart")).text)
        assert "¥317.00" in cart  # three at 99 and 20 on top
        assert cart.count("<li>gala · Box · 7</li>") == 1

    async def test_nights_by_two_dates(self, browser: Browser, acme: Store) -> None:
        room = await picked.room(acme)
        await picked.make(acme, room, 2, span={"first": picked.night(1), "last": picked.night(5)})
        await shelve(acme, room)
        wrong = await browser.post("/cart/lines", {"sku": room, "check_in": picked.night(3), "check_out": picked.night(3), "rooms": "1"})
        assert wrong.status_code == 422
        assert f'value="{picked.night(3)}"' in wrong.text
        stay = {"sku": room, "check_in": picked.night(1), "check_out": picked.night(3), "rooms": "2"}
        assert (await browser.post("/cart/lines", stay)).status_code == 303
        assert "¥396.00" in (await browser.get("/cart")).text


class TestCart:
    async def test_other_quantities_and_one_less(self, browser: Browser, acme: Store) -> None:
        one, two = await shelved(acme), await shelved(acme, price_minor=100)
        await browser.add(one)
        added = await browser.add(two, 2)
        assert "tessera_cart=2" in added.headers["set-cookie"]
        assert "¥101.00" in (await browser.get("/cart")).text
        await browser.change(**{f"q.{one}": "3"})
        assert "¥299.00" in (await browser.get("/cart")).text
        await browser.change(remove=one)
        assert "¥2.00" in (await browser.get("/cart")).text
        await browser.change(**{f"q.{two}": "0"})
        assert "Your cart is empty" in (await browser.get("/cart")).text

    async def test_needs_its_proof(self, browser: Browser, acme: Store) -> None:
        sku = await shelved(acme)
        await browser.add(sku)
        assert (await browser.post("/cart", {"remove": sku})).status_code == 403
        assert sku in (await browser.get("/cart")).text

    async def test_is_his_alone(self, client: httpx.AsyncClient, browser: Browser, acme: Store, globex: Store) -> None:
        await browser.add(await shelved(acme))
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        client.cookies.clear()
        assert "Your cart is empty" in (await browser.get("/cart")).text
        foreign = await client.get("/cart", headers=globex.at | EN | {"cookie": cookie})
        assert "Your cart is empty" in foreign.text

    async def test_tells_what_has_changed_since(self, browser: Browser, acme: Store) -> None:
        dearer, gone, off = [await shelved(acme, name=name) for name in ("dearer", "gone", "off")]
        for sku in (dearer, gone, off):
            await browser.add(sku, 2)
        assert "it was" not in (await browser.get("/cart")).text
        await acme.ask("PATCH", f"/v1/skus/{dearer}", acme.merchant | {"If-Match": "*"}, {"price_minor": 10000})
        headers = await acme.guest() | {"Idempotency-Key": "k" * 20}
        await acme.ask("POST", "/v1/orders", headers, {"lines": [{"sku_id": gone, "quantity": 4}]})
        await acme.ask("DELETE", f"/v1/skus/{off}/shelf", acme.merchant)
        cart = (await browser.get("/cart")).text
        for word in ("it was ¥198.00 when you last looked, and is ¥200.00 now", "Only 1 left", "No longer for sale: please remove it."):
            assert word in cart
        assert re.search(r'<span>Total</span><span class="price">¥200.00</span>', cart)
        await browser.change()  # who acts on the page has seen it
        assert "it was" not in (await browser.get("/cart")).text


class TestCheckout:
    async def test_an_order_of_all_with_what_is_asked(self, browser: Browser, acme: Store) -> None:
        code, phone = await shelved(acme), await topup(acme)
        for sku in (code, phone):
            await browser.add(sku)
        form = fields(await browser.get("/checkout"))
        said = asks(phone, account="12345", account_again="12345")
        for wrong, word in (
            ({}, "This is needed."), (asks(phone, account="12345"), "The two are not the same"),
            (asks(phone, account="abcdef", account_again="abcdef"), "Digits only."), (asks(phone, account="12"), "5 to 100 characters"),
        ):  # fmt: skip
            answer = await browser.post("/checkout", form | wrong | {"contact": "ann@example.org"})
            assert answer.status_code == 422
            assert word in answer.text
            assert 'aria-invalid="true"' in answer.text
            assert all(f'value="{value}"' in answer.text for value in [*wrong.values(), "ann@example.org"])
        assert await ordered(acme) == []
        places = [await browser.post("/checkout", form | said) for _ in range(2)]
        assert {each.status_code for each in places} == {303}
        assert len({each.headers["location"] for each in places}) == 1, "two presses of one form are one order"
        [order] = await ordered(acme)
        assert len(order["lines"]) == 2
        sale = next(line["sale_id"] for line in order["lines"] if line["sku_id"] == phone)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            kept = await inputs.read(tx, acme.process.keyring, decode("ord", order["id"]), decode("sal", sale))
        assert kept == {"account": "12345"}
        assert "Your cart is empty" in (await browser.get("/cart")).text

    async def test_all_or_nothing(self, browser: Browser, acme: Store) -> None:
        one, two = await shelved(acme), await shelved(acme, 2)
        for sku in (one, two):
            await browser.add(sku, 2)
        form = fields(await browser.get("/checkout"))
        headers = await acme.guest() | {"Idempotency-Key": "k" * 20}
        await acme.ask("POST", "/v1/orders", headers, {"lines": [{"sku_id": two, "quantity": 1}]})
        before = len(await ordered(acme))
        answer = await browser.post("/checkout", form)
        assert answer.status_code == 422
        assert "Only 1 left" in answer.text
        assert len(await ordered(acme)) == before

    async def test_at_the_price_that_was_seen(self, browser: Browser, acme: Store) -> None:
        sku = await shelved(acme)
        await browser.add(sku)
        form = fields(await browser.get("/checkout"))
        await acme.ask("PATCH", f"/v1/skus/{sku}", acme.merchant | {"If-Match": "*"}, {"price_minor": 20000})
        changed = await browser.post("/checkout", form)
        assert (changed.status_code, await ordered(acme)) == (422, [])
        assert "¥200.00" in changed.text
        assert (await browser.post("/checkout", fields(changed))).status_code == 303

    async def test_one_thing_at_once_leaves_the_cart(self, browser: Browser, acme: Store) -> None:
        kept, now = await shelved(acme), await shelved(acme)
        await browser.add(kept)
        to = (await browser.add(now, 2, then="checkout")).headers["location"]
        page = await browser.get(to)
        assert (kept in page.text, now in page.text) == (False, True)
        assert (await browser.post("/checkout", fields(page))).status_code == 303
        [order] = await ordered(acme)
        assert [(line["sku_id"], line["quantity"]) for line in order["lines"]] == [(now, 2)]
        assert kept in (await browser.get("/cart")).text

    async def test_terms_are_accepted_first(self, browser: Browser, acme: Store) -> None:
        await acme.ask("PATCH", "/v1/store", acme.merchant | {"If-Match": "*"}, {"terms": "All is final."})
        sku = await shelved(acme)
        await browser.add(sku)
        form = fields(await browser.get("/checkout")) | {"accepted": ""}
        assert (await browser.post("/checkout", form)).status_code == 422
        assert (await browser.post("/checkout", form | {"accepted": "1"})).status_code == 303

    @pytest.mark.parametrize(
        "query",
        [
            "sku=sku_" + "0" * 32 + "&quantity=0",
            "sku=sku_" + "0" * 32 + "&picks=%5B%22%5Cu0000%22%5D",
            "sku=x",
            "sku=sku_" + "0" * 32 + "&picks=[1]",
            "sku=sku_" + "0" * 32 + "&picks=%5B%22%22%5D",
        ],
    )
    async def test_what_cannot_be_meant(self, browser: Browser, query: str) -> None:
        assert (await browser.get(f"/checkout?{query}")).status_code in (400, 404)

    async def test_what_is_typed_is_text(self, browser: Browser, acme: Store) -> None:
        phone = await topup(acme)
        await browser.add(phone)
        form = fields(await browser.get("/checkout")) | asks(phone, account=XSS, account_again=XSS) | {"contact": XSS}
        answer = await browser.post("/checkout", form)
        assert answer.status_code == 422
        assert "<script>alert" not in answer.text
        assert html.escape(XSS, quote=True).replace("&quot;", "&#34;") in answer.text


class TestInputsOfAnOrder:
    async def test_said_after_the_reservation_and_corrected(self, browser: Browser, acme: Store) -> None:
        """By the sale's own form without them, as of one that was pressed in a hurry."""
        phone = await topup(acme)
        offer = next(each for each in (await acme.ask("GET", "/v1/storefront", acme.at))["sales"] if each["sku_id"] == phone)
        form = fields(await browser.get(f"/sales/{offer['id']}"))
        in_a_hurry = {name: value for name, value in form.items() if not name.startswith("in.")} | {"quantity": "1"}
        place = (await browser.post(f"/sales/{offer['id']}/buy", in_a_hurry)).headers["location"]
        page = await browser.get(place)
        assert f"{place}/pay" not in page.text
        assert "Fill in the details below first" in page.text
        to = f"{place}/inputs/{offer['id']}"
        form = fields(page)
        wrong = await browser.post(to, form | asks(phone, account="1"))
        assert (wrong.status_code, 'value="1"' in wrong.text) == (400, True)
        for account in ("12345", "54321"):
            answer = await browser.post(to, form | asks(phone, account=account, account_again=account))
            assert (answer.status_code, answer.headers["location"]) == (303, place)
        page = await browser.get(place)
        assert f"{place}/pay" in page.text
        assert "54321" not in page.text, "what was said is not shown again"

    async def test_said_on_the_sales_own_page(self, browser: Browser, acme: Store) -> None:
        phone = await topup(acme)
        offer = next(each for each in (await acme.ask("GET", "/v1/storefront", acme.at))["sales"] if each["sku_id"] == phone)
        form = fields(await browser.get(f"/sales/{offer['id']}")) | {"quantity": "1"}
        wrong = await browser.post(f"/sales/{offer['id']}/buy", form | asks(phone, account="12345", account_again="1"))
        assert (wrong.status_code, await ordered(acme)) == (422, [])
        right = await browser.post(f"/sales/{offer['id']}/buy", form | asks(phone, account="12345", account_again="12345"))
        assert f"{right.headers['location']}/pay" in (await browser.get(right.headers["location"])).text
