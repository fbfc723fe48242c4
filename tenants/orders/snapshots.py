"""What an order was made of: for each line the price paid, the version of a price it was priced by, and what product and SKU said then."""

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec

from tenants.catalog.versions import AS_OF, ProductContent, SkuContent
from tenants.db import TenantTx
from tenants.orders import read


class PricedBy(msgspec.Struct, frozen=True):
    """A version of a price on a list; `list_name` is what that is called today."""

    id: UUID
    list_id: UUID
    list_name: str
    least_quantity: int
    unit_minor: int
    since: dt.datetime


class Line(msgspec.Struct, frozen=True):
    """`priced_by` None is the SKU's own price, or its sale's. A content that is None nobody has written down; one whose `since` is later
    than the order is the first that somebody has."""

    sale_id: UUID
    sku_id: UUID
    product_id: UUID
    quantity: int
    unit_price_minor: int
    amount_minor: int
    priced_by: PricedBy | None
    product: ProductContent | None
    product_since: dt.datetime | None
    sku: SkuContent | None
    sku_since: dt.datetime | None


_LINES = f"""SELECT l.sale_id, l.sku_id, k.product_id, l.quantity, l.unit_price_minor,
                    coalesce(l.amount_minor, l.quantity * l.unit_price_minor) AS amount_minor,
                    e.id AS price_id, e.list_id, e.least_quantity, e.unit_minor, e.since AS price_since,
                    (SELECT name FROM price_list WHERE tenant_id = $1 AND id = e.list_id) AS list_name,
                    pv.since AS product_since, pv.content AS product, kv.since AS sku_since, kv.content AS sku
             FROM (SELECT * FROM order_line WHERE tenant_id = $1 AND order_id = $2 OFFSET 0) AS l
             CROSS JOIN LATERAL (SELECT product_id FROM sku WHERE tenant_id = $1 AND id = l.sku_id OFFSET 0) AS k
             LEFT JOIN LATERAL (SELECT * FROM price_entry WHERE tenant_id = $1 AND id = l.price_id OFFSET 0) AS e ON true
             LEFT JOIN LATERAL {AS_OF.format(of="k.product_id", at="$3::timestamptz")} AS pv ON true
             LEFT JOIN LATERAL {AS_OF.format(of="l.sku_id", at="$3::timestamptz")} AS kv ON true
             ORDER BY l.sale_id"""


async def of(tx: TenantTx, order: read.Order) -> list[Line]:
    """By the moment the order was made: whatever was edited since says nothing here."""
    return [_line(dict(row)) for row in await tx.conn.fetch(_LINES, tx.tenant_id, order.id, order.created_at)]


def _line(row: dict[str, Any]) -> Line:
    names = ("price_id", "list_id", "list_name", "least_quantity", "unit_minor", "price_since")
    price_id, *rest = [row.pop(name) for name in names]
    product, sku = row.pop("product"), row.pop("sku")
    return Line(
        **row, priced_by=None if price_id is None else PricedBy(price_id, *rest),
        product=None if product is None else msgspec.json.decode(product, type=ProductContent),
        sku=None if sku is None else msgspec.json.decode(sku, type=SkuContent),
    )  # fmt: skip
