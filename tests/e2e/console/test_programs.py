"""What merchants' own programs need: keys, webhooks with their log; and the audit of it all."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Merchant
from tests.e2e.console.conftest import Console, OpenConsole


def test_a_key_from_made_to_revoked(console: Console, pictures: Path | None) -> None:
    page = console.go("/keys")
    page.get_by_role("button", name="新建密钥").click()
    page.get_by_label("名称").fill("ERP 同步")
    page.get_by_role("checkbox", name="查看商品").check()
    console.picture(pictures, "key-new")
    page.get_by_role("button", name="创建").click()
    key = page.get_by_test_id("secret").inner_text()
    assert key.startswith("sk_")
    console.picture(pictures, "key-secret")
    assert console.faults() == []
    page.get_by_role("button", name="我已保存").click()
    row = page.locator("tr", has_text="ERP 同步")
    row.get_by_role("button", name="轮换").click()
    page.get_by_role("dialog").get_by_role("button", name="轮换").click()
    assert page.get_by_test_id("secret").inner_text() != key
    page.get_by_role("button", name="我已保存").click()
    expect(row).to_contain_text("轮换中")
    row.get_by_role("button", name="吊销").click()
    page.get_by_role("dialog").get_by_role("button", name="吊销").click()
    expect(row).to_contain_text("已吊销")
    console.picture(pictures, "keys")

    console.go("/audit")
    expect(page.locator("table")).to_contain_text("吊销密钥")
    expect(page.locator("table")).to_contain_text(console.merchant.mail)
    console.picture(pictures, "audit")
    assert console.faults() == []
    with page.expect_download() as download:
        page.get_by_role("button", name="导出").click()
        page.get_by_text("CSV").click()
    assert "api_key.revoked" in Path(download.value.path()).read_text()
    page.get_by_text("吊销密钥").click()
    expect(page).to_have_url(re.compile("action=api_key.revoked"))


HOOK = "https://hooks.invalid/tessera"  # where nobody listens


def test_a_webhook_that_fails_says_why(console: Console, pictures: Path | None) -> None:
    page = console.go("/webhooks")
    page.get_by_role("button", name="新建端点").first.click()
    page.get_by_label("接收地址").fill(HOOK)
    page.get_by_role("checkbox", name="全部事件").check()
    page.get_by_role("button", name="创建").click()
    assert page.get_by_test_id("secret").inner_text().startswith("whsec_")
    page.get_by_role("button", name="我已保存").click()
    page.locator("table").get_by_text(HOOK).click()
    page.get_by_role("button", name="发送测试事件").click()
    expect(page.get_by_text("没有成功")).to_be_visible()
    page.locator("table").get_by_text("webhook.test").click()
    expect(page.get_by_role("dialog")).to_contain_text("没有应答")
    console.picture(pictures, "webhook-delivery")
    assert console.faults() == []
    page.keyboard.press("Escape")
    console.picture(pictures, "webhook")


@pytest.mark.parametrize(("dark", "language"), [(False, "zh-CN"), (True, "en")])
def test_on_a_phone(open_console: OpenConsole, merchant: Merchant, pictures: Path | None, *, dark: bool, language: str) -> None:
    console = open_console(merchant, phone=True, dark=dark, language=language)
    for path in ("/keys", "/webhooks", "/audit", "/profile", "/setup"):
        console.go(path)
        console.picture(pictures, f"{path[1:]}-phone-{language}")
        assert (console.faults(), console.visitor.overflows()) == ([], 0), path
