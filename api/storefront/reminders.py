"""Wishes to be told of a sale: left on its page, confirmed and ended behind the link of the one mail that asks."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from api.limits import address
from api.storefront import visit as visits
from api.storefront.rendering import Link, Notice
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import Conflict, NotFound, TooMany
from checkout_core.ids import decode, encode
from tenants import mails, reminders, throttle
from tenants.db import platform_tx, tenant_tx
from tenants.reminders import Wish

AT_STORE = {"visit": visits.at_store}


@post("/sales/{sale:str}/reminders", dependencies=AT_STORE, status_code=200)
async def wish(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    """The same answer whether the address waits already: whose it is, only its mailbox tells."""
    contact = (await visit.form()).get("mail", "")
    t, store, back = visit.words, await visit.at_open_store(), Link(f"/sales/{sale}", visit.words("problem.back"))
    if not mails.is_address(contact):
        return _say(visit, Notice(t("problem.bad.title"), t("problem.mail"), "bad", (back,)), status=400)
    await visit.process.limits.check(("sale-reminders", address(visit.request)))
    locale = "zh-CN" if visit.locale.startswith("zh") else "en"
    shopper = visit.shopper()
    mail_id = None
    try:
        async with platform_tx(visit.process.platform_pool) as conn:
            who = store.tenant_id.hex, contact.lower()
            await throttle.take(conn, throttle.SALE_REMINDER, *who, factor=visit.process.settings.ip_limit_factor)
        async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
            mail_id = await reminders.ask(
                tx, visit.process.keys.reminders, decode("sal", sale), contact, locale=locale,
                shop_url=visit.process.at(store.host, ""), shopper_id=shopper.id if shopper else None,
            )  # fmt: skip
    except TooMany:
        pass  # others may have asked for this address: nobody is told
    except Conflict as error:
        if error.code == "too_many":
            return _say(visit, Notice(t("remind.full.title"), t("remind.full.text"), links=(back,)), status=409)
        return visit.go(f"/sales/{sale}")  # it has begun, or something is left: the page says so
    if mail_id is not None:
        visit.process.bell.ring("mail", store.tenant_id, mail_id)
    return _say(visit, Notice(t("remind.asked.title"), t("remind.asked.text"), "", (back,)))


@get("/reminders", dependencies=AT_STORE)
async def show(visit: AVisit, token: FromQuery[str] = "") -> Response[bytes]:
    """Looking changes nothing: programs that read mails follow their links."""
    return _page(visit, token[:80], await _find(visit, token[:80]))


@post("/reminders", dependencies=AT_STORE, status_code=200)
async def answer(visit: AVisit) -> Response[bytes]:
    fields = await visit.form()
    token, t = fields.get("token", "")[:80], visit.words
    found = await _find(visit, token)
    if found is None:
        return _page(visit, token, None)
    store = await visit.at_store()
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        if fields.get("act") == "stop":
            await reminders.stop(tx, found.id)
        else:
            await reminders.confirm(tx, found.id)
    if fields.get("act") == "stop":
        return _say(visit, Notice(t("remind.stopped.title"), t("remind.stopped.text"), "", (Link("/", t("problem.home")),)))
    visit.process.bell.ring("reminder_round", store.tenant_id, found.sale_id)
    return _page(visit, token, await _find(visit, token))


async def _find(visit: Visit, token: str) -> Wish | None:
    store = await visit.at_store()
    try:
        wish_id = reminders.wish_of(visit.process.keys.reminders, token)
        async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
            return await reminders.get(tx, wish_id)
    except NotFound:
        return None


def _page(visit: Visit, token: str, found: Wish | None) -> Response[bytes]:
    visit.page.path = "/"
    sale = encode("sal", found.sale_id) if found else ""
    return visit.render("reminder.html", status=200 if found else 404, wish=found, token=token, sale=sale)


def _say(visit: Visit, notice: Notice, *, status: int = 200) -> Response[bytes]:
    return visit.render("notice.html", status=status, notice=notice)
