"""Orders at work. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages, new_key


class StandingTask(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be fulfilled of a line, or was: `state` as of a fulfilment."""

    fulfilment_id: str
    state: str
    problem: str | None
    due_at: dt.datetime


class StandingUnit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`state`: held (not paid), waiting (paid, not delivered), delivered, refunded, or replaced (by `replaced_by`). `paid_minor` is what
    the order pays, or paid, for it.
    """

    unit: int
    state: str
    paid_minor: int
    delivered_at: dt.datetime | None
    revealed_at: dt.datetime | None
    refund_id: str | None
    replaced_by: int | None


class StandingLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`asks`: the shopper said something for it, which whoever fulfils it reads."""

    sale_id: str
    sku_id: str
    sku_name: str
    type: str
    quantity: int
    asks: bool
    task: StandingTask | None
    units: list[StandingUnit]


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money that came: `applied` to its order; `late`, `double` or of another amount (`mismatch`), and then it goes back. `txn_id` is the
    provider's number.
    """

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


class RefundView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`reason`: `requested` by the store, or why money that was none of an order's own goes back. `state`: requested, succeeded, failed.
    `out_refund_no` is its number at the provider, `units` what it takes back.
    """

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


class OrderStanding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of it as of one moment."""

    shopper_id: str
    lines: list[StandingLine]
    payments: list[Receipt]
    refunds: list[RefundView]


class Note(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`words` are null when the shopper was erased, and they with him."""

    id: str
    author: str
    words: str | None
    created_at: dt.datetime


class NotePage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[Note]
    next_cursor: str | None


class NewNote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    words: str


class TimelineEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`kind` is a word of docs/orders.md, which says what `detail` holds with each; `actor` is null for what nobody did."""

    at: dt.datetime
    kind: str
    entry_id: str
    actor: str | None
    detail: dict[str, Any]


class Timeline(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[TimelineEntry]
    next_cursor: str | None


class OrderAct(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`tag` and `untag` take a `tag_id`, `cancel` may say its `reason`."""

    act: Literal["cancel", "resend", "tag", "untag"]
    order_ids: list[str]
    tag_id: str | None = None
    reason: Literal["fraud", "mistake", "no_payment", "other", "shopper_asked"] | None = None


class OrderResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one order; `code` and `detail` say why it was refused."""

    order_id: str
    done: bool
    code: str | None
    detail: str | None


class OrderResults(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One for each order that was named, in their order."""

    results: list[OrderResult]


class Resending(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the mail goes; null: to the contact that was left with the order."""

    mail: str | None = None


class Resent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    mail_id: str


class Tag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    name: str
    created_at: dt.datetime


class Tags(Struct, frozen=True, kw_only=True, omit_defaults=True):
    tags: list[Tag]


class NewTag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str


class OrderTags(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All tags of an order."""

    tag_ids: list[str]


class OrderExport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`state`: running, done, expired. `rows` counts the orders that are in it so far. It can be taken from done to `expires_at`."""

    id: str
    format: str | None
    state: str
    rows: int
    created_at: dt.datetime
    finished_at: dt.datetime | None
    expires_at: dt.datetime | None


class OrderExports(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[OrderExport]
    next_cursor: str | None


class NewOrderExport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the orders must be, as in their list."""

    format: Literal["csv", "xlsx"]
    q: str | None = None
    state: Literal["awaiting", "cancelled", "closing", "delivered", "expired", "paid", "refunded", "refunding", "refused"] | None = None
    channel: str | None = None
    sale_id: str | None = None
    tag_id: str | None = None
    shopper_id: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def get_order_standing(order_id: str) -> Call[OrderStanding]:
    """How an order stands, unit by unit, and its money."""
    return Call(method="GET", path=f"/v1/orders/{order_id}/standing", answers={200: OrderStanding})


def list_order_notes(order_id: str, *, limit: int = 20, cursor: str | None = None) -> Pages[NotePage, Note]:
    """The notes on an order, newest first."""
    return Pages(
        method="GET",
        path=f"/v1/orders/{order_id}/notes",
        answers={200: NotePage},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.items,
    )


def add_order_note(order_id: str, body: NewNote, *, idempotency_key: str | None = None) -> Call[Note]:
    """Write a note on an order, for good."""
    return Call(
        method="POST",
        path=f"/v1/orders/{order_id}/notes",
        answers={201: Note},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def get_order_timeline(order_id: str, *, limit: int = 20, cursor: str | None = None) -> Pages[Timeline, TimelineEntry]:
    """What happened to an order, newest first."""
    return Pages(
        method="GET",
        path=f"/v1/orders/{order_id}/timeline",
        answers={200: Timeline},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.items,
    )


def act_on_orders(body: OrderAct) -> Call[OrderResults]:
    """Tag, cancel or mail up to 500 orders, with a result for each. Sent again it does again only what is not done yet; of mails no more
    than an order may have within the hour.
    """
    return Call(method="POST", path="/v1/orders/acts", answers={200: OrderResults}, body=body)


def resend_order(order_id: str, body: Resending | None = None) -> Call[Resent]:
    """Mail somebody again where his delivered order is found."""
    return Call(method="POST", path=f"/v1/orders/{order_id}/resend", answers={202: Resent}, body=body or Resending())


def list_order_tags() -> Call[Tags]:
    """The store's tags for orders, by name."""
    return Call(method="GET", path="/v1/order-tags", answers={200: Tags})


def create_order_tag(body: NewTag, *, idempotency_key: str | None = None) -> Call[Tag]:
    """Add a tag to the store's list."""
    return Call(
        method="POST",
        path="/v1/order-tags",
        answers={201: Tag},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def rename_order_tag(tag_id: str, body: NewTag) -> Call[Tag]:
    """Give a tag another name."""
    return Call(method="PUT", path=f"/v1/order-tags/{tag_id}", answers={200: Tag}, body=body)


def delete_order_tag(tag_id: str) -> Call[None]:
    """Remove a tag no order has."""
    return Call(method="DELETE", path=f"/v1/order-tags/{tag_id}", answers={204: None})


def put_order_tags(order_id: str, body: OrderTags) -> Call[OrderTags]:
    """Say which tags an order has, all of them."""
    return Call(method="PUT", path=f"/v1/orders/{order_id}/tags", answers={200: OrderTags}, body=body)


def list_order_exports(*, limit: int = 20, cursor: str | None = None) -> Pages[OrderExports, OrderExport]:
    """Exports of orders, newest first."""
    return Pages(
        method="GET",
        path="/v1/order-exports",
        answers={200: OrderExports},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.items,
    )


def export_orders(body: NewOrderExport, *, idempotency_key: str | None = None) -> Call[OrderExport]:
    """Have orders put into a file for a spreadsheet, without their codes."""
    return Call(
        method="POST",
        path="/v1/order-exports",
        answers={202: OrderExport},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def download_orders(export_id: str) -> Call[str]:
    """The file of an export, CSV or XLSX; each download is recorded."""
    return Call(method="GET", path=f"/v1/order-exports/{export_id}/file", answers={200: str})


def get_order_export(export_id: str) -> Call[OrderExport]:
    """How far an export is."""
    return Call(method="GET", path=f"/v1/order-exports/{export_id}", answers={200: OrderExport})
