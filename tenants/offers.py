"""What a visitor sees of a store: sales that are on or to come, with the stock they truly have."""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants.db import TenantTx

LIMIT_MAX = 200


class Offer(msgspec.Struct, frozen=True):
    """`stock` is what nobody holds or bought, as of the last commit."""

    sale_id: UUID
    name: str
    product_name: str
    description: str
    sku_name: str
    state: str
    price_minor: int
    currency: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    limit_per_shopper: int
    hold_s: int
    stock: int


_SELECT = """SELECT s.id, s.name, p.name, p.description, k.name,
                    CASE WHEN s.state = 'ended' OR s.ends_at <= now() THEN 'ended'
                         WHEN s.starts_at > now() THEN 'not_started' ELSE s.state END AS state,
                    s.price_minor, s.currency, s.starts_at, s.ends_at, s.limit_per_shopper, s.hold_s, s.allotted - s.committed
             FROM sale s JOIN sku k ON k.tenant_id = s.tenant_id AND k.id = s.sku_id
                         JOIN product p ON p.tenant_id = k.tenant_id AND p.id = k.product_id
             WHERE s.tenant_id = $1"""


async def store_name(tx: TenantTx) -> str:
    """Raises `NotFound`."""
    if name := await tx.conn.fetchval("SELECT name FROM store WHERE tenant_id = $1", tx.tenant_id):
        return str(name)
    raise NotFound("There is no such store.")


async def current(tx: TenantTx) -> list[Offer]:
    """The newest sales that have not ended, at most 200."""
    sql = f"{_SELECT} AND s.state <> 'ended' AND (s.ends_at IS NULL OR s.ends_at > now()) ORDER BY s.id DESC LIMIT {LIMIT_MAX}"
    return [Offer(*row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def get(tx: TenantTx, sale_id: UUID) -> Offer:
    """Also of a sale that has ended. Raises `NotFound`."""
    if row := await tx.conn.fetchrow(f"{_SELECT} AND s.id = $2", tx.tenant_id, sale_id):
        return Offer(*row)
    raise NotFound("There is no such sale.")
