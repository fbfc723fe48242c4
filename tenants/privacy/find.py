"""Finding a shopper: by the contact he left with an order, or by his id."""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants.db import TenantTx

SHOPPERS_MAX = 100
UNFINISHED = ("awaiting", "closing", "paid", "refunding")


class Shopper(msgspec.Struct, frozen=True):
    """What is held about one shopper, in figures. `unfinished` orders have to end before he can be erased."""

    id: UUID
    orders: int
    unfinished: int
    last_order_at: dt.datetime | None
    erased_at: dt.datetime | None


# Of the shoppers $2, a row each; $3 are the states that have not ended.
_SHOPPERS = """SELECT shopper_id, count(*), count(*) FILTER (WHERE state = ANY($3)), max(created_at),
                      (SELECT erased_at FROM erased_shopper e WHERE e.tenant_id = $1 AND e.shopper_id = orders.shopper_id)
               FROM orders WHERE tenant_id = $1 AND shopper_id = ANY($2) GROUP BY shopper_id ORDER BY max(created_at) DESC"""


async def shopper(tx: TenantTx, shopper_id: UUID) -> Shopper:
    """Raises `NotFound` for somebody who never ordered here."""
    if found := await _shoppers(tx, [shopper_id]):
        return found[0]
    raise NotFound("There is no such shopper.")


async def by_contact(tx: TenantTx, contact: str) -> list[Shopper]:
    """Whoever left this contact, in capitals or not, at most 100; the latest first.

    Orders have no index by contact, since each would have to be written when a crowd presses: all orders of the store are read, for once in
    a way that is good at that.
    """
    await tx.conn.execute("SELECT set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true)")
    sql = """SELECT shopper_id FROM orders WHERE tenant_id = $1 AND lower(btrim(contact)) = lower(btrim($2))
             GROUP BY shopper_id ORDER BY max(created_at) DESC LIMIT $3"""
    return await _shoppers(tx, [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, contact, SHOPPERS_MAX)])


async def _shoppers(tx: TenantTx, ids: list[UUID]) -> list[Shopper]:
    return [Shopper(*row) for row in await tx.conn.fetch(_SHOPPERS, tx.tenant_id, ids, UNFINISHED)]
