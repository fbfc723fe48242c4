"""Strict decoding, in one place. Litestar converts `"1"` and `1.0` to an int; money and stock must not be guessed at.

`StrictRequest` decodes a body straight into the handler's type: JSON types as they are, unknown fields refused, sizes bounded.
`strict_parameters` refuses query parameters that nobody reads, repeated ones, and numbers not written as plain digits.
"""

import asyncio
import re
from functools import cache
from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import URL
from litestar.handlers import HTTPRouteHandler
from litestar.handlers.base import BaseRouteHandler

from checkout_core.errors import AppError, BadRequest, UnsupportedMedia

BODY_MAX = 64 * 1024
BODY_TIMEOUT_S = 10
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


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
    integers, others = _query_parameters(handler)
    for name, values in connection.query_params.dict().items():
        if name not in integers and name not in others:
            raise BadRequest(f"There is no query parameter {name[:64]!r} here.", code="unknown_parameter")
        if len(values) > 1:
            raise BadRequest(f"The query parameter {name!r} comes more than once.", code="repeated_parameter")
        if name in integers and not _INTEGER.fullmatch(values[0]):
            raise BadRequest(f"The query parameter {name!r} is not a whole number.")


@cache
def _query_parameters(handler: HTTPRouteHandler) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the query parameters that the handler reads: whole numbers, and all others."""
    integers: set[str] = set()
    others: set[str] = set()
    for field in handler.parsed_fn_signature.parameters.values():
        definition = field.kwarg_definition
        if getattr(definition, "param_type", None) == "query" and not field.is_di_field:
            name = getattr(definition, "name", None) or field.name
            (integers if field.is_subclass_of(int) or field.has_inner_subclass_of(int) else others).add(name)
    return frozenset(integers), frozenset(others)
