"""The cashier: what is to be paid, how long it can be, and where; it goes on by itself when the money is there."""

import io
from functools import lru_cache

import segno
from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from api.storefront import grants
from api.storefront import visit as visits
from api.storefront.orders import Owner, look, owner_of, page
from api.storefront.rendering import Notice
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import AppError, Conflict, NotFound
from checkout_core.ids import encode
from tenants.db import tenant_tx
from tenants.payments import accounts, attempts
from tenants.payments.attempts import Attempt

AT_STORE = {"visit": visits.at_store}


@get("/orders/{order:str}/pay", dependencies=AT_STORE)
async def cashier(visit: AVisit, order: FromPath[str]) -> Response[bytes]:
    """Looking starts nothing: the press before has started the attempt that is shown, or the one of a way that is chosen here will."""
    owner = await owner_of(visit, order)
    return await _page(visit, owner)


@post("/orders/{order:str}/pay", dependencies=AT_STORE, status_code=200)
async def pay(visit: AVisit, order: FromPath[str]) -> Response[bytes]:
    """Start to pay, or go on. `show` is the wish to see the codes in this browser as soon as they are delivered."""
    fields = await visit.form()
    (await visit.at_store()).must_not_be_suspended()
    owner = await owner_of(visit, order)
    place, t = grants.path(owner.order_id), visit.words
    try:
        await attempts.start(
            visit.process.app_pool, visit.process.providers, owner.tenant_id, owner.order_id,
            notify_base=visit.process.settings.public_url, return_url=visit.here(f"{place}?back=pay"), shopper_id=owner.shopper_id,
            provider=fields.get("way") or None,
        )  # fmt: skip
    except NotFound:
        raise
    except AppError as error:
        code = error.code if isinstance(error, Conflict) else ""
        if code == "not_payable":
            return visit.go(place)
        kind = code if code in ("input_missing", "no_payment_account") else "payment"
        notice = Notice(t(f"problem.{kind}.title"), t(f"problem.{kind}.text"))
        return await page(visit, owner, status=error.status, notice=notice)
    name = grants.cookie_name("reveal-consent", secure=visit.secure)
    if "show" in fields:
        consent = grants.make(visit.process.keys.lookups, owner.tenant_id, owner.order_id, "reveal-consent", grants.CONSENT_S)
        visit.set_cookie(name, consent, grants.CONSENT_S, path=place)
    elif visit.request.cookies.get(name):
        visit.set_cookie(name, "", 0, path=place)
    return visit.go(f"{place}/pay")


async def _page(visit: Visit, owner: Owner) -> Response[bytes]:
    order = await look(visit, owner)
    place = grants.path(owner.order_id)
    if order.face != "awaiting":
        return visit.go(place)
    async with tenant_tx(visit.process.app_pool, owner.tenant_id) as tx:
        opened = [each for each in await attempts.open_ones(tx, owner.order_id) if each.pay_url]
        ways = await accounts.ways(tx)
    attempt: Attempt | None = opened[-1] if opened else None
    if attempt is None and not ways:
        return visit.go(place)
    visit.page.path = f"{place}/pay"
    pay_url = attempt.pay_url if attempt else None
    return visit.render(
        "cashier.html", order=order, ways=ways, pay_url=pay_url, qr=qr(pay_url) if pay_url else None, number=encode("ord", owner.order_id)
    )  # fmt: skip


@lru_cache(maxsize=256)
def qr(text: str) -> Markup:
    """An SVG element that a phone reads, black on white whatever the page's colours are; 4 kB at most."""
    drawn = io.BytesIO()
    segno.make_qr(text, error="m").save(drawn, kind="svg", xmldecl=False, svgns=False, nl=False, omitsize=True, border=2)
    return Markup(drawn.getvalue().decode())  # noqa: S704 - made of numbers only
