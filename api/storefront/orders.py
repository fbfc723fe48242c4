"""The pages of an order: its state, paying, the codes, and finding it again."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from msgspec import json

from api.limits import address
from api.order_lookups import Lookup, Reminder, find_for_guest, note_reminder
from api.storefront import grants, inputs
from api.storefront import visit as visits
from api.storefront.rendering import Notice
from api.storefront.views import CodeView, OrderView
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import AppError, Conflict, NotFound, TooMany
from checkout_core.ids import decode, encode
from checkout_core.intents import Outcome
from tenants import delivery, orders
from tenants.db import tenant_tx
from tenants.orders import notices, reminders
from tenants.payments import attempts

MINE_MAX = 10
CONTACT_MAX = 254
AT_STORE = {"visit": visits.at_store}


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
    seen = await look(visit, await owner_of(visit, order))
    headers = {"Cache-Control": "no-store"}
    return Response(json.encode({"state": seen.version}), media_type="application/json", headers=headers)


@post("/orders/{order:str}/pay", dependencies=AT_STORE, status_code=200)
async def pay(visit: AVisit, order: FromPath[str]) -> Response[bytes]:
    await visit.form()
    await visit.at_open_store()
    owner = await owner_of(visit, order)
    t = visit.words
    try:
        attempt = await attempts.start(
            visit.process.app_pool, visit.process.providers, owner.tenant_id, owner.order_id,
            notify_base=visit.process.settings.public_url,
            return_url=visit.here(f"/orders/{encode('ord', owner.order_id)}?back=pay"),
            shopper_id=owner.shopper_id,
        )  # fmt: skip
    except NotFound:
        raise
    except AppError as error:
        if isinstance(error, Conflict) and error.code == "not_payable":
            return visit.go(f"/orders/{order}")
        notice = Notice(t("problem.payment.title"), t("problem.payment.text"))
        return await page(visit, owner, status=error.status, notice=notice)
    assert attempt.pay_url is not None
    return visit.go(attempt.pay_url)


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


@post("/orders/{order:str}/codes", dependencies=AT_STORE, status_code=200)
async def codes(visit: AVisit, order: FromPath[str]) -> Response[bytes]:
    """The codes stand in the answer to the press alone: no address leads to them, and no cache keeps them."""
    await visit.form()
    owner = await owner_of(visit, order)
    try:
        async with tenant_tx(visit.process.app_pool, owner.tenant_id) as tx:
            revealed = await delivery.reveal(tx, visit.process.keyring, owner.order_id, actor=owner.actor, shopper_id=owner.shopper_id)
    except Conflict:
        return visit.go(f"/orders/{order}")
    contents = [each.content for each in revealed]
    shown = [CodeView(code=c.code, secret=c.secret, valid_until=c.valid_until, face_value=c.face_value, note=c.note) for c in contents]
    notes = list(dict.fromkeys(each.usage_note for each in revealed if each.usage_note))
    visit.page.gzip = False  # nothing that compresses beside a secret
    return await page(visit, owner, codes=shown, notes=notes)


@get("/orders", dependencies=AT_STORE)
async def find(visit: AVisit, order: FromQuery[str | None] = None) -> Response[bytes]:
    """`order` is a number that a mail led here with."""
    return await lookup_page(visit, (order or "")[:64])


@post("/orders", dependencies=AT_STORE, status_code=200)
async def found(visit: AVisit) -> Response[bytes]:
    fields = await visit.form()
    number, proof = fields.get("order", "")[:64], fields.get("proof", "")[:254]
    t, store = visit.words, await visit.at_store()
    try:
        await visit.process.limits.check(("order-lookups", address(visit.request)))
        asked = Lookup(order_id=_number(number), lookup_password=proof[:128] or None, contact=proof or None)
        order = await find_for_guest(visit.process, store.tenant_id, asked)
    except TooMany as error:
        notice = Notice(t("problem.too_many.title"), t("problem.too_many.text", seconds=error.retry_after_s or 1))
        return await lookup_page(visit, number, status=429, notice=notice)
    except AppError as error:
        if error.status >= 500:
            raise
        notice = Notice(t("problem.lookup.title"), t("problem.lookup.text"))
        return await lookup_page(visit, number, status=404, notice=notice)
    grant = grants.make(visit.process.keys.lookups, store.tenant_id, order.id)
    place = grants.path(order.id)
    visit.set_cookie(grants.cookie_name(secure=visit.secure), grant, grants.TTL_S, path=place)
    return visit.go(place)


@post("/orders/forgotten", dependencies=AT_STORE, status_code=200)
async def forgotten(visit: AVisit) -> Response[bytes]:
    """The same page whether there are orders with the address; the mail alone tells."""
    contact = (await visit.form()).get("mail", "").strip()
    t, store = visit.words, await visit.at_store()
    if len(contact) > CONTACT_MAX or not notices.is_mail(contact):
        return await lookup_page(visit, status=400, notice=Notice(t("problem.bad.title"), t("problem.mail"), "bad"))
    try:
        await visit.process.limits.check(("order-reminders", address(visit.request)))
    except TooMany as error:
        notice = Notice(t("problem.too_many.title"), t("problem.too_many.text", seconds=error.retry_after_s or 1))
        return await lookup_page(visit, status=429, notice=notice)
    await note_reminder(visit.process, store, Reminder(contact=contact, locale="zh-CN" if visit.locale.startswith("zh") else "en"))
    return await lookup_page(visit, notice=Notice(t("lookup.sent.title"), t("lookup.sent.text", days=reminders.DAYS), ""))


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
    async with tenant_tx(visit.process.app_pool, owner.tenant_id) as tx:
        order = await orders.get(tx, owner.order_id, shopper_id=owner.shopper_id)
    return view(order, paying=paying)


def view(order: orders.Order, *, paying: bool = False) -> OrderView:
    return OrderView(
        id=order.id, state=order.state, refusal=Outcome(order.refusal).name.lower() if order.refusal is not None else None,
        sale_id=order.lines[0].sale_id, name=" + ".join(line.name for line in order.lines),
        quantity=sum(line.quantity for line in order.lines), items=tuple((line.name, line.quantity) for line in order.lines),
        amount_minor=order.amount_minor, currency=order.currency, created_at=order.created_at, hold_until=order.hold_until,
        pay_until=attempts.provider_expiry(order.created_at, order.hold_until) if order.hold_until else None,
        now=dt.datetime.now(dt.UTC), paying=paying, recoverable=order.recoverable, refunded_minor=order.refunded_minor,
    )  # fmt: skip


async def page(
    visit: Visit,
    owner: Owner,
    *,
    status: int = 200,
    paying: bool = False,
    codes: list[CodeView] | None = None,
    notes: Sequence[str] = (),
    notice: Notice | None = None,
) -> Response[bytes]:
    visit.page.path = f"/orders/{encode('ord', owner.order_id)}"
    order, asks = await look(visit, owner, paying=paying), await inputs.of_order(visit, owner.tenant_id, owner.order_id)
    return visit.render("order.html", status=status, order=order, asks=asks, codes=codes, notes=notes, notice=notice)


async def lookup_page(visit: Visit, number: str = "", *, status: int = 200, notice: Notice | None = None) -> Response[bytes]:
    mine: list[OrderView] = []
    if shopper := visit.shopper():
        async with tenant_tx(visit.process.app_pool, shopper.tenant_id) as tx:
            latest = (await orders.latest(tx, orders.Asked(shopper_id=shopper.id), limit=2 * MINE_MAX)).orders
        mine = [view(order) for order in latest if order.state != "refused" and order.lines][:MINE_MAX]
    return visit.render("lookup.html", status=status, form={"order": number}, mine=mine, notice=notice)


def _number(text: str) -> str:
    """An order's number as people type it: with spaces, in capitals, without the prefix."""
    plain = "".join(text.split()).lower()
    return plain if plain.startswith("ord_") else f"ord_{plain}"
