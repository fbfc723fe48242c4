"""What a SKU costs, for whom, where and how many of it."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from tenants.db import TenantTx


class Ask(NamedTuple):
    sku_id: UUID
    quantity: int


class Price(NamedTuple):
    """Of one unit, in minor units. `base_minor` is the SKU's own; `price_id` the version of the list's entry that said otherwise."""

    unit_minor: int
    price_id: UUID | None
    base_minor: int
    currency: str


async def of(tx: TenantTx, shopper_id: UUID | None, channel: str, asks: Sequence[Ask]) -> list[Price]:
    """A price for each, in order. Every SKU is there: whoever asks has looked."""
    sql = "SELECT id, price_minor, currency FROM sku WHERE tenant_id = $1 AND id = ANY($2)"
    found = {row[0]: (row[1], row[2]) for row in await tx.conn.fetch(sql, tx.tenant_id, [ask.sku_id for ask in asks])}
    return [Price(found[ask.sku_id][0], None, *found[ask.sku_id]) for ask in asks]
