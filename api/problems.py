"""Errors as people and programs get them: RFC 9457 problem documents with a stable `code`. The one handler for all."""

import http
import logging
from typing import Any

import asyncpg
import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from api.headers import API_HEADERS, SECURITY_HEADERS
from checkout_core.errors import AppError, BadRequest, Unavailable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# What Litestar itself refuses with, by status; the rest of its statuses keep a code made of their name.
_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}
_CONTENDED = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.TooManyConnectionsError)
_NOT_TEXT = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The problem document for `error`, as the framework sends it."""
    status, headers, body = document(error, request.method, request.url.path)
    always = API_HEADERS | SECURITY_HEADERS
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=always | headers)


def document(error: BaseException, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers of its own and body. What nobody expected is logged whole and told as nothing but its place in the log."""
    known = expected(error) if isinstance(error, Exception) else error
    headers: dict[str, str] = {}
    if isinstance(known, HTTPException):
        status, code, detail = known.status_code, _code(known.status_code), _detail(known)
        extra: dict[str, Any] = {}
        headers |= {name: value for name, value in (known.headers or {}).items() if name.lower() == "allow"}
    elif isinstance(known, AppError):
        status, code, detail, extra = known.status, known.code, known.detail, known.extra
        if known.retry_after_s is not None:
            headers["Retry-After"] = str(known.retry_after_s)
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
    else:
        log.error("%s %s failed", method, path, exc_info=known)
        status, code, detail, extra = 500, "internal_error", "Something went wrong here. It was logged; try again later.", {}
    body = {"type": "about:blank", "title": http.HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code, **extra}
    return status, headers, msgspec.json.encode(body)


def example(status: int, detail: str) -> dict[str, Any]:
    """How a problem of this status looks."""
    body: dict[str, Any] = msgspec.json.decode(document(HTTPException(detail, status_code=status), "", "")[2])
    return body | {"detail": f"{detail}."}


def expected(error: Exception) -> Exception:
    """The error that a shopper or merchant can act on, if there is one behind `error`."""
    match error:
        case ExceptionGroup():
            # Litestar wraps what a dependency raises while it closes: a lost connection at COMMIT, for one.
            return expected(error.exceptions[0])
        case msgspec.ValidationError() | msgspec.DecodeError():
            return BadRequest(f"{error}.")
        case RecursionError():
            return BadRequest("The document is nested too deeply.")
        case asyncpg.PostgresError() if isinstance(error, _CONTENDED):
            return Unavailable("Others are changing the same at this moment. Ask the same again; nothing happens twice.", code="contended")
        case asyncpg.PostgresError() if isinstance(error, _NOT_TEXT):
            return BadRequest("Text may not hold the character NUL.")
        case _:
            return error


def _code(status: int) -> str:
    return _CODES.get(status) or http.HTTPStatus(status).phrase.lower().replace(" ", "_")


def _detail(error: HTTPException) -> str:
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        return " ".join(f"{each.get('key', 'request')}: {each.get('message', '')}." for each in error.extra if isinstance(each, dict))
    return error.detail or http.HTTPStatus(error.status_code).phrase
