"""A merchant opens a sale, watches it sell, pauses it, adds stock and ends it; the home page says what happens as it happens."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Merchant
from tests.e2e.console.conftest import Console, OpenConsole

SOON_MS = 15_000


def stock(page: Page, what: str, n: str) -> None:
    expect(page.locator(f"[data-stock={what}]")).to_have_text(n, timeout=SOON_MS)


def loaded(merchant: Merchant, units: int) -> None:
    """A SKU with loose units."""
    product = merchant._post("/v1/products", json={"name": "视频会员"})
    sku = merchant._post("/v1/skus", json={"product_id": product["id"], "name": "视频会员年卡", "price_minor": 19800, "currency": "CNY"})
    headers = {"content-type": "text/plain", "x-filename": "codes.txt"}
    content = "".join(f"CARD-{n:04}-{uuid4().hex[:8].upper()}\n" for n in range(units)).encode()
    merchant._post(f"/v1/vault/imports?sku_id={sku['id']}", content=content, headers=headers)


def orders(merchant: Merchant, sale: str, count: int, *, paid: int = 0) -> None:
    """As shoppers do, through the API."""
    at = {"X-Tessera-Store": merchant.slug}
    with httpx.Client(base_url=merchant.shop.api_url) as shop:
        for n in range(count):
            token = shop.post("/v1/shopper-tokens", json={}, headers=at).json()["token"]
            headers = at | {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
            order = shop.post("/v1/checkouts", json={"sale_id": sale, "quantity": 1}, headers=headers)
            assert order.status_code == 201, order.text
            if n < paid:
                attempt = shop.post(
                    f"/v1/orders/{order.json()['id']}/payments", json={}, headers=headers | {"Idempotency-Key": uuid4().hex}
                )
                assert attempt.is_success, attempt.text
                assert httpx.post(attempt.json()["pay_url"], follow_redirects=False).status_code < 400


def test_a_sale_from_creation_to_end(console: Console, pictures: Path | None) -> None:
    merchant = console.merchant
    loaded(merchant, 60)
    page = console.go("/")
    expect(page.get_by_text("现在没有售卖活动")).to_be_visible()
    console.picture(pictures, "home-empty")

    page = console.go("/sales")
    expect(page.get_by_text("还没有售卖活动")).to_be_visible()
    console.picture(pictures, "sales-empty")
    page.get_by_role("button", name="创建活动").first.click()
    page.get_by_role("combobox", name="SKU").click()
    page.get_by_role("option").first.wait_for(state="attached")
    page.keyboard.press("Enter")
    page.get_by_label("活动库存（件）").fill("40")
    page.get_by_label("活动名称").fill("双十一年卡")
    expect(page.get_by_text("全部售出可收款 ¥7,920.00")).to_be_visible()
    console.picture(pictures, "sales-create-1")
    assert console.faults() == []
    page.get_by_role("button", name="下一步").click()
    console.picture(pictures, "sales-create-2")
    assert console.faults() == []
    page.get_by_role("button", name="下一步").click()
    console.picture(pictures, "sales-create-3")
    page.get_by_role("button", name="发布活动").click()

    page.wait_for_url("**/sales/sal_*")
    sale = page.url.rpartition("/")[2]
    stock(page, "left", "40")
    expect(page.get_by_text("实时更新中")).to_be_visible()
    orders(merchant, sale, 7, paid=3)
    stock(page, "left", "33")
    stock(page, "committed", "7")
    expect(page.locator("[data-latest]")).to_contain_text("订单已交付", timeout=SOON_MS)
    expect(page.locator("[data-step=delivered]")).to_contain_text("3 单", timeout=SOON_MS)
    stock(page, "waiting", "4")
    console.picture(pictures, "sales-live")
    assert console.faults() == []

    page.get_by_role("button", name="暂停售卖").click()
    expect(page.get_by_role("dialog")).to_contain_text("剩余 33 件暂停下单")
    expect(page.get_by_role("dialog")).to_contain_text("待付款的 4 件")
    console.picture(pictures, "sales-pause")
    page.get_by_role("dialog").get_by_role("button", name="暂停售卖").click()
    expect(page.locator(".page-head")).to_contain_text("已暂停")
    page.get_by_role("button", name="恢复售卖").click()
    page.get_by_role("dialog").get_by_role("button", name="恢复售卖").click()
    expect(page.locator(".page-head")).to_contain_text("售卖中")

    page.get_by_role("button", name="追加库存").click()
    expect(page.get_by_text("该 SKU 还有 20 件未分配库存")).to_be_visible()
    page.get_by_label("追加件数").fill("5")
    expect(page.get_by_text("可售剩余变为 38 件")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="追加库存").click()
    stock(page, "allotted", "45")
    stock(page, "left", "38")
    page.get_by_role("button", name="更多操作").click()
    page.get_by_role("menuitem", name="撤回库存").click()
    page.get_by_label("撤回件数").fill("5")
    expect(page.get_by_text("可售剩余变为 33 件")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="撤回库存").click()
    stock(page, "allotted", "40")
    page.get_by_role("button", name="更多操作").click()
    page.get_by_role("menuitem", name="修改限购").click()
    page.get_by_role("dialog").get_by_label("每人限购").fill("3")
    page.get_by_role("dialog").get_by_role("button", name="修改限购").click()
    expect(page.locator(".ant-descriptions")).to_contain_text("3 件")
    expect(page.locator(".ant-descriptions")).to_contain_text("还没有人订阅")

    page.goto(f"{console.url}/")
    expect(page.locator(f"[data-left={sale}]")).to_contain_text("剩 33 / 40")
    expect(page.locator("[data-figure=orders]")).to_have_text("7")
    orders(merchant, sale, 2)
    expect(page.locator(f"[data-left={sale}]")).to_contain_text("剩 31 / 40", timeout=SOON_MS)
    expect(page.locator("[data-figure=orders]")).to_have_text("9", timeout=SOON_MS)
    console.picture(pictures, "home")
    assert console.faults() == []

    page.goto(f"{console.url}/sales/{sale}")
    page.get_by_role("button", name="结束活动").click()
    expect(page.get_by_role("dialog")).to_contain_text("剩余 31 件退回 SKU 库存")
    page.get_by_role("dialog").get_by_role("button", name="结束活动").click()
    expect(page.locator(".page-head")).to_contain_text("已结束")
    console.go("/sales")
    expect(page.locator("table")).to_contain_text("双十一年卡")
    console.picture(pictures, "sales")
    assert console.faults() == []


@pytest.mark.parametrize(("dark", "language"), [(False, "zh-CN"), (True, "en")])
def test_on_a_phone(open_console: OpenConsole, merchant: Merchant, pictures: Path | None, *, dark: bool, language: str) -> None:
    sale = merchant.sell("".join(f"CARD-{uuid4().hex[:12].upper()}\n" for _ in range(9)))
    orders(merchant, sale, 3, paid=1)
    console = open_console(merchant, phone=True, dark=dark, language=language)
    for path, name in (("/", "home"), ("/sales", "sales"), (f"/sales/{sale}", "sales-live"), ("/sales/new", "sales-create")):
        console.go(path)
        console.picture(pictures, f"{name}-phone-{language}")
        assert console.visitor.overflows() == 0, path
        assert console.faults() == [], path
