"""What the vault holds of a SKU, and the one door through which a code leaves it in the clear."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants.db import TenantTx
from tenants.keys import Keyring, unit_place
from tenants.vault.codes import Code, unpack


class Stock(msgspec.Struct, frozen=True):
    """Units of a SKU by state; `unallotted` is the part of `available` that no sale has. `loading` are no stock yet: their import has
    not come to its end."""

    available: int = 0
    held: int = 0
    sold: int = 0
    void: int = 0
    quarantined: int = 0
    locked: int = 0
    expired: int = 0
    unallotted: int = 0
    loading: int = 0


async def stock(tx: TenantTx, sku_id: UUID) -> Stock:
    """Count the SKU's units. Reads each of them: 0.7 s for a million."""
    sql = """SELECT CASE b.state WHEN 'loaded' THEN u.state ELSE 'loading' END AS state, sum(units)::bigint AS units,
                    sum(units) FILTER (WHERE u.unallotted)::bigint AS unallotted
             FROM (SELECT batch_id, state, sale_id IS NULL AS unallotted, count(*) AS units
                   FROM unit WHERE tenant_id = $1 AND sku_id = $2 GROUP BY 1, 2, 3) u
             JOIN vault_batch b ON b.tenant_id = $1 AND b.id = u.batch_id
             GROUP BY 1"""
    rows = {row["state"]: row for row in await tx.conn.fetch(sql, tx.tenant_id, sku_id)}
    unallotted = (rows["available"]["unallotted"] or 0) if "available" in rows else 0
    return Stock(**{state: row["units"] for state, row in rows.items()}, unallotted=unallotted)


async def reveal(tx: TenantTx, keyring: Keyring, unit_ids: Sequence[int]) -> list[Code]:
    """The codes of `unit_ids`, in their order. Whoever calls decides who may see them, and audits it.

    Raises `NotFound` when a unit is not the tenant's, `keys.SealBroken` when a code was moved or changed.
    """
    sql = "SELECT unit_id, sku_id, key_id, sealed FROM code WHERE tenant_id = $1 AND unit_id = ANY($2)"
    rows = {row["unit_id"]: row for row in await tx.conn.fetch(sql, tx.tenant_id, list(unit_ids))}
    if missing := set(unit_ids) - rows.keys():
        raise NotFound(f"There is no code for {len(missing)} of the units.")
    keys = await keyring.to_open(tx, *{row["key_id"] for row in rows.values()})
    found = []
    for unit_id in unit_ids:
        row = rows[unit_id]
        found.append(unpack(keys.open_(row["key_id"], row["sealed"], unit_place(tx.tenant_id, row["sku_id"], unit_id)), unit_id))
    return found
