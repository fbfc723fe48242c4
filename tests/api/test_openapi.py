"""The OpenAPI document says what the API does. That every answer of every test is declared in it is held by tests/declared.py."""

from pathlib import Path

import httpx
import msgspec

from tenants.accounts import SCOPES
from tests.declared import Declared
from tests.security.routes import routes


def operations(declared: Declared) -> dict[str, dict[str, object]]:
    paths = declared.document["paths"]
    return {f"{method.upper()} {path}": operation for path, methods in paths.items() for method, operation in methods.items()}


class TestDocument:
    async def test_is_served_as_it_is(self, client: httpx.AsyncClient, declared: Declared) -> None:
        response = await client.get("/openapi.json")
        assert response.status_code == 200
        assert response.json() == declared.document
        assert response.json()["openapi"] == "3.1.0"

    def test_has_every_route_of_the_api(self, declared: Declared) -> None:
        ours = {route.name for route in routes() if route.path.startswith("/v1") or route.path in ("/healthz", "/readyz")}
        assert set(operations(declared)) == ours

    def test_names_every_operation_and_says_what_it_does(self, declared: Declared) -> None:
        found = operations(declared).values()
        assert len({operation["operationId"] for operation in found}) == len(found)
        assert all(operation["summary"] for operation in found)

    def test_says_who_may_call(self, declared: Declared) -> None:
        found = operations(declared)
        assert found["POST /v1/sales"]["security"] == [{"merchant": []}]
        assert found["GET /v1/orders/{order_id}"]["security"] == [{"shopper": []}, {"merchant": []}]
        assert "security" not in found["GET /v1/storefront"]

    def test_every_reference_leads_somewhere(self, declared: Declared) -> None:
        schemas = declared.document["components"]["schemas"]
        text = msgspec.json.encode(declared.document).decode()
        named = {part.partition('"')[0] for part in text.split('"$ref":"#/components/schemas/')[1:]}
        assert named <= set(schemas)

    def test_bodies_refuse_unknown_fields(self, declared: Declared) -> None:
        schemas = declared.document["components"]["schemas"]
        for name, operation in operations(declared).items():
            content = operation.get("requestBody", {}).get("content", {})  # type: ignore[attr-defined]
            if "application/json" in content:
                schema = schemas[content["application/json"]["schema"]["$ref"].rpartition("/")[2]]
                assert schema["additionalProperties"] is False, name

    def test_bounds_are_told_inside_unions_too(self, declared: Declared) -> None:
        units = declared.document["components"]["schemas"]["NewSale"]["properties"]["units"]
        assert units["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 10_000_000}


def test_the_guide_names_every_permission() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    assert all(f"`{scope}`" in guide for scope in SCOPES)


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
