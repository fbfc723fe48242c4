"""A whole shop in real processes, a real browser, and visitors of either kind: with scripts and without."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from tessera import console as builder
from tessera.letterbox import sign_up
from tessera.shop import Shop
from tests.web.chromium import DESKTOP, PHONE, open_browser, program

__all__ = ["DESKTOP", "PHONE"]

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("e2e")
    folder.chmod(0o755)
    # Servers of its own, never somebody's data.
    own = {"DATABASE_URL": "", "REDIS_URL": "", "ARQ_REDIS_URL": "", "TESSERA_ENV": "test", "TESSERA_IP_LIMIT_FACTOR": "1000"}
    with Shop(folder, fsync=False, time_scale=0.01, environ=own) as shop:
        yield shop


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with its module: while Playwright's own event loop lives in this thread, no asynchronous test can run."""
    if program() is None:
        pytest.skip("no Chromium on this machine (.ci/run sees to it that there is one)")
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def built() -> None:
    try:
        builder.build()
    except builder.NoNode as problem:
        pytest.skip(f"{problem} The console was not tried.")


@dataclass
class Merchant:
    """A store with a payment account, and nothing to sell yet."""

    shop: Shop
    slug: str
    mail: str
    api: httpx.Client

    @property
    def store_url(self) -> str:
        return f"http://{self.slug}.localhost:{self.shop.port}"

    def sell(self, codes: str, **sale: Any) -> str:
        """Put the lines of `codes` on sale; the sale's id."""
        product = self._post("/v1/products", json={"name": sale.pop("product", "视频会员")})
        sku = self._post("/v1/skus", json={"product_id": product["id"], "name": "一年", "price_minor": 19800, "currency": "CNY"})
        headers = {"content-type": "text/plain", "x-filename": "codes.txt"}
        self._post(f"/v1/vault/imports?sku_id={sku['id']}", content=codes.encode(), headers=headers)
        body = {"sku_id": sku["id"], "name": "视频会员年卡", "units": "all", "limit_per_shopper": 2} | sale
        id_: str = self._post("/v1/sales", json=body)["id"]
        return id_

    def _post(self, path: str, **request: Any) -> Any:
        answer = self.api.post(path, **request)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
def merchant(shop: Shop) -> Iterator[Merchant]:
    slug = f"e{uuid4().hex[:10]}"
    mail = f"{slug}@example.com"
    with httpx.Client(base_url=shop.api_url) as api:
        opened = sign_up(shop.api_url, shop.mail_url, store="小鹿数字商行", slug=slug, mail=mail, password=PASSWORD)
        api.headers["authorization"] = f"Bearer {opened['api_key']}"
        office = {"authorization": f"Bearer {shop.provider.admin_token}"}
        account = httpx.post(f"{shop.provider_url}/admin/merchants", json={"name": slug}, headers=office).json()
        connected = api.post("/v1/provider-accounts", json={"provider": "sandbox"} | account)
        assert connected.status_code == 201, connected.text
        yield Merchant(shop, slug, mail, api)


@dataclass
class Visitor:
    """A browser of his own, and everything it complained about."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the visitor had gone on to the next page
            self.complaints.append(f"{request.failure}: {request.url}")

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def overflows(self) -> int:
        """By how many pixels the page is wider than the screen."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return max(0, width)


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens visitors; at the end none of their browsers may have complained: no error, no breach of the content security policy."""
    visitors: list[Visitor] = []

    def open_visitor(*, scripts: bool = True, language: str = "zh-CN", screen: dict[str, int] = PHONE, dark: bool = False) -> Visitor:
        context = browser.new_context(
            java_script_enabled=scripts, locale=language, viewport=screen, color_scheme="dark" if dark else "light",
            permissions=["clipboard-read", "clipboard-write"], timezone_id="Asia/Shanghai",
        )  # fmt: skip
        context.set_default_timeout(10_000)
        visitor = Visitor(context, context.new_page())
        visitor.watch()
        visitors.append(visitor)
        return visitor

    yield open_visitor
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        visitor.context.close()
    assert not complaints


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where to keep pictures for people, when TESSERA_PICTURES names a folder."""
    folder = os.environ.get("TESSERA_PICTURES")
    return Path(folder) if folder else None
