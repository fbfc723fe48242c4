"""HTTP for how a sale went: what became of its orders, and how many there were in each second."""

import datetime as dt
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from api.guards import needs
from checkout_core.ids import decode
from tenants import sales
from tenants.db import TenantTx
from tenants.orders import tally


class Step(Struct, frozen=True):
    """`units` are those of this sale, in so many `orders`."""

    orders: int
    units: int


class Funnel(Struct, frozen=True):
    """Orders of a sale. All that were `reserved` are `waiting` to be paid, `lapsed` (expired or cancelled) or `paid`; of those paid some
    are `delivered` and not refunded, some `refunded` whole or on their way there, the others wait for delivery. A partial refund changes
    no step. `as_of`: all up to then is counted, which is now but in a rush."""

    as_of: dt.datetime
    reserved: Step
    waiting: Step
    lapsed: Step
    paid: Step
    delivered: Step
    refunded: Step


class Second(Struct, frozen=True):
    at: dt.datetime
    orders: int
    units: int


class Seconds(Struct, frozen=True):
    """Orders by the second they were made in, oldest first; seconds without any are left out. `since` is the first second that is counted
    whole: later than what was asked for when there were more than 20,000 orders."""

    since: dt.datetime
    until: dt.datetime
    seconds: list[Second]


class FunnelController(Controller):
    path = "/sales/{sale_id:str}"
    tags = ("Sales",)

    @get("/funnel", guards=[needs("sales:read")], operation_id="getSaleFunnel", summary="What became of a sale's orders")
    async def funnel(self, sale_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Funnel:
        sale = await sales.get(tx, decode("sal", sale_id))
        found = await tally.of_sale(tx, sale.id)

        def step(*states: str) -> Step:
            counts = [found.states.get(state, (0, 0)) for state in states]
            return Step(sum(orders for orders, _ in counts), sum(units for _, units in counts))

        return Funnel(
            found.as_of,
            reserved=step(*(found.states.keys() - {"refused"})),
            waiting=step("awaiting", "closing"),
            lapsed=step("expired", "cancelled"),
            paid=step("paid", "delivered", "refunding", "refunded"),
            delivered=step("delivered"),
            refunded=step("refunding", "refunded"),
        )

    @get("/seconds", guards=[needs("sales:read")], operation_id="getSaleSeconds", summary="A sale's orders by the second")
    async def seconds(
        self,
        sale_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        last_s: Annotated[int, QueryParameter(ge=1, le=3600, description="So many seconds back from now, or from the last order.")] = 120,
    ) -> Seconds:
        sale = await sales.get(tx, decode("sal", sale_id))
        found = await tally.seconds(tx, sale.id, last_s)
        return Seconds(found.since, found.until, [Second(at, orders, units) for at, orders, units in found.seconds])
