"""Carts. Written by `make client`; not to be edited."""

import datetime as dt

from msgspec import Struct

from loadtests.client.core import Call, new_key


class CartLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of a picked type each unit is named, in `picks`: as many as `quantity`, one of them twice for two of it."""

    sku_id: str
    quantity: int
    picks: list[str] = []


class NewOrder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is on the shelf, all of it or nothing. With a contact or a password the order can be looked up later. `coupons` are pieces that
    the shopper holds: null uses those that together take off most, an empty list none.
    """

    lines: list[CartLine]
    contact: str | None = None
    lookup_password: str | None = None
    coupons: list[str] | None = None


class OrderLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`amount_minor` is what its units cost together, with surcharges, less the `discount_minor` of coupons. `bundle_id` is the SKU that it
    was bought as a part of, and `bundle_quantity` how many of that were.
    """

    sale_id: str
    sku_id: str
    name: str
    quantity: int
    unit_price_minor: int
    amount_minor: int
    bundle_id: str | None
    bundle_quantity: int | None
    discount_minor: int


class OrderCoupon(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of a coupon that the order has `locked` or `used`; it was `released` when the order ended unpaid, `returned` when it was
    refunded. One that is `borne` had gone elsewhere when the money came, and was taken off all the same.
    """

    id: str
    coupon_id: str
    name: str
    state: str
    discount_minor: int


class OrderView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    state: str
    amount_minor: int
    currency: str
    contact: str | None
    channel: str
    created_at: dt.datetime
    expires_at: dt.datetime | None
    paid_at: dt.datetime | None
    delivered_at: dt.datetime | None
    lines: list[OrderLine]
    tag_ids: list[str]
    refunded_minor: int
    discount_minor: int
    coupons: list[OrderCoupon]


class CartProblem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a line cannot be had: `code` is the one that an order would be refused with."""

    code: str
    detail: str


class QuotedLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`amount_minor` is what the line costs this shopper, `base_minor` what everybody is asked; null for what has no price here. So many
    are `available`, of picks no more than are wanted.
    """

    sku_id: str
    quantity: int
    picks: list[str]
    name: str | None
    amount_minor: int | None
    base_minor: int | None
    available: int
    problem: CartProblem | None


class QuotedCoupon(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece that the shopper holds, or has named. It takes `discount_minor` off, or nothing for the reason in `why`: `threshold` (he
    lacks `missing_minor` of it), `out_of_scope`, `not_together` (with those that are used), `not_the_best` (these take off more without
    it), `not_yet`, `over`, `not_active`, `other_channel`, `other_currency`, `used_up`, `worth_nothing`.
    """

    id: str
    coupon_id: str
    name: str
    valid_until: str | None
    discount_minor: int
    why: str | None
    missing_minor: int


class Quote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As of this moment; nothing is reserved. `amount_minor` is what an order of the lines that can be had would cost: what they cost less
    `discount_minor`. Lines of one SKU are one.
    """

    lines: list[QuotedLine]
    amount_minor: int
    currency: str
    discount_minor: int
    coupons: list[QuotedCoupon]


class CartView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`updated_at` is null for a cart that nothing was put into."""

    lines: list[QuotedLine]
    amount_minor: int
    currency: str
    discount_minor: int
    coupons: list[QuotedCoupon]
    updated_at: dt.datetime | None


class NewCart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    lines: list[CartLine]


def create_order(body: NewOrder, *, idempotency_key: str | None = None) -> Call[OrderView]:
    """Reserve what is on the shelf, several things at once; 201 means that all of it is reserved. Sent again with its key it answers with
    the order. Refused, it leaves nothing behind, and says in `sku_id` for which line.
    """
    return Call(
        method="POST",
        path="/v1/orders",
        answers={201: OrderView},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def create_quote(body: NewOrder) -> Call[Quote]:
    """What an order would cost this shopper, and what keeps it from being reserved."""
    return Call(method="POST", path="/v1/quotes", answers={200: Quote}, body=body)


def get_cart() -> Call[CartView]:
    """The shopper's cart, with prices and what can be had."""
    return Call(method="GET", path="/v1/cart", answers={200: CartView})


def put_cart(body: NewCart) -> Call[CartView]:
    """Keep a cart; what it holds is neither reserved nor promised."""
    return Call(method="PUT", path="/v1/cart", answers={200: CartView}, body=body)


def remove_cart() -> Call[None]:
    """Empty the cart."""
    return Call(method="DELETE", path="/v1/cart", answers={204: None})
