"""The OpenAPI 3.1 document at /openapi.json: what Litestar derives from the handlers, and what it does not know.

That is: who may call (from the guards), which problems may come back (from the operation's shape), what exactly a body may be (the schemas
are msgspec's own, which decodes the bodies: Litestar's forget that unknown fields are refused, and bounds inside unions), which headers
come along, and an example of everything (`api.examples`).
"""

import asyncio
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server, Tag
from litestar.routes import HTTPRoute

from api import headers, problems
from api.etags import Tagged
from api.examples import example
from api.guards import Anyone, anyone
from api.wire import END
from api.words import WORDS

PROBLEM: Final = {
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
DONE: Final = {
    200: "As asked",
    201: "Made",
    202: "Accepted, and going on",
    204: "Done; there is nothing to say",
    304: "Still what your tag says",
}
REASONS: Final = {
    400: "Malformed request",
    401: "Not signed in",
    403: "Not permitted",
    404: "Not found; a foreign id answers like a missing one",
    405: "No such method here",
    408: "The body came too slowly",
    409: "Conflicts with what is there",
    412: "Changed by somebody else since it was read",
    413: "Too large",
    415: "Not this content type",
    422: "Well-formed, but impossible",
    428: "If-Match is needed",
    429: "Too many requests; see Retry-After",
    500: "Something went wrong here; it was logged",
    503: "Not at this moment; see Retry-After. Asking the same again is safe",
}
TAGS: Final = {
    "Accounts": "Signing up, which opens a store, and signing in and out.",
    "API keys": "What a merchant's programs sign in with. A key may do part of what its maker may.",
    "Catalogue": "Products, and under each the SKUs that have a price and stock of their own.",
    "Prices": "Lists of prices for some buyers, channels and times; groups of buyers; what an order was made of.",
    "Points": "Points and levels: what the store says of them, a shopper's account, his statement, signing in for the day.",
    "Picks": "What shoppers choose units by: a night, a seat, a number.",
    "Product types": "What can be done with units of a type: the acts that its folder brings.",
    "Categories": "The store's own shelves: a tree that products stand in.",
    "SKU lists": "SKUs found and listed, and many of them changed at once, each in its own way.",
    "Catalogue files": "Files of SKUs, checked whole and saved whole; and the pictures of products.",
    "Vault": "Files of codes in, a report on every line out. Codes are sealed and shown to one buyer each.",
    "Codes": "Single codes found and shown; many as a file, with the consent of a second person; the keys they lie under, rotated.",
    "Stock": "Units: their states and history, the order they are sold in, what is told when few are left.",
    "Sales": "What shoppers press on: a SKU at a price between two instants, with units allotted to it.",
    "Storefront": "What anybody may see of a store.",
    "Shoppers": "Guests: a token is all a shopper needs to buy.",
    "Checkout": "The press of “buy”. 201 means that the reservation is committed.",
    "Carts": "Several things from the shelf in one order: quotes, the order, the cart that is kept.",
    "Coupons": "What is taken off: coupons, the pieces that shoppers claim or are given, and what came of them.",
    "Orders": "The shopper's own, the merchant's list, and what waits for a person.",
    "Orders at work": "What a store's people do with orders: notes, tags, exports, many at once.",
    "Exceptions": "What the rules could not settle, and what people do about it.",
    "Entitlements": "What delivered units entitle to: found, prolonged, ended.",
    "Payments": "Accounts at providers, their notices, and the ledger.",
    "Staff": "People who work for the merchant, what each may do, and invitations.",
    "Store": "How a store looks and reads, its addresses and channels, and its sandbox.",
    "Webhooks": "Events for a merchant's programs: endpoints, the log, sending again.",
    "Audit": "Who did what, in a chain that shows whatever was changed later.",
    "Data rights": "What is held about a shopper or a store: found, handed out, erased; and how long it is kept.",
    "Qualification": "Who a merchant is and what he may sell: documents, and what they allow.",
    "Platform": "For the platform's own proxy.",
    "Platform staff": "The platform's own people: enrolment, signing in, who they are.",
    "Platform merchants": "The platform's look at its merchants: suspending, reserved addresses, the record.",
    "Platform reviews": "Qualifications that wait for somebody of the platform.",
    "Health": "For load balancers.",
}
# Headers of answers by name: what they say, and the schema of their text.
SOMETIMES: Final = {"Idempotency-Replayed", "RateLimit", "RateLimit-Policy"}
HEADERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "Allow": ("The methods that there are.", {"type": "string"}),
    "ETag": (
        "Of this very answer; send it back as If-None-Match, or as If-Match.",
        {"type": "string", "pattern": '^"[0-9a-f]+(-[0-9a-f]+)?"$'},
    ),
    "Idempotency-Replayed": ("Present when this answer was given before.", {"type": "string", "enum": ["true"]}),
    "RateLimit": ("What is left of each limit, and after how many seconds all is.", {"type": "string"}),
    "RateLimit-Policy": ("The limits that this request counts for, and in how many seconds each comes back.", {"type": "string"}),
    "Retry-After": ("Seconds to wait.", {"type": "integer", "minimum": 0}),
    "WWW-Authenticate": ("How to sign in.", {"type": "string", "enum": ["Bearer"]}),
    **{name: ("Always the same.", {"type": "string"}) for name in headers.SECURITY_HEADERS | headers.API_HEADERS},
}
LIMITS: Final = ("RateLimit", "RateLimit-Policy")
OF_STATUS: Final = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
EVENT: Final = {
    "type": "object",
    "title": "Event",
    "description": "One of the stream; `data` is JSON.",
    "properties": {
        "event": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": "integer", "description": "Milliseconds after which to connect again."},
    },
}
OF_SEVERAL: Final = {"request_id", "subject_id", "entry_id"}  # ids of more than one kind
# Moments by another name than `…_at`. (A code's `valid_until` is what its file said.)
MOMENTS: Final = {
    "at", "since", "old_until", "failing_since", "valid_from", "Batch.valid_until", "BatchTerms.valid_until", "Unit.valid_until",
    "UnitHistory.valid_until",    "importCodes.valid_until", "Approval.valid_until", "Qualification.valid_until", "Standing.valid_until",
}  # fmt: skip
PREFIX: Final = re.compile(r"([a-z]{3})_[0-9a-f]{32}")


class _NoPages(Router):
    """Litestar would add pages that load scripts from elsewhere; ours are served by the handler below and by `api.reference`."""

    def register(self, value: Any) -> list[Any]:
        return []


CONFIG = OpenAPIConfig(
    title="Tessera",
    version="1",
    description="Sells digital entitlements: never oversold, never delivered twice. What all operations have in common is in docs/api.md.",
    use_handler_docstrings=True,
    openapi_router=_NoPages("/openapi", route_handlers=[]),
    servers=[Server("/", description="The host that serves this document: the platform's, or a store's own.")],
    tags=[Tag(name, description=description) for name, description in TAGS.items()],
    components=Components(
        security_schemes={
            "merchant": SecurityScheme(type="http", scheme="bearer", description="An API key `sk_…` or a session token `se_…`."),
            "shopper": SecurityScheme(type="http", scheme="bearer", description="A shopper token `st_…` of this store."),
            "platform": SecurityScheme(type="http", scheme="bearer", description="A session token `ps_…` of the platform's staff."),
        }
    ),
)


@get("/openapi.json", guards=[anyone], include_in_schema=False)
async def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    state = request.app.state
    if "openapi" not in state:
        state.openapi = msgspec.json.encode(await remembered(request.app))
    return Response(state.openapi, media_type="application/json")


async def remembered(app: Litestar) -> dict[str, Any]:
    """The document, made once in the life of a process, and beside its loop: it takes 0.4 s, in which shoppers press."""
    if "document" not in app.state:
        app.state.document = asyncio.create_task(asyncio.to_thread(document, app))
    made: dict[str, Any] = await asyncio.shield(app.state.document)
    return made


def document(app: Litestar) -> dict[str, Any]:
    """The whole document as plain JSON types, the same for the same handlers. Raises `NoWord` for a member without an example."""
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
    schemas |= {"Problem": PROBLEM}
    for name, schema in schemas.items():
        _sharpen(name, schema)
    doc["components"]["schemas"] = schemas
    doc["components"]["headers"] = {
        name: {"description": said, "required": name not in SOMETIMES, "schema": schema} for name, (said, schema) in HEADERS.items()
    }
    doc["components"]["responses"] = {f"Problem{status}": _problem(status) for status in REASONS}
    for route, handler in documented:
        for method in handler.http_methods:
            _complete(doc["paths"][route.path_format][method.lower()], route.path_format, handler)
    # What ends a pattern in Python says no more than `$` does elsewhere.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(doc).replace(msgspec.json.encode(END)[1:-1], b"$"))
    for operation in (each for path in plain["paths"].values() for each in path.values()):
        _exemplify(operation, plain["components"]["schemas"])
    return plain


def resolved(document: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    """What a reference in the document means; anything else means itself."""
    meant = named
    if "$ref" in named:
        meant = document
        for step in named["$ref"].split("/")[1:]:
            meant = meant[step]
    return meant


def _types(handler: HTTPRouteHandler) -> list[Any]:
    """The structs that the handler takes and answers with."""
    answer = handler.parsed_return_field
    fields = [handler.parsed_data_field, *(answer.inner_types if answer.is_subclass_of(Response) else [answer])]
    types = [field.annotation for field in fields if field is not None and (field.is_subclass_of(msgspec.Struct) or field.inner_types)]
    return [*types, *(spec.data_container for spec in (handler.responses or {}).values())]


def _sharpen(name: str, schema: dict[str, Any]) -> None:
    """What the types do not say: nothing else is in an object, ids have their prefix, `…_at` and `MOMENTS` are moments."""
    if "description" in schema:
        schema["description"] = " ".join(schema["description"].split())
    if name != "Problem":
        schema["additionalProperties"] = False
    for member, of in schema.get("properties", {}).items():
        for each in [of, *of.get("anyOf", ())]:
            if each.get("type") == "string":
                if member.endswith("_at") or MOMENTS & {member, f"{name}.{member}"}:
                    each["format"] = "date-time"
                elif pattern := _id_pattern(f"{name}.{member}" if member == "id" else member):
                    each.setdefault("pattern", pattern)


def _id_pattern(name: str) -> str | None:
    """What an id of this name looks like; None when the name is no id's."""
    found = PREFIX.fullmatch(str(WORDS.get(name))) if name.endswith("id") and name not in OF_SEVERAL else None
    return f"^{found[1]}_[0-9a-f]{{32}}$" if found else None


def _complete(operation: dict[str, Any], path: str, handler: HTTPRouteHandler) -> None:
    [guard] = [guard for guard in handler.resolve_guards() if isinstance(guard, Anyone)]
    security = guard.security
    if security:
        # Beside a scheme stand the permissions it takes (roles, in the words of OpenAPI 3.1). A shopper has none.
        permissions = [guard.permission] if guard.permission else []
        operation["security"] = [{name: [] if name == "shopper" else permissions} for name in security]
    is_tagged = handler.parsed_return_field.is_subclass_of(Tagged)
    operation["parameters"] = _parameters(operation, handler, security, is_tagged=is_tagged)
    if not operation["deprecated"]:
        del operation["deprecated"]
    if "requestBody" in operation:
        data = handler.parsed_fn_signature.parameters.get("data")
        operation["requestBody"]["required"] = data is not None and not data.has_default
    if media_types := handler.opt.get("body"):  # a file, streamed
        operation["requestBody"] = {
            "required": True,
            "content": {type_: {"schema": {"type": "string", "format": "binary"}} for type_ in media_types},
        }
    responses = operation["responses"]
    responses.pop("400", None)  # Litestar's own, which ours replaces
    for status, response in responses.items():
        _succeed(int(status), response, handler)
    if is_tagged and handler.http_methods == {"GET"}:
        responses["304"] = {"description": DONE[304]}
    for status, response in responses.items():
        _add_headers(int(status), response, path, handler, is_tagged=is_tagged)
    for status in _statuses(operation, handler, bool(security)):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}


def _parameters(
    operation: dict[str, Any], handler: HTTPRouteHandler, security: tuple[str, ...], *, is_tagged: bool
) -> list[dict[str, Any]]:
    """What Litestar found, without what says nothing, and the headers that are read elsewhere."""
    asks = handler.parsed_fn_signature.parameters
    parameters = []
    for found in operation.get("parameters", ()):
        parameter = {key: value for key, value in found.items() if value or key == "required"}
        # null cannot be said in an address, and a bound of an integer is one.
        [schema] = [each for each in found["schema"].get("oneOf", [found["schema"]]) if each.get("type") != "null"]
        schema = {key: int(value) if isinstance(value, float) and value.is_integer() else value for key, value in schema.items()}
        if "enum" in schema:
            schema["enum"] = [value for value in schema["enum"] if value is not None]
        if schema.get("type") == "string" and (pattern := _id_pattern(parameter["name"])):
            schema["pattern"] = pattern
        parameters.append(parameter | {"schema": schema})

    def header(name: str, *, required: bool = False, **schema: Any) -> None:
        parameters.append({"name": name, "in": "header", "required": required, "schema": {"type": "string", **schema}})

    if "once" in asks or handler.opt.get("idempotency_key"):
        header("Idempotency-Key", required="once" not in asks and not handler.opt.get("body"), pattern="^[!-~]{1,255}$")
    if not {"merchant", "platform"} & set(security) and asks.keys() & {"store", "tx", "shopper"}:
        header("X-Tessera-Store")
    if handler.opt.get("body"):
        header("X-Filename")
    if is_tagged and handler.http_methods == {"GET"}:
        header("If-None-Match")
    if handler.opt.get("if_match"):
        header("If-Match", required=True)
    return parameters


def _succeed(status: int, response: dict[str, Any], handler: HTTPRouteHandler) -> None:
    response.pop("headers", None)
    if status not in (handler.responses or {}):
        response["description"] = DONE[status]
    if status == 204:
        response.pop("content", None)
    for type_, content in response.get("content", {}).items():
        content.pop("examples", None)
        if type_ == "text/event-stream":
            content["schema"] = EVENT
        elif type_ == "application/octet-stream" or not content["schema"]:
            content["schema"] = {"type": "string", "format": "binary"}


def _add_headers(status: int, response: dict[str, Any], path: str, handler: HTTPRouteHandler, *, is_tagged: bool) -> None:
    always = list(headers.SECURITY_HEADERS)
    if path.startswith("/v1"):
        always += [*headers.API_HEADERS, *LIMITS]
    if is_tagged and status in (200, 304):
        always.append("ETag")
    if "once" in handler.parsed_fn_signature.parameters and status < 300:
        always.append("Idempotency-Replayed")
    response["headers"] = _named(always)


def _named(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}


def _problem(status: int) -> dict[str, Any]:
    """The answer of this status, the same wherever it may come."""
    names = [*headers.SECURITY_HEADERS, *headers.API_HEADERS, *LIMITS, *([OF_STATUS[status]] if status in OF_STATUS else ())]
    schema, shown = {"$ref": "#/components/schemas/Problem"}, problems.example(status, REASONS[status])
    content = {problems.MEDIA_TYPE: {"schema": schema, "example": shown}}
    return {"description": REASONS[status], "headers": _named(names), "content": content}


def _statuses(operation: dict[str, Any], handler: HTTPRouteHandler, signed_in: bool) -> list[int]:
    statuses = {400, 405, 429, 500, 503, *handler.opt.get("problems", ())}
    if signed_in:
        statuses |= {401, 403}
    if handler.http_methods & {"POST", "PUT", "PATCH"}:
        statuses |= {408, 409, 413, 415, 422}
    if signed_in or any(parameter["in"] in {"path", "header"} for parameter in operation["parameters"]):
        statuses.add(404)
    # What the handler itself declares, with its own body, stands.
    return sorted(statuses - {int(status) for status in operation["responses"]})


def _exemplify(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        parameter["example"] = example(parameter["schema"], schemas, operation["operationId"], parameter["name"])
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if content["schema"].get("format") != "binary":
            content["example"] = example(content["schema"], schemas)
    for response in operation["responses"].values():
        for type_, content in response.get("content", {}).items():
            if not type_.startswith("text/") and content["schema"].get("format") != "binary":
                content["example"] = example(content["schema"], schemas)
