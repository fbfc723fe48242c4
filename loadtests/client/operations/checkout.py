"""Checkout. Written by `make client`; not to be edited."""

import datetime as dt

from msgspec import Struct

from loadtests.client.core import Call, new_key


class NewCheckout(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A wish to buy `quantity` of what a sale offers. With a contact or a password the order can be looked up later."""

    sale_id: str
    quantity: int
    contact: str | None = None
    lookup_password: str | None = None


class Checkout(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reservation, committed. `expires_at` is when it ends unless it is paid."""

    id: str
    state: str
    sale_id: str
    quantity: int
    amount_minor: int
    currency: str
    expires_at: dt.datetime | None


class Admitted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A wish that the gate of a flash sale has admitted and whose commit is under way. At `location` it becomes the order."""

    id: str
    state: str
    sale_id: str
    quantity: int
    location: str


def create_checkout(body: NewCheckout, *, idempotency_key: str | None = None) -> Call[Checkout | Admitted]:
    """Reserve units of a sale; 201 means that the reservation is committed."""
    return Call(
        method="POST",
        path="/v1/checkouts",
        answers={201: Checkout, 202: Admitted},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )
