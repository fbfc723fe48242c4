"""HTTP for guests who come back: an order by its number and what was left with it, and the numbers by mail."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.directory import Store
from api.guards import anyone
from api.limits import address, per_address
from api.orders import OrderView
from api.process import Process
from api.wire import Locale, Mail
from checkout_core import tokens
from checkout_core.errors import BadRequest, NotFound, TooMany
from checkout_core.ids import decode
from tenants import orders, throttle
from tenants.db import platform_tx, tenant_tx
from tenants.orders import Order, reminders


class Lookup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order's number, and the password or contact that was given with it."""

    order_id: Annotated[str, Meta(max_length=64)]
    lookup_password: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    contact: Annotated[str, Meta(min_length=1, max_length=254)] | None = None


class Found(Struct, frozen=True):
    """The order, and a token with which its owner may go on."""

    order: OrderView
    access_token: str


class Reminder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mail address that was left with the orders; `locale` is the mail's."""

    contact: Mail
    locale: Locale = "zh-CN"


class ReminderNoted(Struct, frozen=True):
    """If there are orders of the last `days` with this address, a mail names them; the answer is the same if there are none."""

    days: int


class LookupController(Controller):
    path = "/order-lookups"
    tags = ("Orders",)

    @post("/", guards=[anyone], status_code=200, operation_id="lookUpOrder", summary="A guest's order by number and proof")
    async def look_up(
        self, data: JSONBody[Lookup], request: Request[Any, Any, Any], process: NamedDependency[Process], store: NamedDependency[Store]
    ) -> Found:
        await process.limits.check(("order-lookups", address(request)), connection=request)
        order = await find_for_guest(process, store.tenant_id, data)
        token, _ = tokens.issue(process.keys.shoppers, store.tenant_id, shopper_id=order.shopper_id)
        return Found(OrderView.of(order), token)

    @post(
        "/reminders",
        guards=[anyone, per_address("order-reminders")],
        status_code=202,
        operation_id="remindOfOrders",
        summary="Mail somebody the numbers of the orders he left his address with",
    )
    async def remind(self, data: JSONBody[Reminder], process: NamedDependency[Process], store: NamedDependency[Store]) -> ReminderNoted:
        await note_reminder(process, store, data)
        return ReminderNoted(reminders.DAYS)


async def note_reminder(process: Process, store: Store, asked: Reminder) -> None:
    """Asked too often for one address nothing more is noted, and nobody is told: others may have asked for it."""
    try:
        async with platform_tx(process.platform_pool) as conn:
            key = store.tenant_id.hex, asked.contact.lower()
            await throttle.take(conn, throttle.ORDER_REMINDER, *key, factor=process.settings.ip_limit_factor)
    except TooMany:
        return
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        noted = await reminders.ask(tx, asked.contact, locale=asked.locale, shop_url=process.at(store.host, ""))
    process.bell.ring("order_reminder", store.tenant_id, noted)


async def find_for_guest(process: Process, tenant_id: UUID, asked: Lookup) -> Order:
    """The same work whether there is no such order, or another store's, or the proof is wrong.

    Raises `BadRequest` without a proof, `NotFound` alike for a wrong number and a wrong proof, and `TooMany` for a number that was tried
    too often, whether or not there is such an order.
    """
    if asked.lookup_password is None and asked.contact is None:
        raise BadRequest("Send the lookup password or the contact that was given with the order.")
    try:
        order_id = decode("ord", asked.order_id)
    except NotFound:
        raise orders.no_match() from None
    hashed = orders.lookup_hash(process.keys.lookups, order_id, asked.lookup_password) if asked.lookup_password else None
    key = tenant_id.hex, order_id.hex
    async with platform_tx(process.platform_pool) as conn:
        await throttle.take(conn, throttle.ORDER_NUMBER, *key, factor=process.settings.ip_limit_factor)
    async with tenant_tx(process.app_pool, tenant_id) as tx:
        order = await orders.look_up(tx, order_id, contact=asked.contact, lookup_hash=hashed)
    async with platform_tx(process.platform_pool) as conn:
        await throttle.give_back(conn, throttle.ORDER_NUMBER, *key)
    return order
