"""What a store is: looks, policies, addresses, channels, how long things are kept, who stands behind it."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.documents import PDF
from tests.e2e.conftest import Merchant
from tests.e2e.console.conftest import Console, OpenConsole
from tests.pictures import picture


def test_branding_is_seen_before_it_is_saved(console: Console, pictures: Path | None) -> None:
    page = console.go("/settings")
    page.get_by_label("公告").fill("周年庆，全场九折")
    expect(page.get_by_test_id("preview")).to_contain_text("周年庆")
    page.locator("input[type=file]").first.set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": picture()})
    expect(page.get_by_role("img", name="店标")).to_be_visible()
    console.picture(pictures, "branding")
    assert console.faults() == []
    page.get_by_role("link", name="政策条款").click()
    expect(page.get_by_text("刚才的修改将会丢失")).to_be_visible()
    page.get_by_role("button", name="继续编辑").click()

    # Somebody else is first: nothing is overwritten unseen, and nothing typed is lost.
    assert console.merchant.api.patch("/v1/store", json={"footer": "沪ICP备1号"}, headers={"If-Match": "*"}).status_code == 200
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("内容已被他人修改")).to_be_visible()
    page.get_by_role("button", name="读取最新内容").click()
    expect(page.get_by_label("页脚")).to_have_value("沪ICP备1号")
    expect(page.get_by_label("公告")).to_have_value("周年庆，全场九折")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存").last).to_be_visible()
    assert console.merchant.api.get("/v1/store").json()["notice"] == "周年庆，全场九折"


def test_a_store_closes_for_a_while(console: Console, pictures: Path | None) -> None:
    page = console.go("/settings/closing")
    page.get_by_label("暂停营业").click()
    page.get_by_label("给顾客的说明").fill("盘点中，中午恢复")
    page.get_by_label("预计恢复时间").fill("2030-01-02 12:00")
    page.keyboard.press("Enter")
    console.picture(pictures, "closing")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存").last).to_be_visible()
    store = console.merchant.api.get("/v1/store").json()
    assert (store["closed"], store["closed_notice"], store["opens_at"]) == (True, "盘点中，中午恢复", "2030-01-02T04:00:00Z")
    assert console.faults() == []


def test_addresses_channels_data(console: Console, pictures: Path | None) -> None:
    page = console.go("/settings/domains")
    page.get_by_role("button", name="绑定域名").first.click()
    page.get_by_role("dialog").get_by_label("域名").fill(f"shop.{console.merchant.slug}.example.com")
    page.get_by_role("dialog").get_by_role("button", name="绑定域名").click()
    expect(page.get_by_text("等待验证")).to_be_visible()
    console.picture(pictures, "domains")
    assert console.faults() == []
    page.get_by_role("link", name="渠道").click()
    page.get_by_role("button", name="新建渠道").click()
    page.get_by_label("名称").fill("小红书")
    page.get_by_label("代码").fill("red")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("小红书")).to_be_visible()
    console.picture(pictures, "channels")
    assert console.faults() == []
    page.get_by_role("link", name="数据与注销").click()
    page.get_by_label("未再打开的购物车").fill("30")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存").last).to_be_visible()
    console.picture(pictures, "data")
    assert console.faults() == []


def test_a_qualification_is_handed_in(console: Console, pictures: Path | None) -> None:
    page = console.go("/settings/qualifications")
    page.get_by_role("button", name="新建认证").first.click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("类型").click()
    page.get_by_title("预付卡经营").click()
    drawer.get_by_label("登记名称").fill("小鹿数字科技有限公司")
    drawer.get_by_label("统一社会信用代码或身份证号").fill("91310000MA1FL00000")
    drawer.get_by_role("button", name="创建草稿").click()
    expect(page.get_by_role("button", name="提交审核")).to_be_disabled()
    page.locator("input[type=file]").first.set_input_files({"name": "record.pdf", "mimeType": "application/pdf", "buffer": PDF})
    expect(page.get_by_role("button", name="提交审核")).to_be_enabled()
    console.picture(pictures, "qualification")
    assert console.faults() == []
    page.get_by_role("button", name="提交审核").click()
    expect(page.get_by_text("待审核")).to_be_visible()


@pytest.mark.parametrize(("dark", "language"), [(False, "zh-CN"), (True, "en")])
def test_on_a_phone(open_console: OpenConsole, merchant: Merchant, pictures: Path | None, *, dark: bool, language: str) -> None:
    console = open_console(merchant, phone=True, dark=dark, language=language)
    for path in ("", "/policies", "/regional", "/domains", "/channels", "/data", "/qualifications"):
        console.go(f"/settings{path}")
        console.picture(pictures, f"settings{path.replace('/', '-')}-phone-{language}")
        assert (console.faults(), console.visitor.overflows()) == ([], 0), path
