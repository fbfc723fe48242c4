"""Bundles in an order: a line of a bundle becomes lines of its parts, at shares of its price."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import AppError, Conflict, Unprocessable
from checkout_core.ids import encode
from tenants import prices, types
from tenants.catalog.review import VISIBLE
from tenants.db import TenantTx
from tenants.orders.cart import LINES_MAX, Wanted
from tenants.orders.sale import Sale
from tenants.orders.shares import Claim, divide
from tenants.prices import Ask, Price
from tenants.types import Part


class Meant(NamedTuple):
    """What was asked for as it is bought: each SKU once, those of bundles as their parts. A line with a problem is not among the `lines`.

    `prices` are the bundles' and `problems` those of what was asked for, both by its SKU.
    """

    lines: list[Wanted]
    prices: dict[UUID, Price]
    problems: dict[UUID, AppError]


class _Sku(NamedTuple):
    name: str
    price_minor: int


async def parts_of(tx: TenantTx, sku_ids: Sequence[UUID]) -> dict[UUID, Sequence[Part]]:
    """The parts of those of the SKUs that are bundles, as they are now."""
    sql = "SELECT id, type, config FROM sku WHERE tenant_id = $1 AND id = ANY($2) AND stock = 'parts'"
    found = {}
    for sku_id, name, config in await tx.conn.fetch(sql, tx.tenant_id, sku_ids):
        type_ = types.of(name)
        found[sku_id] = type_.parts(types.configured(type_, msgspec.json.decode(config)))
    return found


# On the shelf and free: $1 tenant, $2 SKUs. Each is looked up; of a young database's joins one may read all sales, and keeps its plan.
_FREE = f"""SELECT k.id, s.free FROM unnest($2::uuid[]) AS x(id)
            CROSS JOIN LATERAL (SELECT id, product_id, state FROM sku WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS k
            CROSS JOIN LATERAL (SELECT state, moderation, shown FROM product WHERE tenant_id = $1 AND id = k.product_id OFFSET 0) AS p
            CROSS JOIN LATERAL (SELECT allotted - committed AS free FROM sale
                                WHERE tenant_id = $1 AND sku_id = k.id AND door = 'shelf' AND state = 'open' OFFSET 0) AS s
            WHERE {VISIBLE}"""


async def available(tx: TenantTx, sku_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many of each bundle can be had at this moment, by what its parts have on the shelf; none, when one of them is not sold."""
    bundles = await parts_of(tx, sku_ids)
    parts = sorted({part.sku_id for each in bundles.values() for part in each})
    free = {row["id"]: row["free"] for row in await tx.conn.fetch(_FREE, tx.tenant_id, parts)}
    return {sku_id: min(free.get(part.sku_id, 0) // part.quantity for part in each) for sku_id, each in bundles.items()}


async def need_parts(tx: TenantTx, sku_id: UUID) -> bool:
    """Before a SKU is put on the shelf: whether it is a bundle, whose parts are there. Raises `Conflict` (`parts_missing`)."""
    bundle = (await parts_of(tx, [sku_id])).get(sku_id)
    if bundle is None:
        return False
    sql = "SELECT sku_id FROM sale WHERE tenant_id = $1 AND sku_id = ANY($2) AND door = 'shelf' AND state <> 'ended'"
    there = {row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, [part.sku_id for part in bundle])}
    if missing := [encode("sku", part.sku_id) for part in bundle if part.sku_id not in there]:
        detail = f"Not on the shelf: {', '.join(missing)}. Put the parts there first. Nothing was changed."
        raise Conflict(detail, code="parts_missing", sku_ids=missing)
    return True


async def expand(tx: TenantTx, lines: Sequence[Wanted], shopper_id: UUID | None, channel: str) -> Meant:
    """The lines of an order, where each SKU is named once: those of bundles as lines of their parts, which cost together what the bundle
    costs this shopper, and all others as they are.

    What one bundle costs is divided, so that each of several is the same. Problems: `part_twice` for a SKU that would be in the order
    twice, since an order has one line of a sale; `price_too_small`; `not_picked` for a bundle with picks; `too_many_lines`.
    """
    bundles = await parts_of(tx, [line.sku_id for line in lines])
    if not bundles:
        return Meant(list(lines), {}, {})
    asks = [Ask(line.sku_id, line.quantity) for line in lines if line.sku_id in bundles]
    costs = dict(zip([ask.sku_id for ask in asks], await prices.of(tx, shopper_id, channel, asks), strict=True))
    known = await _skus(tx, [line.sku_id for line in lines] + [part.sku_id for parts in bundles.values() for part in parts])
    meant = Meant([], costs, {})
    seen: set[UUID] = set()
    for line in lines:
        try:
            bought = _as_parts(line, bundles[line.sku_id], costs[line.sku_id], known) if line.sku_id in bundles else [line]
            if twice := next((part for part in bought if part.sku_id in seen), None):
                raise _twice(twice, known[twice.sku_id].name)
            if len(meant.lines) + len(bought) > LINES_MAX:
                raise _too_many(line)
        except AppError as problem:
            meant.problems[line.sku_id] = problem
            continue
        meant.lines.extend(bought)
        seen |= {part.sku_id for part in bought}
    return meant


# How many of each bundle a shopper has: $1 tenant, $2 shopper, $3 bundles, $4 since when they are on the shelf. When a part was refunded
# he has the bundle still. His orders are looked up, and the lines of each.
_HAS = """SELECT b.id, sum(x.quantity)::bigint FROM unnest($3::uuid[], $4::timestamptz[]) AS b(id, since)
          CROSS JOIN LATERAL (
              SELECT DISTINCT o.id, l.bundle_quantity AS quantity FROM (
                  SELECT id FROM orders WHERE tenant_id = $1 AND shopper_id = $2 AND created_at >= b.since
                      AND state IN ('awaiting', 'closing', 'paid', 'delivered') OFFSET 0) AS o
              CROSS JOIN LATERAL (SELECT bundle_quantity FROM order_line WHERE tenant_id = $1 AND order_id = o.id AND bundle_id = b.id
                                  OFFSET 0) AS l) AS x
          GROUP BY b.id"""


async def too_many(
    tx: TenantTx, shopper_id: UUID, asked: Sequence[Wanted], meant: Meant, sales: Mapping[UUID, Sale]
) -> dict[UUID, AppError]:
    """The bundles of which the shopper would have more than he may, by SKU. Of an order their sales are locked: nobody adds to them."""
    bundles = [line for line in asked if line.sku_id in meant.prices]
    limited = {line: sale for line in bundles if (sale := sales.get(line.sku_id)) and sale.limit_per_shopper}
    if not limited:
        return {}
    ids, since = [line.sku_id for line in limited], [sale.starts_at for sale in limited.values()]
    has = {row[0]: row[1] for row in await tx.conn.fetch(_HAS, tx.tenant_id, shopper_id, ids, since)}
    return {
        line.sku_id: Conflict(
            f"One shopper may have {sale.limit_per_shopper} of this bundle. Nothing was reserved.", code="limit",
            sku_id=encode("sku", line.sku_id), limit_per_shopper=sale.limit_per_shopper,
        )
        for line, sale in limited.items() if has.get(line.sku_id, 0) + line.quantity > sale.limit_per_shopper
    }  # fmt: skip


def _as_parts(line: Wanted, parts: Sequence[Part], price: Price, known: dict[UUID, _Sku]) -> list[Wanted]:
    if line.picks:
        detail = f"Nobody chooses among units of {known[line.sku_id].name}: name no picks. Nothing was reserved."
        raise Unprocessable(detail, code="not_picked", sku_id=encode("sku", line.sku_id))
    claims = [Claim(p.sku_id, p.quantity, p.weight or known[p.sku_id].price_minor * p.quantity) for p in parts]
    return [
        Wanted(
            part.sku_id, line.quantity * part.quantity, amount_minor=line.quantity * share, bundle_id=line.sku_id,
            bundle_quantity=line.quantity, price_id=price.price_id,
        )
        for part, share in zip(parts, divide(price.unit_minor, claims), strict=True)
    ]  # fmt: skip


def _twice(line: Wanted, name: str) -> Conflict:
    detail = f"{name} would be in this order twice: in two bundles, or in one and by itself. Nothing was reserved; order it by itself."
    return Conflict(detail, code="part_twice", sku_id=encode("sku", line.sku_id))


def _too_many(line: Wanted) -> Unprocessable:
    detail = f"An order has at most {LINES_MAX} lines, and each part of a bundle is one. Nothing was reserved; order less at once."
    return Unprocessable(detail, code="too_many_lines", sku_id=encode("sku", line.sku_id))


async def _skus(tx: TenantTx, sku_ids: Sequence[UUID]) -> dict[UUID, _Sku]:
    sql = "SELECT id, name, price_minor FROM sku WHERE tenant_id = $1 AND id = ANY($2)"
    return {row[0]: _Sku(*row[1:]) for row in await tx.conn.fetch(sql, tx.tenant_id, sku_ids)}
