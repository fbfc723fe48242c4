"""Every page × everybody who may try it: anonymous, shoppers, who works where; and every form, with and without its proof."""

from typing import NamedTuple

import httpx
import pytest

from api.process import Process
from tests.security.api_rows import API
from tests.security.routes import Route, routes
from tests.security.row import Ids
from tests.security.test_isolation_matrix import API_ROUTES
from tests.security.world import Browser, World, bearer, session
from tests.shop import open_store

PAGE_ROUTES = [route for route in routes() if route.name not in API and route.name not in {each.name for each in API_ROUTES}]


class Page(NamedTuple):
    """Who may see it: `public`, `order` (the shopper whose it is), `console` (asked by its scripts: tests/api/test_console.py).
    `fields` are the form's."""

    kind: str
    fields: dict[str, str] = {}


PAGES = {
    "GET /": Page("public"),
    "GET /docs/api": Page("public"),
    "GET /console": Page("public"),
    "GET /console/{path}": Page("public"),
    "GET /console/session": Page("public"),
    "POST /console/session": Page("public", {"mail": "nobody@example.org", "password": "no password"}),
    "DELETE /console/session": Page("public"),
    "POST /console/sandbox": Page("console"),
    "GET /language": Page("public"),
    "GET /static/{name}": Page("public"),
    "GET /brand.css": Page("public"),
    "GET /images/{name}": Page("public"),
    "GET /policies/{name}": Page("public"),
    "GET /at/{slug}/sales/{sale}": Page("public"),
    "GET /sales/{sale}": Page("public"),
    "GET /categories/{category}": Page("public"),
    "GET /products/{product}": Page("public"),
    "GET /search": Page("public"),
    "GET /robots.txt": Page("public"),
    "GET /sitemap.xml": Page("public"),
    "GET /manifest.webmanifest": Page("public"),
    "GET /cart": Page("public"),
    "POST /cart": Page("public"),
    "POST /cart/lines": Page("public", {"sku": "sku_" + "0" * 32}),
    "GET /checkout": Page("public"),
    "POST /checkout": Page("public", {"key": "k" * 20}),
    "POST /sales/{sale}/buy": Page("public", {"key": "k" * 20, "quantity": "1"}),
    "GET /sales/{sale}/stock": Page("public"),
    "POST /sales/{sale}/reminders": Page("public", {"mail": "nobody@example.org"}),
    "GET /sales/{sale}/wait": Page("public"),
    "POST /sales/{sale}/wait": Page("public"),
    "POST /sales/{sale}/wait/leave": Page("public"),
    "GET /sales/{sale}/wait/state": Page("public"),
    "GET /me": Page("public"),
    "POST /me/reminders": Page("public", {"wish": "0" * 32}),
    "POST /me/sign-out": Page("public"),
    "GET /me/coupons": Page("public"),
    "POST /me/coupons": Page("public", {"coupon_code": "NOBODYS"}),
    "GET /me/points": Page("public"),
    "POST /me/points": Page("public"),
    "GET /reminders": Page("public"),
    "POST /reminders": Page("public", {"token": "x", "act": "confirm"}),
    "GET /orders": Page("public"),
    "POST /orders": Page("public", {"order": "x", "proof": "x"}),
    "POST /orders/forgotten": Page("public", {"mail": "nobody@example.org"}),
    "GET /orders/{order}": Page("order"),
    "GET /orders/{order}/state": Page("order"),
    "GET /orders/{order}/inputs/{sale}": Page("order"),
    "POST /orders/{order}/inputs/{sale}": Page("order"),
    "POST /orders/{order}/pay": Page("order"),
    "GET /orders/{order}/pay": Page("order"),
    "POST /orders/{order}/codes": Page("order"),
    "POST /orders/{order}/codes/file": Page("order"),
    "POST /orders/{order}/mail": Page("order"),
    "POST /orders/{order}/cancel": Page("order"),
    "GET /merchant/sign-in": Page("public"),
    "GET /merchant/forgotten": Page("public"),
    "POST /merchant/forgotten": Page("public", {"mail": "nobody@example.org"}),
    "GET /merchant/confirm": Page("public"),
    "POST /merchant/confirm": Page("public", {"token": "x", "password": "correct horse"}),
    "GET /merchant/new-password": Page("public"),
    "POST /merchant/new-password": Page("public", {"token": "x", "password": "x" * 10}),
    "GET /merchant/new-mail": Page("public"),
    "POST /merchant/new-mail": Page("public", {"token": "x"}),
    "GET /merchant/invitation": Page("public"),
    "POST /merchant/invitation": Page("public", {"token": "x", "password": "x" * 10}),
    "GET /merchant": Page("public"),
}
REFUSED = {401, 403, 404}


@pytest.mark.parametrize("route", PAGE_ROUTES, ids=lambda route: route.name)
async def test_page(client: httpx.AsyncClient, process: Process, settled: tuple[World, World], route: Route) -> None:
    assert route.name in PAGES, "a new page needs a row here"
    kind, fields = PAGES[route.name]
    a, b = settled
    if kind != "public" and route.method == "POST":  # what it changes is its own
        a = await World.of(await open_store(client, process))
    acme, globex = a.store, b.store
    b_shopper = await globex.guest()
    anonymous = Browser.of(process, acme.at)
    stranger = Browser.of(process, acme.at, shopper=bearer(await acme.guest()))
    foreign_shopper = Browser.of(process, acme.at, shopper=bearer(b_shopper))
    at_home = Browser.of(process, globex.at, shopper=bearer(b_shopper))
    owner = Browser.of(process, acme.at, shopper=bearer(a.owner))
    foreign_merchant = Browser.of(process, {}, session=await session(globex))
    merchant = Browser.of(process, {}, session=await session(acme))

    async def visit(who: Browser, ids: Ids, *, forged: bool = False) -> httpx.Response:
        path = route.path.format(**{"name": "x.css", "path": "orders", "slug": acme.slug, **ids})
        content = {} if route.method == "GET" else {"data": fields | ({} if forged else who.fields)}
        return await client.request(route.method, path, headers=who.headers, **content)  # type: ignore[arg-type]

    if route.method == "POST":
        rightful = merchant if kind == "console" else owner
        assert (await visit(rightful, a.ids, forged=True)).status_code in {400, 403, 415}, "a form without proof does nothing"
    if kind == "order":
        for who in (anonymous, stranger, foreign_shopper, at_home, foreign_merchant, merchant):
            response = await visit(who, a.ids)
            assert response.status_code in REFUSED, response.text
            assert a.canary not in response.text
            assert (await visit(who, a.missing())).status_code == response.status_code
        assert (await visit(owner, a.ids)).status_code not in REFUSED


def test_no_row_is_left_over() -> None:
    assert set(API) | set(PAGES) == {route.name for route in routes()}
    assert not set(API) & set(PAGES)


def test_without_any_one_of_the_rows_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row of both matrices taken out by itself."""
    known = routes()
    monkeypatch.setattr("tests.security.test_page_matrix.routes", lambda: known)  # read once: the app takes half a second to make
    for rows in (API, PAGES):
        for name in list(rows):
            with monkeypatch.context() as without:
                without.delitem(rows, name)  # type: ignore[attr-defined]
                with pytest.raises(AssertionError):
                    test_no_row_is_left_over()
