"""The console, built once, and merchants who are signed in to it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESKTOP, PASSWORD, PHONE, Merchant, Visit, Visitor
from tests.web import axe
from tests.web.quiet import Quiet

# What the API refuses the console tells people about; the browser's own line about it says nothing more.
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (400|401|403|404|409|412|422|428|429)")


expect.set_options(timeout=15_000)  # on a busy machine a list is fetched anew only after a while


@dataclass
class Console:
    """A merchant's browser at /console."""

    merchant: Merchant
    visitor: Visitor

    def __post_init__(self) -> None:
        self._quiet = Quiet(self.page)

    @property
    def page(self) -> Page:
        return self.visitor.page

    @property
    def url(self) -> str:
        return f"http://localhost:{self.merchant.shop.port}/console"

    def go(self, path: str = "/") -> Page:
        self.page.goto(self.url + path)
        self.page.wait_for_selector("main#page :is(h1, h2), .door-brand")
        return self.page

    def settled(self) -> Page:
        """When nothing is being fetched any more."""
        self._quiet.wait()
        return self.page

    def picture(self, folder: Path | None, name: str) -> None:
        if folder:
            self.settled()
            folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=folder / f"{name}.png", full_page=True)

    def faults(self) -> list[str]:
        """What axe finds that is serious, as `rule: where`."""
        self.settled()
        return [f"{each['rule']}: {where}" for each in axe.findings(self.page) for where in each["at"]]


OpenConsole = Callable[..., Console]


@pytest.fixture
def open_console(visit: Visit, built: None) -> Iterator[OpenConsole]:
    """Opens the console as a merchant, signed in unless told otherwise."""
    opened: list[Visitor] = []

    def open_(merchant: Merchant, *, phone: bool = False, signed_in: bool = True, **visitor: Any) -> Console:
        console = Console(merchant, visit(screen=PHONE if phone else DESKTOP, **visitor))
        opened.append(console.visitor)
        console.page.emulate_media(reduced_motion="reduce")  # what fades is measured half faded
        if signed_in:
            wish = {"mail": merchant.mail, "password": PASSWORD}
            answer = httpx.post(f"{console.url}/session", json=wish)
            assert answer.status_code == 200, answer.text
            name, value = next(iter(answer.cookies.items()))
            console.visitor.context.add_cookies([{"name": name, "value": value, "url": console.url, "httpOnly": True}])
        return console

    yield open_
    for visitor in opened:
        visitor.complaints[:] = [complaint for complaint in visitor.complaints if not REFUSED.match(complaint)]


@pytest.fixture
def console(open_console: OpenConsole, merchant: Merchant) -> Console:
    """A fresh merchant's console, in Chinese, on a desktop."""
    return open_console(merchant)
