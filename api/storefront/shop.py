"""One sale, and the press of "buy"."""

import datetime as dt
import random
import secrets
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from api.carts import CartLine, NewOrder, new_order
from api.checkouts import NewCheckout, press
from api.directory import Store
from api.storefront import inputs, waiting
from api.storefront import visit as visits
from api.storefront.rendering import Notice
from api.storefront.views import QUANTITY_MAX, ChoiceView, SaleView
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import AppError, BadRequest, Conflict, NotFound, TooMany, Unavailable, Unprocessable
from checkout_core.ids import decode, encode
from checkout_core.intents import SaleKey
from checkout_core.tokens import Shopper
from tenants import offers, picks, sales
from tenants.catalog import kinds
from tenants.catalog.kinds import Asked
from tenants.db import TenantTx, tenant_tx
from tenants.offers import Offer
from tenants.orders import Order, place
from tenants.types.fields import Fault

RELOAD_MAX_S = 3600  # a page without scripts reloads itself at the start of a sale, if that is no further away
CHOICES_MAX = 100  # of a picked SKU
PICK_MAX = 64
TRIES_MAX = 12  # after that the page waits for a person
RETRY_S_MAX = 15.0

REFUSED = frozenset(
    {
        "sold_out", "limit", "not_started", "ended", "paused", "unpaid_cap", "cool_down", "idempotency_conflict", "not_on_the_shelf",
        "not_offered", "picks_missing",
    }
)  # fmt: skip


class BuyForm(msgspec.Struct, frozen=True):
    """What the form shows. `key` makes every press of this form one order, however often it is sent."""

    key: str
    quantity: int = 1
    contact: str = ""
    pick: str = ""
    turn: bool = False  # he comes from the waiting room: no refusal from memory


@get("/at/{slug:str}/sales/{sale:str}")
async def at(visit: AVisit, slug: FromPath[str], sale: FromPath[str]) -> Response[bytes]:
    """A link of a mail, which leads below the platform's address: on to the page at the store's own."""
    store = await visit.process.directory.find("", slug)
    return visit.go(visit.at_host(store.host, f"/sales/{encode('sal', decode('sal', sale))}"))


@get("/sales/{sale:str}", dependencies={"visit": visits.at_store})
async def sale(visit: AVisit, sale: FromPath[str], turn: FromQuery[bool] = False) -> Response[bytes]:
    return await page(visit, sale, BuyForm(_new_key(), turn=turn))


@post("/sales/{sale:str}/buy", status_code=200)
async def buy(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    fields = await visit.form(fields_max=inputs.FIELDS_MAX)
    try:
        return await _buy(visit, sale, fields)
    except (Unavailable, TooMany) as error:
        if isinstance(error, TooMany) and error.code != "busy":
            raise
        # The outcome is open: the same wish under the same key, by the script or by hand, never makes a second order.
        return _again(visit, sale, fields, error)


async def _buy(visit: Visit, sale: str, fields: dict[str, str]) -> Response[bytes]:
    await visit.at_open_store()
    form, wish, notice = _read(visit, sale, fields)
    if wish is None:
        return await page(visit, sale, form, status=400, notice=notice, given=fields)
    asked = await _asked(visit, sale) if inputs.speaks(fields) else []
    if wrong := inputs.wrong(asked, fields):
        t = visit.words
        notice = Notice(t("inputs.wrong.title"), t("inputs.wrong.text"), "bad")
        return await page(visit, sale, form, status=422, notice=notice, given=fields, wrong=wrong)
    shopper = None
    try:
        # A form that was sent before says so: no refusal from memory before Postgres was asked whether it has become an order.
        shopper = await visit.shopper_or_guest()
        if await visit.process.doors.is_shelf(SaleKey(shopper.tenant_id, decode("sal", sale))):
            return await _ordered(visit, shopper, (await _order(visit, shopper, form, wish)).id, fields)
        decision = await press(visit.process, shopper, wish, form.key, channel=visit.channel, retried="tries" in fields or "turn" in fields)
    except (Conflict, NotFound, TooMany, Unprocessable) as error:
        if line := await waiting.instead(visit, shopper, sale, error):
            return line
        if error.code not in REFUSED:
            raise
        # The refusal belongs to this form's key; a new press is a new wish.
        again = msgspec.structs.replace(form, key=_new_key())
        return await page(visit, sale, again, status=error.status, refused=error, given=fields)
    return await _ordered(visit, shopper, decision.order_id, fields)


async def _ordered(visit: Visit, shopper: Shopper, order_id: UUID, fields: dict[str, str]) -> Response[bytes]:
    """To the order, with what the form said of it; what is missing the order's page asks for."""
    if inputs.speaks(fields):
        with suppress(Conflict):  # pressed again, and paid by now
            async with tenant_tx(visit.process.app_pool, shopper.tenant_id) as tx:
                await inputs.give(tx, visit, order_id, shopper.id, fields)
    return visit.go(f"/orders/{encode('ord', order_id)}")


async def _asked(visit: Visit, sale: str) -> list[Asked]:
    """What whoever buys in the sale is asked for."""
    store = await visit.at_open_store()
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        sku_id = (await offers.get(tx, decode("sal", sale), visit.channel, visit.locale)).sku_id
        return (await kinds.asked(tx, [sku_id], visit.locale))[sku_id]


async def _order(visit: Visit, shopper: Shopper, form: BuyForm, wish: NewCheckout) -> Order:
    """An order of one line, for what is on the shelf."""
    async with tenant_tx(visit.process.app_pool, shopper.tenant_id) as tx:
        sale = await sales.get(tx, decode("sal", wish.sale_id))
    line = CartLine(sku_id=encode("sku", sale.sku_id), quantity=wish.quantity, picks=[form.pick] * wish.quantity if form.pick else [])
    cart = NewOrder(lines=[line], contact=wish.contact, lookup_password=wish.lookup_password)
    await visit.process.limits.check(("carts", shopper.id.hex))
    return await place.place(visit.process.app_pool, shopper.tenant_id, new_order(visit.process, shopper, cart, form.key, visit.channel))


def _again(visit: Visit, sale: str, fields: dict[str, str], error: AppError) -> Response[bytes]:
    """A page that needs no database: the form as it was sent, to be sent again, more and more slowly."""
    visit.page.path = f"/sales/{sale}"
    tries = _number(fields.pop("tries", "")) + 1
    wait_s = min((error.retry_after_s or 1) * 1.5 ** min(tries - 1, TRIES_MAX), RETRY_S_MAX)
    known = ("key", "quantity", "contact", "lookup_password", "pick", "turn")
    kept = {name: value for name, value in fields.items() if name in known or name.startswith(inputs.PREFIX)}
    headers = {"Retry-After": str(int(wait_s) + 1)}
    return visit.render(
        "again.html", status=error.status, headers=headers,
        sale=sale, fields=kept, tries=tries, tries_max=TRIES_MAX, retry_after_s=round(wait_s, 1),
    )  # fmt: skip


async def page(
    visit: Visit,
    sale: str,
    form: BuyForm,
    *,
    status: int = 200,
    notice: Notice | None = None,
    refused: AppError | None = None,
    given: dict[str, str] | None = None,
    wrong: dict[UUID, dict[str, Fault]] | None = None,
) -> Response[bytes]:
    visit.page.path = f"/sales/{sale}"
    store = await visit.at_open_store()
    shown, asked = await _look(visit, store, sale)
    asks = [inputs.view(each, visit.words, inputs.said(given or {}, each.sku_id), (wrong or {}).get(each.sku_id, {})) for each in asked]
    if refused is not None:
        t, code = visit.words, f"refused.{refused.code}"
        text = t(f"{code}.text", n=shown.limit_per_shopper, seconds=refused.retry_after_s or 1)
        notice = Notice(t(f"{code}.title"), text)
    reload_s = None
    until_s = (shown.starts_at - shown.now).total_seconds()
    if shown.status == "soon" and until_s < RELOAD_MAX_S:
        reload_s = int(until_s) + random.randint(1, 3)  # noqa: S311 - spreads the crowd, guards nothing
    headers = {"Retry-After": str(refused.retry_after_s)} if refused and refused.retry_after_s else {}
    return visit.render(
        "sale.html", status=status, headers=headers, canonical=visit.canonical(), sale=shown, form=form, notice=notice, reload_s=reload_s,
        asks=asks, channel=visit.channel,
    )  # fmt: skip


async def _look(visit: Visit, store: Store, sale: str) -> tuple[SaleView, list[Asked]]:
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        offer = await offers.get(tx, decode("sal", sale), visit.channel, visit.locale)
        choices = await _choices(tx, offer, visit.channel)
        asked = (await kinds.asked(tx, [offer.sku_id], visit.locale))[offer.sku_id]
    held = bool(await visit.remembered.held.get((store.tenant_id, offer.sale_id))) if offer.stock <= 0 else None
    return msgspec.structs.replace(view(offer, dt.datetime.now(dt.UTC), held=held), choices=choices), asked


async def _choices(tx: TenantTx, offer: Offer, channel: str) -> tuple[ChoiceView, ...]:
    """What is free of a picked one on the shelf: as many as fit a list."""
    if offer.door != "shelf" or not offer.picked or offer.state != "open":
        return ()
    listed = await picks.offered(tx, offer.sku_id, channel, limit=CHOICES_MAX)
    free = [each.pick for each in listed if each.available]
    return tuple(ChoiceView(name=each.name, label=each.label, surcharge_minor=each.surcharge_minor or 0) for each in free)


def view(offer: Offer, now: dt.datetime, *, held: bool | None) -> SaleView:
    return SaleView(
        id=offer.sale_id, name=offer.name, product=offer.product_name, sku=offer.sku_name, description=offer.description,
        state=offer.state, price_minor=offer.price_minor, currency=offer.currency, starts_at=offer.starts_at, ends_at=offer.ends_at,
        limit_per_shopper=offer.limit_per_shopper, hold_s=offer.hold_s, left=offer.stock, held=held, now=now,
        waiting_room=offer.waiting_room,
    )  # fmt: skip


def _read(visit: Visit, sale: str, fields: dict[str, str]) -> tuple[BuyForm, NewCheckout | None, Notice | None]:
    """The form as it was filled in, and the wish in it, or what is wrong with it."""
    t = visit.words
    quantity, contact = fields.get("quantity", ""), fields.get("contact", "")
    number = _number(quantity)
    form = BuyForm(fields.get("key", ""), min(max(number, 1), QUANTITY_MAX), contact[:254], fields.get("pick", "")[:PICK_MAX])
    if not (16 <= len(form.key) <= 64 and form.key.isascii() and form.key.isprintable()):
        raise BadRequest("The form has no key of its own.")
    wish: dict[str, Any] = {"sale_id": sale, "quantity": number}
    wish |= {name: fields[name] for name in ("contact", "lookup_password") if fields.get(name)}
    try:
        return form, msgspec.convert(wish, NewCheckout), None
    except msgspec.ValidationError as error:
        text = t("problem.quantity", n=QUANTITY_MAX) if "$.quantity" in str(error) else t("problem.contact")
        return form, None, Notice(t("problem.bad.title"), text, "bad")


def _number(text: str) -> int:
    """A small whole number, 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _new_key() -> str:
    return f"page-{secrets.token_urlsafe(16)}"
