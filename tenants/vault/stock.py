"""What the vault holds of a SKU, and the one door through which a code leaves it in the clear."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants.db import TenantTx
from tenants.keys import Keyring, unit_place
from tenants.vault.codes import Code, unpack


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """Units of loaded batches. `loaded` = `unallotted` + `allotted` (to sales, unsold) + `held` + `sold` + `void` + `quarantined`;
    `available` is what can still be sold: `unallotted` + `allotted`. `loading` waits for its import to end."""

    loaded: int
    available: int
    unallotted: int
    allotted: int
    held: int
    sold: int
    void: int
    quarantined: int
    loading: int


async def stock(tx: TenantTx, sku_id: UUID) -> Stock:
    """Count the SKU's units by state."""
    sql = """SELECT b.state = 'loaded' AS loaded, u.state, u.sale_id IS NOT NULL AS allotted, count(*) AS units
             FROM unit u JOIN vault_batch b ON b.tenant_id = u.tenant_id AND b.id = u.batch_id
             WHERE u.tenant_id = $1 AND u.sku_id = $2 GROUP BY 1, 2, 3"""
    counts = {(row["loaded"], row["state"], row["allotted"]): row["units"] for row in await tx.conn.fetch(sql, tx.tenant_id, sku_id)}

    def of(state: str, *, loaded: bool = True, allotted: Sequence[bool] = (True, False)) -> int:
        return sum(counts.get((loaded, state, which), 0) for which in allotted)

    states = ("available", "held", "sold", "void", "quarantined")
    return Stock(
        loaded=sum(map(of, states)),
        available=of("available"),
        unallotted=of("available", allotted=[False]),
        allotted=of("available", allotted=[True]),
        held=of("held"),
        sold=of("sold"),
        void=of("void"),
        quarantined=of("quarantined"),
        loading=sum(of(state, loaded=False) for state in states),
    )


async def reveal(tx: TenantTx, keyring: Keyring, unit_ids: Sequence[int]) -> list[Code]:
    """The codes of `unit_ids`, in their order. Whoever calls decides who may see them, and audits it.

    Raises `NotFound` when a unit is not the tenant's, `keys.SealBroken` when a code was moved or changed.
    """
    sql = "SELECT unit_id, sku_id, key_id, sealed FROM code WHERE tenant_id = $1 AND unit_id = ANY($2)"
    rows = {row["unit_id"]: row for row in await tx.conn.fetch(sql, tx.tenant_id, list(unit_ids))}
    if missing := set(unit_ids) - rows.keys():
        raise NotFound(f"There is no code for {len(missing)} of the units.")
    keys = await keyring.of(tx)
    found = []
    for unit_id in unit_ids:
        row = rows[unit_id]
        found.append(unpack(keys.open_(row["key_id"], row["sealed"], unit_place(tx.tenant_id, row["sku_id"], unit_id)), unit_id))
    return found
