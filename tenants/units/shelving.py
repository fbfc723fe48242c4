"""New stock of a SKU that is on the shelf goes there in the transaction that makes it stock, if its sale says so (`tenants.shelf`).

Rows are locked in the order of `aside`: sales, then SKUs, then units.
"""

from collections.abc import Sequence
from uuid import UUID

from checkout_core.errors import NotFound, Unavailable
from checkout_core.ids import encode
from tenants import capabilities
from tenants.capabilities import CapabilityMissing
from tenants.db import TenantTx
from tenants.units import aside, issue

LOOKS = 3
_OPEN = "SELECT id, takes_new_stock FROM sale WHERE tenant_id = $1 AND sku_id = $2 AND door = 'shelf' AND state <> 'ended'"


async def sale_of(tx: TenantTx, sku_id: UUID, *, lock: bool = False) -> UUID | None:
    """The SKU's sale on the shelf. With `lock` its row and the SKU's are locked: it is there, or is not, until the commit.

    Raises `NotFound` for a SKU that does not exist, `Unavailable`.
    """
    if not lock:
        return await _look(tx, sku_id)
    for _ in range(LOOKS):
        # Somebody may put it there or take it off between two words: then what was locked is let go, and locked in order again.
        await tx.conn.execute("SAVEPOINT shelf")
        sale_id = await _look(tx, sku_id)
        await aside.lock(tx, [sale_id] if sale_id else [], [sku_id])
        if await _look(tx, sku_id) == sale_id:
            await tx.conn.execute("RELEASE SAVEPOINT shelf")
            if not await tx.conn.fetchval("SELECT 1 FROM sku WHERE tenant_id = $1 AND id = $2", tx.tenant_id, sku_id):
                raise NotFound("There is no such SKU.")
            return sale_id
        await tx.conn.execute("ROLLBACK TO SAVEPOINT shelf")
    raise Unavailable("This SKU is being put on the shelf or taken off it. Nothing was changed; ask again.", code="contended")


async def _look(tx: TenantTx, sku_id: UUID) -> UUID | None:
    found: UUID | None = await tx.conn.fetchval(_OPEN, tx.tenant_id, sku_id)
    return found


async def that_takes(tx: TenantTx, sku_id: UUID) -> UUID | None:
    """The SKU's sale that new stock goes to, locked as by `sale_of`. Asked before the stock is made. Raises as that."""
    sale_id = await sale_of(tx, sku_id, lock=True)
    row = await tx.conn.fetchrow(_OPEN, tx.tenant_id, sku_id) if sale_id else None
    return sale_id if row and row["takes_new_stock"] else None


async def lock_of_orders(tx: TenantTx, units: Sequence[int]) -> None:
    """Before what the units' orders bought comes back: all sales that this may touch are locked at once, in order, and then the SKUs."""
    sql = """SELECT sale_id, sku_id FROM order_line
             WHERE tenant_id = $1 AND order_id = ANY(ARRAY(SELECT order_id FROM unit WHERE tenant_id = $1 AND id = ANY($2)))"""
    lines = await tx.conn.fetch(sql, tx.tenant_id, list(units))
    skus = {row["sku_id"] for row in lines}
    shelves = [await sale_of(tx, sku_id) for sku_id in sorted(skus)]
    await aside.lock(tx, {row["sale_id"] for row in lines}.union(filter(None, shelves)), skus)


async def fill(tx: TenantTx, sku_id: UUID, sale_id: UUID, batch_id: UUID, *, actor: str) -> None:
    """The batch's units that may be sold go to the sale; it and the SKU are locked.

    More than the merchant may have on sale is stock all the same: then all of them stay loose.
    """
    allotted, count = await tx.conn.fetchrow(
        """SELECT allotted, (SELECT loaded FROM vault_batch WHERE tenant_id = $1 AND id = $3) FROM sale
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant_id, sale_id, batch_id,
    )  # fmt: skip
    try:
        await capabilities.need_sale(tx, sku_id, allotted + count)
    except CapabilityMissing:
        return
    ranks = await issue.take(tx, await issue.order_of(tx, sku_id), sku_id, sale_id, None, batch_id=batch_id)
    if not ranks:
        return
    # No available unit of the sale has a rank up to last_unit.
    sql = """UPDATE sale SET allotted = allotted + $3, epoch = epoch + 1,
                             last_unit = CASE WHEN allotted = 0 THEN $4 ELSE least(last_unit, $4) END
             WHERE tenant_id = $1 AND id = $2 RETURNING epoch, state"""
    epoch, state = await tx.conn.fetchrow(sql, tx.tenant_id, sale_id, len(ranks), min(ranks) - 1)
    told = {"sale_id": encode("sal", sale_id), "epoch": epoch, "state": state, "action": "sale.stock_added"}
    await tx.emit("sale.changed", told)
    await tx.audit(actor, "sale.stock_added", encode("sal", sale_id), epoch=epoch, units=len(ranks))
