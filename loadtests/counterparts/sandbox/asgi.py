"""As much of ASGI as the provider needs: a request read whole, an answer, and refusals as JSON."""

import re
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from loadtests.counterparts.sandbox import wire
from loadtests.counterparts.sandbox.wire import Refusal

BODY_MAX = 64 * 1024
JSON = "application/json; charset=utf-8"


class Request(NamedTuple):
    method: str
    path: str
    target: str
    """path and query exactly as they came, which is what the merchant signed"""
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    client: str
    args: tuple[str, ...] = ()


class Response(NamedTuple):
    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Request], Awaitable[Response]]


def answer(value: Any, status: int = 200) -> Response:
    return Response(status, wire.encode(value))


def refuse(error: Refusal) -> Response:
    return answer({"code": error.code, "message": error.message}, error.status)


class Router:
    """`add("GET /v3/bill", handler)`; `{}` in a path stands for one segment and is handed over in `args`."""

    def __init__(self) -> None:
        self._exact: dict[str, Handler] = {}
        self._patterns: list[tuple[re.Pattern[str], Handler]] = []

    def add(self, route: str, handler: Handler) -> None:
        if "{}" in route:
            self._patterns.append((re.compile(re.escape(route).replace(r"\{\}", r"([^/]{1,128})")), handler))
        else:
            self._exact[route] = handler

    def find(self, request: Request) -> tuple[Handler, Request]:
        route = f"{request.method} {request.path}"
        if handler := self._exact.get(route):
            return handler, request
        for pattern, handler in self._patterns:
            if match := pattern.fullmatch(route):
                return handler, request._replace(args=match.groups())
        raise Refusal(404, "NOT_FOUND", "There is nothing here.")


async def read(scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]]) -> Request:
    """Raises `Refusal` 413 when the body exceeds 64 KiB, 400 when a header that is signed comes twice."""
    chunks, length, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        chunks.append(message.get("body", b""))
        length += len(chunks[-1])
        if length > BODY_MAX:
            raise Refusal(413, "PARAM_ERROR", "The body exceeds 64 KiB.")
        more = message.get("more_body", False)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if sum(name == b"authorization" for name, _ in scope["headers"]) > 1:
        raise Refusal(400, "PARAM_ERROR", "There is more than one Authorization header.")
    raw_path, raw_query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    return Request(
        scope["method"], scope["path"], raw_path + ("?" + raw_query if raw_query else ""), dict(parse_qsl(raw_query)), headers,
        b"".join(chunks), scope["client"][0] if scope["client"] else "",
    )  # fmt: skip


class Application:
    """Runs one handler for one request; `handle` is given the refusals too, so that it can sign them."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        try:
            response = await self._handle(await read(scope, receive))
        except ConnectionError:
            return
        except Refusal as e:
            response = refuse(e)
        except Exception:
            traceback.print_exc()
            response = refuse(Refusal(500, "SYSTEM_ERROR", "The provider failed; ask again."))
        headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
        if response.body or response.status not in (204, 303):
            headers.append((b"content-type", response.content_type.encode()))
        if response.status != 204:
            headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})
