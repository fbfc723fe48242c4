"""What a first visit transfers, and by how much what is on the screen moves while a page comes up on a slow telephone."""

from typing import Any

from playwright.sync_api import Browser

from tests.web.chromium import PHONE
from tests.web.pages import FIRST_VIEWS, STEADY, Page, named
from tests.web.showcase import Showcase

SLOWER = 4  # times: a cheap telephone beside this machine
SETTLED_MS = 1500
# Every shift is counted, also one after a press: nobody presses here.
SHIFTS = """
    window.__shift = {score: 0, moved: []};
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) {
            window.__shift.score += entry.value;
            window.__shift.moved.push(...entry.sources.map(each => each.node ? each.node.cloneNode(false).outerHTML || "text" : "gone"));
        }
    }).observe({type: "layout-shift", buffered: true});
"""


def first_views(showcase: Showcase, browser: Browser) -> dict[str, dict[str, Any]]:
    """By page: bytes over the wire of the document and of everything, headers included, with an empty cache."""
    return {name: _first_view(showcase, browser, named(name)) for name in FIRST_VIEWS}


def _first_view(showcase: Showcase, browser: Browser, page: Page) -> dict[str, Any]:
    context = showcase.context(browser, page, viewport=PHONE)
    tab = context.new_page()
    wire = context.new_cdp_session(tab)
    kinds: dict[str, str] = {}
    urls: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def answered(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = event["type"]
        urls[event["requestId"]] = event["response"]["url"]

    def finished(event: dict[str, Any]) -> None:
        sizes[event["requestId"]] = int(event["encodedDataLength"])

    wire.on("Network.responseReceived", answered)
    wire.on("Network.loadingFinished", finished)
    wire.send("Network.enable")
    tab.goto(showcase.url(page), wait_until="networkidle")
    html = sum(size for request, size in sizes.items() if kinds.get(request) == "Document")
    parts = {urls[request].partition(f":{showcase.shop.port}")[2]: size for request, size in sizes.items() if request in urls}
    context.close()
    return {"html_bytes": html, "all_bytes": sum(sizes.values()), "requests": len(sizes), "parts": parts}


def shifts(showcase: Showcase, browser: Browser) -> dict[str, dict[str, Any]]:
    """By page, on a telephone whose processor is `SLOWER`: the sum of the browser's own scores, and what has moved."""
    return {name: _shift(showcase, browser, named(name)) for name in STEADY}


def _shift(showcase: Showcase, browser: Browser, page: Page) -> dict[str, Any]:
    context = showcase.context(browser, page, viewport=PHONE)
    context.add_init_script(SHIFTS)
    tab = context.new_page()
    context.new_cdp_session(tab).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    showcase.show(tab, page)
    tab.wait_for_timeout(SETTLED_MS)
    shift: dict[str, Any] = tab.evaluate("window.__shift")
    context.close()
    return shift | {"score": round(shift["score"], 4)}
