"""What was asked for, told of as it was asked for: a bundle as one line, whose stock and troubles are its own and its parts'."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from checkout_core.errors import AppError, Conflict
from checkout_core.ids import encode
from tenants.db import TenantTx
from tenants.orders.bundles import Meant
from tenants.orders.cart import Wanted
from tenants.orders.weigh import Buyer, Weighed, Weighing, closed, not_there

# How many of each bundle a shopper has: $1 tenant, $2 shopper, $3 bundles, $4 since when they are on the shelf. When a part was refunded
# he has the bundle still. His orders are looked up, and the lines of each.
_HAS = """SELECT b.id, coalesce(sum(x.quantity), 0)::bigint FROM unnest($3::uuid[], $4::timestamptz[]) AS b(id, since)
          CROSS JOIN LATERAL (
              SELECT DISTINCT o.id, l.bundle_quantity AS quantity FROM (
                  SELECT id FROM orders WHERE tenant_id = $1 AND shopper_id = $2 AND created_at >= b.since
                      AND state IN ('awaiting', 'closing', 'paid', 'delivered') OFFSET 0) AS o
              CROSS JOIN LATERAL (SELECT bundle_quantity FROM order_line WHERE tenant_id = $1 AND order_id = o.id AND bundle_id = b.id
                                  OFFSET 0) AS l) AS x
          GROUP BY b.id"""


async def whole(tx: TenantTx, buyer: Buyer, asked: Sequence[Wanted], meant: Meant, weighing: Weighing) -> list[Weighed]:
    """A line for each that was asked for. Of an order the sales of the parts are locked, so that no two orders count as one here."""
    weighed = {(line.wanted.bundle_id, line.wanted.sku_id): line for line in weighing.lines}
    parts: dict[UUID, list[Weighed]] = {sku_id: [] for sku_id in meant.prices}
    for line in weighing.lines:
        if line.wanted.bundle_id:
            parts[line.wanted.bundle_id].append(line)
    has = await _has(tx, buyer, weighing, meant.prices)
    lines = []
    for line in asked:
        sku = weighing.skus.get(line.sku_id)
        name = sku.name if sku else ""
        if problem := meant.problems.get(line.sku_id):
            lines.append(Weighed(line, name, price=meant.prices.get(line.sku_id), problem=problem))
        elif price := meant.prices.get(line.sku_id):
            sale = weighing.sales.get(line.sku_id)
            problem = _problem(line, name, weighing, has) or next((part.problem for part in parts[line.sku_id] if part.problem), None)
            free = min(_free(part) * line.quantity // part.wanted.quantity for part in parts[line.sku_id])
            lines.append(Weighed(line, name, sale, price, [price.unit_minor] * line.quantity, free, problem=problem))
        else:
            lines.append(weighed[None, line.sku_id])
    return lines


def _free(part: Weighed) -> int:
    return 0 if part.sale is None or part.sale.closed_because() else part.free


def _problem(line: Wanted, name: str, weighing: Weighing, has: Mapping[UUID, int]) -> AppError | None:
    """Of the bundle itself: it is not on the shelf, not sold just now, or the shopper has as many as he may."""
    sale = weighing.sales.get(line.sku_id)
    if sale is None:
        return not_there(line)
    if problem := closed(line, name, sale):
        return problem
    limit = sale.limit_per_shopper
    if limit and has.get(line.sku_id, 0) + line.quantity > limit:
        detail = f"One shopper may have {limit} of {name}. Nothing was reserved."
        return Conflict(detail, code="limit", sku_id=encode("sku", line.sku_id), limit_per_shopper=limit)
    return None


async def _has(tx: TenantTx, buyer: Buyer, weighing: Weighing, bundles: Mapping[UUID, object]) -> dict[UUID, int]:
    limited = {sku_id: sale.starts_at for sku_id in bundles if (sale := weighing.sales.get(sku_id)) and sale.limit_per_shopper}
    if not limited:
        return {}
    found = await tx.conn.fetch(_HAS, tx.tenant_id, buyer.shopper_id, list(limited), list(limited.values()))
    return {row[0]: row[1] for row in found}
