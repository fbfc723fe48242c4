"""The codes that a SKU had, one after the other. Each lies sealed in the vault like any other, with a unit that is void: never for sale."""

import datetime as dt
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound
from tenants import vault
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.vault import Content

KEPT_MAX = 100  # that are listed


class Version(msgspec.Struct, frozen=True):
    """`unit` is where in the vault the code lies."""

    unit: int
    operator: str
    note: str
    since: dt.datetime


async def history(tx: TenantTx, sku_id: UUID, *, limit: int = KEPT_MAX) -> list[Version]:
    """Newest first."""
    # Not joined: on a young database a join may read all of a tenant's units, and keeps its plan.
    sql = """SELECT u.id, b.operator, b.note, b.created_at
             FROM (SELECT id, operator, note, created_at FROM vault_batch WHERE tenant_id = $1 AND sku_id = $2 AND sealed
                   OFFSET 0) AS b
             CROSS JOIN LATERAL (SELECT id FROM unit
                                 WHERE tenant_id = $1 AND sku_id = $2 AND state = 'void' AND batch_id = b.id OFFSET 0) AS u
             ORDER BY u.id DESC LIMIT $3"""  # by the unit's number, which was drawn under the lock: clocks differ
    return [Version(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, sku_id, limit)]


async def current(tx: TenantTx, sku_id: UUID) -> Version | None:
    found = await history(tx, sku_id, limit=1)
    return found[0] if found else None


async def check(tx: TenantTx, sku_id: UUID, *, lock: bool = False) -> None:
    """Raises `NotFound`, and `Conflict` (`not_reusable`) for a SKU of another type."""
    sql = f"SELECT type FROM sku WHERE tenant_id = $1 AND id = $2 {'FOR NO KEY UPDATE' if lock else ''}"
    type_ = await tx.conn.fetchval(sql, tx.tenant_id, sku_id)
    if type_ is None:
        raise NotFound("There is no such SKU.")
    if type_ != "reusable":
        raise Conflict("This SKU is of another type: its codes come from files.", code="not_reusable")


async def change(tx: TenantTx, keyring: Keyring, sku_id: UUID, content: Content, *, actor: str, note: str) -> bool:
    """Whoever buys from now on gets `content`; False when he would anyway. One at a time: the SKU's row is locked.

    Raises as `check`, and `Conflict` (`same_in_vault`) for a code that is, or was, in the vault.
    """
    await check(tx, sku_id, lock=True)
    if (before := await current(tx, sku_id)) is not None:
        [old] = await vault.reveal(tx, keyring, [before.unit])
        if Content(old.code, old.secret, old.valid_until) == content:
            return False
    try:
        batch_id = await vault.make(tx, sku_id, 1, actor=actor, note=note, keyring=keyring, contents=lambda _: [content])
    except asyncpg.UniqueViolationError:
        raise Conflict("This code is in the vault already. Nothing was changed.", code="same_in_vault") from None
    # It is what is sold, not a piece of stock. (No sale can have taken it: it was made in this transaction.)
    sql = "UPDATE unit SET state = 'void' WHERE tenant_id = $1 AND sku_id = $2 AND batch_id = $3 AND state = 'available'"
    await tx.conn.execute(sql, tx.tenant_id, sku_id, batch_id)
    return True
