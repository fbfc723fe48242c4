"""A sale as it runs, for the merchant who watches: stock and rate once a second, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage
from msgspec import Struct

from api.callers import Merchant
from api.guards import needs
from api.process import Process
from checkout_core.errors import TooMany
from checkout_core.ids import decode
from tenants import sales
from tenants.db import tenant_tx

EVERY_S = 1.0
LASTS_S = 600  # then the browser connects again by itself, and is authorised again
VIEWERS_MAX = 100  # of a process; each reads one row a second

_encode = msgspec.json.Encoder().encode


class Moment(Struct, frozen=True):
    """`per_s` is units reserved, less those given back, since the moment before; negative when more came back."""

    state: str
    allotted: int
    committed: int
    available: int
    per_s: float


class _Viewers:
    """How many watch this process."""

    def __init__(self) -> None:
        self.count = 0


viewers = _Viewers()


class FeedController(Controller):
    path = "/sales"
    tags = ("Sales",)

    @get(
        "/{sale_id:str}/feed",
        guards=[needs("sales:read")],
        media_type="text/event-stream",
        operation_id="watchSale",
        summary="Stock and rate of a sale, every second",
    )
    async def watch(
        self,
        sale_id: FromPath[str],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        seconds: Annotated[int, QueryParameter(ge=1, le=LASTS_S)] = LASTS_S,
    ) -> ServerSentEvent:
        sale = decode("sal", sale_id)
        if viewers.count >= VIEWERS_MAX:
            raise TooMany("Too many feeds are open here. Try again in a moment.", code="busy", retry_after_s=5)
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            first = await sales.get(tx, sale)
        return ServerSentEvent(_moments(process, sale, first, merchant.tenant_id, seconds))


async def _moments(
    process: Process, sale_id: UUID, sale: sales.Sale, tenant_id: UUID, seconds: int
) -> AsyncIterator[ServerSentEventMessage]:
    viewers.count += 1
    try:
        before = sale.committed
        for _ in range(int(seconds / EVERY_S)):
            moment = Moment(sale.state, sale.allotted, sale.committed, sale.allotted - sale.committed, (sale.committed - before) / EVERY_S)
            yield ServerSentEventMessage(data=_encode(moment).decode(), event="sale", retry=2000)
            if sale.state == "ended":
                return
            await asyncio.sleep(EVERY_S)
            before = sale.committed
            async with tenant_tx(process.app_pool, tenant_id) as tx:
                sale = await sales.get(tx, sale_id)
    finally:
        viewers.count -= 1
