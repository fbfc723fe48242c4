"""Every page of the table on a telephone, by day and by night: nothing serious for axe, nothing wider than the screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tessera.shop import Shop
from tests.web import axe
from tests.web.chromium import PHONE
from tests.web.pages import CONSOLE, PLATFORM, SHOP, Page
from tests.web.showcase import Showcase, furnished

FACES = {"shop": SHOP, "console": CONSOLE, "platform": PLATFORM}
LANGUAGES = {"shop": "zh-CN", "console": "en", "platform": "en"}  # the console in that with the longer words


@pytest.fixture(scope="module")
def showcase(shop: Shop) -> Iterator[Showcase]:
    with furnished(shop) as showcase:
        yield showcase


@pytest.fixture(autouse=True)
def has_axe() -> None:
    if axe.script() is None:
        pytest.skip("no axe-core on this machine: npm ci in admin_ui brings it (make console)")


def serious(showcase: Showcase, browser: Browser, pages: list[Page], language: str) -> dict[str, list[object]]:
    """By page and light what axe found, with where. Whoever looks at several has one browser, which has the scripts already."""
    found = {}
    contexts: dict[tuple[str, str], BrowserContext] = {}
    for page in pages:
        whose = (page.who, page.host)
        context = contexts.get(whose) or contexts.setdefault(whose, showcase.context(browser, page, viewport=PHONE, locale=language))
        tab = context.new_page()
        tab.emulate_media(color_scheme="light", reduced_motion="reduce")
        showcase.show(tab, page)
        for dark in (False, True):
            if dark:  # both faces follow the screen's light without being read anew
                tab.emulate_media(color_scheme="dark", reduced_motion="reduce")
                tab.wait_for_timeout(100)
            if violations := axe.findings(tab, ["color-contrast"] if dark else None):  # the dark changes colours alone
                found[f"{page.name}, {'dark' if dark else 'light'}"] = list(violations)
        if wider := tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"):
            found[page.name] = [f"wider than the screen by {wider} px"]
        tab.close()
    for context in contexts.values():
        context.close()
    return found  # type: ignore[return-value]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("face", FACES)
def test_nothing_serious(showcase: Showcase, browser: Browser, face: str) -> None:
    assert serious(showcase, browser, FACES[face], LANGUAGES[face]) == {}


def test_a_page_that_is_hard_to_use_is_found(browser: Browser) -> None:
    tab = browser.new_page()
    tab.set_content("<!doctype html><html><title>x</title><body><img src=x><p style='color:#bbb;background:#fff'>pale</p><input></body>")
    assert {"image-alt", "color-contrast", "label", "html-has-lang"} <= {each["rule"] for each in axe.findings(tab)}
    tab.close()
