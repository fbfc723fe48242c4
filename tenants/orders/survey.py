"""What a commit must know before it decides, read in one round trip under the lock of the sale's row.

In one statement, but never in the one that locks: that one's snapshot may be older than the lock it waited for.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from tenants.db import TenantTx
from tenants.orders import allot, hoarding
from tenants.orders.sale import Sale


class Known(NamedTuple):
    """An order that exists."""

    intent_id: UUID
    state: str
    refusal: int | None
    body_hash: bytes
    amount_minor: int
    currency: str
    created_at: dt.datetime
    hold_until: dt.datetime | None


class Survey(NamedTuple):
    units: list[int]  # available and now locked, in the order they were loaded
    taken: dict[UUID, int]  # shopper → bit mask of the slots he holds
    waits: dict[UUID, tuple[int, int]]  # shopper → (unpaid, lapsed) orders, for those who have some
    known: dict[UUID, Known]


_KNOWN = f"SELECT id, {', '.join(Known._fields)} FROM orders WHERE tenant_id = $1 AND id = ANY({{ids}})"
_SURVEY = f"""
    WITH next AS ({allot.NEXT_UNITS})
    SELECT ARRAY(SELECT id FROM next ORDER BY id), ARRAY(SELECT ROW(x.*) FROM ({allot.SLOTS}) x),
           ARRAY(SELECT ROW(x.*) FROM ({hoarding.WAITS}) x), ARRAY(SELECT ROW(x.*) FROM ({_KNOWN.format(ids="$7")}) x)"""


async def survey(tx: TenantTx, sale: Sale, wanted: int, shoppers: Iterable[UUID], order_ids: Sequence[UUID]) -> Survey:
    """Lock up to `wanted` units for `shoppers`, and read what these hold and which of `order_ids` exist already."""
    # An index of units that are gone is not read to learn that they are.
    wanted = 0 if sale.committed >= sale.allotted else wanted
    row = await tx.conn.fetchrow(_SURVEY, tx.tenant_id, sale.id, sale.last_unit, wanted, list(shoppers), hoarding.since(sale), order_ids)
    units, slots, waits, known = row
    return Survey(units, allot.masks(slots), {w[0]: (w[1], w[2]) for w in waits}, {k[0]: Known(*k[1:]) for k in known})


async def known(tx: TenantTx, order_ids: Sequence[UUID]) -> dict[UUID, Known]:
    """Those of `order_ids` that exist."""
    return {row[0]: Known(*row[1:]) for row in await tx.conn.fetch(_KNOWN.format(ids="$2"), tx.tenant_id, order_ids)}
