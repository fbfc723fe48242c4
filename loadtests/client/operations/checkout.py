"""Checkout. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call, new_key
from loadtests.client.operations.codes import Nothing


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


class PlaceInLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a shopper stands. `status`: draw (before the start) · turn · waiting · later (all that others have may be gone before) · gone ·
    full · out · ended. `place` counts from 1, of `total`; `left_s` of a turn, or until the start. `estimate_s` is null as long as the line
    has hardly moved; `held` units others have not paid yet. Ask again after `again_s`: who is not seen for 90 seconds has no place any
    more.
    """

    status: Literal["draw", "ended", "full", "gone", "later", "out", "turn", "waiting"]
    place: int = 0
    total: int = 0
    left_s: int = 0
    estimate_s: int | None = None
    held: int = 0
    again_s: float = 4.0


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


def get_place_in_line(sale_id: str) -> Call[PlaceInLine]:
    """Where the shopper stands; to ask keeps his place."""
    return Call(method="GET", path=f"/v1/waiting-rooms/{sale_id}", answers={200: PlaceInLine})


def join_waiting_room(sale_id: str) -> Call[PlaceInLine]:
    """Take a place in the waiting room of a flash sale; again keeps it."""
    return Call(method="POST", path=f"/v1/waiting-rooms/{sale_id}", answers={200: PlaceInLine}, body=Nothing())


def leave_waiting_room(sale_id: str) -> Call[None]:
    """Give up the place, or the turn; whoever is behind moves up."""
    return Call(method="DELETE", path=f"/v1/waiting-rooms/{sale_id}", answers={204: None})
