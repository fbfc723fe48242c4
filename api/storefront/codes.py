"""What was bought, shown: in the answer to the press alone. No address leads to it, no cache keeps it, each look is in the audit."""

from collections.abc import Sequence

from litestar import Response, post
from litestar.params import FromPath

from api.headers import SECURITY_HEADERS
from api.storefront import grants
from api.storefront import visit as visits
from api.storefront.orders import Owner, consented, owner_of, page
from api.storefront.rendering import Notice
from api.storefront.views import CodesView, CodeView
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import AppError, Conflict, NotFound, TooMany
from checkout_core.ids import encode
from tenants import delivery, orders
from tenants.db import tenant_tx
from tenants.orders import notices

AT_STORE = {"visit": visits.at_store}
BOM = "\ufeff"  # an editor of Windows reads Chinese by it


@post("/orders/{order:str}/codes", dependencies=AT_STORE, status_code=200)
async def codes(visit: AVisit, order: FromPath[str]) -> Response[bytes]:
    """The press, or the script's in its stead (`by_itself`): that counts once, and only if the press of "pay" asked for it here."""
    fields = await visit.form()
    owner = await owner_of(visit, order)
    if "by_itself" in fields and not consented(visit, owner):
        return visit.go(f"/orders/{order}")
    try:
        shown = await _reveal(visit, owner)
    except Conflict:
        return visit.go(f"/orders/{order}")
    visit.set_cookie(grants.cookie_name("reveal-consent", secure=visit.secure), "", 0, path=grants.path(owner.order_id))
    visit.page.gzip = False  # nothing that compresses beside a secret
    return await page(visit, owner, codes=shown)


@post("/orders/{order:str}/codes/file", dependencies=AT_STORE, status_code=200)
async def file(visit: AVisit, order: FromPath[str]) -> Response[bytes]:
    """The same as a text to keep: a look like any other."""
    await visit.form()
    owner = await owner_of(visit, order)
    try:
        shown = await _reveal(visit, owner)
    except Conflict:
        return visit.go(f"/orders/{order}")
    number = encode("ord", owner.order_id)
    text = BOM + "\r\n".join(_written(visit, number, shown)) + "\r\n"
    headers = SECURITY_HEADERS | {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{number[:12]}.txt"'}
    return Response(text.encode(), media_type="text/plain; charset=utf-8", headers=headers)


@post("/orders/{order:str}/mail", dependencies=AT_STORE, status_code=200)
async def mail(visit: AVisit, order: FromPath[str]) -> Response[bytes]:
    """To the address that was left with the order, and nowhere else: where it is found, without a code."""
    await visit.form()
    store, owner, t = await visit.at_store(), await owner_of(visit, order), visit.words
    try:
        async with tenant_tx(visit.process.app_pool, owner.tenant_id) as tx:
            await orders.get(tx, owner.order_id, shopper_id=owner.shopper_id)
            mail_id = await notices.resend(tx, owner.order_id, shop_url=visit.process.at(store.host, ""), actor=owner.actor)
    except NotFound:
        raise
    except TooMany as error:
        notice = Notice(t("problem.too_many.title"), t("problem.too_many.text", seconds=error.retry_after_s or 1))
        return await page(visit, owner, status=429, notice=notice)
    except AppError:
        return visit.go(f"/orders/{order}")
    visit.process.bell.ring("mail", owner.tenant_id, mail_id)
    return await page(visit, owner, notice=Notice(t("codes.mailed.title"), t("codes.mailed.text"), ""))


async def _reveal(visit: Visit, owner: Owner) -> list[CodesView]:
    """By line. Raises `Conflict` while there is nothing to show."""
    async with tenant_tx(visit.process.app_pool, owner.tenant_id) as tx:
        order = await orders.get(tx, owner.order_id, shopper_id=owner.shopper_id)
        revealed = await delivery.reveal(tx, visit.process.keyring, owner.order_id, actor=owner.actor, shopper_id=owner.shopper_id)
    shown = []
    for line in order.lines:
        units = [each for each in revealed if each.sale_id == line.sale_id]
        contents = [each.content for each in units]
        items = tuple(
            CodeView(code=c.code, secret=c.secret, valid_until=c.valid_until, face_value=c.face_value, note=c.note) for c in contents
        )
        if items:
            shown.append(CodesView(name=line.name, items=items, usage_note=units[0].usage_note))
    return shown


def _written(visit: Visit, number: str, shown: Sequence[CodesView]) -> list[str]:
    t = visit.words
    assert visit.page.shared["store"] is not None, "the page is `at_store`"
    lines = [visit.page.shared["store"].name, f"{t('order.number')}: {number}"]
    for group in shown:
        lines += ["", group.name]
        for item in group.items:
            said = [
                (t("codes.card" if item.secret else "codes.code"), item.code), (t("codes.secret"), item.secret),
                (t("codes.face_value"), item.face_value), (t("codes.valid_until"), item.valid_until), ("", item.note),
            ]  # fmt: skip
            told = [f"{name}: {value}" if name else value for name, value in said if value]
            lines.append("  ".join(told) or t("codes.done"))
        lines += [group.usage_note] if group.usage_note else []
    return [line.replace("\r\n", "\n").replace("\n", "\r\n") for line in lines]
