"""HTTP for the exception queue."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct

from api.guards import needs
from api.paging import Page
from checkout_core.ids import encode
from tenants import exceptions
from tenants.db import TenantTx


class Case(Struct, frozen=True):
    id: str
    kind: str
    reference: str
    detail: dict[str, Any]
    created_at: dt.datetime


class Exceptions(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    exceptions: list[Case]
    next_cursor: str | None


class ExceptionController(Controller):
    path = "/exceptions"
    tags = ("Orders",)

    @get("/", guards=[needs("orders:read")], operation_id="listExceptions", summary="What waits for a person, oldest first")
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        kind: Annotated[str | None, QueryParameter(max_length=80, description="Only those of this kind.")] = None,
    ) -> Exceptions:
        found = await exceptions.open_cases(tx, kind=kind, limit=page.rows, after=page.after(UUID))
        shown = [Case(encode("exc", c.id), c.kind, c.reference, c.detail, c.created_at) for c in found]
        return Exceptions(*page.cut(shown, [c.id for c in found]))
