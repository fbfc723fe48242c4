"""A whole shop in real processes with a shopkeeper's things in it, and browsers of those who look at its pages."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Page as Tab

from tessera.letterbox import sign_up
from tessera.shop import Shop
from tests.fuzz.api.house import Desk, House
from tests.fuzz.api.people import Door
from tests.web import past
from tests.web.chromium import DESKTOP
from tests.web.pages import Page, Who
from tests.web.quiet import Quiet
from tests.web.shopkeeper import Shopkeeper

PASSWORD = "correct horse battery staple"
# Servers of its own, never somebody's data.
OWN = {"DATABASE_URL": "", "REDIS_URL": "", "ARQ_REDIS_URL": "", "TESSERA_ENV": "test", "TESSERA_IP_LIMIT_FACTOR": "100000"}


@dataclass
class Showcase:
    """`places` is what pages are addressed by; `slugs` by host."""

    shop: Shop
    keeper: Shopkeeper
    slugs: dict[str, str]
    tokens: dict[Who, str]

    def url(self, page: Page) -> str:
        path = page.path.format(**self.keeper.places)
        slug = self.slugs.get(page.host)
        return f"http://{f'{slug}.' if slug else ''}localhost:{self.shop.port}{path}"

    def context(self, browser: Browser, page: Page, **how: Any) -> BrowserContext:
        """A browser of whoever looks at `page`."""
        context = browser.new_context(**{"viewport": DESKTOP, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"} | how)
        context.set_default_timeout(15_000)
        if page.who in self.tokens:
            name = {"shopper": "tessera_shopper", "merchant": "tessera_session"}[page.who]
            address = self.url(page._replace(path="/"))
            context.add_cookies([{"name": name, "value": self.tokens[page.who], "url": address}])
        return context

    def show(self, tab: Tab, page: Page) -> None:
        """The page, whole: its fonts loaded, nothing under way."""
        quiet = Quiet(tab)
        if page.first:
            getattr(self.keeper, page.first)()
        answer = tab.goto(self.url(page))
        assert answer is not None
        assert answer.status == page.status, f"{page.name} answers {answer.status}, not {page.status}"
        if page.press:
            tab.locator(page.press).first.click()
        tab.locator(page.shown).first.wait_for()
        if page.who == "merchant":
            quiet.wait()
        else:
            tab.wait_for_load_state("load")
        tab.evaluate("document.fonts.ready")


@contextmanager
def open_showcase(folder: Path) -> Iterator[Showcase]:
    """Servers, processes and all that is to be seen; half a minute on two cores."""
    with Shop(folder, fsync=False, time_scale=0.01, environ=OWN) as shop, furnished(shop) as showcase:
        yield showcase


@contextmanager
def furnished(shop: Shop) -> Iterator[Showcase]:
    """A store in a shop that is open, with everything in it; its shopkeeper leaves with the context."""
    slug = f"deer{uuid4().hex[:6]}"
    mail = f"owner@{slug}.example"
    opened = sign_up(shop.api_url, shop.mail_url, store="小鹿数字商行", slug=slug, mail=mail, password=PASSWORD)
    keeper = Shopkeeper(shop.api_url, shop.provider_url, shop.provider.admin_token, slug, opened["api_key"])
    with closing(keeper):
        keeper.furnish()
        sales = [keeper.places[f"sale_{name}"].partition("_")[2] for name in ("open", "gate", "ended", "paused")]
        asyncio.run(past.write(shop.environ["DATABASE_URL"], str(opened["tenant_id"]).removeprefix("ten_"), sales))
        slugs = {"shop": slug, "closed": _closed(shop), "away": _away(shop), "nobody": "nobody-at-all"}
        credentials = {"mail": mail, "password": PASSWORD}
        session = httpx.post(f"{shop.api_url}/v1/sessions", json=credentials, trust_env=False).raise_for_status().json()
        shopper = keeper.shopper["Authorization"].removeprefix("Bearer ")
        yield Showcase(shop, keeper, slugs, {"merchant": session["token"], "shopper": shopper})


def _closed(shop: Shop) -> str:
    """The slug of a store that the platform has closed."""
    house = House.of(shop)
    with closing(Desk(shop.api_url)) as desk:
        door = Door(desk, house)
        store, admin = door.open_store(), door.first_admin()
        desk.ask("POST", f"/v1/platform/merchants/{store.tenant_id}/suspend", admin, {"reason": "资质待补 · papers are missing"})
    return store.slug


def _away(shop: Shop) -> str:
    """The slug of a store that its merchant has closed for a while."""
    with closing(Desk(shop.api_url)) as desk:
        store = Door(desk, House.of(shop)).open_store()
        words = {"name": "小鹿数字商行", "closed": True, "closed_notice": "盘点中，暂停接单。\n急事请拨打 400-810-6688。"}
        opens_at = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=5)).isoformat()
        desk.ask("PATCH", "/v1/store", store.key | {"If-Match": "*"}, words | {"opens_at": opens_at})
    return store.slug
