"""What is sold, from an empty store to a code that is revealed: product, grid, file of codes, audit."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tessera import letterbox
from tests.e2e.conftest import PASSWORD, Merchant
from tests.e2e.console.conftest import Console, OpenConsole

CODES = 1_000


def get(merchant: Merchant, path: str, **query: str) -> Any:
    answer = merchant.api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def cell(page: Page, row: int, key: str) -> Any:
    return page.locator(f'[data-cell="{row}:{key}"]')


def paste(page: Page, text: str) -> None:
    """As from a spreadsheet: the clipboard is the machine's, which tests beside this one write to as well."""
    page.evaluate(
        """text => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", text);
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
        }""",
        text,
    )


def colleague(merchant: Merchant) -> str:
    """The mail of somebody who sees units and reveals none."""
    mail = f"second.{merchant.mail}"
    assert merchant.api.post("/v1/invitations", json={"mail": mail, "role": "operations"}).status_code in (201, 202)
    accepted = {"token": letterbox.token(merchant.shop.mail_url, mail), "password": PASSWORD}
    assert httpx.post(f"{merchant.shop.api_url}/v1/invitations/accept", json=accepted).is_success
    return mail


def test_from_a_product_to_a_revealed_code(console: Console, open_console: OpenConsole, pictures: Path | None) -> None:
    merchant, page = console.merchant, console.page
    console.go("/products")
    expect(page.get_by_text("上架第一件商品")).to_be_visible()
    console.picture(pictures, "goods-empty")
    page.get_by_role("button", name="新建商品").first.click()
    page.get_by_label("商品名称").fill("视频会员")
    page.get_by_role("button", name="新建商品").last.click()
    expect(page.get_by_role("heading", name="视频会员")).to_be_visible()

    # Options, and a SKU for each of their values.
    options = page.locator(".ant-card", has_text="规格项").filter(has=page.get_by_text("没有规格项"))
    options.get_by_role("button", name="编辑").click()
    page.get_by_role("button", name="添加规格项").click()
    page.get_by_label("规格项名称").fill("时长")
    page.get_by_label("输入一个值后按回车").fill("一个月，一年，")
    page.get_by_role("button", name="保存").click()
    page.get_by_role("button", name="按规格项生成").click()
    page.get_by_label("统一售价").fill("19.9")
    page.get_by_role("button", name="生成 2 个规格").click()

    # The grid, by keyboard: typed over, confirmed, gone on; then a block as a spreadsheet gives it.
    expect(page.get_by_role("grid")).to_be_visible()
    cell(page, 0, "price_minor").click()
    page.keyboard.type("21.5")
    page.keyboard.press("Tab")
    page.keyboard.type("十")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 个单元格无法识别")).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Delete")
    cell(page, 1, "reference").click()
    paste(page, "VIP-12\t198\t¥120.00\t12 个月")
    expect(cell(page, 1, "cost_minor")).to_have_text("¥120.00")
    console.picture(pictures, "goods-grid-changed")
    assert console.faults() == []
    sku_ids = [sku["id"] for sku in reversed(get(merchant, "/v1/skus")["skus"])]
    changed = merchant.api.patch(f"/v1/skus/{sku_ids[1]}", json={"name": "整年"}, headers={"If-Match": "*"})
    assert changed.status_code == 200
    page.keyboard.press("Control+s")
    expect(page.get_by_text("此行已被他人修改")).to_be_visible()  # and nothing was saved, and nothing is lost
    assert get(merchant, f"/v1/skus/{sku_ids[0]}")["price_minor"] == 1_990
    console.picture(pictures, "goods-grid-conflict")
    page.get_by_role("button", name="用我的").click()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存 2 个规格")).to_be_visible()
    saved = [get(merchant, f"/v1/skus/{each}") for each in sku_ids]
    assert [each["price_minor"] for each in saved] == [2_150, 19_800]
    assert {name: saved[1][name] for name in ("name", "reference", "cost_minor", "face_value")} == {
        "name": "整年", "reference": "VIP-12", "cost_minor": 12_000, "face_value": "12 个月",
    }  # fmt: skip

    # A thousand codes with five bad lines.
    good = [f"CARD-{n:05d}----{n * 7919:010d}" for n in range(CODES - 5)]
    lines = [*good[:300], "x", *good[300:], good[0], "中文----1", good[1], "=SUM(A1)----2"]
    console.go(f"/vault/import?sku_id={sku_ids[1]}")
    page.locator("input[type=file]").set_input_files({"name": "年卡.txt", "mimeType": "text/plain", "buffer": "\n".join(lines).encode()})
    expect(page.get_by_text("3 行格式有误，不会导入")).to_be_visible()
    expect(page.locator("table")).not_to_contain_text(good[0].partition("----")[0])
    console.picture(pictures, "goods-import-preview")
    assert console.faults() == []
    page.get_by_label("供货来源").fill("某供应商")
    page.get_by_role("button", name=f"导入 {CODES - 5} 张").click()
    expect(page.get_by_text(f"已入库 {CODES - 5} 张")).to_be_visible()
    expect(page.get_by_text("格式有误 3 · 文件内重复 2 · 库内已有 0")).to_be_visible()
    console.picture(pictures, "goods-import-done")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载").click()
    told = list(csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert [line[:2] for line in told[1:]] == [
        ["301", "too_short"], ["997", "same_in_file"], ["998", "prose"], ["999", "same_in_file"], ["1000", "markup"],
    ]  # fmt: skip

    # One of them in clear: asked for, on record, and gone when one leaves.
    page.get_by_role("button", name="查看明细").click()
    row = page.locator("tr.ant-table-row").first
    expect(row).to_contain_text("可售")
    row.get_by_role("cell").nth(1).click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="查看明文").click()
    page.get_by_label("查看原因").fill("顾客来电核对")
    page.get_by_role("button", name="记录并显示").click()
    code = page.get_by_test_id("revealed")
    expect(code).to_contain_text("CARD-")
    console.picture(pictures, "goods-reveal")
    unit = page.url.partition("unit=")[2].partition("&")[0]
    [entry] = [each for each in get(merchant, "/v1/audit", limit="20")["items"] if each["action"] == "unit.revealed"]
    assert (entry["subject"], entry["detail"]) == (unit, {"reason": "顾客来电核对"})
    page.get_by_role("button", name="立即隐藏").click()
    expect(code).to_have_count(0)
    assert "CARD-" not in page.content()

    # Somebody who may see the vault and reveal nothing.
    mail = colleague(merchant)
    theirs = open_console(Merchant(merchant.shop, merchant.slug, mail, merchant.api))
    theirs.go(f"/vault/units?sku_id={sku_ids[1]}&unit={unit}")
    expect(theirs.page.get_by_text("您的角色不能查看明文")).to_be_visible()
    expect(theirs.page.get_by_role("button", name="查看明文")).to_have_count(0)
    refused = theirs.page.evaluate(
        """async unit => {
            const session = await (await fetch("/console/session")).json();
            const headers = {"Content-Type": "application/json", "X-CSRF-Token": session.csrf};
            const answer = await fetch(`/v1/vault/units/${unit}/reveal`, {method: "POST", headers, body: "{}"});
            return JSON.stringify([answer.status, (await answer.json()).permission]);
        }""",
        unit,
    )
    assert json.loads(refused) == [403, "codes:reveal"]
