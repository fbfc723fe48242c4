"""From the press of "pay" to the codes: the cashier, and what appears by itself because the press asked for it."""

import datetime as dt
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import DESKTOP, PHONE, Merchant, Visit
from tests.e2e.test_storefront import press

CODES = "".join(f"YK-{n:04}-AAAA-BBBB----{n:06}\n" for n in range(40))


@pytest.fixture
def sale(merchant: Merchant) -> str:
    return merchant.sell(CODES, limit_per_shopper=0)


def test_pays_on_another_phone_and_the_codes_appear_by_themselves(merchant: Merchant, visit: Visit, sale: str) -> None:
    """The cashier is left open, the phone that scanned it pays: nobody touches this browser again. One look is in the audit."""
    visitor = visit(screen=DESKTOP, language="en")
    page = visitor.page
    page.goto(f"{merchant.store_url}/sales/{sale}")
    page.get_by_label("Quantity").fill("2")
    press(page, "Buy now")
    press(page, "Pay now")
    expect(page.get_by_role("heading", name="Cashier")).to_be_visible()
    expect(page.locator(".qr svg")).to_be_visible()
    pay_url = str(page.locator("[data-pay]").get_attribute("href"))
    assert httpx.post(pay_url).status_code == 303
    expect(page.locator(".codes .value").first).to_contain_text("YK-")
    assert page.locator(".codes li").count() == 2
    order = re.search(r"ord_[0-9a-f]+", page.url)
    assert order is not None
    looks = [each for each in merchant.api.get("/v1/audit?limit=50").json()["items"] if each["action"] == "codes.revealed"]
    assert len(looks) == 1
    page.get_by_role("button", name="Copy all").click()
    assert page.evaluate("navigator.clipboard.readText()").count("YK-") == 2
    with page.expect_download() as download:
        press(page, "^Save$")
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert text.count("YK-") == 2
    assert order.group() in text
    page.goto(f"{merchant.store_url}/orders/{order.group()}")  # looked at again, nothing appears by itself
    expect(page.get_by_role("button", name="Show my 2 codes")).to_be_visible()


def test_without_scripts_one_button_shows_them(merchant: Merchant, visit: Visit, sale: str) -> None:
    page = visit(scripts=False, screen=PHONE).page
    page.goto(f"{merchant.store_url}/sales/{sale}")
    press(page, "立即购买")
    press(page, "去付款")
    assert httpx.post(str(page.locator("[data-pay]").get_attribute("href"))).status_code == 303
    for _ in range(20):  # the page comes anew by itself; a test need not wait that long
        page.reload()
        if "/pay" not in page.url and page.get_by_role("button", name="显示卡密").is_visible():
            break
        page.wait_for_timeout(300)
    assert page.locator(".codes").count() == 0
    press(page, "显示卡密")
    expect(page.locator(".codes .value").first).to_contain_text("YK-")


def test_the_faces_of_an_order(merchant: Merchant, visit: Visit, sale: str, pictures: Path | None) -> None:
    """Cashier and result in both languages, light and dark, on both screens: nothing is wider than the screen."""
    starts_at = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30)).isoformat()
    soon = merchant.sell("YK-SOON-ONE1----111111", door="gate", waiting_room="draw", starts_at=starts_at, name="整点抢购")
    for language, dark, screen in (("zh-CN", False, PHONE), ("en", True, PHONE), ("zh-CN", True, DESKTOP), ("en", False, DESKTOP)):
        visitor = visit(language=language, dark=dark, screen=screen)
        page = visitor.page
        name = f"{language}-{'dark' if dark else 'light'}-{screen['width']}"
        page.goto(f"{merchant.store_url}/sales/{sale}")
        for step in ("sale", "order", "cashier"):
            assert visitor.overflows() == 0, step
            if pictures:
                page.screenshot(path=pictures / f"{step}-{name}.png", full_page=True)
            if step != "cashier":
                page.locator("form button[type=submit]").first.click()
                page.wait_for_load_state()
        assert httpx.post(str(page.locator("[data-pay]").get_attribute("href"))).status_code == 303
        expect(page.locator(".codes .value").first).to_be_visible()
        assert visitor.overflows() == 0
        if pictures:
            page.screenshot(path=pictures / f"codes-{name}.png", full_page=True)
        for step, path in (("me", "/me"), ("soon", f"/sales/{soon}")):
            page.goto(merchant.store_url + path)
            if step == "soon":
                page.locator(".remind summary").click()
            assert visitor.overflows() == 0, step
            if pictures:
                page.screenshot(path=pictures / f"{step}-{name}.png", full_page=True)
