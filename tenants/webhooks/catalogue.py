"""The events merchants may be told of: stable names, and what each carries. docs/webhooks.md lists the same (a test compares).

A payload only ever gains fields, at its end and with the same `version`. What would change or remove one is another version: a struct and a
type of its own, and both are sent until nobody asks for the old. Payloads hold ids and what the merchant's API shows of them; never a code,
a secret, a contact.
"""

import datetime as dt
from typing import Any, NamedTuple

import msgspec


class Line(msgspec.Struct, frozen=True):
    sale_id: str
    sku_id: str
    quantity: int
    unit_price_minor: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The times are those of the order so far: none for what has not happened."""

    order_id: str
    amount_minor: int
    currency: str
    channel: str
    lines: list[Line]
    created_at: dt.datetime
    paid_at: dt.datetime | None = None
    delivered_at: dt.datetime | None = None


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """One refund. `units` are those it took back, none for money that came for nothing."""

    refund_id: str
    order_id: str
    amount_minor: int
    currency: str
    reason: str
    units: list[int] = []


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    sale_id: str
    sku_id: str
    name: str
    price_minor: int
    currency: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    change: str


class Import(msgspec.Struct, frozen=True, kw_only=True):
    import_id: str
    sku_id: str
    loaded: int
    duplicates: int
    malformed: int


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """`units` can still be sold, loose or in sales."""

    sku_id: str
    low_stock_at: int
    units: int


class ExceptionReported(msgspec.Struct, frozen=True, kw_only=True):
    exception_id: str
    kind: str
    reference: str


class Qualification(msgspec.Struct, frozen=True, kw_only=True):
    qualification_id: str
    kind: str
    state: str
    reasons: list[str]


class Fulfilment(msgspec.Struct, frozen=True, kw_only=True):
    fulfilment_id: str
    order_id: str
    sku_id: str
    due_at: dt.datetime


class Entitlement(msgspec.Struct, frozen=True, kw_only=True):
    entitlement_id: str
    order_id: str


class Test(msgspec.Struct, frozen=True, kw_only=True):
    endpoint_id: str


class Kind(NamedTuple):
    """`name` is the type. `by_name_only`: so many of them come that `*` does not mean it."""

    name: str
    data: type[msgspec.Struct]
    summary: str
    version: int = 1
    by_name_only: bool = False


ALL = "*"
RESERVED = "order.reserved"
KINDS = {
    kind.name: kind
    for kind in (
        Kind(RESERVED, Order, "A shopper holds units until the order is paid or its time is over.", by_name_only=True),
        Kind("order.paid", Order, "The money for an order has come."),
        Kind("order.delivered", Order, "The shopper may look at the codes of an order."),
        Kind("order.code_replaced", Order, "A faulty code of a delivered order was replaced; the shopper may look at the new one."),
        Kind("order.expired", Order, "An order was not paid in time; its units are for sale again."),
        Kind("order.cancelled", Order, "A shopper or the merchant ended an unpaid order; its units are for sale again."),
        Kind("order.refund_requested", Order, "All that is left of a paid order is to be refunded; its codes are quarantined."),
        Kind("order.partly_refunded", Refunded, "The provider has paid a part of an order back; the rest of it is not refunded."),
        Kind("order.refunded", Refunded, "The provider has paid the refund of an order, or the last of its parts: all of it is back."),
        Kind("payment.returned", Refunded, "Money that came late, twice or in a wrong amount went back."),
        Kind("sale.published", Sale, "A sale was opened; it sells from `starts_at` on."),
        Kind("sale.paused", Sale, "A sale takes no orders for now."),
        Kind("sale.resumed", Sale, "A paused sale takes orders again."),
        Kind("sale.ended", Sale, "A sale was ended by the merchant. One that runs out ends at `ends_at`, and nothing is said."),
        Kind("sale.changed", Sale, "Stock or limit of a sale changed."),
        Kind("vault.import_finished", Import, "A file of codes is loaded; its units are stock."),
        Kind("vault.import_failed", Import, "A file of codes could not be read to its end; nothing of it is stock yet."),
        Kind("fulfilment.requested", Fulfilment, "A paid line waits for you or your program to fulfil it."),
        Kind("entitlement.expired", Entitlement, "What a delivered unit entitled to has come to its end."),
        Kind("stock.low", Stock, "A SKU has as few units left as its watch says; told once, until there are more again."),
        Kind("exception.reported", ExceptionReported, "Something waits for a person in the exception queue."),
        Kind("qualification.changed", Qualification, "A qualification of the merchant's took a step, or ran out."),
    )
}
TEST = Kind("webhook.test", Test, "Sent when a merchant asks for a test, to that endpoint alone.")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook. `timestamp` is when it happened; when it was sent is in the header."""

    type: str
    version: int
    timestamp: dt.datetime
    data: msgspec.Struct


_encode = msgspec.json.Encoder().encode


def body(kind: Kind, at: dt.datetime, data: msgspec.Struct) -> str:
    assert type(data) is kind.data, kind.name
    return _encode(Message(type=kind.name, version=kind.version, timestamp=at.astimezone(dt.UTC), data=data)).decode()


def wants(event_types: list[str], type_: str) -> bool:
    """Whether an endpoint for `event_types` is told of `type_`."""
    return type_ in event_types or (ALL in event_types and not KINDS[type_].by_name_only)


def schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema (2020-12) of what `kind` carries as `data`."""
    (found,), components = msgspec.json.schema_components([kind.data], ref_template="#/$defs/{name}")
    return {**found, "$defs": components}
