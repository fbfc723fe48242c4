"""The app's routes as the tests of this folder need them: one row for each method and path."""

import re
from functools import cache
from typing import Any, NamedTuple

from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition

from api.app import create_app
from api.strict import parameters_of
from checkout_core.config import Settings

NO_SETTINGS = Settings(database_url="", redis_url="", arq_redis_url="", secret=bytes(32), environment="test")


class Route(NamedTuple):
    method: str
    path: str  # with {names} in place of ids
    handler: HTTPRouteHandler

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def guards(self) -> list[Any]:
        return [guard for guard in self.handler.resolve_guards() if hasattr(guard, "security")]


@cache
def routes() -> tuple[Route, ...]:
    """What the app answers to, but for OPTIONS, which the framework answers for each path."""
    app = create_app(NO_SETTINGS)
    assert all(isinstance(route, HTTPRoute) for route in app.routes), "a route of another kind would be in no matrix"
    found = [
        Route(method, route.path_format, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    ]
    return tuple(sorted(found, key=lambda route: route.name))


def queries(route: Route) -> dict[str, FieldDefinition]:
    """The query parameters that the route reads, by the name they have in the address."""
    return {
        getattr(field.kwarg_definition, "name", None) or field.name: field
        for field in parameters_of(route.handler)
        if getattr(field.kwarg_definition, "param_type", None) == "query" and not field.is_di_field
    }
