"""What hostile merchants and shoppers write into every field that reaches a page runs nowhere, in a real browser without its policy.

`TestTrap` is the twin: on pages that escape nothing each one of them is caught.
"""

import io

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser

from tessera.shop import Shop
from tests.fuzz.api.house import bearer
from tests.web import spoilt
from tests.web.payloads import PAYLOADS, batches, careless
from tests.web.quiet import Quiet
from tests.web.trap import Trap, armed

pytestmark = pytest.mark.usefixtures("shop")  # it opens before the browser, whose loop then lives in this thread
QUESTION = 100
CARELESS = "http://careless.localhost/"
SETTLES_MS = 30
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="P()"><script>P()</script></svg>'


def test_there_are_eighty() -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 80


class TestTrap:
    def test_catches_each_on_a_page_that_escapes_nothing(self, browser: Browser) -> None:
        missed, page = [], ""
        with armed(browser) as trap:
            trap.tab.context.route(f"{CARELESS}x", lambda route: route.abort())
            trap.tab.context.route(CARELESS, lambda route: route.fulfill(body=page, content_type="text/html"))
            for payload in PAYLOADS:
                page = careless(payload)
                if not self._caught(trap):
                    missed.append(payload)
                if "refresh" in payload.text:
                    trap.anew()
        assert missed == []

    def _caught(self, trap: Trap) -> bool:
        """Within a moment: events of elements come after the page has loaded."""
        found = trap.visit(CARELESS)
        for _ in range(20):
            if found:
                return True
            trap.tab.wait_for_timeout(SETTLES_MS)
            found = trap.caught()
        return False

    def test_catches_nothing_on_a_plain_page(self, browser: Browser) -> None:
        with armed(browser) as trap:
            plain = "<!doctype html><title>x</title><a href='https://example.org/'>x</a> <img src=/y alt=x> 49 {{7*7}} &lt;script&gt;P()"
            trap.tab.route(CARELESS, lambda route: route.fulfill(body=plain, content_type="text/html"))
            trap.tab.route(f"{CARELESS}y", lambda route: route.fulfill(body="", content_type="image/png"))
            assert trap.visit(CARELESS) == []


def visit_all(trap: Trap, shop: Shop, stores: list[spoilt.Spoilt]) -> dict[str, list[str]]:
    """By page what the trap has caught."""
    caught = {}
    for store in stores:
        for path in store.paths:
            if found := trap.visit(f"http://{store.slug}.localhost:{shop.port}{path}"):
                caught[f"{store.slug}{path}"] = found
    return caught


@pytest.fixture(scope="module")
def goods(shop: Shop) -> spoilt.Spoilt:
    return spoilt.goods(shop)


class TestConsole:
    def test_what_shoppers_and_merchants_say_runs_nowhere(self, shop: Shop, browser: Browser, goods: spoilt.Spoilt, built: None) -> None:
        url = f"http://localhost:{shop.port}/console"
        session = httpx.post(f"{shop.api_url}/v1/sessions", json=goods.credentials, trust_env=False).raise_for_status().json()
        caught, silent = {}, []
        with armed(browser) as trap:
            trap.tab.context.add_cookies([{"name": "tessera_session", "value": session["token"], "url": url}])
            quiet = Quiet(trap.tab)
            for path in goods.console:
                trap.tab.goto(f"{url}{path}")
                trap.tab.wait_for_selector("main#page :is(h1, h2)")
                quiet.wait()
                if found := trap.caught():
                    caught[path] = found
                if "P()" not in trap.tab.content():
                    silent.append(path)
        assert caught == {}
        assert set(silent) <= {"/audit"}  # all others show names


class TestStorefront:
    def test_what_a_merchant_says_of_his_store_runs_nowhere(self, shop: Shop, browser: Browser) -> None:
        stores = spoilt.faces(shop)
        with armed(browser) as trap:
            assert visit_all(trap, shop, stores) == {}
            for store in stores[:1]:
                trap.visit(f"http://{store.slug}.localhost:{shop.port}/")
                assert "P()" in trap.tab.content()  # it is there to be read, as text

    def test_what_a_merchant_says_of_his_goods_runs_nowhere(self, shop: Shop, browser: Browser, goods: spoilt.Spoilt) -> None:
        with armed(browser) as trap:
            for language in ("zh-CN", "en"):
                trap.tab.set_extra_http_headers({"Accept-Language": language})
                assert visit_all(trap, shop, [goods]) == {}

    def test_nor_where_a_shopper_buys_it(self, shop: Shop, browser: Browser, goods: spoilt.Spoilt) -> None:
        url = f"http://{goods.slug}.localhost:{shop.port}"
        with armed(browser) as trap:
            trap.tab.context.add_cookies([{"name": "tessera_shopper", "value": goods.token, "url": url}])
            for path in goods.his:
                assert trap.visit(f"{url}{path}") == [], path
                assert "P()" in trap.tab.content(), path  # it is there to be read, as text

    def test_what_a_shopper_writes_runs_nowhere(self, shop: Shop, browser: Browser) -> None:
        store = spoilt.opened(shop)
        url = f"http://{store.slug}.localhost:{shop.port}"
        with armed(browser) as trap:
            for text in batches(QUESTION):
                assert trap.visit(str(httpx.URL(f"{url}/", params={"q": text}))) == [], text
            trap.visit(f"{url}/orders")
            for text in batches(128):
                fields = trap.tab.locator("form[action='/orders'] input:not([type=hidden])")
                for number in range(fields.count()):
                    fields.nth(number).fill(text)
                trap.tab.locator("form[action='/orders'] button").first.click()
                trap.tab.wait_for_load_state("load")
                assert trap.caught() == [], text

    def test_a_colour_is_a_colour(self, shop: Shop) -> None:
        store = spoilt.opened(shop)
        answers = spoilt.refused_colors(shop, store)
        assert len(answers) == 4 * len(PAYLOADS)
        assert {(answer.status_code, answer.json()["code"]) for answer in answers.values()} == {(400, "bad_request")}

    @pytest.mark.parametrize("kind", ["logo", "banner", "favicon"])
    def test_a_picture_is_a_picture(self, shop: Shop, kind: str) -> None:
        """What is no picture is refused; what is one and something else besides is encoded anew, and nothing is left of the rest."""
        store = spoilt.opened(shop)
        drawn = io.BytesIO()
        Image.new("RGB", (64, 64), (10, 106, 87)).save(drawn, "PNG")
        polyglots = [drawn.getvalue() + text.encode() for _, text in PAYLOADS[:4]] + [drawn.getvalue() + SVG]
        others = [
            SVG,
            b"GIF89a/*" + SVG + b"*/=P()",
            b"<html><script>P()</script>",
            b"%PDF-1.7 <script>P()</script>",
            b"\x89PNG\r\n\x1a\n" + SVG,
        ]
        with httpx.Client(base_url=shop.api_url, headers=bearer(store.key) | {"Content-Type": "image/png"}, trust_env=False) as api:
            for content in others:
                answer = api.put(f"/v1/store/images/{kind}", content=content)
                assert answer.is_client_error, content
                assert answer.json()["detail"]
            for content in polyglots:
                kept = api.put(f"/v1/store/images/{kind}", content=content)
                assert kept.is_success, kept.text
            path = api.get("/v1/store").json()["images"][kind]["path"]
            served = api.get(path, headers={"X-Tessera-Store": store.slug})
        assert served.headers["content-type"].startswith("image/")
        assert served.headers["x-content-type-options"] == "nosniff"
        assert b"P()" not in served.content
        assert b"<svg" not in served.content
