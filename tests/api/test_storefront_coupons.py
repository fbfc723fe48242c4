"""Coupons on the pages, without a script: claimed, typed in, seen on the cart, and taken off what is ordered."""

import html
import re

import httpx
import pytest

from tests.api.test_coupons import made
from tests.api.test_storefront import fields
from tests.api.test_storefront_cart import Browser, ordered, shelved
from tests.shop import Store


@pytest.fixture
def browser(client: httpx.AsyncClient, acme: Store) -> Browser:
    return Browser(client, acme)


async def seen(browser: Browser, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    return html.unescape(re.sub(r"\s+", " ", answer.text))


async def claim(browser: Browser, coupon: str) -> httpx.Response:
    form = fields(await browser.get("/me/coupons"))
    return await browser.post("/me/coupons", {"csrf": form["csrf"], "key": form["key"], "coupon": coupon})


async def checkout(browser: Browser, **more: str) -> httpx.Response:
    return await browser.post("/checkout", fields(await browser.get("/checkout")) | more)


class TestMine:
    async def test_anonymous_sees_what_there_is(self, browser: Browser, acme: Store, globex: Store) -> None:
        await made(acme, name="Spring", threshold_minor=5000, valid_days=7)
        await made(acme, name="Fifteen", kind="percent", off_minor=0, off_bp=1500, cap_minor=3000)
        await made(globex, name="Theirs")
        page = await seen(browser, "/me/coupons")
        for words in ("¥10.00 off", "Spring", "from ¥50.00", "valid for 7 days", "15% off", "up to ¥30.00"):
            assert words in page
        assert "Theirs" not in page
        chinese = await browser.client.get("/me/coupons", headers=acme.at | {"accept-language": "zh-CN"})
        assert "8.5 折" in chinese.text

    async def test_claimed_once_however_often_it_is_pressed(self, browser: Browser, acme: Store) -> None:
        coupon = await made(acme, name="Spring", per_shopper_max=5)
        form = fields(await browser.get("/me/coupons"))
        for _ in range(2):
            pressed = await browser.post("/me/coupons", {"csrf": form["csrf"], "key": form["key"], "coupon": coupon})
            assert (pressed.status_code, pressed.headers["location"]) == (303, "/me/coupons")
            form |= {"csrf": fields(await browser.get("/me/coupons"))["csrf"]}
        assert (await acme.ask("GET", f"/v1/coupons/{coupon}", acme.merchant))["claimed"] == 1

    async def test_gone(self, browser: Browser, acme: Store) -> None:
        coupon = await made(acme, claims_max=1)
        other = await acme.guest()
        form = fields(await browser.get("/me/coupons"))
        await acme.ask("POST", f"/v1/coupon-claims/open/{coupon}", other)
        late = await browser.post("/me/coupons", {"csrf": form["csrf"], "key": form["key"], "coupon": coupon})
        assert late.status_code == 409
        assert "All of them are gone" in late.text

    async def test_by_code(self, browser: Browser, acme: Store) -> None:
        await made(acme, name="Spring", claim="code", code="SPRING")
        for code, status, words in (("nothing", 422, "There is no such code"), ("spring", 200, "You have the coupon")):
            form = fields(await browser.get("/me/coupons"))
            answer = await browser.post("/me/coupons", {"csrf": form["csrf"], "coupon_code": code})
            assert (answer.status_code, words in answer.text) == (status, True)
        assert "Spring" in await seen(browser, "/me/coupons")


class TestCart:
    async def test_what_is_taken_off_is_what_is_ordered(self, browser: Browser, acme: Store) -> None:
        sku, coupon = await shelved(acme), await made(acme, name="Spring")
        far = await made(acme, name="Far", threshold_minor=99_900, stack_group="far")
        await browser.add(sku, 2)
        assert (await claim(browser, coupon)).status_code == (await claim(browser, far)).status_code == 303
        for path in ("/cart", "/checkout"):
            page = await seen(browser, path)
            for words in ("Spring", "−¥10.00", "¥188.00", "Far", "¥801.00 more"):
                assert words in page, (path, words)
        placed = await checkout(browser)
        assert placed.status_code == 303, placed.text
        [order] = await ordered(acme)
        assert (order["amount_minor"], order["discount_minor"]) == (18_800, 1000)
        assert "−¥10.00" in await seen(browser, placed.headers["location"])

    async def test_a_code_in_the_cart_and_at_the_checkout(self, browser: Browser, acme: Store) -> None:
        sku = await shelved(acme)
        await made(acme, name="Spring", claim="code", code="SPRING")
        await made(acme, name="More", claim="code", code="MORE", stack_group="more")
        await browser.add(sku)
        typed = await browser.change(coupon_code="spring", then="coupon")
        assert (typed.status_code, "−¥10.00" in typed.text) == (200, True)
        wrong = await browser.change(coupon_code="nothing", then="coupon")
        assert (wrong.status_code, "There is no such code" in wrong.text) == (422, True)
        again = await checkout(browser, coupon_code="more", contact="ann@example.org")
        assert (again.status_code, "ann@example.org" in again.text, "¥79.00" in again.text) == (200, True, True)
        assert await ordered(acme) == [], "it is looked at before it is ordered"
        placed = await browser.post("/checkout", fields(again) | {"coupon_code": "", "contact": "ann@example.org"})
        assert placed.status_code == 303, placed.text
        assert [(each["amount_minor"], each["contact"]) for each in await ordered(acme)] == [(7900, "ann@example.org")]

    async def test_a_coupon_that_went_is_told_before_anything_is_ordered(self, browser: Browser, acme: Store) -> None:
        sku, coupon = await shelved(acme), await made(acme)
        await browser.add(sku)
        await claim(browser, coupon)
        form = fields(await browser.get("/checkout"))
        await acme.ask("POST", f"/v1/coupons/{coupon}/pause", acme.merchant)
        answer = await browser.post("/checkout", form)
        assert (answer.status_code, "Something has just changed" in answer.text) == (422, True)
        assert await ordered(acme) == []
        assert (await browser.post("/checkout", fields(answer))).status_code == 303
        assert [each["amount_minor"] for each in await ordered(acme)] == [9900]
