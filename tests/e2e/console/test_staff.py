"""The owner invites somebody, makes a role, and takes both back."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Merchant
from tests.e2e.console.conftest import Console, OpenConsole


def test_staff_from_invitation_to_role(console: Console, pictures: Path | None) -> None:
    page = console.go("/staff")
    expect(page.locator("table")).to_contain_text(console.merchant.mail)
    console.picture(pictures, "staff")
    page.get_by_role("button", name="邀请成员").click()
    page.get_by_label("邮箱").fill("colleague@example.com")
    console.picture(pictures, "staff-invite")
    assert console.faults() == []
    page.get_by_role("button", name="发送邀请").click()
    expect(page.get_by_text("邀请已发往 colleague@example.com")).to_be_visible()
    page.get_by_role("link", name="待接受的邀请").click()
    expect(page.locator("table")).to_contain_text("colleague@example.com")
    page.get_by_role("button", name="撤回").click()
    page.get_by_role("dialog").get_by_role("button", name="撤回").click()
    expect(page.get_by_text("没有待接受的邀请")).to_be_visible()

    page.get_by_role("link", name="角色", exact=True).click()
    page.get_by_role("button", name="新建角色").click()
    page.get_by_label("角色名称").fill("夜班客服")
    page.get_by_role("checkbox", name="查看订单").check()
    console.picture(pictures, "staff-role")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("table")).to_contain_text("夜班客服")
    console.picture(pictures, "staff-roles")
    assert console.faults() == []


@pytest.mark.parametrize(("dark", "language"), [(False, "zh-CN"), (True, "en")])
def test_on_a_phone(open_console: OpenConsole, merchant: Merchant, pictures: Path | None, *, dark: bool, language: str) -> None:
    console = open_console(merchant, phone=True, dark=dark, language=language)
    console.go("/staff")
    console.settled()
    console.picture(pictures, f"staff-phone-{language}")
    assert console.visitor.overflows() == 0
    assert console.faults() == []
