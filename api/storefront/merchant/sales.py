"""Putting on sale, pausing, resuming, ending."""

import datetime as dt
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from api.storefront.formats import currency
from api.storefront.merchant.desk import good_name, price_of, shelf_view
from api.storefront.merchant.session import allow, card, signed_in
from api.storefront.rendering import Notice
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import AppError, Conflict
from checkout_core.ids import decode, encode
from tenants import overview, sales
from tenants.db import tenant_tx

UNITS_MAX = 10_000_000


class SaleForm(msgspec.Struct, frozen=True):
    """As typed. `hold` is in minutes; `starts` and `ends` are in the store's zone."""

    sku: str = ""
    name: str = ""
    price: str = ""
    units: str = ""
    limit: str = "2"
    hold: str = "15"
    starts: str = ""
    ends: str = ""


class Wrong(Exception):
    """`key` names the message that says what is wrong with the form."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@get("/merchant/sales", dependencies=signed_in)
async def form(visit: AVisit, sku: FromQuery[str] = "") -> Response[bytes]:
    return await page(visit, SaleForm(sku=sku))


@post("/merchant/sales", dependencies=signed_in, status_code=200)
async def create(visit: AVisit) -> Response[bytes]:
    actor = allow(visit, "sales:write")
    fields = await visit.form()
    form = SaleForm(*(fields.get(name, "") for name in SaleForm.__struct_fields__))
    t = visit.words
    assert visit.merchant is not None
    try:
        async with tenant_tx(visit.process.app_pool, visit.merchant.tenant_id) as tx:
            store = await overview.store(tx)
            wish = _read(form, store.currency, ZoneInfo(store.zone))
            await sales.create(tx, **wish, actor=actor)
    except Wrong as error:
        return await page(visit, form, status=400, notice=Notice(t("wrong.title"), t(error.key), "bad"))
    except AppError as error:
        if error.status >= 500:
            raise
        return await page(visit, form, status=error.status, notice=Notice(t("wrong.title"), error.detail, "bad"))
    return visit.go("/merchant?done=sale")


@post("/merchant/sales/{sale:str}/pause", dependencies=signed_in, status_code=200)
async def pause(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    return await _turn(visit, sale, sales.pause)


@post("/merchant/sales/{sale:str}/resume", dependencies=signed_in, status_code=200)
async def resume(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    return await _turn(visit, sale, sales.resume)


@get("/merchant/sales/{sale:str}/end", dependencies=signed_in)
async def ask_end(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    """Ending is for good, so it is asked once, with what it does in numbers."""
    allow(visit, "sales:write")
    assert visit.merchant is not None
    async with tenant_tx(visit.process.app_pool, visit.merchant.tenant_id) as tx:
        await card(visit, tx)
        found = await sales.get(tx, decode("sal", sale))
    shown = {"ref": sale, "name": found.name, "left": found.allotted - found.committed}
    return visit.render("merchant/end_sale.html", sale=shown)


@post("/merchant/sales/{sale:str}/end", dependencies=signed_in, status_code=200)
async def end(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    return await _turn(visit, sale, sales.end)


async def page(visit: Visit, form: SaleForm, *, status: int = 200, notice: Notice | None = None) -> Response[bytes]:
    allow(visit, "sales:write", "catalog:read")
    assert visit.merchant is not None
    async with tenant_tx(visit.process.app_pool, visit.merchant.tenant_id) as tx:
        await card(visit, tx)
        shelves = [shelf for shelf in await overview.shelves(tx) if shelf.unallotted]
    chosen = next((shelf for shelf in shelves if encode("sku", shelf.sku_id) == form.sku), shelves[0] if shelves else None)
    if chosen and not form.name and not form.price:
        form = msgspec.structs.replace(form, name=f"{chosen.product} {chosen.name}"[:200], price=_typed(chosen))
    return visit.render("merchant/new_sale.html", status=status, form=form, notice=notice, skus=[shelf_view(shelf) for shelf in shelves])


async def _turn(visit: Visit, sale: str, change: Any) -> Response[bytes]:
    actor = allow(visit, "sales:write")
    await visit.form()
    assert visit.merchant is not None
    try:
        async with tenant_tx(visit.process.app_pool, visit.merchant.tenant_id) as tx:
            await change(tx, decode("sal", sale), actor=actor)
    except Conflict:
        return visit.go("/merchant")  # it has ended meanwhile: the desk shows it
    return visit.go("/merchant?done=sale_changed")


def _read(form: SaleForm, code: str, zone: dt.tzinfo) -> dict[str, Any]:
    """The form as `sales.create` takes it. Raises `Wrong`."""
    if not good_name(form.name):
        raise Wrong("wrong.name")
    price_minor = price_of(form.price, code)
    if price_minor is None:
        raise Wrong("wrong.price")
    return {
        "sku_id": _sku(form.sku), "name": form.name, "price_minor": price_minor,
        "units": _whole(form.units, 1, UNITS_MAX) if form.units else None,
        "limit_per_shopper": _whole(form.limit, 0, 1000), "hold_s": _whole(form.hold, 1, 1440) * 60,
        "starts_at": _instant(form.starts, zone), "ends_at": _instant(form.ends, zone),
    }  # fmt: skip


def _sku(text: str) -> UUID:
    return decode("sku", text)


def _whole(text: str, least: int, most: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most:
        return int(text)
    raise Wrong("wrong.number")


def _instant(text: str, zone: dt.tzinfo) -> dt.datetime | None:
    """What `<input type=datetime-local>` sends, in the store's zone; None for nothing."""
    if not text:
        return None
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise Wrong("wrong.time") from None


def _typed(shelf: overview.Shelf) -> str:
    """The SKU's own price as a person would type it."""
    digits = currency(shelf.currency).digits
    return f"{shelf.price_minor / 10**digits:.{digits}f}"
