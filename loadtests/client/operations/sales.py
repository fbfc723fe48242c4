"""Sales. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages, new_key
from loadtests.client.operations.codes import Nothing


class Sale(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`committed` of the `allotted` units are held or sold. Behind the door `shelf` orders with a cart buy, and `takes_new_stock` says that
    what is made or loaded of its SKU goes there; `price_minor` is then what the SKU cost when it was put there.
    """

    id: str
    sku_id: str
    name: str
    door: str
    state: str
    price_minor: int
    currency: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    limit_per_shopper: int
    hold_s: int
    fallback_per_s: int
    epoch: int
    allotted: int
    committed: int
    created_at: dt.datetime
    takes_new_stock: bool
    waiting_room: Literal["draw", "line", "off"]


class Sales(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    sales: list[Sale]
    next_cursor: str | None


class NewSale(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`price_minor` defaults to the SKU's, `starts_at` to now; a sale without `ends_at` runs until it is ended. A limit of 0 is none.
    Behind the door `gate` a crowd is turned away by Redis; `fallback_per_s` orders a second are taken while that is away. There
    `waiting_room` gives a place to who finds nothing left: `line` as they come, `draw` by lot among those who came before the start.
    """

    sku_id: str
    name: str
    units: int | Literal["all"]
    limit_per_shopper: int
    price_minor: int | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    hold_s: int = 900
    door: Literal["direct", "gate"] = "direct"
    fallback_per_s: int = 0
    waiting_room: Literal["draw", "line", "off"] = "off"


class NewLimit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    limit_per_shopper: int


class StockChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Exactly one of both."""

    add: int | Literal["all"] | None = None
    withdraw: int | None = None


class Reminders(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many wait to be told that the sale `start`s, or that it is `back`, and how many of them have not `confirmed` their address yet.
    `sent`: how many were told of either.
    """

    start: int
    back: int
    unconfirmed: int
    sent: int


class Shelved(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """At least so many `units` are to be free there; what is missing is taken of the loose stock, or all of it. A limit of 0 is none. With
    `takes_new_stock` units that are made or loaded later go there by themselves.
    """

    units: int | Literal["all"]
    limit_per_shopper: int = 0
    hold_s: int = 900
    takes_new_stock: bool = False


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`units` are those of this sale, in so many `orders`."""

    orders: int
    units: int


class Funnel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Orders of a sale. All that were `reserved` are `waiting` to be paid, `lapsed` (expired or cancelled) or `paid`; of those paid some
    are `delivered` and not refunded, some `refunded` whole or on their way there, the others wait for delivery. A partial refund changes no
    step. `as_of`: all up to then is counted, which is now but in a rush.
    """

    as_of: str
    reserved: Step
    waiting: Step
    lapsed: Step
    paid: Step
    delivered: Step
    refunded: Step


class Second(Struct, frozen=True, kw_only=True, omit_defaults=True):
    at: dt.datetime
    orders: int
    units: int


class Seconds(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Orders by the second they were made in, oldest first; seconds without any are left out. `since` is the first second that is counted
    whole: later than what was asked for when there were more than 20,000 orders.
    """

    since: dt.datetime
    until: str
    seconds: list[Second]


def list_sales(
    *, limit: int = 20, cursor: str | None = None, state: Literal["open", "paused", "ended"] | None = None, sku_id: str | None = None
) -> Pages[Sales, Sale]:
    """List sales, newest first, ended ones too."""
    return Pages(
        method="GET",
        path="/v1/sales",
        answers={200: Sales},
        query={"limit": limit, "cursor": cursor, "state": state, "sku_id": sku_id},
        rows=lambda page: page.sales,
    )


def create_sale(body: NewSale, *, idempotency_key: str | None = None) -> Call[Sale]:
    """Open a sale."""
    return Call(
        method="POST",
        path="/v1/sales",
        answers={201: Sale},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def end_sale(sale_id: str) -> Call[Sale]:
    """End a sale for good."""
    return Call(method="POST", path=f"/v1/sales/{sale_id}/end", answers={200: Sale}, body=Nothing())


def get_sale(sale_id: str) -> Call[Sale]:
    """Get a sale."""
    return Call(method="GET", path=f"/v1/sales/{sale_id}", answers={200: Sale})


def set_sale_limit(sale_id: str, body: NewLimit) -> Call[Sale]:
    """Change the limit."""
    return Call(method="POST", path=f"/v1/sales/{sale_id}/limit", answers={200: Sale}, body=body)


def pause_sale(sale_id: str) -> Call[Sale]:
    """Pause a sale."""
    return Call(method="POST", path=f"/v1/sales/{sale_id}/pause", answers={200: Sale}, body=Nothing())


def resume_sale(sale_id: str) -> Call[Sale]:
    """Resume a sale."""
    return Call(method="POST", path=f"/v1/sales/{sale_id}/resume", answers={200: Sale}, body=Nothing())


def change_sale_stock(sale_id: str, body: StockChange, *, idempotency_key: str | None = None) -> Call[Sale]:
    """Add or withdraw units."""
    return Call(
        method="POST",
        path=f"/v1/sales/{sale_id}/stock",
        answers={200: Sale},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def count_sale_reminders(sale_id: str) -> Call[Reminders]:
    """How many wait for a sale."""
    return Call(method="GET", path=f"/v1/sales/{sale_id}/reminders", answers={200: Reminders})


def put_on_shelf(sku_id: str, body: Shelved) -> Call[Sale]:
    """Put a SKU on the shelf, where orders with a cart buy; or change how it is there."""
    return Call(method="PUT", path=f"/v1/skus/{sku_id}/shelf", answers={200: Sale}, body=body)


def take_off_shelf(sku_id: str) -> Call[None]:
    """Take a SKU off the shelf: its sale there ends for good."""
    return Call(method="DELETE", path=f"/v1/skus/{sku_id}/shelf", answers={204: None})


def watch_sale(sale_id: str, *, seconds: int = 600) -> Call[str]:
    """Stock and rate of a sale, every second."""
    return Call(method="GET", path=f"/v1/sales/{sale_id}/feed", answers={200: str}, query={"seconds": seconds})


def get_sale_funnel(sale_id: str) -> Call[Funnel]:
    """What became of a sale's orders."""
    return Call(method="GET", path=f"/v1/sales/{sale_id}/funnel", answers={200: Funnel})


def get_sale_seconds(sale_id: str, *, last_s: int = 120) -> Call[Seconds]:
    """A sale's orders by the second."""
    return Call(method="GET", path=f"/v1/sales/{sale_id}/seconds", answers={200: Seconds}, query={"last_s": last_s})
