"""What became of each line of an order, for its buyer: what is delivered, what is still being fulfilled, what went back, and until when."""

import datetime as dt
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from tenants import entitlements
from tenants.db import TenantTx
from tenants.orders.read import Order

ENTITLED_MAX: Final = 20  # of one line


class Entitled(msgspec.Struct, frozen=True):
    """What a unit entitles to; `uses` are those that go on: devices, sign-ins."""

    id: UUID
    type: str
    state: str
    valid_from: dt.datetime
    valid_until: dt.datetime | None
    uses: int


class Bought(msgspec.Struct, frozen=True):
    """A line: units that are delivered and not refunded, units that were refunded; `waits` while somebody has to fulfil it. `picks` are the
    labels of what was chosen."""

    sale_id: UUID
    delivered: int
    refunded: int
    waits: bool
    picks: list[str]
    entitled: list[Entitled]


# Not joined: on a young database a join may read all of a tenant's rows, and keeps its plan.
_LINES: Final = """
    SELECT sale_id, sku_id,
           ARRAY(SELECT unit_id FROM delivery
                 WHERE tenant_id = $1 AND order_id = $2 AND sale_id = l.sale_id AND replaced_by IS NULL) AS given,
           ARRAY(SELECT unit_id FROM refund_unit WHERE tenant_id = $1 AND order_id = $2 AND sale_id = l.sale_id) AS back,
           (SELECT state FROM fulfilment WHERE tenant_id = $1 AND order_id = $2 AND sale_id = l.sale_id) AS state,
           ARRAY(SELECT coalesce((SELECT nullif(label, '') FROM pick WHERE tenant_id = $1 AND sku_id = l.sku_id AND pick = u.pick), u.pick)
                 FROM unit AS u WHERE tenant_id = $1 AND sale_id = l.sale_id AND shopper_id = $3 AND order_id = $2 AND pick IS NOT NULL
                 ORDER BY id) AS picks
    FROM order_line AS l WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"""


async def of(tx: TenantTx, order: Order) -> dict[UUID, Bought]:
    """By the sale of each line."""
    found = {}
    for row in await tx.conn.fetch(_LINES, tx.tenant_id, order.id, order.shopper_id):
        granted = (await entitlements.of_order(tx, order.id, row["sku_id"]))[:ENTITLED_MAX]
        back = set(row["back"])
        found[row["sale_id"]] = Bought(
            row["sale_id"], len(set(row["given"]) - back), len(back), row["state"] == "pending", row["picks"], await entitled(tx, granted)
        )
    return found


async def entitled(tx: TenantTx, granted: Sequence[entitlements.Entitlement]) -> list[Entitled]:
    if not granted:
        return []
    sql = """SELECT entitlement_id, count(*) FROM entitlement_use
             WHERE tenant_id = $1 AND entitlement_id = ANY($2) AND ended_at IS NULL GROUP BY entitlement_id"""
    uses = dict(await tx.conn.fetch(sql, tx.tenant_id, [each.id for each in granted]))
    return [Entitled(g.id, g.type, g.state, g.valid_from, g.valid_until, uses.get(g.id, 0)) for g in granted]
