"""Odd text wherever text may stand: in each field, path, query and header. The API may refuse it or take it, and never stumbles."""

import asyncio
import json
from urllib.parse import quote

import httpx
import msgspec
import pytest

from tests.security.routes import Route, queries, routes
from tests.security.test_strict_bodies import JSON, WITH_BODY, body_type, headers_for, sample, url
from tests.shop import Store

ODD = [
    "\x00", "a\x00b", "\n", "\r\nX-Evil: 1", "\x1b[31m", "\u202egnp.exe", "\ufeff", "\uffff", "\U0001f9e8" * 40, "Z\u0351\u036b" * 60,
    "'; DROP TABLE orders; --", "{{7*7}}", "${jndi:ldap://x}", "../../etc/passwd", "%00", "%s%n", "<script>alert(1)</script>",
    "=1+1", "9" * 400, "1e400", "-1", "NaN", "null", "x" * 20_000, "ſ", "İ", "ß" * 90, "2030-02-31T00:00:00Z", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+23:59", "2030-01-01T00:00:00+99:99", "a@b.c" + "\u0000", "sal_" + "０" * 32, "sku_" + "g" * 32,
]  # fmt: skip
SURROGATES = [b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xed\xa0\x80"']
WITH_PATH = [route for route in routes() if route.names]


# Text in a field that is written as something else is refused by its type, as `test_strict_bodies` tries for each.
NOT_TEXT = (
    msgspec.inspect.IntType, msgspec.inspect.FloatType, msgspec.inspect.BoolType, msgspec.inspect.NoneType, msgspec.inspect.ListType,
    msgspec.inspect.DictType, msgspec.inspect.StructType,
)  # fmt: skip


def text_fields(route: Route) -> list[str]:
    info = msgspec.inspect.type_info(body_type(route))
    assert isinstance(info, msgspec.inspect.StructType)
    return [field.encode_name for field in info.fields if takes_text(field.type)]


def takes_text(of: msgspec.inspect.Type) -> bool:
    if isinstance(of, msgspec.inspect.Metadata):
        return takes_text(of.type)
    if isinstance(of, msgspec.inspect.UnionType):
        return any(takes_text(each) for each in of.types)
    return not isinstance(of, NOT_TEXT)


def steady(response: httpx.Response) -> bool:
    """Answered on purpose. 503 is an answer too: no provider runs here."""
    return response.status_code < 500 or response.status_code == 503


@pytest.mark.parametrize("route", [route for route in WITH_BODY if sample(route)], ids=lambda route: route.name)
async def test_in_a_body(client: httpx.AsyncClient, acme: Store, route: Route) -> None:
    headers = await headers_for(route, acme) | JSON
    for field in text_fields(route):
        bodies = [json.dumps(sample(route) | {field: odd}).encode() for odd in ODD]
        whole = json.dumps(sample(route) | {field: "HERE"}).encode()
        for content in [*bodies, *(whole.replace(b'"HERE"', odd) for odd in SURROGATES)]:
            response = await client.request(route.method, url(route), content=content, headers=headers)
            assert steady(response), (field, content[:200], response.text)


@pytest.mark.parametrize("route", WITH_PATH, ids=lambda route: route.name)
async def test_in_a_path(client: httpx.AsyncClient, acme: Store, route: Route) -> None:
    headers = (await headers_for(route, acme)) | JSON
    content = b"{}" if route.method in ("POST", "PUT", "PATCH") else b""
    for odd in ODD:
        path = route.path.format(**{name: quote(odd[:200], safe="") for name in route.names})
        response = await client.request(route.method, path, content=content, headers=headers)
        assert steady(response), (path, response.text)


TOGETHER = 8  # fewer than one may watch at once
STREAMS = {"GET /v1/events"}  # what is taken as a place to go on from is answered for as long as is asked


@pytest.mark.parametrize("route", [route for route in routes() if queries(route)], ids=lambda route: route.name)
async def test_in_a_query(client: httpx.AsyncClient, acme: Store, route: Route) -> None:
    headers = await headers_for(route, acme)
    at_once = asyncio.Semaphore(TOGETHER if route.name in STREAMS else 1)

    async def ask(name: str, odd: str) -> None:
        query = f"?{name}={quote(odd[:2000], safe='')}" + ("&seconds=1" if route.name in STREAMS else "")
        async with at_once:
            response = await client.request(route.method, url(route) + query, headers=headers | {"Content-Type": "text/plain"})
        assert steady(response), (query, response.text)

    await asyncio.gather(*(ask(name, odd) for name in queries(route) for odd in ODD))


HEADERS = ["Authorization", "X-Tessera-Store", "Idempotency-Key", "Host", "Cookie", "Content-Type", "Origin", "X-Filename"]
PREFIXES = {
    "Authorization": ["", "Bearer ", "Bearer sk_", "Bearer se_", "Bearer st_", "Bearer ps_"],
    "Cookie": ["", "tessera_session=", "tessera_shopper=st_", "tessera_form="],
    "Host": ["", "a:", "[", "[::1]:"],
}
PLACES = [
    ("GET", "/v1/products"), ("POST", "/v1/products"), ("GET", "/v1/storefront"), ("GET", "/"), ("GET", "/orders"), ("GET", "/no"),
    ("GET", "/v1/platform/staff"),
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
async def test_in_a_header(client: httpx.AsyncClient, acme: Store, header: str) -> None:
    who = [(name.encode(), value.encode()) for name, value in acme.merchant.items() if name != header]
    for odd in ODD:
        for prefix in PREFIXES.get(header, [""]):
            value = (prefix + odd[:4000]).encode().translate(None, b"\x00\r\n")
            for method, path in PLACES:
                content = b'{"name": "x"}' if method == "POST" else b""
                response = await client.request(method, path, headers=[*who, (header.encode(), value)], content=content)
                assert steady(response), (path, value, response.text)
