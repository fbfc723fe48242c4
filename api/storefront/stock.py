"""What is left of a sale, for the many who look at its page: one small answer, looked up once a second for all of them.

Each viewer is told when to ask again. The more there are, the longer that is (`api.pace`).
"""

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery

from api.headers import SECURITY_HEADERS
from api.memory import Memory
from api.pace import Pace
from api.process import Process
from api.storefront.shop import view
from api.storefront.views import SaleView
from checkout_core.errors import NotFound
from checkout_core.ids import decode
from tenants import offers, overview
from tenants.db import tenant_tx

LOOK_TTL_S = 1.0
HELD_TTL_S = 2.0  # whether units are on hold reads the whole sale when nothing is
SALES_MAX = 10_000

_encode = msgspec.json.Encoder().encode
_HEADERS = SECURITY_HEADERS | {"Cache-Control": "no-store"}
_Key = tuple[UUID, UUID, str]


class Stock(msgspec.Struct, frozen=True):
    """`status` is the page's (`SaleView.status`); `now_ms` the server's clock; ask again after `again_s`."""

    status: str
    left: int
    now_ms: int
    again_s: float


class Looks:
    """What one process knows of the sales that are looked at."""

    def __init__(self, process: Process) -> None:
        async def held(key: tuple[UUID, UUID]) -> bool:
            async with tenant_tx(process.app_pool, key[0]) as tx:
                return await overview.held(tx, key[1])

        async def look(key: _Key) -> SaleView | None:
            tenant_id, sale_id, channel = key
            try:
                async with tenant_tx(process.app_pool, tenant_id) as tx:
                    offer = await offers.get(tx, sale_id, channel, "")
            except NotFound:
                return None
            waiting = await self.held.get((tenant_id, sale_id)) if offer.stock <= 0 else None
            return view(offer, dt.datetime.now(dt.UTC), held=waiting)

        self.held = Memory(held, ttl_s=HELD_TTL_S, size=SALES_MAX)
        self.sales: Memory[_Key, SaleView] = Memory(look, ttl_s=LOOK_TTL_S, size=SALES_MAX)
        self.pace = Pace()


@get("/sales/{sale:str}/stock")
async def stock(request: Request[Any, Any, Any], sale: FromPath[str], channel: FromQuery[str] = "web") -> Response[bytes]:
    """What the sale page's script asks: the truth of this second, and the server's clock."""
    process: Process = request.app.state.process
    store = await process.directory.store_of(request)
    store.must_be_open()
    looks = looks_of(request)
    if channel not in ("web", "h5") and channel not in await process.channels_of(store.tenant_id):
        channel = "web"
    key = (store.tenant_id, decode("sal", sale), channel)
    found = looks.sales.peek(key) or await looks.sales.get(key)
    if found is None:
        raise NotFound("There is no such sale.")
    now = dt.datetime.now(dt.UTC)
    told = Stock(msgspec.structs.replace(found, now=now).status, max(0, found.left), int(now.timestamp() * 1000), looks.pace.asked())
    return Response(_encode(told), media_type="application/json", headers=_HEADERS)


def looks_of(request: Request[Any, Any, Any]) -> Looks:
    state = request.app.state
    if getattr(state, "looks", None) is None:
        state.looks = Looks(state.process)
    looks: Looks = state.looks
    return looks
