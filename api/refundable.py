"""HTTP for what the rules that an order was bought under give back."""

import datetime as dt

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from api.guards import shopper_or
from api.strict import AnyRequest
from checkout_core.ids import decode, encode
from checkout_core.tokens import Shopper
from tenants import orders, types
from tenants.db import TenantTx


class RefundableLine(Struct, frozen=True):
    """`paid_minor` of what is still the shopper's; the rule gives `refundable_minor` of it back."""

    sale_id: str
    paid_minor: int
    refundable_minor: int


class Refundable(Struct, frozen=True):
    """At the moment `at`. The merchant may give more."""

    lines: list[RefundableLine]
    at: dt.datetime


class RefundableController(Controller):
    path = "/orders/{order_id:str}/refundable"
    tags = ("Orders",)

    @get(
        "/",
        guards=[shopper_or("orders:read")],
        operation_id="getRefundable",
        summary="How much of an order the rules it was bought under give back at this moment",
    )
    async def get(self, order_id: FromPath[str], request: AnyRequest, tx: NamedDependency[TenantTx]) -> Refundable:
        shopper_id = request.auth.id if isinstance(request.auth, Shopper) else None
        order = await orders.get(tx, decode("ord", order_id), shopper_id=shopper_id)
        at = await tx.conn.fetchval("SELECT now()")
        found = await types.refundable(tx, order.id, at)
        return Refundable([RefundableLine(encode("sal", sale_id), *amounts) for sale_id, amounts in found.items()], at)
