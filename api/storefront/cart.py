"""The cart on the pages: what was put into it, at the prices and with the stock of this moment, whatever has changed since."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post

from api.storefront import catalogue, coupons, goods, picking
from api.storefront import visit as visits
from api.storefront.coupons import OffView
from api.storefront.goods import PictureView
from api.storefront.rendering import Notice
from api.storefront.visit import AVisit, Unproven, Visit
from checkout_core.errors import AppError, BadRequest, Conflict, NotFound, Unprocessable
from checkout_core.ids import decode, encode
from tenants import carts, offers, picks, stores
from tenants.catalog import images, kinds
from tenants.db import TenantTx, tenant_tx
from tenants.offers import Offer
from tenants.orders import place
from tenants.orders.cart import LINES_MAX, Wanted, summed
from tenants.orders.place import Quoted
from tenants.orders.weigh import Buyer

QUANTITY_MAX = 100  # of a line
FIELDS_MAX = 2 * LINES_MAX + 120  # a quantity of each line, or as many picks as a page lists
NOBODY = UUID(int=0)  # who has not bought here asks what everybody pays
PROBLEMS = frozenset(
    {
        "sold_out", "limit", "paused", "ended", "not_started", "not_on_the_shelf", "not_offered", "picks_missing", "part_twice",
        "price_too_small", "too_many", "not_picked", "too_many_lines",
    }
)  # fmt: skip
AT_STORE = {"visit": visits.at_store}


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """`was_minor` is what the line cost when the shopper last saw it, if that was something else. `problem` keeps it from being ordered."""

    sku_id: UUID
    product_ref: str | None
    name: str
    under: str
    picture: PictureView | None
    seed: UUID
    quantity: int
    quantity_max: int
    picks: tuple[str, ...]
    amount_minor: int | None
    base_minor: int | None
    was_minor: int | None
    available: int
    problem: str | None
    problem_n: int

    @property
    def ref(self) -> str:
        return encode("sku", self.sku_id)


class CartView(msgspec.Struct, frozen=True, kw_only=True):
    """`total_minor` is of the lines that can be had; what is to be paid is less `discount_minor`."""

    lines: tuple[LineView, ...]
    total_minor: int
    saved_minor: int
    currency: str
    discount_minor: int = 0
    coupons: tuple[OffView, ...] = ()

    @property
    def payable_minor(self) -> int:
        return self.total_minor - self.discount_minor

    @property
    def used(self) -> list[str]:
        """The pieces that take something off."""
        return [each.ref for each in self.coupons if each.discount_minor]

    @property
    def is_fine(self) -> bool:
        return bool(self.lines) and not any(line.problem for line in self.lines)


@get("/cart", dependencies=AT_STORE)
async def show(visit: AVisit) -> Response[bytes]:
    return await page(visit)


@post("/cart/lines", dependencies=AT_STORE, status_code=200)
async def add(visit: AVisit) -> Response[bytes]:
    """From a product's page, which is the same for everybody: into the cart, or at once to the checkout with nothing else."""
    try:
        fields = await visit.form(proofless=True, fields_max=FIELDS_MAX)
    except Unproven as error:
        return visit.render("once_more.html", status=error.status, action="/cart/lines", fields=error.fields)
    store = await visit.at_open_store()
    sku_id = decode("sku", fields.get("sku", ""))
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        found = (await offers.on_shelf(tx, [sku_id], visit.channel, visit.locale)).get(sku_id)
        if found is None:
            raise NotFound("This is not on the shelf.")
    try:
        line = await _line(visit, found, fields)
    except (Conflict, Unprocessable) as error:
        return await _refused(visit, found, fields, error)
    if fields.get("then") == "checkout":
        return visit.go(f"/checkout?{only(line)}")
    shopper = await visit.shopper_or_guest()
    await visit.process.limits.check(("carts", shopper.id.hex))
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        kept = await carts.get(tx, shopper.id)
        lines = summed([*kept.lines, line])
        if len(lines) > LINES_MAX:
            raise Conflict(f"A cart has at most {LINES_MAX} things.", code="too_many_lines")
        lines = [await _bounded(tx, each) if each.sku_id == sku_id else each for each in lines]
        quoted = await place.quote(tx, Buyer(shopper.id, visit.channel), [each for each in lines if each.sku_id == sku_id])
        await carts.put(tx, shopper.id, lines, {**kept.seen, sku_id: quoted.lines[0].amount_minor})
    visit.now_in_cart(len(lines))
    return visit.go("/cart?added=" + encode("sku", sku_id))


@post("/cart", dependencies=AT_STORE, status_code=200)
async def change(visit: AVisit) -> Response[bytes]:
    """Other quantities, or one line less. What the shopper has seen of prices is kept with it."""
    fields = await visit.form(fields_max=FIELDS_MAX)
    store, shopper = await visit.at_open_store(), visit.shopper()
    if shopper is None:
        return visit.go("/cart")
    await visit.process.limits.check(("carts", shopper.id.hex))
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        kept = await carts.get(tx, shopper.id)
        lines = [line for each in kept.lines if (line := _changed(each, fields)) is not None]
        if lines:
            quoted = await place.quote(tx, Buyer(shopper.id, visit.channel), lines)
            await carts.put(tx, shopper.id, lines, {each.wanted.sku_id: each.amount_minor for each in quoted.lines})
        else:
            await carts.remove(tx, shopper.id)
    visit.now_in_cart(len(lines))
    if notice := await coupons.typed(visit, fields):
        return await page(visit, notice=notice, status=422 if notice.tone == "bad" else 200)
    return visit.go("/checkout" if fields.get("then") == "checkout" and lines else "/cart")


async def page(visit: Visit, *, status: int = 200, notice: Notice | None = None) -> Response[bytes]:
    store, shopper = await visit.at_open_store(), visit.shopper()
    cart = CartView(lines=(), total_minor=0, saved_minor=0, currency=(await visit.face()).currency)
    if shopper is not None:
        async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
            kept = await carts.get(tx, shopper.id)
            if kept.lines:
                cart = await view(visit, tx, shopper.id, kept.lines, kept.seen)
    if len(cart.lines) != visit.page.shared["in_cart"]:
        visit.now_in_cart(len(cart.lines))
    visit.page.path = "/cart"
    added = visit.request.query_params.get("added", "")
    named = next((line.name for line in cart.lines if line.ref == added), None)
    return visit.render("cart.html", status=status, cart=cart, notice=notice, added=named)


async def view(visit: Visit, tx: TenantTx, shopper_id: UUID, lines: Sequence[Wanted], seen: Mapping[UUID, int]) -> CartView:
    """The lines as they are now, for this shopper."""
    quoted = await place.quote(tx, Buyer(shopper_id, visit.channel), lines)
    found = await offers.on_shelf(tx, [each.wanted.sku_id for each in quoted.lines], visit.channel, visit.locale)
    sizes = await images.sizes(tx, [offer.product_id for offer in found.values()])
    shown = []
    for each in quoted.lines:
        named = await picks.of(tx, each.wanted.sku_id, each.wanted.picks) if each.wanted.picks else {}
        labels = tuple(named[name].label if name in named else name for name in each.wanted.picks)
        shown.append(_shown(each, found.get(each.wanted.sku_id), labels, sizes, seen.get(each.wanted.sku_id)))
    can = [line for line in shown if line.problem is None and line.amount_minor is not None]
    total = sum(line.amount_minor or 0 for line in can)
    saved = sum((line.base_minor or 0) - (line.amount_minor or 0) for line in can)
    return CartView(
        lines=tuple(shown), total_minor=total, saved_minor=max(0, saved), currency=(await stores.get(tx)).currency,
        discount_minor=quoted.discount_minor, coupons=coupons.off(quoted.coupons),
    )  # fmt: skip


def only(line: Wanted) -> str:
    """A checkout of this line alone, as a query."""
    asked = {"sku": encode("sku", line.sku_id), "quantity": str(line.quantity)}
    return urlencode(asked | ({"picks": msgspec.json.encode(line.picks).decode()} if line.picks else {}))


def only_line(fields: Mapping[str, str]) -> Wanted | None:
    """The line of such a query or form; None where the cart is meant. Raises `NotFound`, `BadRequest`."""
    if not fields.get("sku"):
        return None
    try:
        named = tuple(msgspec.json.decode(fields.get("picks") or "[]", type=list[str]))
    except msgspec.DecodeError:
        raise BadRequest("These are no choices.") from None
    quantity = len(named) or _number(fields.get("quantity", "1"), 0)
    if not 0 < quantity <= QUANTITY_MAX or not all(map(picking.is_name, named)):
        raise BadRequest("These are no choices.")
    return Wanted(decode("sku", fields["sku"]), quantity, named)


def new_key() -> str:
    return f"page-{secrets.token_urlsafe(16)}"


def _shown(each: Quoted, offer: Offer | None, labels: tuple[str, ...], sizes: Any, was: int | None) -> LineView:
    problem = each.problem.code if each.problem else None
    said: dict[str, Any] = each.problem.extra if each.problem else {}
    name = offer.product_name if offer else each.name
    under = " · ".join(offer.choices.values()) or (offer.sku_name if offer.sku_name != name else "") if offer else ""
    limit = offer.limit_per_shopper if offer else 0
    return LineView(
        sku_id=each.wanted.sku_id, product_ref=encode("prd", offer.product_id) if offer else None, name=name, under=under,
        picture=goods.picture(offer.images, sizes) if offer else None, seed=offer.product_id if offer else each.wanted.sku_id,
        quantity=each.wanted.quantity, quantity_max=min(limit or QUANTITY_MAX, QUANTITY_MAX), picks=labels,
        amount_minor=each.amount_minor, base_minor=each.base_minor,
        was_minor=was if was is not None and each.amount_minor is not None and was != each.amount_minor else None,
        available=each.available, problem=problem if problem in PROBLEMS or problem is None else "not_on_the_shelf",
        problem_n=int(said.get("limit_per_shopper", each.available)),
    )  # fmt: skip


async def _line(visit: Visit, offer: Offer, fields: Mapping[str, str]) -> Wanted:
    """What a product's form asks for. Raises `Unprocessable` (`picks_missing`, `bad_pick`, `quantity`)."""
    if not offer.picked:
        quantity = _number(fields.get("quantity", "1"), 0)
        if not 0 < quantity <= QUANTITY_MAX:
            raise Unprocessable("The quantity is a whole number from 1 to 100.", code="quantity")
        return Wanted(offer.sku_id, quantity)
    named = picking.read(fields)
    if not named:
        raise picking.missing()
    if len(named) > QUANTITY_MAX:
        raise Unprocessable("The quantity is a whole number from 1 to 100.", code="quantity")
    return Wanted(offer.sku_id, len(named), tuple(named))


async def _refused(visit: Visit, offer: Offer, fields: dict[str, str], error: AppError) -> Response[bytes]:
    """The product's page again, with what was filled in."""
    t = visit.words
    texts = {"quantity": t("problem.quantity", n=QUANTITY_MAX), "bad_pick": t("product.bad_stay")}
    notice = Notice(t("problem.bad.title"), texts.get(error.code, t("refused.picks_missing.title")), "bad")
    ref = encode("sku", offer.sku_id)
    return await catalogue.page(visit, offer.product_id, ref, status=error.status, notice=notice, form=fields)


async def _bounded(tx: TenantTx, line: Wanted) -> Wanted:
    """No more than a line may have, and of what there is once, one."""
    if not line.picks:
        return line._replace(quantity=min(line.quantity, QUANTITY_MAX))
    kind = (await kinds.of(tx, [line.sku_id]))[line.sku_id]
    kept: list[str] = []
    for name in line.picks:
        if name not in kept or not kind.type.alone(kind.config, name):
            kept.append(name)
    return line._replace(quantity=min(len(kept), QUANTITY_MAX), picks=tuple(kept[:QUANTITY_MAX]))


def _changed(line: Wanted, fields: Mapping[str, str]) -> Wanted | None:
    """The line as the form wants it; None for one that is to go. Chosen units go one by one on the product's page, or all here."""
    ref = encode("sku", line.sku_id)
    if fields.get("remove") == ref:
        return None
    if line.picks or f"q.{ref}" not in fields:
        return line
    quantity = min(_number(fields[f"q.{ref}"], line.quantity), QUANTITY_MAX)
    return line._replace(quantity=quantity) if quantity else None


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise
