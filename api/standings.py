"""HTTP for how an order stands: each unit of it, what waits, and the money that came and went."""

import datetime as dt

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from api.guards import needs
from api.receipts import Receipt, RefundView
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.orders import standing
from tenants.payments import receipts


class StandingUnit(Struct, frozen=True):
    """`state`: held (not paid), waiting (paid, not delivered), delivered, refunded, or replaced (by `replaced_by`).
    `paid_minor` is what the order pays, or paid, for it."""

    unit: int
    state: str
    paid_minor: int
    delivered_at: dt.datetime | None
    revealed_at: dt.datetime | None
    refund_id: str | None
    replaced_by: int | None


class StandingTask(Struct, frozen=True):
    """What is to be fulfilled of a line, or was: `state` as of a fulfilment."""

    fulfilment_id: str
    state: str
    problem: str | None
    due_at: dt.datetime


class StandingLine(Struct, frozen=True):
    """`asks`: the shopper said something for it, which whoever fulfils it reads."""

    sale_id: str
    sku_id: str
    sku_name: str
    type: str
    quantity: int
    asks: bool
    task: StandingTask | None
    units: list[StandingUnit]


class OrderStanding(Struct, frozen=True):
    """All of it as of one moment."""

    shopper_id: str
    lines: list[StandingLine]
    payments: list[Receipt]
    refunds: list[RefundView]


class StandingController(Controller):
    path = "/orders/{order_id:str}/standing"
    tags = ("Orders at work",)

    @get("/", guards=[needs("orders:read")], operation_id="getOrderStanding", summary="How an order stands, unit by unit, and its money")
    async def get(self, order_id: FromPath[str], tx: NamedDependency[TenantTx]) -> OrderStanding:
        order = decode("ord", order_id)
        shopper_id, lines = await standing.of(tx, order)
        came, went = await receipts.payments_of(tx, order), await receipts.refunds_of(tx, order)
        shown = [_line(line) for line in lines]
        return OrderStanding(encode("shp", shopper_id), shown, [Receipt.of(each) for each in came], [RefundView.of(each) for each in went])


def _line(line: standing.Line) -> StandingLine:
    task = line.task
    units = [
        StandingUnit(
            each.unit, each.state, each.paid_minor, each.delivered_at, each.revealed_at,
            encode("ref", each.refund_id) if each.refund_id else None, each.replaced_by,
        )
        for each in line.units
    ]  # fmt: skip
    return StandingLine(
        encode("sal", line.sale_id), encode("sku", line.sku_id), line.sku_name, line.type, line.quantity, line.asks,
        StandingTask(encode("ful", task.id), task.state, task.problem, task.due_at) if task else None, units,
    )  # fmt: skip
