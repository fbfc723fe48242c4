"""What staff do with units: lock, unlock and void those they name; recall a batch; say how stock is issued.

Each act is one transaction, is on record once, and leaves an event at every unit it moved.
"""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import encode
from tenants.db import TenantTx
from tenants.units import aside, expiry
from tenants.units.issue import IssueOrder

UNITS_MAX: Final = 1_000  # of one act
SAID: Final = {"lock": "units.locked", "unlock": "units.unlocked", "void": "units.voided"}
Act = Literal["lock", "unlock", "void"]
Fate = Literal["locked", "void"]


class UnitRefused(msgspec.Struct, frozen=True):
    """A unit that was left as it is, for it is in this state."""

    unit: int
    state: str


class ActDone(msgspec.Struct, frozen=True):
    units: list[int]
    refused: list[UnitRefused]


class Batch(msgspec.Struct, frozen=True):
    """The lower `priority` goes first, where the SKU says so. `recalled_as` is what its units become that come back."""

    id: UUID
    sku_id: UUID
    priority: int
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    recalled_as: str | None


class Recalled(msgspec.Struct, frozen=True):
    """`moved` were for sale or loose, `held` are of shoppers who may still pay, `sold` of those who have."""

    moved: int
    held: int
    sold: int


class Terms(msgspec.Struct, frozen=True):
    """How a SKU's stock is issued; a unit is sold until so many days before its end."""

    issue_order: IssueOrder
    sell_until_days: int


_BATCH: Final = ", ".join(Batch.__struct_fields__)


async def act(tx: TenantTx, what: Act, unit_ids: Sequence[int], *, actor: str, reason: str) -> ActDone:
    """Do it to those of the units that are in a state for it; the others are named.

    Raises `NotFound`, with nothing done, when one does not exist, `Unprocessable`, `Unavailable`.
    """
    if len(unit_ids) > UNITS_MAX:
        raise Unprocessable(f"At most {UNITS_MAX} units at once.", code="too_many_units")
    found = await aside.locked(tx, sorted(set(unit_ids)))
    sources = aside.ACTS[what].sources
    fit = [unit for unit in found if unit.state in sources]
    await aside.move(tx, what, [unit.id for unit in fit], actor=actor, reason=reason)
    if what == "unlock":
        await expiry.schedule(tx, {unit.batch_id for unit in fit})
    done = ActDone([unit.id for unit in fit], [UnitRefused(unit.id, unit.state) for unit in found if unit.state not in sources])
    await tx.audit(actor, SAID[what], "units", units=done.units, refused=len(done.refused))
    return done


async def batch(tx: TenantTx, batch_id: UUID) -> Batch:
    """Raises `NotFound`."""
    if row := await tx.conn.fetchrow(f"SELECT {_BATCH} FROM vault_batch WHERE tenant_id = $1 AND id = $2", tx.tenant_id, batch_id):
        return Batch(*row)
    raise NotFound("There is no such batch.")


async def recall(tx: TenantTx, batch_id: UUID, fate: Fate, *, actor: str, reason: str) -> Recalled:
    """Every unit of the batch that nobody holds is locked or void, and what is held becomes so if it comes back.

    Held units stay with their shoppers, who were promised them and may be paying just now; what they bought is replaced as what was sold
    before is. Raises `NotFound`, `Conflict` (`not_loaded`), `Unavailable`.
    """
    await _need_loaded(tx, batch_id)
    counts = await _locked(tx, await batch(tx, batch_id))
    moved = await _move_all(tx, f"recall_{fate}", batch_id, actor=actor, reason=reason)
    sql = "UPDATE vault_batch SET recalled_as = $3, recall_reason = $4 WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, batch_id, fate, reason)
    done = Recalled(moved, counts.get("held", 0), counts.get("sold", 0))
    await tx.audit(actor, "batch.recalled", encode("bat", batch_id), fate=fate, moved=moved, held=done.held, sold=done.sold)
    return done


async def restore(tx: TenantTx, batch_id: UUID, *, actor: str, reason: str) -> int:
    """The recall was a false alarm: its locked units are loose stock again, how many. What is void stays so. Raises `NotFound`."""
    await _locked(tx, await batch(tx, batch_id))
    sql = "UPDATE vault_batch SET recalled_as = NULL, recall_reason = NULL WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, batch_id)
    moved = await _move_all(tx, "unlock", batch_id, actor=actor, reason=reason)
    await expiry.schedule(tx, [batch_id])
    await tx.audit(actor, "batch.restored", encode("bat", batch_id), moved=moved)
    return moved


async def set_batch(
    tx: TenantTx, batch_id: UUID, *, priority: int, valid_from: dt.datetime | None, valid_until: dt.datetime | None, actor: str
) -> Batch:
    """From now on. Dates that change become those of all its units nobody has bought or holds, whatever their lines said.

    Raises `NotFound`, `Unprocessable` (`ends_too_early`), and `Conflict` (`not_loaded`) for dates of a batch that is loading still.
    """
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise Unprocessable("The batch would end before it begins.", code="ends_too_early")
    before = await batch(tx, batch_id)
    if (before.valid_from, before.valid_until) != (valid_from, valid_until):
        await _need_loaded(tx, batch_id)
        await _locked(tx, before)
        sql = """UPDATE unit SET valid_from = $4, valid_until = $5 WHERE tenant_id = $1 AND id = ANY($3) AND batch_id = $2
                 AND state IN ('available', 'locked')"""
        async for chunk in _chunks(tx, batch_id, ("available", "locked")):
            await tx.conn.execute(sql, tx.tenant_id, batch_id, chunk, valid_from, valid_until)
    sql = f"UPDATE vault_batch SET priority = $3, valid_from = $4, valid_until = $5 WHERE tenant_id = $1 AND id = $2 RETURNING {_BATCH}"
    changed = Batch(*await tx.conn.fetchrow(sql, tx.tenant_id, batch_id, priority, valid_from, valid_until))
    await expiry.schedule(tx, [batch_id])
    await tx.audit(actor, "batch.changed", encode("bat", batch_id), priority=priority, valid_from=valid_from, valid_until=valid_until)
    return changed


async def terms(tx: TenantTx, sku_id: UUID) -> Terms:
    """Raises `NotFound`."""
    sql = "SELECT issue_order, sell_until_days FROM sku WHERE tenant_id = $1 AND id = $2"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, sku_id):
        return Terms(*row)
    raise NotFound("There is no such SKU.")


async def set_terms(tx: TenantTx, sku_id: UUID, new: Terms, *, actor: str) -> Terms:
    """The order concerns loose stock: what a sale has it gives in the order in which it was allotted. Raises `NotFound`."""
    sql = "UPDATE sku SET issue_order = $3, sell_until_days = $4 WHERE tenant_id = $1 AND id = $2 RETURNING id"
    if await tx.conn.fetchval(sql, tx.tenant_id, sku_id, new.issue_order, new.sell_until_days) is None:
        raise NotFound("There is no such SKU.")
    batches = await tx.conn.fetch("SELECT id FROM vault_batch WHERE tenant_id = $1 AND sku_id = $2", tx.tenant_id, sku_id)
    await expiry.schedule(tx, [row[0] for row in batches])
    await tx.audit(actor, "sku.issue_changed", encode("sku", sku_id), order=new.issue_order, sell_until_days=new.sell_until_days)
    return new


# Found by their ids, which are neighbours: no index has all units of a batch, for each sale would write to it.
_RANGE: Final = "FROM unit WHERE tenant_id = $1 AND batch_id = $2 AND id >= $3 AND id <= $4"


async def _range(tx: TenantTx, batch_id: UUID) -> tuple[int, int]:
    """Between which ids the batch's units lie."""
    sql = "SELECT coalesce(unit_from, 0), coalesce(unit_to, 9223372036854775807) FROM vault_batch WHERE tenant_id = $1 AND id = $2"
    first, last = await tx.conn.fetchrow(sql, tx.tenant_id, batch_id)
    return first, last


async def _need_loaded(tx: TenantTx, batch_id: UUID) -> None:
    sql = "SELECT state <> 'loaded' FROM vault_batch WHERE tenant_id = $1 AND id = $2"
    if await tx.conn.fetchval(sql, tx.tenant_id, batch_id):
        raise Conflict("The batch is not loaded: nothing of it is stock yet.", code="not_loaded")


async def _locked(tx: TenantTx, its: Batch) -> dict[str, int]:
    """Lock every sale that has units of the batch, and its SKU; how many of its units are in each state. Reads all of them."""
    sql = f"SELECT sale_id, state, count(*) {_RANGE} GROUP BY 1, 2"
    among = (tx.tenant_id, its.id, *await _range(tx, its.id))
    await tx.unhurried()
    sale_ids = {row[0] for row in await tx.conn.fetch(sql, *among) if row[0]}
    await aside.lock(tx, sale_ids, [its.sku_id])
    rows = await tx.conn.fetch(sql, *among)
    aside.same(sale_ids, (row[0] for row in rows))
    counts: dict[str, int] = {}
    for _, state, count in rows:
        counts[state] = counts.get(state, 0) + count
    return counts


async def _chunks(tx: TenantTx, batch_id: UUID, states: Sequence[str]) -> AsyncIterator[list[int]]:
    """The batch's units in these states, some thousands at a time, whatever becomes of them in between."""
    sql = f"SELECT id {_RANGE} AND state = ANY($5) ORDER BY id LIMIT {aside.CHUNK}"
    first, last = await _range(tx, batch_id)
    while chunk := [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, batch_id, first, last, states)]:
        yield chunk
        first = chunk[-1] + 1


async def _move_all(tx: TenantTx, what: str, batch_id: UUID, *, actor: str, reason: str) -> int:
    moved = 0
    async for chunk in _chunks(tx, batch_id, aside.ACTS[what].sources):
        moved += await aside.move(tx, what, chunk, actor=actor, reason=reason)
    return moved
