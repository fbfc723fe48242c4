"""Strict decoding, in one place. Litestar converts `"1"` and `1.0` to an int; money and stock must not be guessed at.

`StrictRequest` decodes a body straight into the handler's type: JSON types as they are, unknown fields refused, sizes bounded.
`strict_parameters` refuses query parameters that nobody reads, repeated ones, and numbers not written as plain digits.
"""

import asyncio
import datetime as dt
import re
from functools import cache
from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import URL
from litestar.handlers import HTTPRouteHandler
from litestar.handlers.base import BaseRouteHandler
from litestar.typing import FieldDefinition

from checkout_core.errors import AppError, BadRequest, UnsupportedMedia

AnyRequest = Request[Any, Any, Any]

BODY_MAX = 64 * 1024
BODY_TIMEOUT_S = 10
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class SlowBody(AppError):
    status = 408
    code = "request_timeout"


class StrictRequest(Request[Any, Any, Any]):
    @property
    def url(self) -> URL:
        """The address that was asked for, without the host when the Host header holds none: nothing may stumble over it."""
        try:
            return super().url
        except ValueError:
            return URL.from_components(path=self.scope["path"], query=self.scope["query_string"].decode("latin-1"))

    async def body(self) -> bytes:
        """Raises `SlowBody` when it does not arrive in time."""
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                return await super().body()
        except TimeoutError:
            raise SlowBody(f"The body did not arrive within {BODY_TIMEOUT_S} seconds.") from None

    async def json(self) -> Any:
        """The body as the type of the handler's `data`. Raises `UnsupportedMedia`, `BadRequest`."""
        media_type, _ = self.content_type
        if media_type != "application/json":
            raise UnsupportedMedia("Send the body as application/json.")
        if self.headers.get("content-encoding", "identity") != "identity":
            raise UnsupportedMedia("Send the body without a content encoding.")
        field = self.route_handler.parsed_data_field
        assert field is not None, "only a handler with a body reads one"
        try:
            return _decoder(field.annotation).decode(await self.body())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadRequest(f"The body is not what is asked for here: {error}.") from None


@cache
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_, strict=True)


async def strict_parameters(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A guard for all of /v1. Raises `BadRequest`. Nothing in it waits, but the framework runs a plain function in a thread."""
    if not isinstance(handler, HTTPRouteHandler) or not connection.query_params:
        return
    integers, moments, texts, choices = _query_parameters(handler)
    for name, values in connection.query_params.dict().items():
        if name not in integers | moments | texts | choices:
            raise BadRequest(f"There is no query parameter {name[:64]!r} here.", code="unknown_parameter")
        if len(values) > 1:
            raise BadRequest(f"The query parameter {name!r} comes more than once.", code="repeated_parameter")
        if name in integers and not _INTEGER.fullmatch(values[0]):
            raise BadRequest(f"The query parameter {name!r} is not a whole number.")
        if name in moments and not _MOMENT.fullmatch(values[0]):
            raise BadRequest(f"The query parameter {name!r} is not a moment with its zone, as in 2026-11-11T00:00:00Z.")
        if name in choices and values[0].lower() == "null":  # the framework takes it for none at all
            raise BadRequest(f"The query parameter {name!r} is none of its choices. Leave it out to choose nothing.")


def parameters_of(handler: HTTPRouteHandler) -> list[FieldDefinition]:
    """What the handler asks for, and what is asked for by those who provide that."""
    own = handler.parsed_fn_signature.parameters
    providers = [provide for name, provide in handler.resolve_dependencies().items() if name in own]
    return [*own.values(), *(field for provide in providers for field in provide.parsed_fn_signature.parameters.values())]


@cache
def _query_parameters(handler: HTTPRouteHandler) -> tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]:
    """The names of the query parameters that the handler reads: whole numbers, moments, texts, and choices, which is what is left."""
    integers: set[str] = set()
    moments: set[str] = set()
    texts: set[str] = set()
    choices: set[str] = set()
    for field in parameters_of(handler):
        definition = field.kwarg_definition
        if getattr(definition, "param_type", None) == "query" and not field.is_di_field:
            name = getattr(definition, "name", None) or field.name
            types = {int: integers, dt.datetime: moments, str: texts}
            found = [names for type_, names in types.items() if field.is_subclass_of(type_) or field.has_inner_subclass_of(type_)]
            (found[0] if found else choices).add(name)
    return frozenset(integers), frozenset(moments), frozenset(texts), frozenset(choices)
