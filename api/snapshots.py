"""HTTP for what an order was made of: prices and content as they were then."""

import datetime as dt
from typing import Any

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from api.guards import shopper_or
from api.strict import AnyRequest
from checkout_core.ids import decode, encode
from checkout_core.tokens import Shopper
from tenants import orders
from tenants.catalog import images, versions
from tenants.catalog.options import named
from tenants.db import TenantTx
from tenants.orders import snapshots


class PricedBy(Struct, frozen=True):
    """A price on a list, in the version that was in force; the list's name is today's."""

    price_id: str
    list_id: str
    list_name: str
    least_quantity: int
    unit_minor: int
    since: dt.datetime


class ThenTranslated(Struct, frozen=True):
    """`description` null is the one that was written."""

    name: str
    description: str | None


class ThenProduct(Struct, frozen=True):
    """`images` are the addresses its pictures had; those that were removed since are found there no more."""

    name: str
    description: str
    images: list[str]
    translations: dict[str, ThenTranslated]
    since: dt.datetime


class ThenSku(Struct, frozen=True):
    """`price_minor` was its own price. `usage_note` is told once the order is paid, `config` to the merchant alone; null otherwise."""

    name: str
    choices: dict[str, str]
    face_value: str | None
    usage_note: str | None
    price_minor: int
    currency: str
    type: str
    config: dict[str, Any] | None
    translations: dict[str, str]
    since: dt.datetime


class SnapshotLine(Struct, frozen=True):
    """What was paid for the line, by which price: `priced_by` null is the SKU's own, or its sale's. `product` and `sku` are what was shown
    when the order was made, from `since` on; a `since` that is later is that of the oldest that is known, null that nothing is."""

    sale_id: str
    sku_id: str
    product_id: str
    quantity: int
    unit_price_minor: int
    amount_minor: int
    priced_by: PricedBy | None
    product: ThenProduct | None
    sku: ThenSku | None


class Snapshot(Struct, frozen=True):
    """As of `created_at`, the order's: what was edited since changes nothing here."""

    lines: list[SnapshotLine]
    currency: str
    created_at: dt.datetime


class SnapshotController(Controller):
    path = "/orders/{order_id:str}/snapshot"
    tags = ("Prices",)

    @get(
        "/",
        guards=[shopper_or("orders:read")],
        operation_id="getSnapshot",
        summary="What product and SKU said when an order was made, and by which prices it was",
    )
    async def get(self, order_id: FromPath[str], request: AnyRequest, tx: NamedDependency[TenantTx]) -> Snapshot:
        shopper_id = request.auth.id if isinstance(request.auth, Shopper) else None
        order = await orders.get(tx, decode("ord", order_id), shopper_id=shopper_id)
        is_staff = shopper_id is None
        found = await snapshots.of(tx, order)
        lines = [_line(each, is_staff=is_staff, is_paid=is_staff or order.paid_at is not None) for each in found]
        return Snapshot(lines, order.currency, order.created_at)


def _line(line: snapshots.Line, *, is_staff: bool, is_paid: bool) -> SnapshotLine:
    by = line.priced_by
    return SnapshotLine(
        encode("sal", line.sale_id),
        encode("sku", line.sku_id),
        encode("prd", line.product_id),
        line.quantity,
        line.unit_price_minor,
        line.amount_minor,
        PricedBy(encode("pri", by.id), encode("prl", by.list_id), by.list_name, by.least_quantity, by.unit_minor, by.since) if by else None,
        _product(line.product, line.product_since),
        _sku(line, is_staff=is_staff, is_paid=is_paid),
    )


def _product(product: versions.ProductContent | None, since: dt.datetime | None) -> ThenProduct | None:
    if product is None or since is None:
        return None
    translations = {locale: ThenTranslated(words.name, words.description) for locale, words in product.translations.items()}
    pictures = [images.path_of(digest) for digest in product.images]
    return ThenProduct(product.name, product.description, pictures, translations, since)


def _sku(line: snapshots.Line, *, is_staff: bool, is_paid: bool) -> ThenSku | None:
    sku = line.sku
    if sku is None or line.sku_since is None:
        return None
    return ThenSku(
        sku.name,
        named(line.product.options if line.product else [], sku.choices),
        sku.face_value,
        sku.usage_note if is_paid else None,
        sku.price_minor,
        sku.currency,
        sku.type,
        sku.config if is_staff else None,
        sku.translations,
        line.sku_since,
    )
