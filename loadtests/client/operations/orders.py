"""Orders. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages, new_key
from loadtests.client.operations.carts import OrderView


class OrderPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last. A page of a search may be short, or empty, and not the last."""

    items: list[OrderView]
    next_cursor: str | None


class Cancellation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why; more words belong into a note."""

    reason: Literal["fraud", "mistake", "no_payment", "other", "shopper_asked"] | None = None


class Cancelled(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`cancelled`, or `closing` while the payment provider is asked to close."""

    state: str


class CodeView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a unit is to its buyer: a code, a note, or the mere fact that it was delivered."""

    unit: int
    sale_id: str
    code: str | None
    secret: str | None
    valid_until: str | None
    face_value: str | None
    note: str | None
    delivered_at: dt.datetime
    usage_note: str


class Codes(Struct, frozen=True, kw_only=True, omit_defaults=True):
    codes: list[CodeView]


class Field(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to ask. `label` by locale; `pattern` is a regular expression for the whole answer, and `hint` says in words what it wants;
    `secret` is never shown again. With `confirm` it is typed twice, the second time as `{name}_again`: what is credited to a wrong account
    is gone.
    """

    name: str
    label: dict[str, Any]
    kind: Literal["choice", "date", "digits", "mail", "phone", "secret", "text"] = "text"
    required: bool = True
    min_length: int = 1
    max_length: int = 100
    pattern: str | None = None
    choices: list[str] = []
    hint: str = ""
    confirm: bool = False


class FormView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked of a line before it can be paid."""

    sale_id: str
    sku_id: str
    fields: list[Field]
    given: bool


class Forms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    forms: list[FormView]


class Said(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """By the names of the fields; of one that is to be confirmed a second time, as `{name}_again`."""

    values: dict[str, Any]


class NewPayment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    provider: str | None = None


class PaymentView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    out_trade_no: str
    pay_url: str | None
    expires_at: dt.datetime


class RefundableLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`paid_minor` of what is still the shopper's; the rule gives `refundable_minor` of it back."""

    sale_id: str
    paid_minor: int
    refundable_minor: int


class Refundable(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """At the moment `at`. The merchant may give more."""

    lines: list[RefundableLine]
    at: dt.datetime


class PartToRefund(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Some `units` of the order, or all that is left of the lines of these sales; neither: all that is left of the order."""

    units: list[int] | None = None
    sale_ids: list[str] | None = None


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the shopper is told: a code (with its secret), or a note, or both."""

    code: str | None = None
    secret: str | None = None
    valid_until: str | None = None
    note: str | None = None


class Completion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Nothing, one for the whole line, or one for each unit."""

    contents: list[Told] = []


class Fulfilment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`state` is pending, done, failed (the line is refunded) or revoked (by a refund)."""

    id: str
    order_id: str
    sale_id: str
    sku_id: str
    state: str
    problem: str | None
    due_at: dt.datetime
    created_at: dt.datetime
    finished_at: dt.datetime | None


class Failure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why it cannot be done, for your own records."""

    problem: str


class FulfilmentTask(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`input` is what the shopper said, by field."""

    fulfilment: Fulfilment
    sku_name: str
    quantity: int
    input: dict[str, Any]


class WaitingFulfilment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the queue: what was bought, and who is at it (`claimed_by`) until when, of a type with such a word."""

    id: str
    order_id: str
    sale_id: str
    sku_id: str
    state: str
    problem: str | None
    due_at: dt.datetime
    created_at: dt.datetime
    finished_at: dt.datetime | None
    sku_name: str
    type: str
    quantity: int
    claimed_by: str | None
    claimed_until: str | None


class Fulfilments(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[WaitingFulfilment]
    next_cursor: str | None


class Lookup(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order's number, and the password or contact that was given with it."""

    order_id: str
    lookup_password: str | None = None
    contact: str | None = None


class Found(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The order, and a token with which its owner may go on."""

    order: OrderView
    access_token: str


class Reminder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The mail address that was left with the orders; `locale` is the mail's."""

    contact: str
    locale: Literal["en", "zh-CN"] = "zh-CN"


class ReminderNoted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """If there are orders of the last `days` with this address, a mail names them; the answer is the same if there are none."""

    days: int


def list_orders(
    *,
    limit: int = 20,
    cursor: str | None = None,
    q: str | None = None,
    state: Literal["awaiting", "closing", "expired", "cancelled", "paid", "delivered", "refunding", "refunded", "refused"] | None = None,
    channel: str | None = None,
    sale_id: str | None = None,
    tag_id: str | None = None,
    shopper_id: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Pages[OrderPage, OrderView]:
    """A store's orders, newest first, by what is asked of them."""
    return Pages(
        method="GET",
        path="/v1/orders",
        answers={200: OrderPage},
        query={
            "limit": limit,
            "cursor": cursor,
            "q": q,
            "state": state,
            "channel": channel,
            "sale_id": sale_id,
            "tag_id": tag_id,
            "shopper_id": shopper_id,
            "since": since,
            "until": until,
        },
        rows=lambda page: page.items,
    )


def cancel_order(order_id: str, body: Cancellation | None = None) -> Call[Cancelled]:
    """End an unpaid order; its units return. The store's people may say why, which goes on record; a shopper need not."""
    return Call(method="POST", path=f"/v1/orders/{order_id}/cancel", answers={200: Cancelled}, body=body or Cancellation())


def reveal_codes(order_id: str) -> Call[Codes]:
    """What an order has delivered so far; each look is recorded."""
    return Call(method="GET", path=f"/v1/orders/{order_id}/codes", answers={200: Codes})


def list_inputs(order_id: str) -> Call[Forms]:
    """What is asked of an order's lines before it can be paid."""
    return Call(method="GET", path=f"/v1/orders/{order_id}/inputs", answers={200: Forms})


def give_input(order_id: str, sale_id: str, body: Said) -> Call[None]:
    """Say what a line asks for; said again, it replaces what was said."""
    return Call(method="PUT", path=f"/v1/orders/{order_id}/inputs/{sale_id}", answers={204: None}, body=body)


def start_payment(order_id: str, body: NewPayment) -> Call[PaymentView]:
    """Start to pay; asked again, the payment that is open."""
    return Call(method="POST", path=f"/v1/orders/{order_id}/payments", answers={201: PaymentView}, body=body)


def get_order(order_id: str, *, sale_id: str | None = None) -> Call[OrderView]:
    """An order and its state. With `sale_id`, an order whose commit is under way is shown as `admitted`; `order_lost` says that there is
    none any more.
    """
    return Call(method="GET", path=f"/v1/orders/{order_id}", answers={200: OrderView}, query={"sale_id": sale_id})


def get_refundable(order_id: str) -> Call[Refundable]:
    """How much of an order the rules it was bought under give back at this moment."""
    return Call(method="GET", path=f"/v1/orders/{order_id}/refundable", answers={200: Refundable})


def refund_order(order_id: str, body: PartToRefund | None = None, *, idempotency_key: str | None = None) -> Call[OrderView]:
    """Refund a paid order, or a part of it; what is refunded is quarantined. Named units give back what was paid for each. A line that
    waits to be fulfilled is refunded as a whole (`fulfilment_pending`).
    """
    return Call(
        method="POST",
        path=f"/v1/orders/{order_id}/refund",
        answers={202: OrderView},
        body=body or PartToRefund(),
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def complete_fulfilment(fulfilment_id: str, body: Completion) -> Call[Fulfilment]:
    """It is done: the line is delivered, and the shopper is told."""
    return Call(method="POST", path=f"/v1/fulfilments/{fulfilment_id}/complete", answers={200: Fulfilment}, body=body)


def fail_fulfilment(fulfilment_id: str, body: Failure) -> Call[Fulfilment]:
    """It cannot be done: the shopper gets the money back."""
    return Call(method="POST", path=f"/v1/fulfilments/{fulfilment_id}/fail", answers={200: Fulfilment}, body=body)


def get_fulfilment(fulfilment_id: str) -> Call[FulfilmentTask]:
    """What is to be done, with what the shopper said; each look at that is recorded."""
    return Call(method="GET", path=f"/v1/fulfilments/{fulfilment_id}", answers={200: FulfilmentTask})


def list_fulfilments(*, limit: int = 20, cursor: str | None = None) -> Pages[Fulfilments, WaitingFulfilment]:
    """Paid lines that wait, what is due first on top."""
    return Pages(
        method="GET",
        path="/v1/fulfilments",
        answers={200: Fulfilments},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.items,
    )


def list_my_orders(
    *,
    limit: int = 20,
    cursor: str | None = None,
    state: Literal["awaiting", "closing", "expired", "cancelled", "paid", "delivered", "refunding", "refunded", "refused"] | None = None,
) -> Pages[OrderPage, OrderView]:
    """The shopper's own orders, newest first."""
    return Pages(
        method="GET",
        path="/v1/my-orders",
        answers={200: OrderPage},
        query={"limit": limit, "cursor": cursor, "state": state},
        rows=lambda page: page.items,
    )


def look_up_order(body: Lookup) -> Call[Found]:
    """A guest's order by number and proof."""
    return Call(method="POST", path="/v1/order-lookups", answers={200: Found}, body=body)


def remind_of_orders(body: Reminder) -> Call[ReminderNoted]:
    """Mail somebody the numbers of the orders he left his address with."""
    return Call(method="POST", path="/v1/order-lookups/reminders", answers={202: ReminderNoted}, body=body)
