"""HTTP for the exception queue."""

import datetime as dt
from typing import Any

from litestar import Controller, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.guards import needs
from checkout_core.ids import encode
from tenants import exceptions
from tenants.db import TenantTx


class Case(Struct, frozen=True):
    id: str
    kind: str
    reference: str
    detail: dict[str, Any]
    created_at: dt.datetime


class ExceptionController(Controller):
    path = "/exceptions"
    tags = ("Orders",)

    @get("/", guards=[needs("orders:read")], operation_id="listExceptions", summary="What waits for a person, oldest first")
    async def list(self, tx: NamedDependency[TenantTx]) -> list[Case]:
        return [Case(encode("exc", c.id), c.kind, c.reference, c.detail, c.created_at) for c in await exceptions.open_cases(tx)]
