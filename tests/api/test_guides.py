"""What the guides say of the API: each operation they name is there, and takes the parameters and the body they show."""

import base64
import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from standardwebhooks import Webhook

from api.openapi import resolved
from tests.declared import Declared
from tests.house.sources import ROOT

GUIDES = sorted((ROOT / "docs").glob("*.md"))
# `POST /v1/domains` `{"domain": "shop.example.com"}`; or both in one pair of backticks, or on a line of their own.
NAMED = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE)`? +`?(/v1/[^\s`\",;)]+)`? *`?(\{\"[^`\n]*\})?")
CURL = re.compile(r"^curl (?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)


class Asked(NamedTuple):
    method: str
    path: str
    query: list[str]
    body: dict[str, Any] | None

    @classmethod
    def of(cls, method: str, address: str, body: str) -> "Asked":
        path, _, query = address.rstrip(".").partition("?")
        shown = json.loads(re.sub(r"(?<=[:\[] )…", '"…"', body)) if body else None
        return cls(method, path, [each.partition("=")[0] for each in query.split("&") if each], shown)


def asked(guide: str) -> Iterator[Asked]:
    for method, address, body in NAMED.findall(guide):
        yield Asked.of(method, address, body)
    for command in CURL.findall(guide):
        address, body = re.search(r"(/v1/[^\s']+)", command), re.search(r"-d '(.*)'", command)
        assert address, command
        method = re.search(r"-X (\w+)", command)
        yield Asked.of(method[1] if method else "POST" if body else "GET", address[1], body[1] if body else "")


def wrong(declared: Declared, ask: Asked) -> Iterator[str]:
    name = f"{ask.method} {ask.path}"
    operation = declared.operation(ask.method, ask.path)
    if operation is None:
        yield f"there is no {name}"
        return
    parameters = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    yield from (f"{name} takes no {each}" for each in ask.query if each not in parameters)
    if ask.body is not None:
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            yield f"{name} takes no JSON"
            return
        schema = resolved(declared.document, content["application/json"]["schema"])
        yield from (f"{name} takes no {each}" for each in ask.body if each not in schema["properties"])
        yield from (f"{name} needs {each}" for each in schema.get("required", []) if each not in ask.body)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_says_what_is_so(guide: Path, declared: Declared) -> None:
    assert [problem for ask in asked(guide.read_text()) for problem in wrong(declared, ask)] == []


def test_the_webhooks_example_tells_true_from_forged() -> None:
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/webhooks.md").read_text(), re.DOTALL)
    written: dict[str, Any] = {}
    exec(example, written)
    secret, body, now = "whsec_" + base64.b64encode(b"s" * 24).decode(), '{"type":"order.paid"}', dt.datetime.now(dt.UTC)

    def received(at: dt.datetime, body_sent: str) -> Any:
        signature = Webhook(secret).sign("evt_1", at, body)
        headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
        return written["receive"](secret, headers, body_sent.encode())

    assert received(now, body) == {"type": "order.paid"}
    assert received(now, body + " ") is None
    assert received(now - dt.timedelta(minutes=6), body) is None


def test_there_is_something_to_judge() -> None:
    found = [ask for guide in GUIDES for ask in asked(guide.read_text())]
    assert len(found) > 80
    assert len([ask for ask in found if ask.body is not None]) > 10


@pytest.mark.parametrize(
    ("guide", "problem"),
    [
        ("`GET /v1/shops`", "there is no GET /v1/shops"),
        ("`DELETE /v1/products`", "there is no DELETE /v1/products"),
        ("`GET /v1/orders?kind=`", "GET /v1/orders takes no kind"),
        ('`POST /v1/domains` `{"domain": "…", "host": "…"}`', "POST /v1/domains takes no host"),
        ('curl -s $API/v1/sessions \\\n  -d \'{"mail": "…"}\'', "POST /v1/sessions needs password"),
        ("curl -X DELETE $API/v1/products", "there is no DELETE /v1/products"),
    ],
)
def test_notices_what_is_not(guide: str, problem: str, declared: Declared) -> None:
    assert [found for ask in asked(guide) for found in wrong(declared, ask)] == [problem]
