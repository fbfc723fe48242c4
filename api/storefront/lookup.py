"""Finding an order again: by its number and what was left with it, and the numbers by mail."""

from litestar import Response, get, post
from litestar.params import FromQuery

from api.limits import address
from api.order_lookups import Lookup, Reminder, find_for_guest, note_reminder
from api.storefront import grants
from api.storefront import visit as visits
from api.storefront.orders import view
from api.storefront.rendering import Notice
from api.storefront.views import OrderView
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import AppError, TooMany
from tenants import orders
from tenants.db import tenant_tx
from tenants.orders import notices, reminders

MINE_MAX = 10
CONTACT_MAX = 254
AT_STORE = {"visit": visits.at_store}


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
