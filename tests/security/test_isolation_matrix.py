"""Every route × everybody who may try it, at what is his own and at what is another's. A new route without a row fails.

What each may do follows from the handler's guard. The row says what is addressed, and what the rightful one is answered.
Nothing that anybody else is answered holds the canary of the store that was tried.
"""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest

from api import provide
from api.guards import Anyone, Needs, ShopperOnly, ShopperOr, SignedIn
from api.process import Process
from tenants.db import Pool, TenantTx, tenant_tx
from tests.security.routes import Route, routes
from tests.security.world import Actors, Browser, World, bearer, provider_account, send, session
from tests.shop import Store

Ids = dict[str, str]
TEXT = {"Content-Type": "text/plain"}


class Row(NamedTuple):
    """`ok` is what the rightful one is answered. `content` makes the body from ids; one that names an id is tried with foreign ones too."""

    ok: int | tuple[int, ...] = 200
    content: Callable[[Ids], dict[str, Any]] = lambda _: {}
    names_ids: bool = False  # in query or body; those in the path are seen
    query: str = ""
    private: bool = False  # of one shopper, not of every shopper of the store
    at_store: bool = False  # for everybody, yet only at the store it belongs to
    headers: dict[str, str] = {}


def body(**fields: Any) -> Callable[[Ids], dict[str, Any]]:
    """A JSON body; a value `{name}` is the id of that name."""
    return lambda ids: {"json": {k: v.format(**ids) if isinstance(v, str) and v.startswith("{") else v for k, v in fields.items()}}


FILE = {"content": lambda _: {"content": b"AAAA-0001\n"}, "headers": TEXT}

API = {
    "GET /healthz": Row(),
    "GET /readyz": Row(),
    "GET /openapi.json": Row(),
    "POST /v1/merchants": Row(ok=400, content=body(slug="-")),
    "POST /v1/sessions": Row(ok=401, content=body(mail="nobody@example.org", password="no password")),
    "DELETE /v1/sessions/current": Row(ok=400),  # an API key is no session; sessions are tried in tests/api/test_accounts.py
    "GET /v1/api-keys": Row(),
    "POST /v1/api-keys": Row(ok=201, content=body(name="x", scopes=["orders:read"])),
    "DELETE /v1/api-keys/{key_id}": Row(ok=204),
    "GET /v1/products": Row(),
    "POST /v1/products": Row(ok=201, content=body(name="x")),
    "GET /v1/products/{product_id}": Row(),
    "POST /v1/skus": Row(ok=201, content=body(product_id="{product_id}", name="x", price_minor=1, currency="CNY"), names_ids=True),
    "GET /v1/skus/{sku_id}": Row(),
    "GET /v1/vault/imports": Row(),
    "POST /v1/vault/imports": Row(ok=201, query="?sku_id={sku_id}", names_ids=True, **FILE),  # type: ignore[arg-type]
    "POST /v1/vault/previews": Row(query="?sku_id={sku_id}", names_ids=True, **FILE),  # type: ignore[arg-type]
    "GET /v1/vault/imports/{import_id}": Row(),
    "POST /v1/vault/imports/{import_id}/resume": Row(ok=(200, 409, 422), **FILE),  # type: ignore[arg-type]
    "POST /v1/sales": Row(ok=201, content=body(sku_id="{sku_id}", name="x", units=1, limit_per_shopper=0), names_ids=True),
    "GET /v1/sales/{sale_id}": Row(),
    "GET /v1/sales/{sale_id}/feed": Row(query="?seconds=1"),
    "POST /v1/sales/{sale_id}/pause": Row(),
    "POST /v1/sales/{sale_id}/resume": Row(),
    "POST /v1/sales/{sale_id}/end": Row(),
    "POST /v1/sales/{sale_id}/limit": Row(content=body(limit_per_shopper=1)),
    "POST /v1/sales/{sale_id}/stock": Row(content=body(withdraw=1)),
    "GET /v1/storefront": Row(),
    "GET /v1/storefront/sales/{sale_id}": Row(at_store=True),
    "POST /v1/shopper-tokens": Row(ok=201),
    "POST /v1/checkouts": Row(ok=201, content=body(sale_id="{sale_id}", quantity=1), names_ids=True),
    "GET /v1/orders": Row(),
    "GET /v1/orders/{order_id}": Row(private=True),
    "POST /v1/orders/{order_id}/cancel": Row(private=True),
    "POST /v1/orders/{order_id}/payments": Row(ok=503, content=body(provider="sandbox"), private=True),  # no provider runs here
    "GET /v1/orders/{order_id}/codes": Row(ok=409, private=True),  # it is not paid
    "POST /v1/orders/{order_id}/refund": Row(ok=409),
    "POST /v1/order-lookups": Row(ok=404, content=body(order_id="{order_id}", contact="nobody@example.org")),
    "POST /v1/provider-accounts": Row(ok=201, content=lambda _: {"json": provider_account()}),
    "POST /v1/payment-notices/{provider}/{tenant}/{account}": Row(ok=(401, 404), content=lambda _: {"content": b"{}"}),
    "GET /v1/ledger/balances": Row(),
    "GET /v1/exceptions": Row(),
}


def anonymised(response: httpx.Response) -> str:
    """The answer without the id that was asked for, which it may repeat."""
    return re.sub("[0-9a-f]{32}", "…", response.text)


API_ROUTES = [route for route in routes() if route.path.startswith("/v1") or route.handler.resolve_include_in_schema()]
PAGE_ROUTES = [route for route in routes() if route.name not in API and route.name not in {each.name for each in API_ROUTES}]


def expected(guard: Anyone, row: Row, foreign: bool) -> dict[str, int | tuple[int, ...]]:
    """Status by actor. `foreign`: the request names something of A by its id."""
    elsewhere: int | tuple[int, ...] = 404 if foreign else row.ok
    everybody = dict.fromkeys(Actors._fields, 401)
    match guard:
        case ShopperOr():
            return everybody | {
                "owner": row.ok, "other_shopper": 404 if row.private else row.ok, "foreign_shopper_at_home": elsewhere,
                "merchant": row.ok, "foreign_merchant": elsewhere, "limited": 403,
            }  # type: ignore[return-value]  # fmt: skip
        case Needs():
            return everybody | {"merchant": row.ok, "foreign_merchant": elsewhere, "limited": 403}  # type: ignore[return-value]
        case SignedIn():
            return everybody | {"merchant": row.ok, "foreign_merchant": row.ok, "limited": row.ok}  # type: ignore[return-value]
        case ShopperOnly():
            return everybody | {"owner": row.ok, "other_shopper": 404 if row.private else row.ok, "foreign_shopper_at_home": elsewhere}  # type: ignore[return-value]
        case _:
            return dict.fromkeys(Actors._fields, row.ok) | ({"foreign_shopper_at_home": 404} if row.at_store else {})


@pytest.mark.parametrize("route", API_ROUTES, ids=lambda route: route.name)
async def test_route(client: httpx.AsyncClient, process: Process, acme: Store, globex: Store, route: Route) -> None:
    assert route.name in API, "a new route needs a row here"
    assert len(route.guards) == 1, "a handler says who may call it, once"
    row, guard = API[route.name], route.guards[0]
    a, b = await World.of(acme), await World.of(globex)
    actors = await Actors.of(a, b, needed=getattr(guard, "scope", "catalog:read"))
    foreign = row.names_ids or any(name in a.ids for name in route.names)
    public = not guard.security

    async def ask(headers: dict[str, str], ids: Ids) -> httpx.Response:
        path = (route.path + row.query).format(**{"provider": "sandbox", **ids})
        return await send(client, route.method, path, headers | row.headers, **row.content(ids))

    statuses = expected(guard, row, foreign)
    # The rightful ones last: what they do ends orders and sales.
    for name in sorted(Actors._fields, key=lambda name: name in ("owner", "merchant")):
        headers = getattr(actors, name)
        if name == "merchant" and route.path.startswith("/v1/orders/{"):
            a = a._replace(ids=a.ids | {"order_id": await a.store.order(a.owner, a.ids["sale_id"])})
        if public:
            headers = acme.at | headers  # what everybody may see is asked for at A, but by the one who stays at home
        response = await ask(headers, a.ids)
        wanted = statuses[name]
        assert response.status_code in (wanted if isinstance(wanted, tuple) else (wanted,)), (name, response.text)
        if name == "foreign_shopper_at_home" or ("foreign" in name and not public):
            assert a.canary not in response.text, name
            assert a.store.slug not in response.text, name
        if response.status_code == 404 and foreign:
            nobodys = await ask(headers, a.missing())
            assert (nobodys.status_code, anonymised(nobodys)) == (404, anonymised(response)), "a foreign id reads like a missing one"


# Pages: who may see them, and what the rightful one is answered. `public`, `order` (the shopper whose it is), `desk` (the merchant).
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "GET /": ("public", {}),
    "GET /language": ("public", {}),
    "GET /static/{name}": ("public", {}),
    "GET /sales/{sale}": ("public", {}),
    "POST /sales/{sale}/buy": ("public", {"key": "k" * 20, "quantity": "1"}),
    "GET /orders": ("public", {}),
    "POST /orders": ("public", {"order": "x", "proof": "x"}),
    "GET /orders/{order}": ("order", {}),
    "GET /orders/{order}/state": ("order", {}),
    "POST /orders/{order}/pay": ("order", {}),
    "POST /orders/{order}/codes": ("order", {}),
    "POST /orders/{order}/cancel": ("order", {}),
    "GET /merchant/sign-in": ("public", {}),
    "POST /merchant/sign-in": ("public", {"mail": "nobody@example.org", "password": "no password"}),
    "POST /merchant/sign-out": ("public", {}),
    "GET /merchant": ("desk", {}),
    "POST /merchant/products": ("desk", {"name": "x", "price": "1.00"}),
    "GET /merchant/imports": ("desk", {}),
    "POST /merchant/imports": ("desk", {}),
    "POST /merchant/previews": ("desk", {}),
    "GET /merchant/imports/{batch}": ("desk", {}),
    "GET /merchant/sales": ("desk", {}),
    "POST /merchant/sales": ("desk", {}),
    "POST /merchant/sales/{sale}/pause": ("desk", {}),
    "POST /merchant/sales/{sale}/resume": ("desk", {}),
    "GET /merchant/sales/{sale}/end": ("desk", {}),
    "POST /merchant/sales/{sale}/end": ("desk", {}),
}
REFUSED = {401, 403, 404}


@pytest.mark.parametrize("route", PAGE_ROUTES, ids=lambda route: route.name)
async def test_page(client: httpx.AsyncClient, process: Process, acme: Store, globex: Store, route: Route) -> None:
    assert route.name in PAGES, "a new page needs a row here"
    kind, fields = PAGES[route.name]
    a = await World.of(acme)
    await World.of(globex)
    b_shopper = await globex.guest()
    anonymous = Browser.of(process, acme.at)
    stranger = Browser.of(process, acme.at, shopper=bearer(await acme.guest()))
    foreign_shopper = Browser.of(process, acme.at, shopper=bearer(b_shopper))
    at_home = Browser.of(process, globex.at, shopper=bearer(b_shopper))
    owner = Browser.of(process, acme.at, shopper=bearer(a.owner))
    foreign_merchant = Browser.of(process, {}, session=await session(globex))
    merchant = Browser.of(process, {}, session=await session(acme))

    async def visit(who: Browser, ids: Ids, *, forged: bool = False) -> httpx.Response:
        path = route.path.format(**{"name": "x.css", **ids})
        content = {} if route.method == "GET" else {"data": fields | ({} if forged else who.fields)}
        return await client.request(route.method, path, headers=who.headers, **content)  # type: ignore[arg-type]

    if route.method == "POST":
        rightful = merchant if kind == "desk" else owner
        assert (await visit(rightful, a.ids, forged=True)).status_code in {400, 403, 415}, "a form without proof does nothing"
    refused = {"order": [anonymous, stranger, foreign_shopper, at_home, foreign_merchant, merchant], "desk": [anonymous, owner, at_home]}
    for who in refused.get(kind, []):
        response = await visit(who, a.ids)
        to_sign_in = response.status_code == 303 and response.headers["location"].endswith("/merchant/sign-in")
        assert to_sign_in if kind == "desk" else response.status_code in REFUSED, response.text
        assert a.canary not in response.text
        assert (await visit(who, a.missing())).status_code == response.status_code
    if kind == "desk":
        response = await visit(foreign_merchant, a.ids)
        if any(name in a.ids for name in route.names):
            assert response.status_code == 404
        assert a.canary not in response.text
        assert (await visit(merchant, a.ids)).status_code not in REFUSED
    elif kind == "order":
        assert (await visit(owner, a.ids)).status_code not in REFUSED


def test_no_row_is_left_over() -> None:
    assert set(API) | set(PAGES) == {route.name for route in routes()}


async def test_the_matrix_catches_a_leak(
    client: httpx.AsyncClient, process: Process, acme: Store, globex: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were every transaction A's, whoever asks, these rows would fail: a check that cannot fail proves nothing."""

    def leaky(pool: Pool, _: UUID) -> AbstractAsyncContextManager[TenantTx]:
        return tenant_tx(pool, acme.tenant_id)

    monkeypatch.setattr(provide, "tenant_tx", leaky)
    for name in ("GET /v1/products/{product_id}", "GET /v1/products", "POST /v1/sales/{sale_id}/pause", "GET /v1/orders/{order_id}"):
        with pytest.raises(AssertionError):
            await test_route(client, process, acme, globex, next(route for route in API_ROUTES if route.name == name))
