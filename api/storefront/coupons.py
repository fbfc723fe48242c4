"""Coupons on the pages: what a cart is less by them, the box for a code, and the page of a shopper's own and of those he may claim."""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence

import msgspec
from litestar import Response, get, post

from api.limits import address
from api.storefront import visit as visits
from api.storefront.rendering import Notice
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import decode, encode
from checkout_core.intents import order_id
from tenants.coupons import grants
from tenants.coupons.definitions import Coupon
from tenants.coupons.held import Told
from tenants.db import tenant_tx

CODE_MAX = 64
AT_STORE = {"visit": visits.at_store}
REFUSED = frozenset({"unknown_code", "not_claimable", "none_left", "had_enough", "not_found"})
# What a shopper who sees his cart can do something about, or wonders about.
TOLD = frozenset({"threshold", "not_together", "not_the_best", "out_of_scope", "not_yet", "used_up"})


class OffView(msgspec.Struct, frozen=True):
    """A piece on a cart: what it takes off, or `why` nothing."""

    ref: str
    name: str
    discount_minor: int
    why: str | None
    missing_minor: int


class WorthView(msgspec.Struct, frozen=True):
    """What it says on a coupon. `state` is a piece's, `open` for one to be claimed, `gone` for one that cannot be."""

    ref: str
    name: str
    kind: str
    off_minor: int
    rate: str  # of a percent, as it is told: "15" per cent off; in Chinese "8.5" tenths are left
    cap_minor: int | None
    threshold_minor: int
    scope: str
    currency: str
    until: dt.datetime | None
    days: int | None
    state: str


def off(told: Sequence[Told]) -> tuple[OffView, ...]:
    """What a cart shows of the shopper's pieces."""
    shown = [each for each in told if each.discount_minor or each.why in TOLD]
    return tuple(OffView(encode("cpg", each.grant_id), each.name, each.discount_minor, each.why, each.missing_minor) for each in shown)


async def typed(visit: Visit, fields: Mapping[str, str]) -> Notice | None:
    """The code that was typed in, if one was, claims its piece; what came of that."""
    code = fields.get("coupon_code", "")[:CODE_MAX]
    if not code:
        return None
    t, shopper = visit.words, await visit.shopper_or_guest()
    await visit.process.limits.check(("coupon-guesses", address(visit.request)))
    await visit.process.limits.check(("coupon-codes", shopper.id.hex))
    try:
        async with tenant_tx(visit.process.app_pool, shopper.tenant_id) as tx:
            await grants.by_code(tx, code, shopper.id, visit.channel)
    except (Conflict, NotFound) as error:
        return _refused(visit, error)
    return Notice(t("coupons.got.title"), t("coupons.got.text"))


@get("/me/coupons", dependencies=AT_STORE)
async def show(visit: AVisit) -> Response[bytes]:
    return await _page(visit)


@post("/me/coupons", dependencies=AT_STORE, status_code=200)
async def claim(visit: AVisit) -> Response[bytes]:
    """By its button, or by a code."""
    fields = await visit.form()
    await visit.at_open_store()
    if fields.get("coupon_code"):
        notice = await typed(visit, fields)
        return await _page(visit, notice=notice, status=422 if notice and notice.tone == "bad" else 200)
    coupon_id, shopper = decode("cpn", fields.get("coupon", "")), await visit.shopper_or_guest()
    await visit.process.limits.check(("coupon-claims", shopper.id.hex))
    key = fields.get("key", "")
    grant_id = order_id(visit.process.keys.orders, shopper.tenant_id, shopper.id, f"coupon {coupon_id.hex} {key}") if key else None
    try:
        async with tenant_tx(visit.process.app_pool, shopper.tenant_id) as tx:
            await grants.claim(tx, coupon_id, shopper.id, visit.channel, grant_id)
    except Conflict as error:
        return await _page(visit, notice=_refused(visit, error), status=error.status)
    return visit.go("/me/coupons")


async def _page(visit: Visit, *, status: int = 200, notice: Notice | None = None) -> Response[bytes]:
    store, shopper = await visit.at_open_store(), visit.shopper()
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        there = await grants.claimable(tx, shopper.id if shopper else None, visit.channel)
        own = await grants.mine(tx, shopper.id) if shopper else []
    language = visit.words.language
    shown = [each for each in there if each.left or not each.has]
    open_ = [_worth(language, each.coupon, encode("cpn", each.coupon.id), "open" if each.left else "gone") for each in shown]
    mine = [_worth(language, each.coupon, encode("cpg", each.grant.id), each.grant.state, each.grant.valid_until) for each in own]
    held = [each for each in mine if each.state in ("held", "locked")]
    visit.page.path = "/me/coupons"
    return visit.render(
        "coupons.html", status=status, notice=notice, open=open_, held=held, over=[each for each in mine if each not in held][:20],
        key=secrets.token_urlsafe(16),
    )  # fmt: skip


def _refused(visit: Visit, error: Conflict | NotFound) -> Notice:
    code = error.code if error.code in REFUSED else "not_claimable"
    return Notice(visit.words("coupons.refused"), visit.words(f"coupons.refused.{code}"), "bad")


def _worth(language: str, coupon: Coupon, ref: str, state: str, until: dt.datetime | None = None) -> WorthView:
    rate = f"{(10_000 - coupon.off_bp) / 1000:g}" if language == "zh-CN" else f"{coupon.off_bp / 100:g}"
    return WorthView(
        ref, coupon.name, coupon.kind, coupon.off_minor, rate, coupon.cap_minor, coupon.threshold_minor, coupon.scope, coupon.currency,
        until or coupon.valid_until, coupon.valid_days if state in ("open", "gone") else None, state,
    )  # fmt: skip
