"""Query parameters of the API are held to the letter: none that nobody reads, none twice, and numbers as plain digits."""

import datetime as dt

import httpx
import pytest

from tests.security.routes import Route, queries, routes
from tests.security.test_strict_bodies import headers_for, url
from tests.security.world import World
from tests.shop import Store

V1 = [route for route in routes() if route.path.startswith("/v1")]
NO_NUMBERS = ["1.0", "%201", "1%20", "%2B1", "01", "1e2", "0x1", "１", "", "true", "9" * 30]


@pytest.fixture
def acme(settled: tuple[World, World]) -> Store:
    """One for all tests of this file: what is refused changes nothing."""
    return settled[0].store


@pytest.mark.parametrize("route", V1, ids=lambda route: route.name)
async def test_a_stranger_is_refused(client: httpx.AsyncClient, acme: Store, route: Route) -> None:
    """Names of what the framework hands to the handler are strangers too."""
    headers = await headers_for(route, acme)
    for name in {"surprise", "tx", "process", "merchant", "request", "data"} - set(queries(route)):
        response = await client.request(route.method, f"{url(route)}?{name}=1", headers=headers)
        assert (response.status_code, response.json()["code"]) == (400, "unknown_parameter"), name


@pytest.mark.parametrize("route", [route for route in V1 if queries(route)], ids=lambda route: route.name)
async def test_twice_is_refused(client: httpx.AsyncClient, acme: Store, route: Route) -> None:
    headers = await headers_for(route, acme)
    for name in queries(route):
        response = await client.request(route.method, f"{url(route)}?{name}=1&{name}=1", headers=headers)
        assert (response.status_code, response.json()["code"]) == (400, "repeated_parameter"), name


def numbers(route: Route) -> list[str]:
    return [name for name, field in queries(route).items() if field.is_subclass_of(int) or field.has_inner_subclass_of(int)]


@pytest.mark.parametrize("route", [route for route in V1 if numbers(route)], ids=lambda route: route.name)
async def test_what_is_no_plain_number_is_refused(client: httpx.AsyncClient, acme: Store, route: Route) -> None:
    headers = await headers_for(route, acme)
    for name in numbers(route):
        for value in NO_NUMBERS:
            response = await client.request(route.method, f"{url(route)}?{name}={value}", headers=headers)
            assert response.status_code == 400, (name, value, response.text)


def choices(route: Route) -> list[str]:
    types = (int, str, dt.datetime)
    return [
        name for name, field in queries(route).items() if not any(field.is_subclass_of(t) or field.has_inner_subclass_of(t) for t in types)
    ]


@pytest.mark.parametrize("route", [route for route in V1 if choices(route)], ids=lambda route: route.name)
async def test_null_is_no_choice(client: httpx.AsyncClient, acme: Store, route: Route) -> None:
    headers = await headers_for(route, acme)
    for name in choices(route):
        for value in ("null", "NULL", "surprise", ""):
            response = await client.request(route.method, f"{url(route)}?{name}={value}", headers=headers)
            assert response.status_code == 400, (name, value, response.text)
