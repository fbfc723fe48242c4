"""Finding a shopper: by the contact he left with an order, or by his id; or all of them, by their last orders."""

import datetime as dt
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants import search
from tenants.db import TenantTx
from tenants.orders import Asked, find

SHOPPERS_MAX = 100
UNFINISHED = ("awaiting", "closing", "paid", "refunding")


class Shopper(msgspec.Struct, frozen=True):
    """What is held about one shopper, in figures. `unfinished` orders have to end before he can be erased. `contact` is the last that he
    left."""

    id: UUID
    orders: int
    unfinished: int
    last_order_at: dt.datetime | None
    erased_at: dt.datetime | None
    contact: str | None


class Page(NamedTuple):
    """`next` is where the following page begins, None behind the last. A page may be short, or empty, and yet not the last."""

    shoppers: list[Shopper]
    next: tuple[dt.datetime, UUID] | None


ORDERS_AT_ONCE: Final = 100
ROUNDS: Final = 10  # of orders that are looked through for a page: who has a thousand in a row makes it a short one


# Of the shoppers $2, a row each; $3 are the states that have not ended.
_SHOPPERS = """SELECT shopper_id, count(*), count(*) FILTER (WHERE state = ANY($3)), max(created_at),
                      (SELECT erased_at FROM erased_shopper e WHERE e.tenant_id = $1 AND e.shopper_id = orders.shopper_id),
                      (array_agg(contact ORDER BY created_at DESC) FILTER (WHERE contact IS NOT NULL))[1]
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


# Of the orders $2, those that are the last of their shopper's; with words $3, of those with a contact that has all of them.
_HAS = f"""($3::text IS NULL OR ({{order}}.contact IS NOT NULL AND NOT EXISTS (
                SELECT FROM word WHERE strpos({search.FOLDED.format("{order}.contact")}, w) = 0)))"""
_LAST = f"""WITH {search.WORDS.format(q="$3")}
    SELECT o.id FROM unnest($2::uuid[]) AS given (id)
    CROSS JOIN LATERAL (SELECT id, shopper_id, created_at, contact FROM orders WHERE tenant_id = $1 AND id = given.id OFFSET 0) AS o
    WHERE {_HAS.format(order="o")} AND NOT EXISTS (
        SELECT FROM orders AS later WHERE later.tenant_id = $1 AND later.shopper_id = o.shopper_id
        AND (later.created_at, later.id) > (o.created_at, o.id) AND {_HAS.format(order="later")})"""


async def latest(tx: TenantTx, *, q: str | None = None, limit: int, before: tuple[dt.datetime, UUID] | None = None) -> Page:
    """Who ordered, each where his last order stands, at most `limit`, older than the place `before`; with `q`, words of a contact, who left
    such a one, where his last order with it stands.

    Orders are read newest first until the page is full: no list of shoppers has to be written when a crowd presses.
    """
    found: list[tuple[dt.datetime, UUID, UUID]] = []
    place = before
    for _ in range(ROUNDS):
        page = await find.latest(tx, Asked(q=q), limit=ORDERS_AT_ONCE, before=place)
        rows = await tx.conn.fetch(_LAST, tx.tenant_id, [order.id for order in page.orders], q)
        last = {row["id"] for row in rows}
        found += [(order.created_at, order.id, order.shopper_id) for order in page.orders if order.id in last]
        place = page.next
        if place is None or len(found) > limit:
            break
    if len(found) > limit:
        place = found[limit - 1][:2]
    shown = [shopper_id for _, _, shopper_id in found[:limit]]
    by_id = {each.id: each for each in await _shoppers(tx, shown)}
    return Page([by_id[shopper_id] for shopper_id in shown], place)
