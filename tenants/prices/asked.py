"""What a shopper pays: the cheapest of the SKU's own price and the entries of the lists that are for him."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from checkout_core.errors import NotFound
from checkout_core.ids import encode
from tenants.db import TenantTx


class Ask(NamedTuple):
    sku_id: UUID
    quantity: int


class Price(NamedTuple):
    """For one unit, in minor units. `price_id` is the version of a list's entry, None for the SKU's own price; `base_minor` is that."""

    unit_minor: int
    price_id: UUID | None
    base_minor: int
    currency: str


# Entries are read cheapest first, until one applies; of two at the same price the older. One that is not cheaper than the SKU itself says
# nothing. Each look-up stands by itself (OFFSET 0): joined, a young database would read all lists of the tenant for each SKU.
_OF = """SELECT a.sku_id, k.price_minor, k.currency, e.id, e.unit_minor
         FROM unnest($4::uuid[], $5::integer[]) WITH ORDINALITY AS a(sku_id, quantity, n)
         LEFT JOIN LATERAL (SELECT price_minor, currency FROM sku WHERE tenant_id = $1 AND id = a.sku_id OFFSET 0) AS k ON true
         LEFT JOIN LATERAL (
             SELECT p.id, p.unit_minor FROM price_entry AS p
             WHERE p.tenant_id = $1 AND p.sku_id = a.sku_id AND p.until IS NULL
               AND p.unit_minor < k.price_minor AND p.least_quantity <= a.quantity
               AND EXISTS (
                   SELECT 1 FROM price_list AS l
                   WHERE l.tenant_id = $1 AND l.id = p.list_id AND l.state = 'on' AND (l.channel IS NULL OR l.channel = $3)
                     AND (l.starts_at IS NULL OR l.starts_at <= now()) AND (l.ends_at IS NULL OR l.ends_at > now())
                     AND (l.group_id IS NULL OR EXISTS (
                         SELECT 1 FROM group_member AS m
                         WHERE m.tenant_id = $1 AND m.group_id = l.group_id AND m.shopper_id = $2 OFFSET 0))
                   OFFSET 0)
             ORDER BY p.unit_minor, p.id LIMIT 1) AS e ON true
         ORDER BY a.n"""


class Step(NamedTuple):
    """From `quantity` units on each costs so much."""

    quantity: int
    unit_minor: int


async def of(tx: TenantTx, shopper_id: UUID | None, channel: str, asks: Sequence[Ask]) -> list[Price]:
    """What each of `asks` costs him, in their order; a `shopper_id` of None is in no group. The moment is the transaction's.

    Raises `NotFound`, with those that are `missing`.
    """
    arguments = ([ask.sku_id for ask in asks], [ask.quantity for ask in asks])
    rows = await tx.conn.fetch(_OF, tx.tenant_id, shopper_id, channel, *arguments)
    if missing := [encode("sku", row["sku_id"]) for row in rows if row["price_minor"] is None]:
        raise NotFound("There is no such SKU.", missing=missing)
    return [Price(unit_minor or base, price_id, base, currency) for _, base, currency, price_id, unit_minor in rows]


_QUANTITIES = """SELECT DISTINCT p.sku_id, p.least_quantity FROM unnest($4::uuid[]) AS a(sku_id)
                 CROSS JOIN LATERAL (SELECT sku_id, least_quantity, list_id FROM price_entry
                                     WHERE tenant_id = $1 AND sku_id = a.sku_id AND until IS NULL OFFSET 0) AS p
                 WHERE p.least_quantity > 1 AND EXISTS (
                     SELECT 1 FROM price_list AS l
                     WHERE l.tenant_id = $1 AND l.id = p.list_id AND l.state = 'on' AND (l.channel IS NULL OR l.channel = $3)
                       AND (l.group_id IS NULL OR EXISTS (
                           SELECT 1 FROM group_member AS m
                           WHERE m.tenant_id = $1 AND m.group_id = l.group_id AND m.shopper_id = $2 OFFSET 0))
                     OFFSET 0)"""


async def steps(tx: TenantTx, shopper_id: UUID | None, channel: str, sku_ids: Sequence[UUID]) -> dict[UUID, list[Step]]:
    """What one of each SKU costs him, and from which quantities on it costs less. The first step is that of one."""
    found = {(sku_id, 1) for sku_id in sku_ids}
    found |= {(row[0], row[1]) for row in await tx.conn.fetch(_QUANTITIES, tx.tenant_id, shopper_id, channel, list(sku_ids))}
    asks = [Ask(*each) for each in sorted(found)]
    told: dict[UUID, list[Step]] = {}
    for ask, price in zip(asks, await of(tx, shopper_id, channel, asks), strict=True):
        below = told.setdefault(ask.sku_id, [])
        if not below or price.unit_minor < below[-1].unit_minor:
            below.append(Step(ask.quantity, price.unit_minor))
    return told


async def any_for_groups(tx: TenantTx) -> bool:
    """Whether anybody may pay less than everybody, by the group he is in."""
    sql = "SELECT EXISTS (SELECT 1 FROM price_list WHERE tenant_id = $1 AND state = 'on' AND group_id IS NOT NULL)"
    return bool(await tx.conn.fetchval(sql, tx.tenant_id))
