"""Bundles in an order: a line of a bundle becomes lines of its parts, at shares of its price."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, Unprocessable
from checkout_core.ids import encode
from tenants import prices, types
from tenants.catalog.review import VISIBLE
from tenants.db import TenantTx
from tenants.orders.cart import Wanted
from tenants.orders.shares import Claim, divide
from tenants.prices import Ask, Price
from tenants.types import Part


class PartTwice(Conflict):
    code = "part_twice"


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


async def expand(tx: TenantTx, lines: Sequence[Wanted], shopper_id: UUID | None, channel: str) -> list[Wanted]:
    """The lines of an order: those of bundles as lines of their parts, which cost together what the bundle costs this shopper, and all
    others as they are.

    What one bundle costs is divided, so that each of several is the same. Raises `Conflict` (`part_twice`) for a SKU that would be in the
    order twice, since an order has one line of a sale; `PriceTooSmall`; and `Unprocessable` (`not_picked`) for a bundle with picks.
    """
    bundles = await parts_of(tx, [line.sku_id for line in lines])
    if not bundles:
        return list(lines)
    bought = [line for line in lines if line.sku_id in bundles]
    if picked := next((line for line in bought if line.picks), None):
        sku = encode("sku", picked.sku_id)
        raise Unprocessable("Nobody chooses among units of a bundle: name no picks. Nothing was reserved.", code="not_picked", sku_id=sku)
    asked = await prices.of(tx, shopper_id, channel, [Ask(line.sku_id, line.quantity) for line in bought])
    costs = {line.sku_id: price for line, price in zip(bought, asked, strict=True)}
    known = await _skus(tx, [part.sku_id for parts in bundles.values() for part in parts])
    expanded: list[Wanted] = []
    for line in lines:
        parts = bundles.get(line.sku_id)
        expanded += [line] if parts is None else _as_parts(line, parts, costs[line.sku_id], known)
    seen = set()
    for line in expanded:
        if line.sku_id in seen:
            sku = encode("sku", line.sku_id)
            raise PartTwice(
                f"{known[line.sku_id].name} ({sku}) is in this order twice: in two bundles, or in one and by itself. Nothing was reserved; "
                "order one of them by itself.",
                sku_id=sku,
            )
        seen.add(line.sku_id)
    return expanded


def _as_parts(line: Wanted, parts: Sequence[Part], price: Price, known: dict[UUID, _Sku]) -> list[Wanted]:
    claims = [Claim(p.sku_id, p.quantity, p.weight or known[p.sku_id].price_minor * p.quantity) for p in parts]
    return [
        Wanted(part.sku_id, line.quantity * part.quantity, (), line.quantity * share, line.sku_id)
        for part, share in zip(parts, divide(price.unit_minor, claims), strict=True)
    ]


async def _skus(tx: TenantTx, sku_ids: Sequence[UUID]) -> dict[UUID, _Sku]:
    sql = "SELECT id, name, price_minor FROM sku WHERE tenant_id = $1 AND id = ANY($2)"
    return {row[0]: _Sku(*row[1:]) for row in await tx.conn.fetch(sql, tx.tenant_id, sku_ids)}
