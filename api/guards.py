"""Guards: who may call a handler. Every handler names exactly one of these, and `request.auth` is then what it found.

What a guard demands is also what the OpenAPI document says of the operation.
"""

from typing import Any, ClassVar

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from api.auth import bearer, merchant_of, shopper_of
from checkout_core.errors import Forbidden

Connection = ASGIConnection[Any, Any, Any, Any]


class Anyone:
    """`security` names the schemes of the OpenAPI document, any of which will do; none for everybody."""

    security: ClassVar[tuple[str, ...]] = ()

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        connection.scope["auth"] = None


class Needs(Anyone):
    security: ClassVar[tuple[str, ...]] = ("merchant",)

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        merchant = await merchant_of(connection)
        if self.scope not in merchant.scopes:
            raise Forbidden(f"This needs the permission {self.scope}.", code="missing_permission", permission=self.scope)
        connection.scope["auth"] = merchant


class ShopperOnly(Anyone):
    security = ("shopper",)

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        connection.scope["auth"] = await shopper_of(connection)


class ShopperOr(Needs):
    security = ("shopper", "merchant")

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        if (bearer(connection) or "").startswith(("sk_", "se_")):
            await super().__call__(connection, handler)
        else:
            connection.scope["auth"] = await shopper_of(connection)


class SignedIn(Anyone):
    security = ("merchant",)

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        connection.scope["auth"] = await merchant_of(connection)


def needs(scope: str) -> Anyone:
    """A merchant whose key or session has the permission `scope`."""
    return Needs(scope)


def shopper_or(scope: str) -> Anyone:
    """A shopper of the store, or a merchant with `scope`. The handler sees which by the type of `request.auth`."""
    return ShopperOr(scope)


anyone = Anyone()
shopper = ShopperOnly()
signed_in = SignedIn()
