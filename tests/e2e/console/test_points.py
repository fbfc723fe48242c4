"""Points: switched on, a level added, a customer given some, who finds them in the store."""

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.console.conftest import Console


def test_from_the_switch_to_a_level(console: Console, pictures: Path | None) -> None:
    page = console.page
    console.go("/points")
    expect(page.get_by_text("还没有等级")).to_be_visible()
    page.get_by_label("启用积分与等级").click()
    page.get_by_label("每日签到积分").fill("5")
    page.get_by_role("button", name="添加等级").click()
    page.get_by_label("名称").fill("银卡")
    page.get_by_label("成长值门槛").fill("300")
    page.get_by_role("button", name="添加等级").click()
    page.get_by_label("成长值门槛").last.fill("300")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("等级设置有误")).to_be_visible()
    page.get_by_label("成长值门槛").last.fill("900")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存")).to_be_visible()
    console.picture(pictures, "points")
    page.reload()
    expect(page.get_by_label("名称").first).to_have_value("银卡")
    said = console.merchant.api.get("/v1/points/program").json()
    assert (said["enabled"], said["sign_in_points"], [level["growth"] for level in said["levels"]]) == (True, 5, [300, 900])
