"""Where a code is that somebody shows in full: found by its fingerprint, without opening any."""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.vault.codes import Code, normalise
from tenants.vault.stock import reveal

NO_UNIT = -1
UNIT_MAX = (1 << 63) - 1
# Each looked up: asked for any of them, a young database reads all of a tenant's, and keeps its plan.
BY_FINGERPRINT = """SELECT c.unit_id FROM unnest($2::bytea[]) AS known(mark) CROSS JOIN LATERAL (
                        SELECT unit_id FROM code WHERE tenant_id = $1 AND fingerprint = known.mark OFFSET 0) AS c"""
# Each by its own key, not joined: a young planner might read all of a tenant's.
ABOUT = """SELECT u.id AS unit, u.state, u.sku_id, u.batch_id, u.sale_id, coalesce(u.order_id, d.order_id) AS order_id,
                  d.delivered_at, d.revealed_at,
                  (SELECT line_no FROM code WHERE tenant_id = $1 AND unit_id = u.id) AS line,
                  (SELECT finished_at FROM vault_batch WHERE tenant_id = $1 AND id = u.batch_id) AS loaded_at
           FROM (SELECT * FROM unit WHERE tenant_id = $1 AND id = $2) u
           LEFT JOIN LATERAL (SELECT * FROM delivery WHERE tenant_id = $1 AND unit_id = u.id LIMIT 1) d ON true"""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """`order_id` is the order it was delivered to, or is held for; it stays when the order is refunded."""

    unit: int
    state: str
    sku_id: UUID
    batch_id: UUID
    line: int
    sale_id: UUID | None
    order_id: UUID | None
    loaded_at: dt.datetime | None
    delivered_at: dt.datetime | None
    revealed_at: dt.datetime | None


async def find(tx: TenantTx, keyring: Keyring, code: str, *, actor: str) -> Found | None:
    """The unit with this card number. On record is that somebody looked, and what he found, never the code.

    The same is done whether it is there or not: each fingerprint key there is, the same two statements, the same entry.
    """
    known = (await keyring.of(tx)).fingerprints(normalise(code))
    unit = await tx.conn.fetchval(BY_FINGERPRINT, tx.tenant_id, known)
    row = await tx.conn.fetchrow(ABOUT, tx.tenant_id, NO_UNIT if unit is None else unit)
    await tx.audit(actor, "code.looked_up", "unknown" if unit is None else str(unit))
    return None if row is None else Found(**row)


async def reveal_unit(tx: TenantTx, keyring: Keyring, unit: int, *, actor: str, reason: str = "") -> Code:
    """One code in clear for one of the staff, on record in the same transaction. Raises `NotFound`."""
    if not 0 < unit <= UNIT_MAX:
        raise NotFound("There is no code for this unit.")
    [code] = await reveal(tx, keyring, [unit])
    await tx.audit(actor, "unit.revealed", str(unit), **({"reason": reason} if reason else {}))
    return code
