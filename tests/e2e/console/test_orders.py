"""What was sold, to whom, and what went wrong: found, refunded in part, fulfilled by hand, settled."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Merchant
from tests.e2e.console.buying import Guest, office, posted, topup, until
from tests.e2e.console.conftest import Console, OpenConsole


@pytest.fixture(autouse=True)
def guests() -> Iterator[None]:
    yield
    Guest.leave()


CODES = "".join(f"AAAA-000{n}\n" for n in range(5))


def test_an_order_from_part_of_a_contact_to_a_refund_of_one_unit(console: Console, pictures: Path | None) -> None:
    merchant = console.merchant
    sale = merchant.sell(CODES, limit_per_shopper=0)
    order = Guest.of(merchant).has(sale, 3, "ann.lee@example.org")
    Guest.of(merchant).buy(sale, 1, "bob@example.org")

    page = console.go("/orders")
    expect(page.locator("tbody tr.ant-table-row")).to_have_count(2)
    console.picture(pictures, "orders")
    assert console.faults() == []
    page.get_by_label("联系方式、商品名或订单号").fill("nn.lee")
    expect(page.locator("tbody tr.ant-table-row")).to_have_count(1)
    assert "q=nn.lee" in page.url, "the address holds the filters"
    page.get_by_role("button", name="全部订单").or_(page.get_by_role("button", name="视图")).click()
    page.get_by_role("menuitem", name="保存当前条件").click()
    page.get_by_label("视图名称").fill("安的订单")
    page.get_by_role("dialog").get_by_role("button", name="保存当前条件").click()
    expect(page.get_by_role("button", name="安的订单")).to_be_visible()

    page.locator("tbody tr.ant-table-row").click()
    page.wait_for_url(f"**/orders/{order}")
    expect(page.get_by_text("付款到账")).to_be_visible()
    expect(page.get_by_text("an***@example.org")).to_be_visible()
    page.get_by_role("button", name="显示完整联系方式").click()
    expect(page.get_by_text("ann.lee@example.org")).to_be_visible()
    page.get_by_label("写一条备注").fill("来电说有一份重复了")
    page.get_by_role("button", name="保存备注").click()
    expect(page.locator("article").get_by_text("来电说有一份重复了")).to_be_visible()
    console.picture(pictures, "order")
    assert console.faults() == []

    page.get_by_role("button", name="退款", exact=True).click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("checkbox", name="#").nth(1).check()
    expect(drawer.get_by_text("将退回 ¥198.00，共 1 份。")).to_be_visible()
    expect(drawer.get_by_text("其中 1 份已经交付，会立即失效。")).to_be_visible()
    console.picture(pictures, "order-refund")
    assert console.faults() == []
    drawer.get_by_role("button", name="退款 ¥198.00").click()
    page.locator(".ant-modal-confirm").get_by_role("button", name="退款 ¥198.00").click()
    expect(page.get_by_text("已提交退款 ¥198.00")).to_be_visible()
    expect(page.locator("main").get_by_text("退款到账")).to_be_visible(timeout=20_000)
    expect(page.locator("tr", has_text="#").filter(has_text="已退款")).to_have_count(1)
    expect(page.locator("main .ant-descriptions").filter(has_text="净收")).to_contain_text("¥396.00")
    console.picture(pictures, "order-refunded")

    # Money and state are the same wherever one looks.
    seen = merchant.api.get(f"/v1/orders/{order}").json()
    assert (seen["state"], seen["refunded_minor"]) == ("delivered", 19_800)
    [refund] = merchant.api.get("/v1/refunds").json()["items"]
    assert (refund["state"], refund["amount_minor"], len(refund["units"])) == ("succeeded", 19_800, 1)
    page = console.go("/payments?tab=refunds")
    expect(page.locator("tbody tr.ant-table-row")).to_contain_text("¥198.00")
    console.picture(pictures, "payments-refunds")
    assert console.faults() == []
    page = console.go("/orders")
    expect(page.locator("tbody tr.ant-table-row", has_text="已交付")).to_contain_text("¥198.00")


def test_many_orders_and_the_export_of_what_is_filtered(console: Console, pictures: Path | None) -> None:
    merchant = console.merchant
    sale = merchant.sell(CODES, limit_per_shopper=0)
    for name in ("ann", "bob"):
        Guest.of(merchant).buy(sale, 1, f"{name}@example.org")
    posted(merchant.api, "/v1/order-tags", {"name": "回访"})
    page = console.go("/orders")
    page.get_by_label("联系方式、商品名或订单号").fill("ann")
    expect(page.locator("tbody tr.ant-table-row")).to_have_count(1)
    page.locator("tr.ant-table-row .ant-checkbox-input").check()
    page.get_by_role("button", name="打标签").click()
    page.get_by_role("option", name="回访").or_(page.locator(".ant-select-item-option", has_text="回访")).last.click()
    expect(page.locator("tbody tr.ant-table-row").get_by_text("回访")).to_be_visible()
    page.get_by_role("button", name="导出").click()
    page.get_by_role("dialog").get_by_text("CSV", exact=True).click()
    page.get_by_role("button", name="开始导出").click()
    with page.expect_download(timeout=30_000) as download:
        page.get_by_role("button", name="下载文件").click(timeout=30_000)
    content = Path(download.value.path()).read_text()
    assert "ann@example.org" in content
    assert "bob@example.org" not in content, "what is not filtered is not in it"
    console.picture(pictures, "orders-export")
    assert console.faults() == []


def test_by_hand_from_the_queue_to_delivered(console: Console, open_console: OpenConsole, pictures: Path | None) -> None:
    merchant = console.merchant
    ann = Guest.of(merchant)
    order = ann.has(topup(merchant), 1, "ann@example.org", state="paid", account="13800138000", account_again="13800138000")
    page = console.go("/fulfilments")
    row = page.locator("tbody tr.ant-table-row")
    expect(row).to_contain_text("100 元 × 1")
    console.picture(pictures, "fulfilments")
    assert console.faults() == []
    row.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("13800138000")).to_be_visible()
    drawer.get_by_role("button", name="认领").click()
    expect(page.get_by_text("已认领，15 分钟内归你")).to_be_visible()
    console.picture(pictures, "fulfilment")
    assert console.faults() == []

    # The program of the store is somebody else: it is told who is at it.
    [waiting] = merchant.api.get("/v1/fulfilments").json()["items"]
    refused = merchant.api.post("/v1/types/topup/claim", json={"fulfilment_id": waiting["id"]})
    assert (refused.status_code, refused.json()["by"]) == (409, waiting["claimed_by"])

    drawer.get_by_label("充值凭证号").fill("CM20261123-0042")
    drawer.get_by_role("button", name="完成并通知买家").click()
    expect(page.get_by_text("都处理完了")).to_be_visible()
    ann.reaches("delivered")
    [told] = ann.api.get(f"/v1/orders/{order}/codes").json()["codes"]
    assert told["note"] == "CM20261123-0042"
    console.picture(pictures, "fulfilments-empty")


def test_late_money_that_its_provider_would_not_return(console: Console, pictures: Path | None) -> None:
    """Money comes after the order is over and its unit is another's: it goes back, the provider refuses, a person has it tried again."""
    merchant = console.merchant
    sale = merchant.sell("ONLY-0001\n", limit_per_shopper=0)
    late = Guest.of(merchant)
    late.buy(sale, 1, "late@example.org")
    attempt = late.start()
    posted(merchant.api, f"/v1/orders/{late.order}/cancel", {})
    late.reaches("cancelled")
    Guest.of(merchant).has(sale)
    office(merchant, "POST", "faults", {"out_trade_no": attempt["out_trade_no"], "refund_abnormal": 1.0})
    late.pay(attempt, late=True)
    until(lambda: bool(merchant.api.get("/v1/exceptions").json()["exceptions"]))

    page = console.go("/exceptions")
    row = page.locator("tbody tr.ant-table-row")
    expect(row).to_contain_text("支付渠道拒绝了退款")
    expect(row).to_contain_text("¥198.00")
    console.picture(pictures, "exceptions")
    assert console.faults() == []
    office(merchant, "DELETE", "faults")
    row.get_by_role("button", name="再退一次").click()
    page.locator(".ant-modal-confirm").get_by_role("button", name="再退一次").click()
    expect(page.get_by_text("没有异常", exact=True)).to_be_visible()
    until(lambda: merchant.api.get("/v1/refunds").json()["items"][0]["state"] == "succeeded")
    page.get_by_text("已解决", exact=True).click()
    expect(page.locator("tbody tr.ant-table-row")).to_contain_text("重新提交")
    page = console.go(f"/orders/{late.order}")
    expect(page.get_by_text("订单结束后才到账，自动退回")).to_be_visible()
    expect(page.get_by_text("退款到账")).to_be_visible()
    console.picture(pictures, "order-late")
    assert console.faults() == []


def test_a_customer_with_what_he_bought_and_his_rights(console: Console, pictures: Path | None) -> None:
    merchant = console.merchant
    sale = merchant.sell(CODES, limit_per_shopper=0)
    ann = Guest.of(merchant)
    ann.has(sale, 1, "ann@example.org")
    page = console.go("/customers")
    page.get_by_label("联系方式里的任意几个字").fill("ann")
    console.picture(pictures, "customers")
    assert console.faults() == []
    page.get_by_role("link", name="an***@example.org").click()
    page.get_by_role("button", name="导出他的全部信息").click()
    expect(page.get_by_role("button", name="下载")).to_be_visible(timeout=20_000)
    console.picture(pictures, "customer")
    assert console.faults() == []
    page.get_by_role("button", name="删除他的个人信息").click()
    dialog = page.get_by_role("dialog")
    erase = dialog.get_by_role("button", name="永久删除")
    expect(erase).to_be_disabled()
    dialog.get_by_role("checkbox").check()
    expect(erase).to_be_disabled()
    dialog.get_by_role("textbox").fill(page.url[-6:])
    console.picture(pictures, "customer-erase")
    erase.click()
    expect(page.get_by_text("已开始删除，一分钟左右完成")).to_be_visible()


@pytest.mark.parametrize(("phone", "dark", "language"), [(True, False, "zh-CN"), (True, True, "en"), (False, True, "en")])
def test_each_screen_in_other_looks(
    open_console: OpenConsole, merchant: Merchant, pictures: Path | None, *, phone: bool, dark: bool, language: str
) -> None:
    order = Guest.of(merchant).has(merchant.sell(CODES, limit_per_shopper=0), 2, "ann@example.org")
    [shopper] = merchant.api.get("/v1/shoppers").json()["items"]
    console = open_console(merchant, phone=phone, dark=dark, language=language)
    ones = (f"/orders/{order}", f"/customers/{shopper['id']}")
    places = ("/orders", "/customers", *ones, "/fulfilments", "/entitlements", "/exceptions", "/payments", "/payments?tab=accounts")
    for place in places:
        console.go(place)
        name = place.strip("/").replace(order, "one").replace(shopper["id"], "one").replace("/", "-").replace("?tab=", "-")
        console.picture(pictures, f"{name}-{'phone' if phone else 'desktop'}-{language}-{'dark' if dark else 'light'}")
        assert console.visitor.overflows() == 0, place
        assert console.faults() == [], place
