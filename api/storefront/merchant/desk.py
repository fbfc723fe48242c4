"""The desk: what is on sale, what is in stock, the last orders, and a form for the next product."""

import datetime as dt
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromQuery

from api.storefront import orders
from api.storefront.merchant.session import allow, card, signed_in
from api.storefront.rendering import Notice
from api.storefront.views import SaleView
from api.storefront.visit import AVisit, Visit
from checkout_core.ids import encode
from tenants import catalog, overview
from tenants import orders as order_book
from tenants.db import tenant_tx
from tenants.money import minor_units

ORDERS_SHOWN = 20
DONE = ("product", "sale", "sale_changed")


class ProductForm(msgspec.Struct, frozen=True):
    product: str = ""
    sku: str = ""
    price: str = ""
    description: str = ""


class ShelfView(msgspec.Struct, frozen=True):
    ref: str
    product: str
    name: str
    price_minor: int
    currency: str
    available: int
    held: int
    sold: int
    unallotted: int


@get("/merchant", dependencies=signed_in)
async def show(visit: AVisit, done: FromQuery[str | None] = None) -> Response[bytes]:
    t = visit.words
    notice = Notice(t(f"done.{done}"), "", "") if done in DONE else None
    return await page(visit, ProductForm(), notice=notice)


@post("/merchant/products", dependencies=signed_in, status_code=200)
async def add_product(visit: AVisit) -> Response[bytes]:
    actor = allow(visit, "catalog:write")
    fields = await visit.form()
    form = ProductForm(*(fields.get(name, "") for name in ProductForm.__struct_fields__))
    t = visit.words
    assert visit.merchant is not None
    async with tenant_tx(visit.process.app_pool, visit.merchant.tenant_id) as tx:
        store = await overview.store(tx)
        price_minor = price_of(form.price, store.currency)
        wrong = "name" if not (good_name(form.product) and good_name(form.sku)) else "price" if price_minor is None else None
        if wrong is None:
            assert price_minor is not None
            product = await catalog.create_product(tx, name=form.product, description=form.description[:5000], actor=actor)
            await catalog.create_sku(
                tx, product_id=product.id, name=form.sku, price_minor=price_minor, currency=store.currency, code_pattern=None, actor=actor
            )
    if wrong is None:
        return visit.go("/merchant?done=product")
    return await page(visit, form, status=400, notice=Notice(t("wrong.title"), t(f"wrong.{wrong}"), "bad"))


async def page(visit: Visit, form: ProductForm, *, status: int = 200, notice: Notice | None = None) -> Response[bytes]:
    allow(visit, "catalog:read", "sales:read", "orders:read")
    assert visit.merchant is not None
    async with tenant_tx(visit.process.app_pool, visit.merchant.tenant_id) as tx:
        await card(visit, tx)
        shelves = await overview.shelves(tx)
        running = await overview.running(tx)
        latest = (await order_book.latest(tx, limit=ORDERS_SHOWN)).orders
    skus = [shelf_view(shelf) for shelf in shelves]
    visit.page.path = "/merchant"
    return visit.render(
        "merchant/desk.html", status=status, notice=notice, form=form, skus=skus, has_stock=any(sku.available for sku in skus),
        sales=[_sale(sale) for sale in running], orders=[orders.view(order) for order in latest if order.lines],
    )  # fmt: skip


def shelf_view(shelf: overview.Shelf) -> ShelfView:
    _, *rest = msgspec.structs.astuple(shelf)
    return ShelfView(encode("sku", shelf.sku_id), *rest)


def price_of(text: str, currency: str) -> int | None:
    """The price in minor units, or None for what is no price above zero."""
    try:
        price_minor = minor_units(text, currency)
    except ValueError:
        return None
    return price_minor if 0 < price_minor <= 100_000_000_000 else None


def good_name(text: str) -> bool:
    return 0 < len(text) <= 200


def _sale(sale: overview.Running) -> dict[str, Any]:
    seen = SaleView(
        id=sale.sale_id, name=sale.name, product="", sku="", description="", state=sale.state, price_minor=sale.price_minor,
        currency=sale.currency, starts_at=sale.starts_at, ends_at=sale.ends_at, limit_per_shopper=0, hold_s=0, left=sale.available,
        held=sale.held > 0, now=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    return {
        "ref": seen.ref, "name": sale.name, "status": seen.status, "state": sale.state, "price_minor": sale.price_minor,
        "currency": sale.currency, "left": sale.available, "held": sale.held, "sold": sale.sold,
    }  # fmt: skip
