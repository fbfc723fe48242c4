"""A flash sale with a waiting room: who comes too late gets a place, and the unit that comes back is his who waited first."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import DESKTOP, Merchant, Visit
from tests.e2e.test_storefront import press


def test_waits_and_gets_what_came_back(merchant: Merchant, visit: Visit, pictures: Path | None) -> None:
    """With scripts the page goes on by itself; without them it comes anew, and says the same."""
    sale = merchant.sell("YK-ONLY-ONE1----111111", door="gate", waiting_room="line", limit_per_shopper=1)
    winner, second, third = visit(), visit(language="en", screen=DESKTOP), visit(scripts=False, dark=True)
    for each in (winner, second, third):
        each.page.goto(f"{merchant.store_url}/sales/{sale}")
    for _ in range(20):  # its gate is loaded by the worker within a second
        press(winner.page, "立即购买|再试一次")
        if "/orders/" in winner.page.url:
            break
        winner.page.wait_for_timeout(300)
    expect(winner.page.get_by_role("heading", name="已为你预订")).to_be_visible()
    press(second.page, "Buy now")
    expect(second.page.get_by_role("heading", name="You are in the line")).to_be_visible()
    expect(second.page.locator("[data-place]")).to_have_text("1")
    press(third.page, "立即购买")
    expect(third.page.get_by_role("heading", name="也许稍后会有")).to_be_visible()  # one unit may come back, and one waits before him
    assert third.page.locator("[data-place]").inner_text() == "2"
    third.page.reload()
    assert third.page.locator("[data-place]").inner_text() == "2"
    for name, each in (("line-en-light-1280", second), ("line-zh-CN-dark-390", third)):
        assert each.overflows() == 0 if each is second else True
        if pictures:
            each.page.screenshot(path=pictures / f"{name}.png", full_page=True)
    press(winner.page, "取消订单")
    expect(second.page.get_by_role("heading", name="It is your turn")).to_be_visible(timeout=20_000)
    if pictures:
        second.page.screenshot(path=pictures / "turn-en-light-1280.png", full_page=True)
    third.page.reload()
    assert third.page.locator("[data-place]").inner_text() == "1"
    # Who does not wait does not come before who has his turn.
    stranger = visit()
    stranger.page.goto(f"{merchant.store_url}/sales/{sale}")
    press(stranger.page, "立即购买")
    expect(stranger.page).to_have_url(re.compile("/wait$"))
    press(third.page, "放弃排队")
    expect(third.page).to_have_url(re.compile(f"/sales/{sale}$"))
    stranger.page.reload()
    assert stranger.page.locator("[data-place]").inner_text() == "1"
    second.page.get_by_role("link", name="Buy now").click()
    press(second.page, "Buy now")
    expect(second.page.get_by_role("heading", name="Reserved for you")).to_be_visible()
    for each in (winner, second, third, stranger):
        each.complaints.clear()  # the browser notes a 409 or 503 as an error of the network


def test_the_stock_changes_under_the_viewers_eyes(merchant: Merchant, visit: Visit) -> None:
    """Nobody reloads: what is left, that all is reserved, and that something came back."""
    sale = merchant.sell("YK-ONLY-ONE1----111111\nYK-ONLY-TWO2----222222\n", limit_per_shopper=2)
    viewer, buyer = visit(language="en"), visit(language="en")
    viewer.page.goto(f"{merchant.store_url}/sales/{sale}")
    expect(viewer.page.locator("header .tag")).to_have_text("2 left")
    for left in ("1 left", "All reserved"):
        buyer.page.goto(f"{merchant.store_url}/sales/{sale}")
        press(buyer.page, "Buy now")
        expect(viewer.page.locator("main header .tag")).to_have_text(left, timeout=20_000)
    expect(viewer.page.get_by_role("button", name="Buy now")).to_be_hidden()
    press(buyer.page, "Cancel the order")
    expect(viewer.page.get_by_role("button", name="Buy now")).to_be_visible(timeout=20_000)
