"""The console around its screens: the door, the palette, shortcuts, looks, test mode."""

import re
from pathlib import Path

import pyotp
from playwright.sync_api import expect

from tests.e2e.conftest import PASSWORD, Merchant
from tests.e2e.console.conftest import Console, OpenConsole


class TestDoor:
    def test_in_with_two_steps_and_out(self, open_console: OpenConsole, merchant: Merchant, pictures: Path | None) -> None:
        console = open_console(merchant, signed_in=False)
        page = console.go("/profile")
        console.picture(pictures, "sign-in")
        assert console.faults() == []
        page.get_by_label("邮箱").fill(merchant.mail)
        page.get_by_label("密码", exact=True).fill("not the password")
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_role("alert")).to_contain_text("邮箱或密码不正确")
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_role("heading", name="个人资料与安全")).to_be_visible()  # the page that was asked for

        page.get_by_role("button", name="开启两步验证").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("当前密码").fill(PASSWORD)
        dialog.get_by_role("button", name="下一步").click()
        secret = dialog.get_by_test_id("totp-secret").inner_text()
        console.picture(pictures, "totp")
        dialog.get_by_label("验证器显示的 6 位数字").fill(pyotp.TOTP(secret).now())
        dialog.get_by_role("button", name="开启两步验证").click()
        codes = re.findall(r"[\w-]{8,}", dialog.get_by_test_id("recovery-codes").inner_text())
        assert len(codes) == 10
        dialog.get_by_role("button", name="我已保存").click()
        expect(page.get_by_text("已开启", exact=True)).to_be_visible()
        console.picture(pictures, "profile")
        assert console.faults() == []

        page.get_by_role("button", name="我的账户").click()
        page.get_by_text("退出登录").click()
        page.get_by_label("邮箱").fill(merchant.mail)
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.get_by_label("两步验证码").fill(codes[0])
        console.picture(pictures, "second-step")
        page.get_by_role("button", name="验证并登录").click()
        expect(page.locator("main#page h1")).to_be_visible()

    def test_a_new_store_is_asked_for(self, open_console: OpenConsole, merchant: Merchant, pictures: Path | None) -> None:
        console = open_console(merchant, signed_in=False, phone=True)
        page = console.go("/sign-up")
        page.get_by_label("店铺名称").fill("第二家")
        page.get_by_label("店铺网址").fill(merchant.slug)
        page.get_by_label("邮箱").fill("second@example.com")
        page.get_by_role("button", name="发送确认邮件").click()
        expect(page.get_by_text("该网址已被使用")).to_be_visible()
        assert (console.faults(), console.visitor.overflows()) == ([], 0)
        page.get_by_label("店铺网址").fill(f"{merchant.slug}-2")
        page.get_by_role("button", name="发送确认邮件").click()
        expect(page.get_by_text("请查收邮件")).to_be_visible()
        console.picture(pictures, "sign-up-phone")


class TestFrame:
    def test_keys_words_and_looks(self, console: Console, pictures: Path | None) -> None:
        page = console.go("/staff")
        page.keyboard.press("/")
        page.get_by_role("combobox", name="搜索").fill("密钥")
        console.picture(pictures, "palette")
        assert console.faults() == []
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="API 密钥")).to_be_visible()
        page.keyboard.press("g")
        page.keyboard.press("w")
        expect(page).to_have_url(re.compile("/console/webhooks$"))
        page.keyboard.press("?")
        expect(page.get_by_text("键盘快捷键")).to_be_visible()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="语言").click()
        page.get_by_text("English").click()
        expect(page.get_by_role("heading", name="Webhooks")).to_be_visible()
        page.get_by_role("button", name="Appearance").click()
        page.get_by_text("Dark", exact=True).click()
        assert page.locator("html").get_attribute("data-scheme") == "dark"
        console.picture(pictures, "webhooks-empty-dark-en")
        assert console.faults() == []
        console.go("/nothing-here")
        expect(page.get_by_text("There is no such page")).to_be_visible()  # and the choices were kept

    def test_test_mode_is_another_store(self, console: Console, pictures: Path | None) -> None:
        page = console.go("/keys")
        expect(page.locator("table")).to_contain_text("有效")  # the key of the sign-up
        page.get_by_role("button", name="我的账户").click()
        page.get_by_role("switch", name="测试模式").click()
        expect(page.get_by_role("status")).to_contain_text("当前是测试模式")
        expect(page.get_by_text("还没有 API 密钥")).to_be_visible()
        console.picture(pictures, "test-mode")
        assert console.faults() == []
        page.reload()
        expect(page.get_by_text("当前是测试模式")).to_be_visible()
        page.get_by_role("button", name="返回正式店铺").click()
        expect(page.locator("table")).to_contain_text("有效")
