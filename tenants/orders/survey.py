"""What a commit must know before it decides, read in one round trip under the locks of the sales' rows.

In one statement, but never in the one that locks: its snapshot may be older than the lock it waited for.
"""

import datetime as dt
from collections.abc import Collection, Sequence
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


class Ask(NamedTuple):
    sale: Sale  # its row is locked
    wanted: int  # units
    shoppers: Collection[UUID]


class Survey(NamedTuple):
    """Of one sale."""

    units: list[int]  # available and now locked, by rank
    ranks: list[int]  # of these
    taken: dict[UUID, int]  # shopper → bit mask of the slots he holds
    waits: dict[UUID, tuple[int, int]]  # shopper → (unpaid, lapsed) orders, for those who have some


KNOWN = f"SELECT id, {', '.join(Known._fields)} FROM orders WHERE tenant_id = $1 AND id = ANY({{ids}})"
# OFFSET 0 keeps the planner from turning the look-up of each shopper's slots into a reading of all slots.
_SURVEY = f"""
    WITH s AS (SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[])
               WITH ORDINALITY AS s(id, mark, wanted, since, n)),
    p AS (SELECT * FROM unnest($6::bigint[], $7::uuid[]) AS p(n, shopper_id)),
    next AS (SELECT s.n, u.id, u.rank FROM s CROSS JOIN LATERAL ({allot.NEXT_UNITS}) u),
    held AS (SELECT p.n, u.* FROM p JOIN s USING (n) CROSS JOIN LATERAL (
                 SELECT shopper_id, slot FROM unit
                 WHERE tenant_id = $1 AND sale_id = s.id AND shopper_id = p.shopper_id AND slot IS NOT NULL OFFSET 0) u)
    SELECT ARRAY(SELECT id FROM next ORDER BY n, rank), ARRAY(SELECT rank FROM next ORDER BY n, rank),
           ARRAY(SELECT (SELECT count(*) FROM next WHERE next.n = s.n) FROM s ORDER BY n),
           ARRAY(SELECT ROW(held.*) FROM held), ARRAY(SELECT ROW(x.*) FROM ({hoarding.WAITS}) x),
           ARRAY(SELECT ROW(x.*) FROM ({KNOWN.format(ids="$8")}) x)"""


async def survey(tx: TenantTx, asks: Sequence[Ask], order_ids: Sequence[UUID]) -> tuple[list[Survey], dict[UUID, Known]]:
    """Lock up to `wanted` units of each sale, and read what its shoppers hold; and which of `order_ids` exist already."""
    sales = [a.sale for a in asks]
    # An index of units that are gone is not read to learn that they are.
    wanted = [0 if a.sale.committed >= a.sale.allotted else a.wanted for a in asks]
    who = [(n, shopper) for n, a in enumerate(asks, 1) for shopper in a.shoppers]
    units, ranks, counts, slots, waits, known = await tx.conn.fetchrow(
        _SURVEY, tx.tenant_id, [s.id for s in sales], [s.last_unit for s in sales], wanted, [hoarding.since(s) for s in sales],
        [w[0] for w in who], [w[1] for w in who], order_ids,
    )  # fmt: skip
    found = []
    at = 0
    for n, count in enumerate(counts, 1):
        mine = {shopper: (unpaid, lapsed) for m, shopper, unpaid, lapsed in waits if m == n}
        found.append(Survey(units[at : at + count], ranks[at : at + count], allot.masks((x[1], x[2]) for x in slots if x[0] == n), mine))
        at += count
    return found, {k[0]: Known(*k[1:]) for k in known}


async def known(tx: TenantTx, order_ids: Sequence[UUID]) -> dict[UUID, Known]:
    """Those of `order_ids` that exist."""
    return {row[0]: Known(*row[1:]) for row in await tx.conn.fetch(KNOWN.format(ids="$2"), tx.tenant_id, order_ids)}
