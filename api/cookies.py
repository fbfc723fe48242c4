"""The cookies of browsers: a merchant's session and a shopper's token. `__Host-` (this host only, TLS only) wherever there is TLS."""

from typing import Literal

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

SESSION: Literal["session"] = "session"
SHOPPER: Literal["shopper"] = "shopper"
Kind = Literal["session", "shopper"]


def name(kind: Kind, *, secure: bool) -> str:
    return f"__Host-tessera_{kind}" if secure else f"tessera_{kind}"


def make(kind: Kind, value: str, *, secure: bool, max_age_s: int) -> Cookie:
    """Scripts cannot read it, and other sites' forms do not send it."""
    return Cookie(key=name(kind, secure=secure), value=value, max_age=max_age_s, path="/", secure=secure, httponly=True, samesite="lax")


def clear(kind: Kind, *, secure: bool) -> Cookie:
    return make(kind, "", secure=secure, max_age_s=0)


def read(kind: Kind, connection: ASGIConnection, *, secure: bool) -> str | None:  # type: ignore[type-arg]
    return connection.cookies.get(name(kind, secure=secure)) or None
