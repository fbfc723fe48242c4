"""The API's reference at /docs/api, for people: the OpenAPI document as one page, written here and needing nothing from elsewhere.

No script and nothing folded away: a browser's own find sees all of it.
"""

import gzip
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Request, Response, get
from markupsafe import Markup, escape

from api import openapi
from api.guards import anyone
from api.storefront.rendering import page_headers, templates

WHO: Final = {"merchant": "a merchant's key or session", "shopper": "a shopper of the store", "platform": "the platform's own staff"}
BOUNDS: Final = {"minimum": "≥", "maximum": "≤", "minLength": "length ≥", "maxLength": "length ≤", "maxItems": "at most", "pattern": "like"}


class Member(NamedTuple):
    """A row of a table: a parameter or a member of a shape. `types` are words, or names of shapes."""

    name: str
    types: list[str]
    bounds: str
    required: bool
    said: str
    where: str = ""


class Content(NamedTuple):
    """A body or an answer. `shape` is the name of one, or empty."""

    media_type: str
    shape: str
    example: str


class Answer(NamedTuple):
    status: str
    said: str
    content: Content | None


class Caller(NamedTuple):
    """Who may ask, and the permissions that takes."""

    said: str
    permissions: list[str]


class Operation(NamedTuple):
    """`who` are those of whom each may ask; nobody for everybody. `problems` are statuses."""

    id: str
    method: str
    path: str
    summary: str
    said: str
    who: list[Caller]
    parameters: list[Member]
    body: list[Content]
    answers: list[Answer]
    problems: list[str]


class Tag(NamedTuple):
    name: str
    anchor: str
    said: str
    operations: list[Operation]


class Shape(NamedTuple):
    name: str
    said: str
    members: list[Member]


@get("/docs/api", guards=[anyone], include_in_schema=False)
async def reference(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Written once in the life of a process."""
    state = request.app.state
    if "reference" not in state:
        html = page(await openapi.remembered(request.app)).encode()
        state.reference = (html, gzip.compress(html, 9, mtime=0))
    plain, gzipped = state.reference
    headers = page_headers() | {"Cache-Control": "private, no-cache", "Vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(gzipped, media_type="text/html", headers=headers | {"Content-Encoding": "gzip"})
    return Response(plain, media_type="text/html", headers=headers)


def page(document: dict[str, Any]) -> str:
    """The whole page as HTML."""
    tags = [Tag(tag["name"], tag["name"].lower().replace(" ", "-"), tag["description"], []) for tag in document["tags"]]
    by_name = {tag.name: tag for tag in tags}
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            by_name[operation["tags"][0]].operations.append(_operation(document, path, method, operation))
    shapes = [
        Shape(name, schema.get("description", ""), list(_members(schema))) for name, schema in document["components"]["schemas"].items()
    ]
    said = {name: (of["description"], of["schema"]) for name, of in document["components"]["headers"].items()}
    return templates.get_template("reference.html").render(
        info=document["info"],
        security=document["components"]["securitySchemes"],
        tags=[tag for tag in tags if tag.operations],
        shapes=sorted(shapes),
        names={shape.name for shape in shapes},
        headers=said,
        problems=sorted((name[-3:], of["description"]) for name, of in document["components"]["responses"].items()),
        marked=_marked,
    )


def _marked(text: str) -> Markup:
    """With what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def _operation(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Operation:
    answers, problems = [], []
    for status, named in sorted(operation["responses"].items()):
        response = openapi.resolved(document, named)
        contents = list(_contents(response.get("content", {})))
        if int(status) >= 400 and "$ref" in named:
            problems.append(status)
        else:
            answers.append(Answer(status, response["description"], contents[0] if contents else None))
    who = [Caller(WHO[name], permissions) for each in operation.get("security", ()) for name, permissions in each.items()]
    parameters = [
        Member(each["name"], *_type(each["schema"]), each["required"], each.get("description", ""), each["in"])
        for each in operation["parameters"]
    ]
    body = list(_contents(operation.get("requestBody", {}).get("content", {})))
    summary, said = operation["summary"], operation.get("description", "")
    return Operation(operation["operationId"], method.upper(), path, summary, said, who, parameters, body, answers, problems)


def _contents(content: dict[str, Any]) -> Iterator[Content]:
    for media_type, of in content.items():
        types, _ = _type(of["schema"])
        example = msgspec.json.format(msgspec.json.encode(of["example"]), indent=2).decode() if "example" in of else ""
        yield Content(media_type, types[-1], example)


def _members(schema: dict[str, Any]) -> Iterator[Member]:
    for name, of in schema.get("properties", {}).items():
        yield Member(name, *_type(of), name in schema.get("required", ()), of.get("description", ""))


def _type(schema: dict[str, Any]) -> tuple[list[str], str]:
    """The types of a value in words, and its bounds."""
    for variants in ("anyOf", "oneOf"):
        if variants in schema:
            parts = [_type(each) for each in schema[variants]]
            return [type_ for types, _ in parts for type_ in types], ", ".join(filter(None, (bounds for _, bounds in parts)))
    if "$ref" in schema:
        return [schema["$ref"].rpartition("/")[2]], ""
    if "enum" in schema:
        return [msgspec.json.encode(value).decode() for value in schema["enum"]], ""
    if schema.get("type") == "array":
        types, bounds = _type(schema["items"])
        return ["list of", *types], bounds
    bounds = ", ".join(f"{word} {schema[key]}" for key, word in BOUNDS.items() if key in schema)
    return [schema.get("format") or schema.get("type", "anything")], bounds
