"""HTTP for refunds: all that is left of a paid order, or a part of it."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.orders import OrderView
from api.wire import id_of
from checkout_core.errors import Unprocessable
from checkout_core.ids import decode
from tenants import orders
from tenants.db import TenantTx
from tenants.payments import refunds
from tenants.vault.lookup import UNIT_MAX

UNITS_MAX = 1_000  # of a line
LINES_MAX = 100


class PartToRefund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some `units` of the order, or all that is left of the lines of these sales; neither: all that is left of the order."""

    units: Annotated[list[Annotated[int, Meta(ge=1, le=UNIT_MAX)]], Meta(min_length=1, max_length=UNITS_MAX)] | None = None
    sale_ids: Annotated[list[Annotated[str, id_of("sal")]], Meta(min_length=1, max_length=LINES_MAX)] | None = None


ALL_OF_IT = PartToRefund()


class RefundController(Controller):
    path = "/orders/{order_id:str}/refund"
    tags = ("Orders",)

    @post(
        "/",
        guards=[needs("payments:write")],
        while_suspended=True,
        status_code=202,
        problems=[409, 422],
        operation_id="refundOrder",
        summary="Refund a paid order, or a part of it; what is refunded is quarantined",
    )
    async def refund(
        self,
        order_id: FromPath[str],
        once: NamedDependency[Once],
        merchant: NamedDependency[Merchant],
        data: JSONBody[PartToRefund] = ALL_OF_IT,
    ) -> OrderView:
        """Named units give back what was paid for each. A line that waits to be fulfilled is refunded as a whole (`fulfilment_pending`)."""
        if data.units is not None and data.sale_ids is not None:
            raise Unprocessable("Name either `units` or `sale_ids`. Nothing was refunded.", code="one_of_units_sale_ids")
        sale_ids = None if data.sale_ids is None else [decode("sal", each) for each in data.sale_ids]
        return await once(_refund(once.tx, decode("ord", order_id), data.units, sale_ids, merchant.actor), status=202)


async def _refund(tx: TenantTx, order_id: UUID, units: list[int] | None, sale_ids: list[UUID] | None, actor: str) -> OrderView:
    await refunds.request(tx, order_id, units=units, sale_ids=sale_ids, actor=actor)
    return OrderView.of(await orders.get(tx, order_id), for_staff=True)
