"""The OpenAPI 3.1 document at /openapi.json: what Litestar derives from the handlers, and what it does not know.

That is: who may call (from the guards), which problems may come back (from the operation's shape), and what exactly a body may be:
the schemas are msgspec's own, which decodes the bodies (Litestar's forget that unknown fields are refused, and bounds inside unions).
"""

from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

from api import problems
from api.guards import anyone
from api.wire import END

PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is stable and for programs, `detail` is for people. Some codes bring members of their own.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
    },
}
REASONS = {
    400: "Malformed request",
    401: "Not signed in",
    403: "Not permitted",
    404: "Not found; a foreign id answers like a missing one",
    405: "No such method here",
    408: "The body came too slowly",
    409: "Conflicts with what is there",
    413: "Too large",
    415: "Not this content type",
    422: "Well-formed, but impossible",
    429: "Too many requests; see Retry-After",
    500: "Something went wrong here; it was logged",
    503: "Not at this moment; see Retry-After. Asking the same again is safe",
}


class _NoPages(Router):
    """Litestar would add pages that load scripts from elsewhere; the document is served by the one handler below."""

    def register(self, value: Any) -> list[Any]:
        return []


CONFIG = OpenAPIConfig(
    title="Tessera",
    version="1",
    description="Sells digital entitlements: never oversold, never delivered twice.",
    use_handler_docstrings=True,
    openapi_router=_NoPages("/openapi", route_handlers=[]),
    components=Components(
        security_schemes={
            "merchant": SecurityScheme(type="http", scheme="bearer", description="An API key `sk_…` or a session token `se_…`."),
            "shopper": SecurityScheme(type="http", scheme="bearer", description="A shopper token `st_…` of this store."),
        }
    ),
)


@get("/openapi.json", guards=[anyone], include_in_schema=False)
async def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    state = request.app.state
    if "openapi" not in state:
        state.openapi = msgspec.json.encode(document(request.app))
    return Response(state.openapi, media_type="application/json")


def document(app: Litestar) -> dict[str, Any]:
    """The whole document as plain JSON types."""
    doc: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    doc["openapi"] = "3.1.0"
    documented = [
        (route, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.resolve_include_in_schema()
    ]
    types = [type_ for _, handler in documented for type_ in _types(handler)]
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    doc["components"]["schemas"] |= schemas | {"Problem": PROBLEM}
    for route, handler in documented:
        for method in handler.http_methods:
            _complete(doc["paths"][route.path_format][method.lower()], handler)
    # What ends a pattern in Python says no more than `$` does elsewhere.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(doc).replace(msgspec.json.encode(END)[1:-1], b"$"))
    return plain


def _types(handler: HTTPRouteHandler) -> list[Any]:
    """The structs that the handler takes and answers with."""
    answer = handler.parsed_return_field
    fields = [handler.parsed_data_field, *(answer.inner_types if answer.is_subclass_of(Response) else [answer])]
    return [field.annotation for field in fields if field is not None and (field.is_subclass_of(msgspec.Struct) or field.inner_types)]


def _complete(operation: dict[str, Any], handler: HTTPRouteHandler) -> None:
    security = [name for guard in handler.resolve_guards() for name in getattr(guard, "security", ())]
    if security:
        operation["security"] = [{name: []} for name in security]
    asks = handler.parsed_fn_signature.parameters
    parameters = operation.setdefault("parameters", [])
    if "once" in asks or handler.opt.get("idempotency_key"):
        schema = {"type": "string", "minLength": 1, "maxLength": 255}
        required = "once" not in asks
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": required, "schema": schema})
    if "merchant" not in security and asks.keys() & {"store", "tx", "shopper"}:
        parameters.append({"name": "X-Tessera-Store", "in": "header", "required": False, "schema": {"type": "string"}})
    if "requestBody" in operation:
        operation["requestBody"]["required"] = "data" in asks and not asks["data"].has_default
    if media_types := handler.opt.get("body"):  # a file, streamed
        operation["requestBody"] = {
            "required": True,
            "content": {type_: {"schema": {"type": "string", "format": "binary"}} for type_ in media_types},
        }
    operation["responses"].get("204", {}).pop("content", None)
    for status in _statuses(operation, handler, bool(security)):
        content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        operation["responses"][str(status)] = {"description": REASONS[status], "content": content}


def _statuses(operation: dict[str, Any], handler: HTTPRouteHandler, signed_in: bool) -> list[int]:
    statuses = {400, 405, 429, 500, 503, *handler.opt.get("problems", ())}
    if signed_in:
        statuses |= {401, 403}
    if handler.http_methods & {"POST", "PUT", "PATCH"}:
        statuses |= {408, 409, 413, 415, 422}
    if signed_in or any(parameter["in"] in {"path", "header"} for parameter in operation["parameters"]):
        statuses.add(404)
    # What the handler itself declares, with its own body, stands.
    return sorted(statuses - {int(status) for status in operation["responses"] if status != "400"})
