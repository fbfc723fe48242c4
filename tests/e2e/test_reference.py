"""The API's reference in a real browser: readable on a phone and a desk, by day and by night, with nothing jutting out."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tessera.shop import Shop
from tests.e2e.conftest import DESKTOP, PHONE, Visit

PARTS = "article, nav, dt, dd, p, li, h2, h3"
JUTTING = f"[...document.querySelectorAll('{PARTS}')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML)"
pytestmark = pytest.mark.xdist_group("e2e")


@pytest.mark.parametrize(("screen", "dark"), [(PHONE, True), (DESKTOP, False)], ids=["phone-by-night", "desk-by-day"])
def test_reads_on_any_screen(shop: Shop, visit: Visit, screen: dict[str, int], dark: bool, pictures: Path | None) -> None:
    visitor = visit(language="en", screen=screen, dark=dark)
    page = visitor.page

    def picture(name: str) -> None:
        if pictures:
            page.wait_for_timeout(500)  # so long a page is not painted at once
            page.screenshot(path=pictures / f"reference-{name}-{screen['width']}-{'dark' if dark else 'light'}.png")

    page.goto(f"{shop.api_url}/docs/api")
    expect(page.locator("h1")).to_have_text("API reference")
    assert visitor.overflows() == 0
    assert page.evaluate(JUTTING) == []
    picture("top")
    page.goto(f"{shop.api_url}/docs/api#createSale")
    expect(page.locator("#createSale")).to_be_in_viewport()
    picture("operation")
    page.click("#createSale a[href='#problem-409']")
    expect(page.locator("#problem-409")).to_be_in_viewport()
    picture("problem")
    page.go_back()
    page.click("#createSale a[href='#shape-NewSale']")
    expect(page).to_have_url(re.compile("#shape-NewSale$"))
    expect(page.locator("#shape-NewSale")).to_be_in_viewport()
    picture("shape")
