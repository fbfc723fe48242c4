"""What lies on the shelf, bought on the store's pages: chosen units, and several things in one cart; with scripts and without."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESKTOP, PHONE, Merchant, Visit, Visitor
from tests.e2e.test_storefront import pay_at_provider, press
from tests.pictures import picture

NUMBERS = "code,label\nVIP-7777-AAAA,靓号 7777\nVIP-8888-BBBB,靓号 8888\n"
CODES = "".join(f"YK-AAAA-{n:04}----{n:06}\n" for n in range(1, 31))
ACCOUNT = {
    "name": "phone", "label": {"zh-CN": "手机号", "en": "Phone number"}, "kind": "digits",
    "min_length": 11, "max_length": 11, "confirm": True,
}  # fmt: skip
WORDS = {
    "zh-CN": {
        "buy": "立即购买", "pay": "去付款", "reserved": "已为你预订", "reveal": "显示卡密", "add": "加入购物车", "cart": "购物车",
        "checkout": "去结算", "place": "提交订单", "update": "更新数量", "wrong": "有几处需要修改", "again": "两次填写不一致",
    },
    "en": {
        "buy": "Buy now", "pay": "Pay now", "reserved": "Reserved for you", "reveal": "Show my code", "add": "Add to cart",
        "cart": "Your cart", "checkout": "Check out", "place": "Place the order", "update": "Update quantities",
        "wrong": "look at the marked", "again": "not the same",
    },
}  # fmt: skip


class Stock:
    """Puts things on a merchant's shelf."""

    def __init__(self, merchant: Merchant) -> None:
        self.api = merchant.api

    def ask(self, method: str, path: str, **request: Any) -> Any:
        answer = self.api.request(method, path, **request)
        assert answer.is_success, answer.text
        return answer.json()

    def product(self, name: str, color: tuple[int, int, int] | None = None, **more: Any) -> str:
        product: str = self.ask("POST", "/v1/products", json={"name": name, **more})["id"]
        if color:
            headers = {"content-type": "image/png"}
            self.ask("POST", f"/v1/products/{product}/images", content=picture((1000, 750), color=color), headers=headers)
        return product

    def sku(self, product: str, name: str, price: int, **more: Any) -> str:
        sku: str = self.ask("POST", "/v1/skus", json={"product_id": product, "name": name, "price_minor": price, **more})["id"]
        return sku

    def shelve(self, sku: str, **how: Any) -> None:
        self.ask("PUT", f"/v1/skus/{sku}/shelf", json={"units": "all", **how})

    def numbers(self) -> None:
        """Two numbers, one of which costs more."""
        sku = self.sku(self.product("会员靓号"), "四位靓号", 8800, type="chosen")
        headers = {"content-type": "text/csv", "x-filename": "numbers.csv"}
        self.ask("POST", f"/v1/vault/imports?sku_id={sku}", content=NUMBERS.encode(), headers=headers)
        picks = self.ask("GET", f"/v1/skus/{sku}/picks")["picks"]
        [dear] = [pick["pick"] for pick in picks if "8888" in pick["label"]]
        self.ask("PATCH", f"/v1/skus/{sku}/picks", json={"picks": [{"pick": dear, "is_on": True, "surcharge_minor": 20000}]})
        self.shelve(sku)

    def shop(self) -> None:
        """A membership of two lengths with pictures in a category, and credit for a telephone."""
        video = self.ask("POST", "/v1/categories", json={"name": "影音会员"})["id"]
        self.ask("POST", "/v1/categories", json={"name": "充值缴费"})
        options = [{"name": "时长", "values": ["一个月", "一年"]}]
        told = "全站蓝光画质，手机、电视、电脑三端通用。\n兑换方式：付款后在订单页查看卡密，到官网兑换。"
        member = self.product("星河视频会员", (28, 92, 128), category_id=video, options=options, description=told)
        for name, price in (("一个月", 1990), ("一年", 19800)):
            sku = self.sku(member, name, price, choices={"时长": name})
            codes = CODES.replace("AAAA", f"{price:04}")
            headers = {"content-type": "text/plain", "x-filename": "codes.txt"}
            self.ask("POST", f"/v1/vault/imports?sku_id={sku}", content=codes.encode(), headers=headers)
            self.shelve(sku)
        config = {"credited": "100 元话费", "fields": [ACCOUNT]}
        credit = self.sku(self.product("手机话费 100 元"), "100 元", 9950, type="topup", config=config)
        self.ask("POST", f"/v1/skus/{credit}/units", json={"quantity": 20})
        self.shelve(credit)


@pytest.mark.parametrize(("language", "screen"), [("zh-CN", PHONE), ("en", DESKTOP)], ids=["zh-CN", "en"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_chooses_and_gets_that_one(
    merchant: Merchant, visit: Visit, scripts: bool, language: str, screen: dict[str, int], pictures: Path | None
) -> None:
    Stock(merchant).numbers()
    visitor, words = visit(scripts=scripts, language=language, screen=screen), WORDS[language]
    page = visitor.page
    page.goto(merchant.store_url)
    page.get_by_role("link", name="会员靓号").click()
    page.get_by_role("checkbox", name=re.compile("8888")).check()
    look(visitor, pictures if scripts else None, f"picks-{language}")
    press(page, words["buy"])
    expect(page.get_by_text("288.00").first).to_be_visible()  # 88 and what the number costs on top
    press(page, words["place"])
    expect(page.get_by_role("heading", name=words["reserved"])).to_be_visible()
    expect(page.get_by_text("288.00").first).to_be_visible()
    press(page, words["pay"])
    page.locator("[data-pay]").wait_for()
    order = page.url.split("/")[-2]
    pay_at_provider(page)
    for _ in range(40):
        if merchant.api.get(f"/v1/orders/{order}").json()["state"] == "delivered":
            break
        page.wait_for_timeout(250)
    if not scripts:
        page.goto(f"{merchant.store_url}/orders/{order}")
        press(page, words["reveal"])
    expect(page.get_by_text("VIP-8888-BBBB").first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_two_things_in_one_cart(merchant: Merchant, visit: Visit, scripts: bool, pictures: Path | None) -> None:
    """From the front page to the order: a variant is chosen, a quantity changed, an account typed wrong and then right."""
    Stock(merchant).shop()
    language, screen = ("zh-CN", PHONE) if scripts else ("en", DESKTOP)
    visitor, words = visit(scripts=scripts, language=language, screen=screen), WORDS[language]
    page = visitor.page
    page.goto(merchant.store_url)
    look(visitor, pictures, "home")
    page.get_by_role("link", name="星河视频会员").click()
    page.get_by_role("link", name="一年").click()
    expect(page.locator(".offering .price")).to_contain_text("198.00")
    look(visitor, pictures, "product")
    press(page, words["add"])
    expect(page.get_by_role("heading", name=words["cart"], exact=True)).to_be_visible()
    page.goto(merchant.store_url)
    page.get_by_role("link", name="手机话费").click()
    press(page, words["add"])
    page.get_by_role("spinbutton").first.fill("2")
    if not scripts:
        press(page, words["update"])
    expect(page.locator(".sum .price")).to_contain_text("495.50")  # two years and a hundred
    look(visitor, pictures, "cart")
    press(page, words["checkout"])
    account = page.locator("input[name$='.phone']")
    again = page.locator("input[name$='.phone_again']")
    account.fill("13800138000")
    again.fill("13800138001")
    press(page, words["place"])
    expect(page.get_by_role("alert")).to_contain_text(words["wrong"])
    expect(page.locator(".fault")).to_contain_text(words["again"])
    expect(account).to_have_value("13800138000")
    visitor.complaints.clear()  # the browser notes a 422 as an error of the network
    look(visitor, pictures, "checkout")
    again.fill("13800138000")
    press(page, words["place"])
    expect(page.get_by_role("heading", name=words["reserved"])).to_be_visible()
    expect(page.get_by_text("495.50").first).to_be_visible()
    [order] = merchant.api.get("/v1/orders").json()["items"]
    assert sorted(line["quantity"] for line in order["lines"]) == [1, 2]


def test_every_page_in_light_and_dark(merchant: Merchant, visit: Visit, pictures: Path | None) -> None:
    """No overflow, no shift of what is there, nothing the browser complains about."""
    stock = Stock(merchant)
    stock.shop()
    stock.numbers()
    merchant.sell("YK-BBBB-0001----1\nYK-BBBB-0002----2\n", product="限量周年礼盒", name="周年礼盒首发")
    category = stock.ask("GET", "/v1/categories")["categories"][0]["id"]
    member = next(each["id"] for each in stock.ask("GET", "/v1/products")["products"] if each["name"] == "星河视频会员")
    places = {
        "home": "/", "category": f"/categories/{category}", "search": "/search?q=会员", "nothing": "/search?q=没有的",
        "product": f"/products/{member}", "empty-cart": "/cart", "missing": "/products/prd_00000000000000000000000000000000",
    }  # fmt: skip
    for language in ("zh-CN", "en") if pictures else ("zh-CN",):
        for screen in (PHONE, DESKTOP):
            for dark in (False, True) if pictures else (False,):
                visitor = visit(language=language, screen=screen, dark=dark)
                for name, place in places.items():
                    visitor.page.goto(merchant.store_url + place, wait_until="networkidle")
                    kind = f"{'phone' if screen is PHONE else 'desktop'}-{language}{'-dark' if dark else ''}"
                    assert shift(visitor.page) == [], (place, kind)
                    look(visitor, pictures, f"{name}-{kind}")
                visitor.complaints = [each for each in visitor.complaints if "404" not in each]  # which one of the places is


def look(visitor: Visitor, pictures: Path | None, name: str) -> None:
    assert visitor.overflows() == 0, name
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        visitor.page.screenshot(path=pictures / f"{name}.png", full_page=True)


def shift(page: Page) -> list[str]:
    """What moved while the page was coming (Cumulative Layout Shift), beyond a hundredth of the screen."""
    script = """() => new Promise((done) => {
        const moved = [];
        const named = (each) => each.node?.outerHTML?.slice(0, 80) ?? "";
        const note = (each) => { if (each.value > 0.01) moved.push(`${each.value} ${each.sources.map(named).join(" | ")}`); };
        new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => done(moved), 100);
    })"""
    moved: list[str] = page.evaluate(script)
    return moved
