"""What of a paid order can still be refunded, and which of it somebody asks to refund."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.errors import AppError, Conflict, NotFound
from checkout_core.ids import encode
from tenants.db import TenantTx

Part = dict[UUID, dict[int, int]]  # the sale of a line → its units → what was paid for each, in minor units


class Left(NamedTuple):
    """What of a line is still the shopper's: its units and what was paid for each. `waits`: nobody has fulfilled it yet."""

    sale_id: UUID
    waits: bool
    paid: dict[int, int]


async def left(tx: TenantTx, order: asyncpg.Record) -> list[Left]:
    """Of each line of a locked order, in the order in which their sales are locked."""
    # Not joined, and not asked for what is pending: a young database would read all of a tenant's rows, and keeps its plan.
    sql = """SELECT sale_id, EXISTS (SELECT FROM fulfilment WHERE tenant_id = $1 AND order_id = $2 AND sale_id = l.sale_id
                                     AND state NOT IN ('done', 'failed', 'revoked')),
                    ARRAY(SELECT ROW(id, coalesce(paid_minor, l.unit_price_minor)) FROM unit
                          WHERE tenant_id = $1 AND sale_id = l.sale_id AND shopper_id = $3 AND order_id = $2 AND state = 'sold' ORDER BY id)
             FROM order_line AS l WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, order["id"], order["shopper_id"])
    return [Left(sale_id, waits, dict(map(tuple, paid))) for sale_id, waits, paid in rows]


async def asked(
    tx: TenantTx, order_id: UUID, lines: Sequence[Left], units: Collection[int] | None, sale_ids: Collection[UUID] | None
) -> Part:
    """What of `lines` is meant: these units, or all that is left of these lines, or all that is left.

    Raises `NotFound` for what the order does not have, `Conflict` (`already_refunded`, `already_replaced`) for what it no longer has, and
    (`fulfilment_pending`) for some units of a line that waits to be fulfilled: whoever fulfils it does all of it.
    """
    if sale_ids is not None:
        return _of_lines(lines, set(sale_ids))
    if units is None:
        return {line.sale_id: line.paid for line in lines if line.paid}
    wanted = set(units)
    if gone := wanted - {unit for line in lines for unit in line.paid}:
        raise await _why_not(tx, order_id, sorted(gone))
    found = {line.sale_id: {unit: paid for unit, paid in line.paid.items() if unit in wanted} for line in lines}
    for line in lines:
        if line.waits and 0 < len(found[line.sale_id]) < len(line.paid):
            raise Conflict(
                "This line waits to be fulfilled and is refunded as a whole, or in parts once it is. Nothing was refunded.",
                code="fulfilment_pending", sale_id=encode("sal", line.sale_id), units=sorted(line.paid),
            )  # fmt: skip
    return {sale_id: paid for sale_id, paid in found.items() if paid}


def _of_lines(lines: Sequence[Left], sale_ids: set[UUID]) -> Part:
    if unknown := sale_ids - {line.sale_id for line in lines}:
        raise NotFound(f"The order has no line of the sale {encode('sal', min(unknown))}. Nothing was refunded.")
    if over := [line.sale_id for line in lines if line.sale_id in sale_ids and not line.paid]:
        raise Conflict(
            f"All of the line {encode('sal', over[0])} was refunded before. Nothing more was refunded.",
            code="already_refunded", sale_ids=[encode("sal", sale_id) for sale_id in over],
        )  # fmt: skip
    return {line.sale_id: line.paid for line in lines if line.sale_id in sale_ids}


async def _why_not(tx: TenantTx, order_id: UUID, units: list[int]) -> AppError:
    """The gravest reason why these are none of what the order has. What was never its own is not there, whosever it is."""
    sql = """SELECT ARRAY(SELECT unit_id FROM refund_unit WHERE tenant_id = $1 AND order_id = $2),
                    ARRAY(SELECT ROW(unit_id, replaced_by) FROM delivery WHERE tenant_id = $1 AND order_id = $2)"""
    refunded, delivered = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
    replaced = {unit: by for unit, by in delivered if by is not None}
    if unknown := [unit for unit in units if unit not in refunded and unit not in replaced]:
        return NotFound(f"The order has no unit {unknown[0]}. Nothing was refunded.")
    if before := [unit for unit in units if unit in refunded]:
        return Conflict(f"Unit {before[0]} was refunded before. Nothing more was refunded.", code="already_refunded", units=before)
    by = replaced[units[0]]
    return Conflict(
        f"Unit {units[0]} was replaced by unit {by}: refund that one. Nothing was refunded.", code="already_replaced", replaced_by=by
    )
