"""Every route × every built-in role and one of the merchant's own × own, foreign and nobody's ids: whoever's role has the permission of the
guard gets past it, and nobody else; and to whoever gets past it what is another's reads like what is nobody's.

What a role may is taken from the table of the guide, not from the code that is tried. Each role signs in once for all routes.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from litestar import Litestar

from api.guards import Needs, SignedIn
from api.process import Process
from tenants import roles
from tenants.permissions import PERMISSIONS
from tests.security.api_rows import API, NAMES
from tests.security.routes import Route
from tests.security.test_isolation_matrix import API_ROUTES, anonymised
from tests.security.world import World, bearer, send
from tests.shop import PLATFORM_HOST, open_store


def documented() -> dict[str, frozenset[str]]:
    """What each built-in role may, as the guide's table says it."""
    guide = (Path(__file__).parents[2] / "docs" / "staff.md").read_text()
    head, _, *rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in guide.splitlines() if line.startswith("|")]
    assert all(cell in ("yes", "") for row in rows for cell in row[1:])
    return {role: frozenset(row[0] for row in rows if row[column] == "yes") for column, role in enumerate(head) if column}


class Staffed(NamedTuple):
    """A store with somebody signed in for each built-in role, by what the guide says he may."""

    world: World
    other: World
    may: dict[str, frozenset[str]]
    sessions: dict[str, dict[str, str]]

    async def anew(self) -> dict[str, dict[str, str]]:
        return {role: await self.world.store.staff(role) for role in self.may}


@pytest.fixture(scope="module")
async def staffed(app: Litestar, process: Process) -> AsyncIterator[Staffed]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{PLATFORM_HOST}") as client:
        ours, other = [await (await World.of(await open_store(client, process))).with_qualification("submitted") for _ in range(2)]
        permissions = sorted(PERMISSIONS)[::2]
        custom = await ours.store.ask("POST", "/v1/roles", ours.store.merchant, {"name": "Every other", "permissions": permissions})
        made = Staffed(ours, other, documented() | {custom["id"]: frozenset(permissions)}, {})
        yield made._replace(sessions=await made.anew())


def _refuses(response: httpx.Response, guard: Needs) -> bool:
    return response.status_code == 403 and response.json().get("permission") == guard.permission


@pytest.mark.parametrize("route", API_ROUTES, ids=lambda route: route.name)
async def test_route_by_role(client: httpx.AsyncClient, staffed: Staffed, route: Route) -> None:
    """Whoever's role has the permission gets past the guard, and nobody else. What is somebody's stays as it is."""
    row, guard = API[route.name], route.guards[0]
    nobodys = NAMES | staffed.world.missing()
    names_something = row.names_ids or any(name in staffed.world.ids for name in route.names)
    # What people do to their own sessions and passwords they do to nobody who is still needed.
    sessions = await staffed.anew() if isinstance(guard, SignedIn) else staffed.sessions
    answers = {}

    async def ask(headers: dict[str, str], ids: dict[str, str]) -> httpx.Response:
        path = (route.path + row.query).format(**ids)
        return await send(client, route.method, path, headers | row.headers, **row.content(ids))

    for role, headers in sessions.items():
        at = {} if isinstance(guard, Needs) else staffed.world.store.at
        response = await ask(at | headers, nobodys)
        answers[role] = response.status_code
        if not isinstance(guard, Needs):
            continue
        may = guard.permission in staffed.may[role]
        assert (not may) == _refuses(response, guard), (role, response.text)
        assert response.status_code != 401, role
        if names_something:
            foreign = await ask(headers, NAMES | staffed.other.ids)
            assert (foreign.status_code, anonymised(foreign)) == (response.status_code, anonymised(response)), role
            assert staffed.other.canary not in foreign.text, role
            # What the rightful do to their own is tried with the owner's: it ends sales and removes people, and a feed takes a second.
            if not may or (route.method == "GET" and not route.path.endswith("/feed")):
                own = await ask(headers, NAMES | staffed.world.ids)
                assert _refuses(own, guard) if not may else own.status_code == row.ok, (role, own.text)
    if not isinstance(guard, Needs):
        assert len(set(answers.values())) == 1, "a role makes no difference here"


def test_what_changes_something_needs_more_than_to_read() -> None:
    """The guards themselves: none of these is open to a role that may only look."""
    guards = {route.name: route.guards[0] for route in API_ROUTES if isinstance(route.guards[0], Needs)}
    reading = {name for name, guard in guards.items() if not name.startswith("GET ") and guard.permission.endswith(":read")}
    acts = {f"POST /v1/types/{act}" for act in ("licence/inspect", "membership/check", "reusable/history", "ticket/status")}
    searches = {"POST /v1/shoppers/search", "POST /v1/shoppers/{shopper_id}/exports", "POST /v1/order-exports"}
    assert reading == acts | searches, "they change nothing, and name people or hold a code, which no address may"
    unusual = {
        name: guard.permission for name, guard in guards.items() if name.startswith("GET ") and not guard.permission.endswith(":read")
    }
    # What a qualification says and shows are people's papers: who may write it reads it.
    papers = {name: "qualifications:write" for name in unusual if name.startswith("GET /v1/qualifications")}
    assert len(papers) == 3
    bulk = dict.fromkeys(("GET /v1/vault/exports", "GET /v1/vault/exports/{code_export_id}"), "codes:export")
    assert unusual == papers | bulk | {
        "GET /v1/fulfilments/{fulfilment_id}": "orders:write",
        "GET /v1/api-keys": "api_keys:write",
        "GET /v1/orders/{order_id}/codes": "codes:reveal",
    }


def test_the_guide_says_what_each_role_may() -> None:
    assert documented() == roles.BUILT_IN


async def test_the_roles_catch_one_that_may_too_much(
    client: httpx.AsyncClient, process: Process, staffed: Staffed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(roles.BUILT_IN, "support", PERMISSIONS)
    process.callers.forget(bearer(staffed.sessions["support"]))
    with pytest.raises(AssertionError):
        await test_route_by_role(client, staffed, next(route for route in API_ROUTES if route.name == "POST /v1/sales"))
    process.callers.forget(bearer(staffed.sessions["support"]))
