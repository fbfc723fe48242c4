"""The shopper's centre: what this browser's token proves, and nothing else. His orders, what they entitle to, what he wanted to be told."""

from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromQuery

from api.storefront import visit as visits
from api.storefront.orders import view
from api.storefront.points import NOBODY
from api.storefront.views import OrderView
from api.storefront.visit import AVisit
from checkout_core.errors import NotFound
from tenants import orders, reminders, types
from tenants.db import TenantTx, tenant_tx
from tenants.entitlements import of_shopper_all
from tenants.orders import receipt
from tenants.orders.receipt import Entitled
from tenants.points import read as points

AT_STORE = {"visit": visits.at_store}
ORDERS_MAX = 50
# What is asked for, and the states of it.
SHOWN = {
    "all": (), "open": ("awaiting", "closing"), "ready": ("delivered",), "running": ("paid", "refunding"),
    "over": ("expired", "cancelled", "refunded"),
}  # fmt: skip


class Right(msgspec.Struct, frozen=True):
    """Something he is entitled to, by the name of what he bought; `order` is where."""

    name: str
    label: str
    order_id: UUID
    what: Entitled


@get("/me", dependencies=AT_STORE)
async def me(visit: AVisit, show: FromQuery[str] = "all") -> Response[bytes]:
    store = await visit.at_store()
    chosen = show if show in SHOWN else "all"
    mine, rights, wishes = list[OrderView](), list[Right](), list[reminders.Mine]()
    contacts: list[str] = []
    shopper = visit.shopper()
    async with tenant_tx(visit.process.app_pool, store.tenant_id) as tx:
        account = await points.account(tx, shopper.id if shopper else NOBODY)
        if shopper is not None:
            found = (await orders.latest(tx, orders.Asked(shopper_id=shopper.id), limit=ORDERS_MAX)).orders
            rights = await _rights(tx, shopper.id, visit.words.language)
            wishes = await reminders.mine(tx, shopper.id)
            kept = [order for order in found if order.state != "refused" and order.lines]
            mine = [view(order) for order in kept if not SHOWN[chosen] or order.state in SHOWN[chosen]]
            contacts = list(dict.fromkeys(order.contact for order in kept if order.contact))[:5]
    visit.page.path = "/me"
    return visit.render(
        "me.html", known=shopper is not None, mine=mine, rights=rights, wishes=wishes, contacts=contacts, show=chosen, shown=list(SHOWN),
        signed_out=False, points=account,
    )  # fmt: skip


@post("/me/reminders", dependencies=AT_STORE, status_code=200)
async def end_reminder(visit: AVisit) -> Response[bytes]:
    """His own alone: what another one waits for is not found, and nothing is said of it."""
    fields = await visit.form()
    shopper = visit.shopper()
    try:
        wish_id = UUID(fields.get("wish", ""))
    except ValueError:
        raise NotFound("There is no such reminder.") from None
    if shopper is not None:
        async with tenant_tx(visit.process.app_pool, shopper.tenant_id) as tx:
            await reminders.stop(tx, wish_id, shopper_id=shopper.id)
    return visit.go("/me")


@post("/me/sign-out", dependencies=AT_STORE, status_code=200)
async def sign_out(visit: AVisit) -> Response[bytes]:
    """This browser is somebody else from now on. Orders are found by what was left with them."""
    await visit.form()
    visit.forget()
    visit.page.path = "/me"
    return visit.render(
        "me.html", known=False, mine=[], rights=[], wishes=[], contacts=[], show="all", shown=list(SHOWN), signed_out=True, points=None
    )


async def _rights(tx: TenantTx, shopper_id: UUID, language: str) -> list[Right]:
    granted = await of_shopper_all(tx, shopper_id)
    names = dict(
        await tx.conn.fetch(
            "SELECT id, name FROM sku WHERE tenant_id = $1 AND id = ANY($2)", tx.tenant_id, [each.sku_id for each in granted]
        )
    )
    told = {each.id: each for each in await receipt.entitled(tx, granted)}
    return [Right(names[each.sku_id], types.of(each.type).label[language], each.order_id, told[each.id]) for each in granted]
