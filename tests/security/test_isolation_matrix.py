"""Every route × everybody who may try it, at what is his own and at what is another's. A new route without a row fails.

What each may do follows from the handler's guard. The row says what is addressed, and what the rightful one is answered.
Nothing that anybody else is answered holds the canary of the store that was tried.
"""

import re
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import httpx
import pytest

from api import orders, provide
from api.guards import Anyone, Needs, PersonOnly, Platform, ShopperOnly, ShopperOr, SignedIn
from api.process import Process
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.platform.permissions import ROLES
from tests.security.api_rows import API, NAMES
from tests.security.routes import Route, routes
from tests.security.row import Ids, Row
from tests.security.world import Actors, World, send
from tests.shop import Store, open_store


def anonymised(response: httpx.Response) -> str:
    """The answer without the id that was asked for, which it may repeat."""
    return re.sub("[0-9a-f]{32}", "…", response.text)


API_ROUTES = [route for route in routes() if route.path.startswith("/v1") or route.handler.resolve_include_in_schema()]


def expected(guard: Anyone, row: Row, foreign: bool) -> dict[str, int | tuple[int, ...]]:
    """Status by actor. `foreign`: the request names something of A by its id."""
    elsewhere: int | tuple[int, ...] = 404 if foreign else row.ok
    everybody = dict.fromkeys(Actors._fields, 401)
    match guard:
        case ShopperOr():
            return everybody | {
                "owner": row.ok, "other_shopper": 404 if row.private else row.ok, "foreign_shopper_at_home": elsewhere,
                "merchant": row.ok, "person": row.ok, "foreign_merchant": elsewhere, "foreign_person": elsewhere, "limited": 403,
            }  # type: ignore[return-value]  # fmt: skip
        case Needs():
            return everybody | {
                "merchant": row.ok, "person": row.ok, "foreign_merchant": elsewhere, "foreign_person": elsewhere, "limited": 403,
            }  # type: ignore[return-value]  # fmt: skip
        case PersonOnly():
            keys = dict.fromkeys(("merchant", "foreign_merchant", "limited"), 403)
            return everybody | keys | {"person": row.ok, "foreign_person": elsewhere}  # type: ignore[return-value]
        case Platform():
            may = {role: guard.permission is None or guard.permission in permissions for role, permissions in ROLES.items()}
            lesser = {f"platform_{role}": row.ok if may[role] else 403 for role in ("support", "reviewer")}
            return everybody | {"platform": row.ok} | lesser  # type: ignore[return-value]
        case SignedIn():
            return everybody | dict.fromkeys(("merchant", "person", "foreign_merchant", "foreign_person", "limited"), row.ok)  # type: ignore[return-value]
        case ShopperOnly():
            return everybody | {"owner": row.ok, "other_shopper": 404 if row.private else row.ok, "foreign_shopper_at_home": elsewhere}  # type: ignore[return-value]
        case _:
            return dict.fromkeys(Actors._fields, row.ok) | ({"foreign_shopper_at_home": 404} if row.at_store else {})


@pytest.mark.parametrize("route", API_ROUTES, ids=lambda route: route.name)
async def test_route(client: httpx.AsyncClient, process: Process, acme: Store, settled: tuple[World, World], route: Route) -> None:
    assert route.name in API, "a new route needs a row here"
    assert len(route.guards) == 1, "a handler says who may call it, once"
    row, guard = API[route.name], route.guards[0]
    public, looks = not guard.security, route.method == "GET" and not row.qualification
    a, b = settled
    # What changes something is tried on a world of its own; on B's too, where it need not name what it changes.
    if not looks:
        a = await World.of(acme)
    if row.qualification:
        b = await World.of(await open_store(client, process))
        a, b = await a.with_qualification(row.qualification), await b.with_qualification("submitted")
    foreign = row.names_ids or any(name in a.ids for name in route.names)
    if not looks and not row.qualification and (public or not foreign):
        b = await World.of(await open_store(client, process))
    actors = await Actors.of(a, b, needed=(guard.permission if isinstance(guard, Needs) else None) or "catalog:read")

    async def ask(headers: dict[str, str], ids: Ids) -> httpx.Response:
        path = (route.path + row.query).format(**NAMES | ids)
        return await send(client, route.method, path, headers | row.headers, **row.content(ids))

    statuses = expected(guard, row, foreign)
    # The rightful ones last: what they do ends orders and sales.
    for name in sorted(Actors._fields, key=lambda name: name in ("owner", "person", "merchant", "platform", "platform_reviewer")):
        headers = getattr(actors, name)
        if name in ("person", "merchant") and route.path.startswith("/v1/orders/{") and not looks:
            a = a._replace(ids=a.ids | {"order_id": await a.store.order(a.owner, a.ids["sale_id"])})
        if name == "person" and row.qualification and route.path.startswith("/v1/qualifications"):
            a = await a.with_qualification(row.qualification)
        elif name == "platform_reviewer" and row.qualification in ("in_review", "approved"):
            a = await a.with_qualification(row.qualification)  # what was there an admin has decided
        elif name == "person" and route.method == "DELETE":
            a = a._replace(ids=(await World.of(a.store)).ids)  # what was there the merchant's program has deleted
        if public:
            headers = a.store.at | headers  # what everybody may see is asked for at A, but by the one who stays at home
        response = await ask(headers, a.ids)
        wanted = statuses[name]
        assert response.status_code in (wanted if isinstance(wanted, tuple) else (wanted,)), (name, response.text)
        if name == "foreign_shopper_at_home" or ("foreign" in name and not public):
            assert a.canary not in response.text, name
            assert a.store.slug not in response.text, name
        if response.status_code == 404 and foreign:
            nobodys = await ask(headers, a.missing())
            assert (nobodys.status_code, anonymised(nobodys)) == (404, anonymised(response)), "a foreign id reads like a missing one"


async def test_the_matrix_catches_a_leak(
    client: httpx.AsyncClient, process: Process, acme: Store, settled: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were every transaction A's, whoever asks, these rows would fail: a check that cannot fail proves nothing."""

    def leaky(pool: Pool, _: UUID) -> AbstractAsyncContextManager[TenantTx]:
        return tenant_tx(pool, acme.tenant_id)

    worlds = await World.of(acme), settled[1]
    for module in (provide, orders):
        monkeypatch.setattr(module, "tenant_tx", leaky)
    for name in ("GET /v1/products/{product_id}", "GET /v1/products", "POST /v1/sales/{sale_id}/pause", "GET /v1/orders/{order_id}"):
        with pytest.raises(AssertionError, match=r"foreign|canary"):
            await test_route(client, process, acme, worlds, next(route for route in API_ROUTES if route.name == name))
