"""HTTP for the press of "buy". The page's form and the JSON route end in the same `press`."""

import asyncio
import datetime as dt
from functools import lru_cache
from hashlib import blake2b
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from litestar import Controller, Request, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.bounds import LONG_S
from api.guards import shopper, while_open
from api.idempotency import key_of
from api.process import Process
from checkout_core.errors import AppError, Conflict, TooMany, Unavailable
from checkout_core.ids import decode, encode, new_id
from checkout_core.intents import Decision, Intent, Outcome, SaleKey, order_id
from checkout_core.tokens import Shopper
from tenants.orders import lookup_hash

_encode = msgspec.msgpack.Encoder().encode

_REFUSALS: dict[Outcome, tuple[type[AppError], str, str, int | None]] = {
    Outcome.LIMIT: (Conflict, "limit", "You have as many of these as one shopper may buy.", None),
    Outcome.SOLD_OUT: (Conflict, "sold_out", "Sold out: fewer are left than you asked for.", None),
    Outcome.NOT_STARTED: (Conflict, "not_started", "The sale has not started. Nothing was reserved.", None),
    Outcome.ENDED: (Conflict, "ended", "The sale is over. Nothing was reserved.", None),
    Outcome.PAUSED: (Conflict, "paused", "The merchant has paused the sale. Nothing was reserved.", None),
    Outcome.UNPAID_CAP: (TooMany, "unpaid_cap", "You have too many unpaid orders. Pay or cancel one first.", 60),
    Outcome.COOL_DOWN: (TooMany, "cool_down", "Several of your reservations ran out unpaid. Please wait a while.", 300),
    Outcome.ON_THE_SHELF: (Conflict, "on_the_shelf", "This is bought with POST /v1/orders. Nothing was reserved.", None),
    Outcome.CONFLICT: (Conflict, "idempotency_conflict", "This Idempotency-Key was used for another wish. Use a new one.", None),
}


RETRY_HEADER = "idempotency-retry"  # a client that asks again says so, and is answered from Postgres before a refusal


class NewCheckout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wish to buy `quantity` of what a sale offers. With a contact or a password the order can be looked up later."""

    sale_id: str
    quantity: Annotated[int, Meta(ge=1, le=100)]
    contact: Annotated[str, Meta(min_length=3, max_length=254)] | None = None
    lookup_password: Annotated[str, Meta(min_length=4, max_length=128)] | None = None


class Checkout(Struct, frozen=True):
    """A reservation, committed. `expires_at` is when it ends unless it is paid."""

    id: str
    state: str
    sale_id: str
    quantity: int
    amount_minor: int
    currency: str
    expires_at: str | None


class Admitted(Struct, frozen=True):
    """A wish that the gate of a flash sale has admitted and whose commit is under way. At `location` it becomes the order."""

    id: str
    state: str
    sale_id: str
    quantity: int
    location: str


def admitted_of(sale: SaleKey, intent: Intent) -> Admitted:
    order, sale_id = encode("ord", intent.order_id), encode("sal", sale.sale_id)
    return Admitted(order, "admitted", sale_id, intent.quantity, f"/v1/orders/{order}?sale_id={sale_id}")


class Asked(NamedTuple):
    """What a body asks for, whoever sends it."""

    wish: NewCheckout
    sale_id: UUID
    hash: bytes


def asked(wish: NewCheckout) -> Asked:
    """Raises `NotFound` for what is no sale's id."""
    sale_id = decode("sal", wish.sale_id)
    return Asked(wish, sale_id, _body_hash(sale_id, wish))


def sold_out() -> Conflict:
    return Conflict(_REFUSALS[Outcome.SOLD_OUT][2], code="sold_out")


def intent_of(process: Process, who: Shopper, asked: Asked, key: str, channel: str, *, retried: bool) -> Intent:
    """The wish as the batcher takes it."""
    wish = asked.wish
    order = order_id(process.keys.orders, who.tenant_id, who.id, key)
    lookup = lookup_hash(process.keys.lookups, order, wish.lookup_password) if wish.lookup_password else None
    return Intent(order, new_id(), who.id, wish.quantity, asked.hash, None, wish.contact, lookup, channel, retried)


def judge(decision: Decision) -> Decision:
    """A reservation. Raises `Conflict` and `TooMany` with the codes of `Outcome` for everything else."""
    if decision.outcome == Outcome.RESERVED:
        return decision
    error, code, detail, retry_after_s = _REFUSALS[decision.outcome]
    # A refusal that is kept has a row: by its id the answer can be held against the store later.
    kept = (
        {"order_id": encode("ord", decision.order_id)} if decision.state and decision.outcome in (Outcome.SOLD_OUT, Outcome.LIMIT) else {}
    )
    raise error(detail, code=code, retry_after_s=retry_after_s, **kept)


def undecided() -> Unavailable:
    return Unavailable("Your wish is still being decided. Press again with the same key to learn the outcome.", retry_after_s=2)


async def press(process: Process, who: Shopper, wish: NewCheckout, key: str, *, channel: str = "web", retried: bool = False) -> Decision:
    """Reserve; the decision is durable when this returns.

    Raises `NotFound` for an unknown sale, what `judge` raises, and `Unavailable` when the outcome is open: the same key may be pressed
    again safely.
    """
    what = asked(wish)
    sale = SaleKey(who.tenant_id, what.sale_id)
    if not retried and process.doors.sold_out.says(sale, who.id):
        raise sold_out()
    intent = intent_of(process, who, what, key, channel, retried=retried)
    try:
        async with asyncio.timeout(LONG_S):
            return judge(await process.batcher.submit(sale, intent))
    except TimeoutError:
        raise undecided() from None


def checkout_of(decision: Decision, sale_id: str) -> Checkout:
    until = decision.hold_until.isoformat() if decision.hold_until else None
    amount = decision.amount_minor
    return Checkout(encode("ord", decision.order_id), decision.state, sale_id, decision.quantity, amount, decision.currency, until)


def written(decision: Decision, sale_id: str) -> bytes:
    """The same as JSON, for a crowd: what msgspec makes of a `Checkout` in a third of the time."""
    return _CHECKOUT % (
        decision.order_id.hex.encode(), decision.state.encode(), sale_id.encode(), decision.quantity, decision.amount_minor,
        decision.currency.encode(), _moment(decision.hold_until),
    )  # fmt: skip


_CHECKOUT = b'{"id":"ord_%b","state":"%b","sale_id":"%b","quantity":%d,"amount_minor":%d,"currency":"%b","expires_at":%b}'


@lru_cache(maxsize=64)  # a batch's orders share the moment they end
def _moment(moment: dt.datetime | None) -> bytes:
    return b'"%b"' % moment.isoformat().encode() if moment else b"null"


class CheckoutController(Controller):
    path = "/checkouts"
    tags = ("Checkout",)

    @post(
        "/",
        guards=[shopper, while_open],
        responses={202: ResponseSpec(Admitted, description="Admitted by the gate of a flash sale; the commit is under way")},
        operation_id="createCheckout",
        opt={"idempotency_key": True},
        summary="Reserve units of a sale; 201 means that the reservation is committed",
    )
    async def create(self, data: JSONBody[NewCheckout], request: Request[Any, Any, Any]) -> Checkout:
        key = key_of(request, required=True)
        assert key is not None
        # Taken from where they are: as dependencies the framework would start a task for each, on every press.
        process: Process = request.app.state.process
        retried = RETRY_HEADER in request.headers
        channel = request.auth.channel or "api"
        return checkout_of(await press(process, request.auth, data, key, channel=channel, retried=retried), data.sale_id)


def _body_hash(sale_id: UUID, wish: NewCheckout) -> bytes:
    """What is asked, without where it is asked from: the same wish through page and API is the same."""
    return blake2b(_encode((sale_id.bytes, wish.quantity, wish.contact, wish.lookup_password)), digest_size=16).digest()
