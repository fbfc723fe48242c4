"""What lies on the shelf, bought on the store's page: a number that the shopper chooses, with scripts and without."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import DESKTOP, PHONE, Merchant, Visit
from tests.e2e.test_storefront import pay_at_provider, press

NUMBERS = "code,label\nVIP-7777-AAAA,靓号 7777\nVIP-8888-BBBB,靓号 8888\n"
WORDS = {
    "zh-CN": {"buy": "立即购买", "pay": "去付款", "reserved": "已为你预订", "reveal": "显示卡密"},
    "en": {"buy": "Buy now", "pay": "Pay now", "reserved": "Reserved for you", "reveal": "Show my code"},
}


def shelve(merchant: Merchant) -> None:
    """Two numbers, one of which costs more."""

    def ask(method: str, path: str, **request: Any) -> Any:
        answer = merchant.api.request(method, path, **request)
        assert answer.is_success, answer.text
        return answer.json()

    product = ask("POST", "/v1/products", json={"name": "会员靓号"})
    sku = ask("POST", "/v1/skus", json={"product_id": product["id"], "name": "四位靓号", "price_minor": 8800, "type": "chosen"})["id"]
    headers = {"content-type": "text/csv", "x-filename": "numbers.csv"}
    ask("POST", f"/v1/vault/imports?sku_id={sku}", content=NUMBERS.encode(), headers=headers)
    picks = ask("GET", f"/v1/skus/{sku}/picks")["picks"]
    [dear] = [pick["pick"] for pick in picks if "8888" in pick["label"]]
    ask("PATCH", f"/v1/skus/{sku}/picks", json={"picks": [{"pick": dear, "is_on": True, "surcharge_minor": 20000}]})
    ask("PUT", f"/v1/skus/{sku}/shelf", json={"units": "all"})


@pytest.mark.parametrize(("language", "screen"), [("zh-CN", PHONE), ("en", DESKTOP)], ids=["zh-CN", "en"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_chooses_and_gets_that_one(
    merchant: Merchant, visit: Visit, scripts: bool, language: str, screen: dict[str, int], pictures: Path | None
) -> None:
    shelve(merchant)
    visitor, words = visit(scripts=scripts, language=language, screen=screen), WORDS[language]
    page = visitor.page
    page.goto(merchant.store_url)
    page.get_by_role("link", name=re.compile("靓号")).first.click()
    choice = page.locator("select[name=pick]")
    choice.select_option(label=next(text for text in choice.locator("option").all_inner_texts() if "8888" in text))
    expect(page.get_by_role("button", name=re.compile(words["buy"]))).not_to_contain_text("88.00")  # which costs more than others do
    assert visitor.overflows() == 0
    if pictures and scripts:
        page.screenshot(path=pictures / f"shelf-{language}.png", full_page=True)
    press(page, words["buy"])
    expect(page.get_by_role("heading", name=words["reserved"])).to_be_visible()
    expect(page.get_by_text("288.00").first).to_be_visible()  # 88 and what the number costs on top
    if pictures and scripts:
        page.screenshot(path=pictures / f"shelf-order-{language}.png", full_page=True)
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
