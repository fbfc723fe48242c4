"""Journeys in a real browser: what a shopper does, with scripts on and off, in both languages, on a phone."""

import datetime as dt
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Merchant, Visit

TWO_CODES = "YK-AAAA-BBBB-CCCC-DDDD----950896\nYK-EEEE-FFFF-GGGG-HHHH----793479\n"
WORDS = {
    "zh-CN": {"buy": "立即购买", "pay": "去付款", "reveal": "显示卡密", "ready": "卡密已备好", "reserved": "已为你预订", "find": "查找"},
    "en": {
        "buy": "Buy now",
        "pay": "Pay now",
        "reveal": "Show my code",
        "ready": "Your code is ready",
        "reserved": "Reserved for you",
        "find": "Find it",
    },
}


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile(name)).click()


def pay_at_provider(page: Page) -> None:
    """From the cashier to the provider's own page: pay there, and follow its link back to the shop."""
    page.locator("[data-pay]").click()
    page.locator("form button").first.click()
    page.locator("a[href*='/orders/ord_']").first.click()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_buys_and_sees_the_code(merchant: Merchant, visit: Visit, scripts: bool, language: str, pictures: Path | None) -> None:
    merchant.sell(TWO_CODES)
    visitor, words = visit(scripts=scripts, language=language), WORDS[language]
    page = visitor.page
    page.goto(merchant.store_url)
    assert page.locator("html").get_attribute("lang") == language
    page.get_by_role("link", name="视频会员年卡").click()
    if pictures and scripts:
        page.screenshot(path=pictures / f"sale-{language}.png")
    press(page, words["buy"])
    expect(page.get_by_role("heading", name=words["reserved"])).to_be_visible()
    assert page.url.startswith(f"{merchant.store_url}/orders/ord_")
    press(page, words["pay"])
    pay_at_provider(page)
    heading = page.get_by_role("heading", name=words["ready"])
    if scripts:
        expect(heading).to_be_visible()
    else:
        for _ in range(20):  # without scripts the page reloads itself by <meta>; a test need not wait that long
            if heading.is_visible():
                break
            page.wait_for_timeout(300)
            page.reload()
        press(page, words["reveal"])
    expect(page.locator(".codes .value").first).to_have_text("YK-AAAA-BBBB-CCCC-DDDD")
    expect(page.locator(".codes .value").nth(1)).to_have_text("950896")
    if scripts:
        page.locator(".codes [data-copy]").first.click()
        assert page.evaluate("navigator.clipboard.readText()") == "YK-AAAA-BBBB-CCCC-DDDD"
    if pictures and scripts:
        page.wait_for_timeout(2600)
        page.screenshot(path=pictures / f"code-{language}.png")
    assert visitor.overflows() == 0 if scripts else True


def test_the_page_changes_by_itself_when_it_is_paid_elsewhere(merchant: Merchant, visit: Visit) -> None:
    """The shopper leaves the order page open and pays on another device."""
    merchant.sell(TWO_CODES)
    visitor = visit()
    page = visitor.page
    page.goto(merchant.store_url)
    page.get_by_role("link", name="视频会员年卡").click()
    press(page, "立即购买")
    order_url = page.url
    page.get_by_label("直接在此浏览器显示卡密").uncheck()
    press(page, "去付款")
    pay_url = page.locator("[data-pay]").get_attribute("href")
    page.goto(order_url)
    expect(page.get_by_role("heading", name="已为你预订")).to_be_visible()
    assert httpx.post(str(pay_url)).status_code == 303
    expect(page.get_by_role("heading", name="卡密已备好")).to_be_visible()
    assert page.url == order_url
    expect(page.get_by_role("button", name="显示卡密")).to_be_visible()  # nobody asked to see it here by itself


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_two_presses_of_one_form_are_one_order(merchant: Merchant, visit: Visit, scripts: bool) -> None:
    """Even a first visitor's: his identity follows from the form."""
    sale = merchant.sell(TWO_CODES)
    visitor = visit(scripts=scripts)
    page = visitor.page
    page.goto(f"{merchant.store_url}/sales/{sale}")
    fields = {field.get_attribute("name"): field.input_value() for field in page.locator("form input").all()}
    cookies = {cookie["name"]: cookie["value"] for cookie in visitor.context.cookies()}
    places = set()
    for _ in range(2):
        # Host and store by header: only browsers resolve names under localhost.
        headers = {"x-tessera-store": merchant.slug}
        answer = httpx.post(f"{merchant.shop.api_url}/sales/{sale}/buy", data=fields, cookies=cookies, headers=headers)
        assert answer.status_code == 303, answer.text
        places.add(answer.headers["location"])
    page.locator("form button[type=submit]").first.dblclick()
    expect(page).to_have_url(re.compile("/orders/"))  # asked again and again: the second press aborts the first one's way there
    places.add(page.url.removeprefix(merchant.store_url))
    assert len(places) == 1
    assert len(merchant.api.get("/v1/orders").json()["items"]) == 1


class TestTheTruthIsTold:
    def test_sold_out_and_reserved_by_others(self, merchant: Merchant, visit: Visit) -> None:
        sale = merchant.sell("YK-ONLY-ONE1----111111")
        first, second = visit(), visit()
        for each in (first, second):
            each.page.goto(f"{merchant.store_url}/sales/{sale}")
        press(first.page, "立即购买")
        expect(first.page.get_by_role("heading", name="已为你预订")).to_be_visible()
        with second.page.expect_response(re.compile("/buy")) as answer:
            press(second.page, "立即购买")
        assert answer.value.status == 409
        expect(second.page.get_by_role("alert")).to_contain_text("来晚了一步")
        expect(second.page.locator("main")).to_contain_text("暂时全部被预订")
        second.complaints.clear()  # the browser notes a 409 as an error of the network
        press(first.page, "取消订单")
        expect(first.page.get_by_role("heading", name="订单已取消")).to_be_visible()
        second.page.goto(f"{merchant.store_url}/sales/{sale}")
        expect(second.page.locator("main")).to_contain_text("剩余 1 件")

    def test_over_the_limit(self, merchant: Merchant, visit: Visit) -> None:
        sale = merchant.sell(TWO_CODES, limit_per_shopper=1)
        visitor = visit(language="en")
        for expected in (200, 409):
            visitor.page.goto(f"{merchant.store_url}/sales/{sale}")
            with visitor.page.expect_response(re.compile("/buy|/orders/ord_[0-9a-f]+$")) as answer:
                press(visitor.page, "Buy now")
            assert answer.value.status in (expected, 303)
        expect(visitor.page.get_by_role("alert")).to_contain_text("Over the limit")
        visitor.complaints.clear()

    def test_the_button_opens_at_the_start(self, merchant: Merchant, visit: Visit) -> None:
        starts_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=4)
        sale = merchant.sell(TWO_CODES, starts_at=starts_at.isoformat())
        page = visit(language="en").page
        page.goto(f"{merchant.store_url}/sales/{sale}")
        expect(page.get_by_role("button", name="Buy now")).to_be_disabled()
        expect(page.get_by_role("button", name="Buy now")).to_be_enabled()
        press(page, "Buy now")
        expect(page.get_by_role("heading", name="Reserved for you")).to_be_visible()

    def test_nothing_here(self, merchant: Merchant, visit: Visit) -> None:
        visitor = visit(language="en")
        for path in ("/sales/sal_00000000000000000000000000000000", "/nonsense", "/orders/ord_00000000000000000000000000000000"):
            answer = visitor.page.goto(merchant.store_url + path)
            assert answer is not None
            assert answer.status == 404
            assert answer.headers["content-type"].startswith("text/html")
        visitor.page.goto(f"http://nobody-at-all.localhost:{merchant.shop.port}/orders")
        expect(visitor.page.get_by_role("heading")).to_have_text("There is no such store")
        visitor.complaints.clear()


def test_finds_the_order_on_another_device(merchant: Merchant, visit: Visit) -> None:
    sale = merchant.sell(TWO_CODES)
    here, elsewhere, stranger = visit(), visit(scripts=False), visit()
    here.page.goto(f"{merchant.store_url}/sales/{sale}")
    here.page.get_by_text("换台设备也能查到订单").click()
    here.page.get_by_label("查询密码").fill("小鹿乱撞 7")
    press(here.page, "立即购买")
    order = here.page.url.rpartition("/")[2]
    for visitor, proof in ((elsewhere, "小鹿乱撞 7"), (stranger, "guess")):
        visitor.page.goto(f"{merchant.store_url}/orders")
        visitor.page.get_by_label("订单号").fill(f" {order.upper()} ")
        visitor.page.get_by_label(re.compile("^查询密码")).fill(proof)
        press(visitor.page, "查找")
    expect(elsewhere.page.get_by_role("heading", name="已为你预订")).to_be_visible()
    expect(stranger.page.get_by_role("alert")).to_contain_text("没有找到")
    stranger.page.goto(f"{merchant.store_url}/orders/{order}")
    expect(stranger.page.get_by_role("heading")).to_contain_text("打不开此订单")
    stranger.complaints.clear()


def test_a_press_while_the_database_is_away_succeeds_by_itself(merchant: Merchant, visit: Visit) -> None:
    """The page keeps the wish, tries again more and more slowly, and makes one order of it."""
    sale = merchant.sell(TWO_CODES)
    visitor = visit(language="en")
    page = visitor.page
    page.goto(f"{merchant.store_url}/sales/{sale}")
    page.get_by_text("Find the order on another device").click()
    page.get_by_label("Lookup password").fill("a password")
    merchant.shop.servers.stop("postgres")
    try:
        press(page, "Buy now")
        expect(page.get_by_role("heading", name="Very busy right now")).to_be_visible(timeout=20_000)
    finally:
        merchant.shop.servers.resume("postgres")
    expect(page.get_by_role("heading", name="Reserved for you")).to_be_visible(timeout=30_000)
    assert len(merchant.api.get("/v1/orders").json()["items"]) == 1
    visitor.complaints.clear()


def test_a_hold_that_runs_out_says_so_by_itself(merchant: Merchant, visit: Visit) -> None:
    sale = merchant.sell("YK-ONLY-ONE1----111111", hold_s=4)
    page = visit(language="en").page
    page.goto(f"{merchant.store_url}/sales/{sale}")
    press(page, "Buy now")
    expect(page.get_by_role("heading", name="Reserved for you")).to_be_visible()
    expect(page.get_by_role("heading", name="The reservation has ended")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Back to this offer").click()
    expect(page.locator("main")).to_contain_text("1 left")
