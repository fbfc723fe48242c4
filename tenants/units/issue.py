"""In which order a SKU's stock is issued: as it was loaded, by the batch's priority, or what expires first.

It is decided when loose units are allotted to a sale: they are taken in this order, and get their rank in it, by which the sale gives them.
Changing a SKU's order concerns its loose stock only; units that a sale has keep their ranks (docs/vault.md).
"""

from typing import Final, Literal, get_args
from uuid import UUID

from tenants.db import TenantTx

IssueOrder = Literal["fifo", "priority", "expiring"]
ORDERS: Final = get_args(IssueOrder)
CHUNK: Final = 20_000  # units per statement: 0.2 s here, so a million stay within the statement timeout

_SHIFT: Final = 41  # of the key above the id: two million million units, and keys up to four million, days or priorities
_LAST_KEY: Final = (1 << 22) - 1
# $1 tenant, $2 SKU, $3 how many, $5 the batch when it is one alone. A unit is taken between its dates only, and of a batch
# that is loaded whole.
_VALID: Final = """(valid_from IS NULL OR valid_from <= now())
    AND (valid_until IS NULL
         OR valid_until > now() + (SELECT sell_until_days FROM sku WHERE tenant_id = $1 AND id = $2) * interval '1 day')"""
# Batch after batch, and no further than is needed. OFFSET 0 keeps the order of the batches out of the planner's hands.
_BY_BATCH: Final = """
    SELECT u.id, {key} AS key FROM (
        SELECT id, priority FROM vault_batch WHERE tenant_id = $1 AND sku_id = $2 AND state = 'loaded' {{batch}}
        ORDER BY {batches} OFFSET 0) b
    CROSS JOIN LATERAL (
        SELECT id FROM unit WHERE tenant_id = $1 AND sku_id = $2 AND batch_id = b.id AND state = 'available' AND sale_id IS NULL
          AND {valid} ORDER BY id LIMIT $3 FOR UPDATE) u"""
_ENDING: Final = """
    SELECT u.id, least(extract(epoch FROM u.valid_until)::bigint / 86400, {last} - 1) AS key FROM unit u
    WHERE u.tenant_id = $1 AND u.sku_id = $2 AND u.state = 'available' AND u.sale_id IS NULL AND u.valid_until IS NOT NULL AND {valid}
      AND (SELECT b.state FROM vault_batch b WHERE b.tenant_id = $1 AND b.id = u.batch_id) = 'loaded' {{dated}}
    ORDER BY u.valid_until, u.id LIMIT $3 FOR UPDATE"""
_LOADED: Final = "created_at, id"
_NEXT: Final[dict[str, str]] = {
    "fifo": _BY_BATCH.format(key="0", batches=_LOADED, valid=_VALID),
    "priority": _BY_BATCH.format(key="b.priority", batches="priority, created_at, id", valid=_VALID),
    "expiring": f"""SELECT * FROM ({_ENDING.format(last=_LAST_KEY, valid=_VALID)}) dated
                    UNION ALL SELECT * FROM ({_BY_BATCH.format(key=_LAST_KEY, batches=_LOADED, valid=f"valid_until IS NULL AND {_VALID}")})
                    without_end""",
}
_ALL: Final = {"batch": "", "dated": ""}
_ONE_BATCH: Final = {"batch": "AND id = $5", "dated": "AND u.batch_id = $5"}
_TAKE: Final = """
    WITH picked AS MATERIALIZED (SELECT id, (key::bigint << {shift}) | id AS rank FROM ({next}) n LIMIT $3)
    UPDATE unit SET sale_id = $4, rank = picked.rank FROM picked WHERE unit.tenant_id = $1 AND unit.id = picked.id RETURNING unit.rank"""


async def order_of(tx: TenantTx, sku_id: UUID) -> str:
    order: str = await tx.conn.fetchval("SELECT issue_order FROM sku WHERE tenant_id = $1 AND id = $2", tx.tenant_id, sku_id)
    return order


async def take(tx: TenantTx, order: str, sku_id: UUID, sale_id: UUID, units: int | None, *, batch_id: UUID | None = None) -> list[int]:
    """Up to `units` loose units of the SKU, or all, become the sale's; their ranks. With a batch only such as are of it.

    The SKU's row is locked: nobody else takes any now.
    """
    sql = _TAKE.format(shift=_SHIFT, next=_NEXT[order].format(**(_ONE_BATCH if batch_id else _ALL)))
    more = (batch_id,) if batch_id else ()
    ranks: list[int] = []
    while units is None or len(ranks) < units:
        wanted = CHUNK if units is None else min(CHUNK, units - len(ranks))
        chunk = [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, sku_id, wanted, sale_id, *more)]
        ranks += chunk
        if len(chunk) < wanted:
            break
        if len(ranks) == CHUNK:
            await tx.unhurried()
    return ranks


async def next_loose(tx: TenantTx, order: str, sku_id: UUID) -> int | None:
    """The unit that would be taken next, locked. The SKU's row is locked."""
    unit: int | None = await tx.conn.fetchval(f"SELECT id FROM ({_NEXT[order].format(**_ALL)}) n LIMIT $3", tx.tenant_id, sku_id, 1)
    return unit


async def next_of_sale(tx: TenantTx, sale_id: UUID, last_unit: int) -> int | None:
    """The unit that a sale whose row is locked would give next, if it may still be sold."""
    sql = """SELECT id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'available' AND rank > $3
             AND (valid_until IS NULL OR valid_until > now()) ORDER BY rank LIMIT 1"""
    unit: int | None = await tx.conn.fetchval(sql, tx.tenant_id, sale_id, last_unit)
    return unit
