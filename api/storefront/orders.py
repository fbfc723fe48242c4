"""The page of an order: its state, what became of each line, and giving it up."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from msgspec import json, structs

from api.storefront import grants, inputs
from api.storefront import visit as visits
from api.storefront.rendering import Notice
from api.storefront.views import CodesView, LineView, OrderView
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import decode, encode
from checkout_core.intents import Outcome
from tenants import orders
from tenants.db import tenant_tx
from tenants.orders import notices, receipt
from tenants.payments import attempts

AT_STORE = {"visit": visits.at_store}
RECEIPT = ("paid", "delivered", "refunding", "refunded")  # states in which lines have something to tell


class Owner(NamedTuple):
    """Who opens the order. `shopper_id` is None when he holds a grant for this very order instead."""

    tenant_id: UUID
    order_id: UUID
    shopper_id: UUID | None
    actor: str


@get("/orders/{order:str}", dependencies=AT_STORE)
async def show(visit: AVisit, order: FromPath[str], back: FromQuery[str | None] = None) -> Response[bytes]:
    return await page(visit, await owner_of(visit, order), paying=back == "pay")


@get("/orders/{order:str}/state", dependencies=AT_STORE)
async def state(visit: AVisit, order: FromPath[str]) -> Response[bytes]:
    """What the page's script asks for: one word that changes when the page does."""
    owner = await owner_of(visit, order)
    async with tenant_tx(visit.process.app_pool, owner.tenant_id) as tx:
        seen = view(await orders.get(tx, owner.order_id, shopper_id=owner.shopper_id))
    headers = {"Cache-Control": "no-store"}
    return Response(json.encode({"state": seen.version}), media_type="application/json", headers=headers)


@post("/orders/{order:str}/cancel", dependencies=AT_STORE, status_code=200)
async def cancel(visit: AVisit, order: FromPath[str]) -> Response[bytes]:
    await visit.form()
    owner = await owner_of(visit, order)
    try:
        async with tenant_tx(visit.process.app_pool, owner.tenant_id) as tx:
            await orders.cancel(tx, owner.order_id, shopper_id=owner.shopper_id)
    except Conflict:
        pass  # paid or over meanwhile: the page tells which
    return visit.go(f"/orders/{order}")


def consented(visit: Visit, owner: Owner) -> bool:
    """Whether the press of "pay" in this browser asked to show the codes of this order as soon as they are there."""
    given = visit.request.cookies.get(grants.cookie_name("reveal-consent", secure=visit.secure), "")
    return bool(given) and grants.holds(visit.process.keys.lookups, owner.tenant_id, owner.order_id, given, "reveal-consent")


async def owner_of(visit: Visit, order: str) -> Owner:
    """Raises `NotFound` when this browser has nothing that could open any order here."""
    store = await visit.at_store()
    order_id = decode("ord", order)
    grant = visit.request.cookies.get(grants.cookie_name(secure=visit.secure), "")
    if grant and grants.holds(visit.process.keys.lookups, store.tenant_id, order_id, grant):
        return Owner(store.tenant_id, order_id, None, f"guest:{order}")
    shopper = visit.shopper()
    if shopper is None:
        raise NotFound("There is no such order.")
    return Owner(store.tenant_id, order_id, shopper.id, encode("shp", shopper.id))


async def look(visit: Visit, owner: Owner, *, paying: bool = False) -> OrderView:
    """What the page of an order shows; of one that was paid, line by line."""
    async with tenant_tx(visit.process.app_pool, owner.tenant_id) as tx:
        order = await orders.get(tx, owner.order_id, shopper_id=owner.shopper_id)
        bought = await receipt.of(tx, order) if order.state in RECEIPT else {}
    lines = tuple(
        LineView(
            name=line.name, quantity=line.quantity, amount_minor=line.amount_minor, part_of_bundle=line.bundle_id is not None,
            delivered=bought[line.sale_id].delivered, refunded=bought[line.sale_id].refunded, waits=bought[line.sale_id].waits,
            picks=tuple(bought[line.sale_id].picks), entitled=tuple(bought[line.sale_id].entitled),
        )
        for line in order.lines if line.sale_id in bought
    )  # fmt: skip
    return structs.replace(view(order, paying=paying), lines=lines)


def view(order: orders.Order, *, paying: bool = False) -> OrderView:
    return OrderView(
        id=order.id, state=order.state, refusal=Outcome(order.refusal).name.lower() if order.refusal is not None else None,
        sale_id=order.lines[0].sale_id, name=" + ".join(line.name for line in order.lines),
        quantity=sum(line.quantity for line in order.lines), items=tuple((line.name, line.quantity) for line in order.lines),
        amount_minor=order.amount_minor, currency=order.currency, created_at=order.created_at, hold_until=order.hold_until,
        pay_until=attempts.provider_expiry(order.created_at, order.hold_until) if order.hold_until else None,
        now=dt.datetime.now(dt.UTC), paying=paying, recoverable=order.recoverable, refunded_minor=order.refunded_minor,
        coupons=tuple((each.name, each.discount_minor) for each in order.coupons),
        mailable=notices.is_mail((order.contact or "").strip()),
    )  # fmt: skip


async def page(
    visit: Visit,
    owner: Owner,
    *,
    status: int = 200,
    paying: bool = False,
    codes: list[CodesView] | None = None,
    notice: Notice | None = None,
) -> Response[bytes]:
    visit.page.path = f"/orders/{encode('ord', owner.order_id)}"
    order, asks = await look(visit, owner, paying=paying), await inputs.of_order(visit, owner.tenant_id, owner.order_id)
    by_itself = codes is None and order.face == "delivered" and consented(visit, owner)
    return visit.render("order.html", status=status, order=order, asks=asks, codes=codes, by_itself=by_itself, notice=notice)
