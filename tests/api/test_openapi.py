"""The OpenAPI document says what the API does. That every answer of every test is declared in it is held by tests/declared.py."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from api import openapi
from api.examples import NoWord, example
from api.words import WORDS
from tenants.permissions import PERMISSIONS
from tests.declared import Declared
from tests.openapi_rules import NAUGHTY, RULES, WHOLE, WITHOUT_KEY
from tests.security.routes import routes


def operations(declared: Declared) -> dict[str, dict[str, Any]]:
    paths = declared.document["paths"]
    return {f"{method.upper()} {path}": operation for path, methods in paths.items() for method, operation in methods.items()}


class TestDocument:
    async def test_is_served_as_it_is(self, client: httpx.AsyncClient, declared: Declared) -> None:
        response = await client.get("/openapi.json")
        assert response.status_code == 200
        assert response.json() == declared.document
        assert response.json()["openapi"] == "3.1.0"

    async def test_is_made_once_and_beside_the_loop(
        self, app: Litestar, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("document", "openapi", "reference"):
            app.state.pop(name, None)
        made = []

        def noted(app: Litestar, make: Callable[[Litestar], dict[str, Any]] = openapi.document) -> dict[str, Any]:
            made.append(threading.get_ident())
            return make(app)

        monkeypatch.setattr(openapi, "document", noted)
        answers = await asyncio.gather(*(client.get(path) for path in ("/openapi.json", "/docs/api", "/openapi.json")))
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert len(made) == 1
        assert made[0] != threading.get_ident()

    def test_has_every_route_of_the_api(self, declared: Declared) -> None:
        ours = {route.name for route in routes() if route.path.startswith("/v1") or route.path in ("/healthz", "/readyz")}
        assert set(operations(declared)) == ours

    def test_says_who_may_call(self, declared: Declared) -> None:
        found = operations(declared)
        assert found["POST /v1/sales"]["security"] == [{"merchant": ["sales:write"]}]
        assert found["GET /v1/orders/{order_id}"]["security"] == [{"shopper": []}, {"merchant": ["orders:read"]}]
        assert "security" not in found["GET /v1/storefront"]

    def test_every_reference_leads_somewhere(self, declared: Declared) -> None:
        schemas = declared.document["components"]["schemas"]
        text = msgspec.json.encode(declared.document).decode()
        named = {part.partition('"')[0] for part in text.split('"$ref":"#/components/schemas/')[1:]}
        assert named <= set(schemas)

    def test_bounds_are_told_inside_unions_too(self, declared: Declared) -> None:
        units = declared.document["components"]["schemas"]["NewSale"]["properties"]["units"]
        assert units["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 10_000_000}


class TestRules:
    @pytest.mark.parametrize("rule", RULES)
    def test_nothing_is(self, declared: Declared, rule: str) -> None:
        assert RULES[rule](declared.document) == []

    @pytest.mark.parametrize("rule", RULES)
    def test_the_rule_catches_what_is(self, rule: str) -> None:
        assert RULES[rule](NAUGHTY) != []

    def test_what_is_excepted_exists(self, declared: Declared) -> None:
        assert {operation["operationId"] for operation in operations(declared).values()} >= WHOLE | WITHOUT_KEY

    def test_a_member_that_nobody_described_is_named(self) -> None:
        schemas = {"Thing": {"properties": {"colour": {"type": "string"}}}}
        with pytest.raises(NoWord, match=r"Thing\.colour"):
            example({"$ref": "#/components/schemas/Thing"}, schemas)

    def test_no_word_is_left_over(self, declared: Declared) -> None:
        schemas = declared.document["components"]["schemas"]
        asked = [(each["operationId"], of["name"]) for each in operations(declared).values() for of in each["parameters"]]
        parameters = {name for _, name in asked} | {f"{operation}.{name}" for operation, name in asked}
        members = {member for schema in schemas.values() for member in schema.get("properties", ())}
        owned = {f"{name}.{member}" for name, schema in schemas.items() for member in schema.get("properties", ())}
        assert set(WORDS) - parameters - members - owned == set()


def test_the_guide_names_every_permission() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    assert all(f"`{scope}`" in guide for scope in PERMISSIONS)


class TestEveryAnswer:
    async def test_has_the_security_headers(self, client: httpx.AsyncClient) -> None:
        for path in ("/healthz", "/v1/storefront", "/v1/products", "/nothing", "/openapi.json"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["referrer-policy"] == "same-origin", path

    async def test_an_unknown_path_and_a_wrong_method_are_problems_too(self, client: httpx.AsyncClient) -> None:
        unknown = await client.get("/v1/nothing")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
        wrong = await client.put("/v1/products")
        assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
        assert "POST" in wrong.headers["allow"]
