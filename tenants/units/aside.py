"""Units leave what is for sale, and come back to it if staff say so: one statement for each act, from certain states only.

Whoever sets units aside locks the rows of their sales first, then their SKUs', then the units: `locked`. What is held or sold is not
touched here, and only what was locked becomes available again. tests/tenants/units/test_one_way.py looks at every statement that writes
a unit's state.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from checkout_core.errors import NotFound, Unavailable
from checkout_core.ids import encode
from tenants.db import TenantTx

CHUNK: Final = 20_000  # units per statement


class Way(NamedTuple):
    """What an act does: from these states to that one."""

    sources: tuple[str, ...]
    to: str


ACTS: Final = {
    "lock": Way(("available",), "locked"),
    "unlock": Way(("locked",), "available"),
    "void": Way(("available", "locked", "expired", "quarantined"), "void"),
    "recall_locked": Way(("available",), "locked"),
    "recall_void": Way(("available", "locked"), "void"),
    "expire": Way(("available",), "expired"),
}


class Unit(NamedTuple):
    id: int
    sku_id: UUID
    batch_id: UUID
    sale_id: UUID | None
    state: str


def statement(act: str) -> str:
    """$1 tenant, $2 units, $3 actor, $4 reason. Those of the units that are in the right state move; how many of each sale."""
    sources, to = ACTS[act]
    states = ", ".join(f"'{state}'" for state in sources)
    return f"""
        WITH was AS MATERIALIZED (
            SELECT id, sale_id, state FROM unit WHERE tenant_id = $1 AND id = ANY($2) AND state IN ({states}) ORDER BY id FOR UPDATE),
        moved AS (
            UPDATE unit SET state = '{to}', sale_id = NULL FROM was
            WHERE unit.tenant_id = $1 AND unit.id = was.id AND unit.state IN ({states})),
        told AS (
            INSERT INTO unit_event (tenant_id, unit_id, actor, act, from_state, to_state, reason)
            SELECT $1, id, $3, '{act.partition("_")[0]}', state, '{to}', $4 FROM was)
        SELECT sale_id, count(*) FROM was GROUP BY sale_id"""


async def units(tx: TenantTx, unit_ids: Sequence[int]) -> list[Unit]:
    """As they are now. Raises `NotFound` unless all are there."""
    sql = "SELECT id, sku_id, batch_id, sale_id, state FROM unit WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id"
    found = [Unit(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, unit_ids)]
    if set(unit_ids) - {unit.id for unit in found}:
        raise NotFound("One of the units does not exist. Nothing was changed." if len(unit_ids) > 1 else "There is no such unit.")
    return found


async def lock(tx: TenantTx, sale_ids: Collection[UUID], sku_ids: Collection[UUID]) -> None:
    """The rows of sales, then those of SKUs: from now on none of their units is sold, given back or allotted by anybody else."""
    sql = "SELECT id FROM sale WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE"
    await tx.conn.fetch(sql, tx.tenant_id, sorted(sale_ids))
    sql = "SELECT id FROM sku WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE"
    await tx.conn.fetch(sql, tx.tenant_id, sorted(sku_ids))


def same(locked: Iterable[UUID | None], now: Iterable[UUID | None]) -> None:
    """Raises `Unavailable` when units went to another sale before their rows were ours: a moment later they stand still."""
    if set(now) - set(locked) - {None}:
        raise Unavailable("Units were allotted to a sale at this moment. Nothing was changed; ask again.", code="contended")


async def locked(tx: TenantTx, unit_ids: Sequence[int]) -> list[Unit]:
    """The units, with all that their move touches locked. Raises `NotFound`, `Unavailable`."""
    before = await units(tx, unit_ids)
    sale_ids = {unit.sale_id for unit in before if unit.sale_id}
    await lock(tx, sale_ids, {unit.sku_id for unit in before})
    after = await units(tx, unit_ids)
    same(sale_ids, (unit.sale_id for unit in after))
    return after


async def move(tx: TenantTx, act: str, unit_ids: Sequence[int], *, actor: str, reason: str = "") -> int:
    """Do `act` to those of the units that are in the right state, with their events and their sales' counters; how many they were.

    Their sales' rows and SKUs' are locked.
    """
    rows = await tx.conn.fetch(statement(act), tx.tenant_id, unit_ids, actor, reason)
    await shrink(tx, {sale_id: count for sale_id, count in rows if sale_id})
    return sum(count for _, count in rows)


async def shrink(tx: TenantTx, gone: dict[UUID, int]) -> None:
    """So many units that were available have left each sale."""
    if gone:
        left = sorted(gone.items())
        # A gate counted them: it is counted anew, as after any change of stock.
        sql = """UPDATE sale SET allotted = allotted - x.gone, epoch = epoch + 1, next_try_at = CASE WHEN door = 'gate' THEN now() END
                 FROM unnest($2::uuid[], $3::bigint[]) AS x(id, gone)
                 WHERE sale.tenant_id = $1 AND sale.id = ANY($2) AND sale.id = x.id RETURNING sale.id, epoch, state"""
        for sale_id, epoch, state in await tx.conn.fetch(sql, tx.tenant_id, *map(list, zip(*left, strict=True))):
            changed = {"sale_id": encode("sal", sale_id), "epoch": epoch, "state": state, "action": "sale.stock_withdrawn"}
            await tx.emit("sale.changed", changed)
