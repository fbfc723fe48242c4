"""Who is asking: a merchant by API key or session, a shopper by his token (both as Bearer or as a browser's cookie), or platform staff."""

from typing import Any

from litestar.connection import ASGIConnection

from api import cookies, csrf, modes
from api.callers import TOKEN_MAX, Merchant
from api.cookies import Kind
from api.directory import Store
from api.limits import address
from api.process import Process
from checkout_core import tokens
from checkout_core.errors import Unauthorized
from checkout_core.tokens import Shopper
from tenants.platform import sessions
from tenants.platform.sessions import Staff

Connection = ASGIConnection[Any, Any, Any, Any]


async def merchant_of(connection: Connection) -> Merchant:
    """Raises `Unauthorized`; `Forged` for a browser's request that our page did not make; as `modes.chosen`."""
    process: Process = connection.app.state.process
    token = _token(process, connection, "session")
    merchant = await process.callers.merchant(token)
    if merchant is None:
        await process.limits.check(("wrong-tokens", address(connection)), connection=connection)
        raise Unauthorized("The API key or session is unknown, revoked or expired.")
    return await modes.chosen(process.callers, merchant, connection)


async def staff_of(connection: Connection) -> Staff:
    """One of the platform's own people. No cookie is looked at. Raises `Unauthorized`."""
    process: Process = connection.app.state.process
    token = bearer(connection) or ""
    staff = None
    if token.startswith(sessions.PREFIX) and len(token) <= TOKEN_MAX and token.isascii():
        staff = await sessions.staff_of(process.platform_pool, token)
    if staff is None:
        await process.limits.check(("wrong-tokens", address(connection)), connection=connection)
        raise Unauthorized("This is for the platform's staff. Sign in at POST /v1/platform/sessions.")
    return staff


async def shopper_of(connection: Connection) -> Shopper:
    """A shopper of the very store that the request names. Raises as `merchant_of`, and `NotFound` when no store is named."""
    process: Process = connection.app.state.process
    shopper = process.erased.check(tokens.verify(process.keys.shoppers, _token(process, connection, "shopper")))
    same_store(shopper, await store_of(connection))
    return shopper


def same_store(shopper: Shopper, store: Store) -> None:
    """Raises `Unauthorized` for a shopper of another store."""
    if shopper.tenant_id != store.tenant_id:
        raise Unauthorized("The shopper token is of another store. Ask for a new one at POST /v1/shopper-tokens.")


async def store_of(connection: Connection) -> Store:
    """Raises `NotFound` when the request names no store."""
    process: Process = connection.app.state.process
    return await process.directory.store_of(connection)


def bearer(connection: Connection) -> str | None:
    """The token of the Authorization header, if there is one. Raises `Unauthorized` for any other scheme, or two headers."""
    values = connection.headers.getall("authorization", [])
    if not values:
        return None
    scheme, _, token = values[0].partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not token:
        raise Unauthorized("Send one header `Authorization: Bearer <token>`.")
    return token


def merchants_token(connection: Connection) -> str:
    """What a merchant shows, to be looked at again while he is answered. Raises as `merchant_of`."""
    return _token(connection.app.state.process, connection, "session")


def _token(process: Process, connection: Connection, kind: Kind) -> str:
    token = bearer(connection)
    if token is not None:
        return token
    cookie = cookies.read(kind, connection, secure=process.secure)
    if cookie is None:
        raise Unauthorized("This needs a sign-in. Send a header `Authorization: Bearer <token>`.")
    if connection.scope.get("method") not in csrf.SAFE_METHODS:
        csrf.check(process.keys.csrf, cookie, connection.headers.get(csrf.HEADER), connection)
    return cookie
