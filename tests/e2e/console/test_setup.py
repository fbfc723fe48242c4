"""From an empty store to the first sale, by the guide: each step is ticked by what is there."""

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.console.conftest import Console


def test_the_trial_ends_with_a_code(console: Console, pictures: Path | None) -> None:
    page = console.go("/setup")
    console.picture(pictures, "guide-empty")
    assert console.faults() == []
    for step, button in (("sample", "添加示例"), ("account", "开通"), ("sale", "立即开售")):
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.locator(f'[data-step="{step}"]')).to_have_attribute("data-done", "true")
    console.picture(pictures, "guide-on-sale")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="打开测试店铺").click()
    shop = opened.value
    shop.get_by_text("视频会员月卡（示例）").first.click()
    shop.locator("form[action$='/buy'] button[type=submit]").click()
    shop.wait_for_url("**/orders/**")
    shop.close()
