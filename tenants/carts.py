"""Carts that are kept: what a shopper may order one day. A cart holds no unit and promises no price; what its lines cost, and whether they
can be had, is looked up when it is read (`tenants.orders.place.quote`)."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from tenants.db import TenantTx
from tenants.orders.cart import Wanted, summed

_encode = msgspec.json.Encoder().encode


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line as it lies in the row. `seen_minor` is what it cost when the shopper last saw and kept it; a later price is told beside it."""

    sku_id: UUID
    quantity: int
    picks: tuple[str, ...] = ()
    seen_minor: int | None = None


_decode = msgspec.json.Decoder(list[Kept]).decode


class Cart(NamedTuple):
    lines: list[Wanted]
    updated_at: dt.datetime | None  # None for one that was never kept, or is gone
    seen: Mapping[UUID, int] = {}  # what lines cost when they were kept, by SKU, as far as somebody said so


async def get(tx: TenantTx, shopper_id: UUID) -> Cart:
    sql = "SELECT lines, updated_at FROM cart WHERE tenant_id = $1 AND shopper_id = $2"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, shopper_id)
    if row is None:
        return Cart([], None)
    lines = _decode(row["lines"])
    seen = {kept.sku_id: kept.seen_minor for kept in lines if kept.seen_minor is not None}
    return Cart([Wanted(kept.sku_id, kept.quantity, kept.picks) for kept in lines], row["updated_at"], seen)


async def put(tx: TenantTx, shopper_id: UUID, lines: Sequence[Wanted], seen: Mapping[UUID, int | None] | None = None) -> Cart:
    """These are the cart from now on, each SKU once; `seen` is what they cost as the shopper was shown."""
    sql = """INSERT INTO cart (tenant_id, shopper_id, lines) VALUES ($1, $2, $3)
             ON CONFLICT (tenant_id, shopper_id) DO UPDATE SET lines = excluded.lines, updated_at = now()"""
    kept = [Kept(line.sku_id, line.quantity, line.picks, (seen or {}).get(line.sku_id)) for line in summed(lines)]
    await tx.conn.execute(sql, tx.tenant_id, shopper_id, _encode(kept).decode())
    return await get(tx, shopper_id)


async def remove(tx: TenantTx, shopper_id: UUID) -> None:
    """It is empty, and was perhaps before."""
    await tx.conn.execute("DELETE FROM cart WHERE tenant_id = $1 AND shopper_id = $2", tx.tenant_id, shopper_id)
