"""The checkout: everything once more with its price, what each line asks for, how to find the order again; and then one order of it all."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post

from api.carts import CartLine, NewOrder, new_order
from api.storefront import cart as carts_page
from api.storefront import coupons, inputs
from api.storefront import visit as visits
from api.storefront.cart import NOBODY, PROBLEMS, CartView
from api.storefront.inputs import AskView
from api.storefront.rendering import Notice
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import AppError, BadRequest, Conflict, NotFound, TooMany, Unprocessable
from checkout_core.ids import encode
from checkout_core.intents import order_id
from checkout_core.tokens import Shopper
from tenants import carts, orders
from tenants.catalog import kinds
from tenants.catalog.kinds import Asked
from tenants.db import TenantTx, tenant_tx
from tenants.orders.cart import Wanted
from tenants.orders.place import place
from tenants.types.fields import Fault

AT_STORE = {"visit": visits.at_store}
_REFUSED = PROBLEMS | {"unpaid_cap", "cool_down", "idempotency_conflict", "coupon_unusable"}


class Filled(msgspec.Struct, frozen=True):
    """The form as it was filled in, apart from what lines ask for; nothing of it is lost when something is wrong."""

    key: str
    contact: str = ""
    accepted: bool = False


class Meant(msgspec.Struct, frozen=True):
    """What is to be ordered, and what is asked for it. `alone` is a single thing that never was in the cart."""

    lines: list[Wanted]
    alone: Wanted | None
    cart: CartView
    asked: list[Asked]

    @property
    def as_seen(self) -> str:
        """Changes when what is to be ordered does, or what it costs."""
        said = [(line.sku_id.bytes, line.quantity, line.picks) for line in self.lines]
        costs = (self.cart.payable_minor, self.cart.used)
        return blake2b(msgspec.msgpack.encode((said, costs)), digest_size=8).hexdigest()


@get("/checkout", dependencies=AT_STORE)
async def show(visit: AVisit) -> Response[bytes]:
    meant = await _meant(visit, carts_page.only_line(dict(visit.request.query_params)), visit.shopper())
    if not meant.lines:
        return visit.go("/cart")
    return _page(visit, meant, Filled(carts_page.new_key()))


@post("/checkout", dependencies=AT_STORE, status_code=200)
async def order(visit: AVisit) -> Response[bytes]:
    """All of it is reserved, or nothing; the page says what keeps it, with everything that was typed."""
    fields = await visit.form(fields_max=inputs.FIELDS_MAX)
    store = await visit.at_open_store()
    form = Filled(fields.get("key", ""), fields.get("contact", "")[:254], bool(fields.get("accepted")))
    if not (16 <= len(form.key) <= 64 and form.key.isascii() and form.key.isprintable()):
        raise BadRequest("The form has no key of its own.")
    shopper = await visit.shopper_or_guest()
    known = order_id(visit.process.keys.orders, store.tenant_id, shopper.id, form.key)
    if await _is_there(visit, shopper, known):
        return visit.go(f"/orders/{encode('ord', known)}")  # pressed twice
    got = await coupons.typed(visit, fields)
    meant = await _meant(visit, carts_page.only_line(fields), shopper)
    if not meant.lines:
        return visit.go("/cart")
    t = visit.words
    wrong = inputs.wrong(meant.asked, fields)
    wish = _wish(meant.lines, fields, meant.cart.used)
    must_accept = bool(visit.page.shared["store"].policies) and not form.accepted
    if got is not None:  # the code was all that was asked for: nothing else is found wanting yet
        return _page(visit, meant, form, status=422 if got.tone == "bad" else 200, notice=got, given=fields)
    if fields.get("as_seen") != meant.as_seen:
        notice = Notice(t("checkout.changed.title"), t("checkout.changed.text"))
    elif not meant.cart.is_fine:
        notice = Notice(t("checkout.problem.title"), t("checkout.problem.text"))
    elif wrong:
        notice = Notice(t("inputs.wrong.title"), t("inputs.wrong.text"), "bad")
    elif wish is None:
        notice = Notice(t("problem.bad.title"), t("problem.contact"), "bad")
    elif must_accept:
        notice = Notice(t("problem.bad.title"), t("checkout.accept_first"), "bad")
    else:
        return await _place(visit, shopper, meant, form, wish, fields)
    return _page(visit, meant, form, status=422, notice=notice, given=fields, wrong=wrong, must_accept=must_accept)


async def _place(visit: Visit, shopper: Shopper, meant: Meant, form: Filled, wish: NewOrder, fields: Mapping[str, str]) -> Response[bytes]:
    await visit.process.limits.check(("carts", shopper.id.hex))
    try:
        made = await place(visit.process.app_pool, shopper.tenant_id, new_order(visit.process, shopper, wish, form.key, visit.channel))
    except (Conflict, NotFound, TooMany, Unprocessable) as error:
        if error.code not in _REFUSED:
            raise
        # Nothing was kept: the page as it is now says which line it is about.
        again = await _meant(visit, meant.alone, shopper)
        return _page(visit, again, form, status=error.status, notice=_refused(visit, error), given=fields)
    async with tenant_tx(visit.process.app_pool, shopper.tenant_id) as tx:
        await inputs.give(tx, visit, made.id, shopper.id, fields)
        if meant.alone is None:
            await carts.remove(tx, shopper.id)
    if meant.alone is None:
        visit.now_in_cart(0)
    return visit.go(f"/orders/{encode('ord', made.id)}")


def _refused(visit: Visit, error: AppError) -> Notice:
    t = visit.words
    if error.code == "coupon_unusable":
        return Notice(t("checkout.changed.title"), t("checkout.changed.text"))
    if error.code in ("unpaid_cap", "cool_down", "idempotency_conflict"):
        stem = f"refused.{error.code}"
        return Notice(t(f"{stem}.title"), t(f"{stem}.text", seconds=error.retry_after_s or 1))
    return Notice(t("checkout.problem.title"), t("checkout.problem.text"))


async def _is_there(visit: Visit, shopper: Shopper, known: UUID) -> bool:
    async with tenant_tx(visit.process.app_pool, shopper.tenant_id) as tx:
        try:
            await orders.get(tx, known, shopper_id=shopper.id)
        except NotFound:
            return False
    return True


async def _meant(visit: Visit, alone: Wanted | None, shopper: Shopper | None) -> Meant:
    store = await visit.at_open_store()
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        seen: Mapping[UUID, int] = {}
        lines = [alone] if alone else []
        if alone is None and shopper is not None:
            kept = await carts.get(tx, shopper.id)
            lines, seen = kept.lines, kept.seen
        if not lines:
            return Meant([], None, CartView(lines=(), total_minor=0, saved_minor=0, currency=""), [])
        cart = await carts_page.view(visit, tx, shopper.id if shopper else NOBODY, lines, seen)
        return Meant(list(lines), alone, cart, await _asked(tx, lines, visit.locale))


async def _asked(tx: TenantTx, lines: Sequence[Wanted], locale: str) -> list[Asked]:
    found = await kinds.asked(tx, [line.sku_id for line in lines], locale)
    return [each for line in lines for each in found.get(line.sku_id, [])]


def _wish(lines: Sequence[Wanted], fields: Mapping[str, str], coupons: list[str]) -> NewOrder | None:
    """With the coupons that were shown, and no others. None when contact or password cannot be taken."""
    said: dict[str, Any] = {name: fields[name] for name in ("contact", "lookup_password") if fields.get(name)}
    said["coupons"] = coupons
    wanted = [CartLine(sku_id=encode("sku", line.sku_id), quantity=line.quantity, picks=list(line.picks)) for line in lines]
    try:
        return msgspec.convert(said | {"lines": msgspec.to_builtins(wanted)}, NewOrder)
    except msgspec.ValidationError as error:
        if "$.lines" in str(error):
            raise BadRequest("This cannot be ordered.") from None
        return None


def _page(
    visit: Visit,
    meant: Meant,
    form: Filled,
    *,
    status: int = 200,
    notice: Notice | None = None,
    given: Mapping[str, str] | None = None,
    wrong: Mapping[UUID, Mapping[str, Fault]] | None = None,
    must_accept: bool = False,
) -> Response[bytes]:
    typed = given or {}
    asks: list[AskView] = [
        inputs.view(each, visit.words, inputs.said(typed, each.sku_id), (wrong or {}).get(each.sku_id, {})) for each in meant.asked
    ]
    alone = meant.alone
    only = {"sku": encode("sku", alone.sku_id), "quantity": str(alone.quantity)} if alone else {}
    if alone and alone.picks:
        only["picks"] = msgspec.json.encode(alone.picks).decode()
    visit.page.path = f"/checkout?{carts_page.only(alone)}" if alone else "/checkout"
    return visit.render(
        "checkout.html", status=status, cart=meant.cart, asks=asks, form=form, only=only, as_seen=meant.as_seen, notice=notice,
        must_accept=must_accept,
    )  # fmt: skip
