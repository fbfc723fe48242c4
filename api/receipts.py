"""HTTP for looking through money: what came, and what goes back."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct

from api.guards import needs
from api.paging import Page
from checkout_core.ids import encode
from tenants.db import TenantTx
from tenants.payments import receipts

Disposition = Literal["applied", "late", "double", "mismatch"]
RefundState = Literal["requested", "succeeded", "failed"]


class Receipt(Struct, frozen=True):
    """Money that came: `applied` to its order; `late`, `double` or of another amount (`mismatch`), and then it goes back. `txn_id` is the
    provider's number."""

    id: str
    order_id: str
    account_id: str
    provider: str
    mch_id: str
    txn_id: str
    amount_minor: int
    currency: str
    disposition: str
    paid_at: dt.datetime

    @classmethod
    def of(cls, found: receipts.Payment) -> "Receipt":
        return cls(
            encode("pay", found.id), encode("ord", found.order_id), encode("acc", found.account_id), found.provider, found.mch_id,
            found.txn_id, found.amount_minor, found.currency, found.disposition, found.paid_at,
        )  # fmt: skip


class Receipts(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[Receipt]
    next_cursor: str | None


class RefundView(Struct, frozen=True):
    """`reason`: `requested` by the store, or why money that was none of an order's own goes back. `state`: requested, succeeded, failed.
    `out_refund_no` is its number at the provider, `units` what it takes back."""

    id: str
    order_id: str
    payment_id: str
    out_refund_no: str
    reason: str
    amount_minor: int
    currency: str
    state: str
    tries: int
    units: list[int]
    created_at: dt.datetime
    finished_at: dt.datetime | None

    @classmethod
    def of(cls, found: receipts.Refund) -> "RefundView":
        return cls(
            encode("ref", found.id), encode("ord", found.order_id), encode("pay", found.payment_id), found.out_refund_no, found.reason,
            found.amount_minor, found.currency, found.state, found.tries, found.units, found.created_at, found.finished_at,
        )  # fmt: skip


class Refunds(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[RefundView]
    next_cursor: str | None


class ReceiptController(Controller):
    path = "/payments"
    tags = ("Payments",)

    @get("/", guards=[needs("orders:read")], operation_id="listPayments", summary="Money that came, newest first")
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        disposition: Annotated[Disposition | None, QueryParameter(description="Only such.")] = None,
    ) -> Receipts:
        found = await receipts.payments(tx, disposition=disposition, limit=page.rows, before=page.after(UUID))
        return Receipts(*page.cut([Receipt.of(each) for each in found], [each.id for each in found]))


class RefundListController(Controller):
    path = "/refunds"
    tags = ("Payments",)

    @get("/", guards=[needs("orders:read")], operation_id="listRefunds", summary="Money that goes back, newest first")
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        refund_state: Annotated[RefundState | None, QueryParameter(name="state", description="Only those in this state.")] = None,
    ) -> Refunds:
        found = await receipts.refunds(tx, state=refund_state, limit=page.rows, before=page.after(UUID))
        return Refunds(*page.cut([RefundView.of(each) for each in found], [each.id for each in found]))
