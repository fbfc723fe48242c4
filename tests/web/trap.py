"""What notices that a page has run, fetched or become something that it was not written to.

It looks with the content security policy switched off: escaping alone has to hold. The policy is tried by the journeys.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Error as BrowserError

from tests.web.payloads import COUNTED

HOME = re.compile(r"(^|\.)localhost$")
# Things that no page of ours has: code in attributes, foreign frames and addresses, styles that stand in the text.
LOOK = """() => {
    const found = [...(window.__ran || [])];
    for (const element of document.querySelectorAll("*")) {
        for (const {name, value} of element.attributes) {
            if (/^on/i.test(name)) found.push(`<${element.tagName} ${name}>`);
            if (["href", "src", "action", "formaction", "data", "xlink:href", "ping", "content", "srcset"].includes(name)) {
                const refresh = name === "content" && element.httpEquiv === "refresh" && /url=(.*)/i.exec(value);
                const place = name === "content" ? refresh && refresh[1] : name === "srcset" ? value.split(" ")[0] : value;
                let url;
                try { url = place && new URL(place.trim(), "http://here.localhost/"); } catch { continue; }
                const foreign = url && !["http:", "https:", "mailto:", "tel:"].includes(url.protocol);
                if (foreign || (url && url.hostname === "evil.test")) found.push(`<${element.tagName} ${name}=${url.href}>`);
            }
        }
        if (["IFRAME", "OBJECT", "EMBED", "BASE", "MARQUEE"].includes(element.tagName)) found.push(`<${element.tagName}>`);
    }
    // The payloads' outline: the console's components may have outlines of their own.
    const drawn = document.querySelector("[style*='7px solid red']");
    if (drawn || getComputedStyle(document.body).outlineWidth === "7px") found.push("an outline");
    return found;
}"""
ARM = "window.__ran = []; window.P = () => { window.__ran.push('P()'); };"


class Trap:
    """A tab in which everything that should not happen is noted."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._asked: list[str] = []
        self.tab = context.new_page()
        self.tab.on("dialog", self._dialog)
        context.on("request", lambda request: self._request(request.url))

    def caught(self) -> list[str]:
        """What was noted since it was asked last."""
        found = list(self._asked)
        try:
            found += self.tab.evaluate(LOOK)
            if counted := re.search(COUNTED, self.tab.content()):
                found.append(f"counted: {counted[0]}")
        except BrowserError:
            found.append("the page was left")
        self._asked.clear()
        return found

    def visit(self, url: str) -> list[str]:
        self.tab.goto(url, wait_until="load")
        return self.caught()

    def anew(self) -> None:
        """Another tab: what was leaving for somewhere else is gone, and interrupts nothing."""
        self.tab.close()
        self.tab = self._context.new_page()
        self.tab.on("dialog", self._dialog)
        self._asked.clear()

    def _dialog(self, dialog: object) -> None:
        self._asked.append("a dialog")
        dialog.dismiss()  # type: ignore[attr-defined]

    def _request(self, url: str) -> None:
        host = urlsplit(url).hostname or ""
        if url.startswith(("http:", "https:")) and not HOME.search(host):
            self._asked.append(f"asked {host}")


@contextmanager
def armed(browser: Browser, **how: object) -> Iterator[Trap]:
    context = browser.new_context(bypass_csp=True, **how)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    context.add_init_script(ARM)
    # Nothing leaves this machine, whatever is asked for.
    context.route(lambda url: not HOME.search(urlsplit(url).hostname or "") and url.startswith("http"), lambda route: route.abort())
    try:
        yield Trap(context)
    finally:
        context.close()
