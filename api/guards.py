"""Guards: who may call a handler. Every handler names exactly one of these, and `request.auth` is then what it found.

What a guard demands is also what the OpenAPI document says of the operation.
"""

import ipaddress
from typing import Any, ClassVar

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from api import cookies
from api.auth import bearer, merchant_of, shopper_of, staff_of, store_of
from api.callers import Merchant
from api.csrf import SAFE_METHODS
from checkout_core.errors import Forbidden
from tenants import permissions

Connection = ASGIConnection[Any, Any, Any, Any]


class Anyone:
    """`security` names the schemes of the OpenAPI document, any of which will do; none for everybody. `permission` is what a merchant or
    one of the staff must have; None where each of them may."""

    security: ClassVar[tuple[str, ...]] = ()
    permission: str | None = None

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        connection.scope["auth"] = None


class Inside(Anyone):
    """Whoever asks from this machine or from a listed proxy, for himself: a request that a proxy hands on says so in its headers."""

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        proxies: tuple[str, ...] = connection.app.state.process.settings.trusted_proxies
        handed_on = connection.headers.keys() & {"forwarded", "x-forwarded-for", "x-forwarded-host", "via"}
        if handed_on or not is_inside(connection.client.host if connection.client else "", proxies):
            raise Forbidden("Only the proxy before this platform may ask this.", code="inside_only")
        connection.scope["auth"] = None


class Needs(Anyone):
    security: ClassVar[tuple[str, ...]] = ("merchant",)

    def __init__(self, permission: str) -> None:
        self.permission: str = permission

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        merchant = await _merchant(connection)
        permissions.need(self.permission, merchant.scopes)
        await _may_change(connection, handler, merchant)
        connection.scope["auth"] = merchant


class ShopperOnly(Anyone):
    security = ("shopper",)

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        connection.scope["auth"] = await shopper_of(connection)


class ShopperOr(Needs):
    security = ("shopper", "merchant")

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        if (bearer(connection) or "").startswith(("sk_", "se_")) or _is_console(connection):
            await super().__call__(connection, handler)
        else:
            connection.scope["auth"] = await shopper_of(connection)


def _is_console(connection: Connection) -> bool:
    """A browser that somebody of a store's is signed in with, and no shopper: their cookies are of different hosts."""
    if bearer(connection) is not None:
        return False
    secure = connection.app.state.process.secure
    return cookies.read("session", connection, secure=secure) is not None and cookies.read("shopper", connection, secure=secure) is None


class SignedIn(Anyone):
    security = ("merchant",)

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        merchant = await _merchant(connection)
        await _may_change(connection, handler, merchant)
        connection.scope["auth"] = merchant


class Platform(Anyone):
    security = ("platform",)

    def __init__(self, permission: str | None) -> None:
        self.permission = permission

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        staff = await staff_of(connection)
        if self.permission is not None:
            permissions.need(self.permission, staff.permissions)
        connection.scope["auth"] = staff


async def _may_change(connection: Connection, handler: BaseRouteHandler, merchant: Merchant) -> None:
    """The people of a suspended store read on. What serves those who have paid, or ends something, says `while_suspended`."""
    if connection.scope.get("method") not in SAFE_METHODS and not handler.opt.get("while_suspended"):
        await connection.app.state.process.directory.may_change(merchant.tenant_id)


async def while_open(connection: Connection, handler: BaseRouteHandler) -> None:
    """Beside the guard that says who may call: only while the store that is named sells."""
    (await store_of(connection)).must_be_open()


async def unless_suspended(connection: Connection, handler: BaseRouteHandler) -> None:
    """The same for what serves those who hold an order: they may pay it while the merchant has closed his store for a while."""
    (await store_of(connection)).must_not_be_suspended()


async def _merchant(connection: Connection) -> Merchant:
    """Who asks, if he has not asked too often. Raises as `merchant_of`, and `TooMany`."""
    merchant = await merchant_of(connection)
    tenant = merchant.tenant_id.hex
    limits = connection.app.state.process.limits
    await limits.check(("key", f"{tenant}:{merchant.actor}"), ("tenant", tenant), home=tenant, connection=connection)
    return merchant


class PersonOnly(SignedIn):
    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        await super().__call__(connection, handler)
        if connection.scope["auth"].person is None:
            raise Forbidden("This is for people: sign in, an API key will not do.", code="needs_session")


def needs(scope: str) -> Anyone:
    """A merchant whose key or session has the permission `scope`."""
    return Needs(scope)


def platform(permission: str) -> Anyone:
    """One of the platform's staff whose role has `permission`."""
    return Platform(permission)


def shopper_or(scope: str) -> Anyone:
    """A shopper of the store, or a merchant with `scope`. The handler sees which by the type of `request.auth`."""
    return ShopperOr(scope)


def is_inside(host: str, proxies: tuple[str, ...]) -> bool:
    """Whether `host` is a loopback address, or one of `proxies` (addresses or networks)."""
    try:
        address = ipaddress.ip_address(host)
        return address.is_loopback or any(address in ipaddress.ip_network(proxy, strict=False) for proxy in proxies)
    except ValueError:
        return False


anyone = Anyone()
inside = Inside()
shopper = ShopperOnly()
signed_in = SignedIn()
person = PersonOnly()  # somebody with a session
platform_staff = Platform(None)
