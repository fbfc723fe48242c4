"""What all peers in Python have in common: who asks, what is asked, what is answered. Tokens and order ids are the shop's own."""

import datetime as dt
import re
from typing import Annotated, Final

from msgspec import Meta, Struct

from checkout_core import tokens
from checkout_core.errors import BadRequest
from checkout_core.ids import UUID, decode, encode
from checkout_core.intents import order_id
from checkout_core.secrets import derive
from checkout_core.tokens import Shopper
from loadtests.peers.stock import CURRENCY, HOLD_S, PRICE_MINOR, Code

PROBLEM_TYPE: Final = "application/problem+json"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class Wish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sale_id: str
    quantity: Annotated[int, Meta(ge=1, le=100)]


class Reservation(Struct, frozen=True):
    id: str
    state: str
    sale_id: str
    quantity: int
    amount_minor: int
    currency: str
    expires_at: str


class Problem(Struct, frozen=True):
    """A problem document (RFC 9457) as the shop's are."""

    title: str
    status: int
    detail: str
    code: str
    type: str = "about:blank"


REFUSALS: Final = {
    Code.CLOSED: Problem("Service Unavailable", 503, "The sale is closed. Nothing was reserved.", "closed"),
    Code.LIMIT: Problem("Conflict", 409, "You have as many of these as one shopper may buy.", "limit"),
    Code.SOLD_OUT: Problem("Conflict", 409, "Sold out: fewer are left than you asked for.", "sold_out"),
    Code.CONFLICT: Problem("Conflict", 409, "This Idempotency-Key was used for another wish.", "idempotency_conflict"),
}


class Keys:
    """The two keys that the shop derives from its secret for the same purposes."""

    def __init__(self, secret: bytes) -> None:
        self.shoppers = derive(secret, "shoppers")
        self.orders = derive(secret, "orders")

    def shopper(self, authorization: str) -> Shopper:
        """Raises `Unauthorized`."""
        return tokens.verify(self.shoppers, authorization.removeprefix("Bearer "))

    def order(self, shopper: Shopper, key: str) -> UUID:
        """The order that the shopper's key stands for. Raises `BadRequest` without a key."""
        if not _KEY.fullmatch(key):
            raise BadRequest("An Idempotency-Key of 1 to 255 visible characters is needed.")
        return order_id(self.orders, shopper.tenant_id, shopper.id, key)


def sale_of(wish: Wish) -> UUID:
    """Raises `NotFound`."""
    return decode("sal", wish.sale_id)


def reservation(order: UUID, wish: Wish) -> Reservation:
    """What the winner is told."""
    until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=HOLD_S)
    return Reservation(
        encode("ord", order), "awaiting", wish.sale_id, wish.quantity, wish.quantity * PRICE_MINOR, CURRENCY, until.isoformat()
    )
