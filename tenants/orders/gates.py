"""What Postgres and the gate of a flash sale tell each other: counts to load, and what is given back.

The sale's row is locked by whoever calls; its epoch fences everything. A give-back has one reason, for ever: replays and second
admissions give back once.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.admission import Count
from checkout_core.errors import Unavailable
from checkout_core.intents import SaleKey
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders.sale import Sale


class Return(NamedTuple):
    reason: str
    shopper_id: UUID
    units: int
    slots: int


async def give_back(tx: TenantTx, sale: Sale, returns: Sequence[Return]) -> None:
    """Record what the gate is to get back, numbered without gaps. Does nothing for a sale without a gate."""
    if sale.door != "gate" or not returns:
        return
    sql = """WITH given AS (
                 INSERT INTO give_back (tenant_id, sale_id, reason, epoch, seq, shopper_id, units, slots)
                 SELECT $1, $2, x.reason, s.epoch, s.give_seq + row_number() OVER (ORDER BY x.reason), x.shopper_id, x.units, x.slots
                 FROM unnest($3::text[], $4::uuid[], $5::integer[], $6::integer[]) AS x(reason, shopper_id, units, slots)
                 JOIN sale s ON s.tenant_id = $1 AND s.id = $2
                 WHERE NOT EXISTS (SELECT FROM give_back g WHERE g.tenant_id = $1 AND g.sale_id = $2 AND g.reason = x.reason)
                 RETURNING seq)
             UPDATE sale SET give_seq = give_seq + (SELECT count(*) FROM given), next_try_at = now()
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, sale.id, *map(list, zip(*returns, strict=True)))


async def leave(pool: Pool, sale: SaleKey, left: int) -> int:
    """The sale's epoch while it is sold past its gate: a new one, unless it is still `left`, the one this process made when it left.

    What Redis still counts is void when it returns, and is counted anew. Raises `Unavailable` while the row is contended.
    """
    try:
        async with tenant_tx(pool, sale.tenant_id) as tx:
            sql = "UPDATE sale SET epoch = epoch + 1, next_try_at = now() WHERE tenant_id = $1 AND id = $2 AND epoch <> $3"
            await tx.conn.execute(sql, sale.tenant_id, sale.sale_id, left)
            epoch: int = await tx.conn.fetchval("SELECT epoch FROM sale WHERE tenant_id = $1 AND id = $2", sale.tenant_id, sale.sale_id)
    except asyncpg.LockNotAvailableError:
        raise Unavailable("The sale is contended. Nothing was reserved; ask again with the same key.", code="contended") from None
    return epoch


async def bump(tx: TenantTx, sale_id: UUID) -> None:
    """A new epoch: whatever was admitted or given back under the old one is void, and the gate is closed until it is loaded."""
    sql = "UPDATE sale SET epoch = epoch + 1, next_try_at = now() WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, sale_id)


async def count(tx: TenantTx, sale: Sale) -> tuple[Count, list[tuple[UUID, int]]]:
    """What the gate is to be loaded with: counters under the locked row's epoch, and what each shopper holds."""
    sql = """SELECT shopper_id, count(*)::integer FROM unit
             WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id IS NOT NULL GROUP BY shopper_id"""
    held = [(row[0], row[1]) for row in await tx.conn.fetch(sql, tx.tenant_id, sale.id)]
    state = sale.state if sale.state in ("open", "paused") else "ended"
    assert state in ("open", "paused", "ended")
    ends_ms = int(sale.ends_at.timestamp() * 1000) if sale.ends_at else None
    return (
        Count(
            epoch=sale.epoch,
            state=state,  # type: ignore[arg-type]  # one of the three
            avail=sale.allotted - sale.committed,
            limit=sale.limit_per_shopper,
            given=sale.give_seq,
            starts_ms=int(sale.starts_at.timestamp() * 1000),
            ends_ms=ends_ms,
        ),
        held,
    )


async def returns_after(tx: TenantTx, sale_id: UUID, epoch: int, given: int, limit: int) -> list[tuple[int, UUID, int, int]]:
    """Give-backs of `epoch` behind the one numbered `given`, in order: (seq, shopper, units, slots)."""
    sql = """SELECT seq, shopper_id, units, slots FROM give_back
             WHERE tenant_id = $1 AND sale_id = $2 AND epoch = $3 AND seq > $4 ORDER BY seq LIMIT $5"""
    return [tuple(row) for row in await tx.conn.fetch(sql, tx.tenant_id, sale_id, epoch, given, limit)]
