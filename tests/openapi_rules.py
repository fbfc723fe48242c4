"""What every operation of the OpenAPI document has. Each rule finds what breaks it."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import msgspec

from api.openapi import resolved

Document = dict[str, Any]

# Lists that cannot grow: of states, of what a store has on offer at this moment, of one order; and of what a merchant has few.
WHOLE = {
    "listBalances", "getStorefront", "revealCodes", "listWebhookEvents", "listWebhookEndpoints", "listChannels", "listDomains", "listRoles",
    "listInvitations", "listTranslations", "listProviderAccounts", "listTypes", "listInputs", "listOrderTags",
    "listCategories", "listShownCategories", "listPriceLists", "listBuyerGroups", "getOrderStanding", "listMyCoupons",
    "listClaimableCoupons",
}  # fmt: skip
# Made again they answer with another secret, which is kept nowhere; or with what is there: a payment that is open, the same document or
# picture, the same slug.
WITHOUT_KEY = {
    "confirmSignUp", "signIn", "createApiKey", "createShopperToken", "createWebhookEndpoint", "enterSandbox", "startPayment", "enrolTotp",
    "confirmTotp", "addDocument", "addProductImage", "enrolPlatformStaff", "signInPlatformStaff", "addPlatformStaff", "reserveSlug",
}  # fmt: skip
EVERYWHERE = {"400", "405", "429", "500", "503"}


def operations(document: Document) -> Iterator[tuple[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def contents(document: Document) -> Iterator[tuple[str, str, Any]]:
    """(where, media type, content) of every body and answer."""
    for name, operation in operations(document):
        for type_, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} asks", type_, content
        for status, response in operation["responses"].items():
            for type_, content in resolved(document, response).get("content", {}).items():
                yield f"{name} {status}", type_, content


def misfits(document: Document) -> Callable[[Any, Any], bool]:
    """Says of a schema and a value whether the value does not fit. Of thousands of schemas few differ: each is compiled once."""
    compiled: dict[bytes, jsonschema_rs.Draft202012Validator] = {}

    def does_not_fit(schema: Any, value: Any) -> bool:
        key = msgspec.json.encode(schema)
        if key not in compiled:
            whole = schema | {"components": {"schemas": named_in(schema, document["components"]["schemas"])}}
            compiled[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return not compiled[key].is_valid(value)

    return does_not_fit


def named_in(schema: Any, schemas: Document) -> Document:
    """Those of `schemas` that `schema` leads to: to compile all for each takes most of the time."""
    found: Document = {}
    waiting = [schema]
    while waiting:
        for name in re.findall('"\\$ref":"#/components/schemas/([^"]+)"', msgspec.json.encode(waiting.pop()).decode()):
            if name not in found:
                found[name] = schemas[name]
                waiting.append(schemas[name])
    return found


def without_a_name(document: Document) -> list[str]:
    names = [operation.get("operationId", "") for _, operation in operations(document)]
    return [name for name in names if not re.fullmatch("[a-z]+([A-Z][a-z]*)*", name) or names.count(name) > 1]


def without_a_summary(document: Document) -> list[str]:
    return [name for name, operation in operations(document) if not re.fullmatch(r"[A-Z].{5,100}[^.]", operation.get("summary", ""))]


def without_a_described_tag(document: Document) -> list[str]:
    described = {tag["name"] for tag in document["tags"] if tag.get("description")}
    return [name for name, operation in operations(document) if len(operation["tags"]) != 1 or not set(operation["tags"]) <= described]


def without_an_example(document: Document) -> list[str]:
    does_not_fit = misfits(document)
    bodies = [
        f"{where} {type_}"
        for where, type_, content in contents(document)
        if type_.endswith("json")
        if "example" not in content or does_not_fit(content["schema"], content["example"])
    ]
    parameters = [
        f"{name} {each['name']}"
        for name, operation in operations(document)
        for each in operation["parameters"]
        if "example" not in each or does_not_fit(each["schema"], each["example"])
    ]
    return bodies + parameters


def with_an_undeclared_error(document: Document) -> list[str]:
    def needed(operation: Any) -> set[str]:
        found = EVERYWHERE | ({"401", "403"} if "security" in operation else set())
        found |= {"404"} if any(each["in"] == "path" for each in operation["parameters"]) else set()
        return found | ({"408", "413", "415"} if "requestBody" in operation else set())

    return [name for name, operation in operations(document) if not needed(operation) <= operation["responses"].keys()]


def with_an_open_object(document: Document) -> list[str]:
    schemas = document["components"]["schemas"]
    return [
        name for name, of in schemas.items() if "properties" in of and name != "Problem" and of.get("additionalProperties") is not False
    ]


def with_an_endless_list(document: Document) -> list[str]:
    def holds_a_list(operation: Any) -> bool:
        content = resolved(document, operation["responses"].get("200", {})).get("content", {}).get("application/json")
        schema = resolved(document, content["schema"]) if content else {}
        rows = [member for member, of in schema.get("properties", {}).items() if of.get("type") == "array"]
        return schema.get("type") == "array" or bool(rows and schema["properties"].keys() <= {*rows, "next_cursor", "store"})

    return [
        name
        for name, operation in operations(document)
        if name.startswith("GET ") and operation["operationId"] not in WHOLE and holds_a_list(operation)
        if not {"limit", "cursor"} <= {each["name"] for each in operation["parameters"]}
    ]


def made_twice_when_asked_twice(document: Document) -> list[str]:
    return [
        name
        for name, operation in operations(document)
        if "201" in operation["responses"] and operation["operationId"] not in WITHOUT_KEY
        if "Idempotency-Key" not in {each["name"] for each in operation["parameters"]}
    ]


def without_a_server(document: Document) -> list[str]:
    return [] if [server for server in document.get("servers", ()) if server.get("description")] else ["the document"]


RULES: dict[str, Callable[[Document], list[str]]] = {
    rule.__name__: rule
    for rule in (
        without_a_name, without_a_summary, without_a_described_tag, without_an_example, with_an_undeclared_error, with_an_open_object,
        with_an_endless_list, made_twice_when_asked_twice, without_a_server,
    )
}  # fmt: skip
# A document that breaks each of them, with one operation.
NAUGHTY: Document = {
    "paths": {
        "/v1/things": {
            "get": {
                "tags": ["Things"],
                "operationId": "list_things",
                "summary": "things.",
                "security": [{"merchant": []}],
                "parameters": [{"name": "state", "in": "query", "schema": {"type": "string"}}],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Things"}, "example": {"things": 1}}}},
                    "201": {"content": {}},
                },
            }
        }
    },
    "tags": [],
    "components": {"schemas": {"Things": {"type": "object", "properties": {"things": {"type": "array", "items": {}}}}}},
}
