"""Rotations of a store's keys: a newer key is in use with the commit, what lies under the one before is sealed anew while the shop sells.

`begin` makes the keys, `work.carry_out` is the duty that does the rest.
"""

import datetime as dt
from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode, new_id
from tenants.db import NEWEST, Pool, TenantTx, tenant_tx
from tenants.keys import Keyring


class Progress(msgspec.Struct, kw_only=True):
    """Where the duty is: the pass, the table of `places.TABLES`, and the key of the last row that was looked at.

    `renewed` counts codes sealed anew, `others` all other rows; `found` is what this very pass had left to do.
    """

    turn: int = 1
    table: str = "code"
    after: list[str] | None = None
    renewed: int = 0
    others: int = 0
    found: int = 0


class Rotation(msgspec.Struct, frozen=True):
    """`codes` is how many there were when it began."""

    id: UUID
    purposes: list[str]
    state: str
    codes: int
    progress: Progress
    asked_by: str
    created_at: dt.datetime
    finished_at: dt.datetime | None


_COLUMNS = ", ".join(Rotation.__struct_fields__)
SYSTEM = "system"  # who the audit names
_encode = msgspec.json.Encoder().encode
_progress = msgspec.json.Decoder(Progress)


def _of(row: Any) -> Rotation:
    return Rotation(**{**row, "progress": _progress.decode(row["progress"])})


async def begin(tx: TenantTx, keyring: Keyring, purposes: Collection[str], *, actor: str) -> Rotation:
    """Have newer keys from the commit on. Raises `Conflict` (`rotation_running`) while an earlier one is not done."""
    made = await keyring.renew(tx, purposes)  # and with it, nobody else begins one
    if running := await tx.conn.fetchval("SELECT id FROM key_rotation WHERE tenant_id = $1 AND state = 'running'", tx.tenant_id):
        raise Conflict(
            "Keys are being rotated already. Nothing was changed: ask again when that is done.",
            code="rotation_running",
            rotation_id=encode("rot", running),
        )
    sql = "SELECT coalesce(sum(loaded), 0)::bigint FROM vault_batch WHERE tenant_id = $1"
    codes = await tx.conn.fetchval(sql, tx.tenant_id)
    sql = f"INSERT INTO key_rotation (tenant_id, id, purposes, codes, asked_by) VALUES ($1, $2, $3, $4, $5) RETURNING {_COLUMNS}"
    rotation = _of(await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), sorted(made), codes, actor))
    await tx.audit(actor, "keys.rotation_begun", encode("rot", rotation.id), keys=made)
    return rotation


async def get(tx: TenantTx, rotation_id: UUID) -> Rotation:
    """Raises `NotFound`."""
    row = await tx.conn.fetchrow(f"SELECT {_COLUMNS} FROM key_rotation WHERE tenant_id = $1 AND id = $2", tx.tenant_id, rotation_id)
    if row is None:
        raise NotFound("There is no such rotation.")
    return _of(row)


async def latest(tx: TenantTx, *, limit: int, before: UUID | None = None) -> list[Rotation]:
    """At most `limit`, newest first, older than the rotation `before`."""
    sql = f"SELECT {_COLUMNS} FROM key_rotation WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
    return [_of(row) for row in await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, limit)]


async def claim(pool: Pool, tenant_id: UUID, rotation_id: UUID, lease_s: float) -> bool:
    """Whether it is due, and now the caller's: scheduled ahead, so that nobody else takes it meanwhile."""
    sql = """UPDATE key_rotation SET next_try_at = now() + $3::float8 * interval '1 second'
             WHERE tenant_id = $1 AND id = $2 AND next_try_at <= now() RETURNING true"""
    async with tenant_tx(pool, tenant_id) as tx:
        return bool(await tx.conn.fetchval(sql, tenant_id, rotation_id, lease_s))


async def lock_running(tx: TenantTx, rotation_id: UUID) -> Rotation | None:
    """The rotation, its row locked until the transaction ends; None when it is done."""
    sql = f"SELECT {_COLUMNS} FROM key_rotation WHERE tenant_id = $1 AND id = $2 AND state = 'running' FOR NO KEY UPDATE"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, rotation_id)
    return None if row is None else _of(row)


async def go_on(tx: TenantTx, rotation_id: UUID, progress: Progress, after_s: float) -> None:
    """Note how far it came, and when it is due again."""
    sql = """UPDATE key_rotation SET progress = $3, next_try_at = now() + $4::float8 * interval '1 second', tries = 0
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, rotation_id, _encode(progress).decode(), after_s)


async def finish(tx: TenantTx, rotation: Rotation) -> None:
    sql = """UPDATE key_rotation SET state = 'done', progress = $3, finished_at = now(), next_try_at = NULL
             WHERE tenant_id = $1 AND id = $2"""
    progress = rotation.progress
    await tx.conn.execute(sql, tx.tenant_id, rotation.id, _encode(progress).decode())
    await tx.audit(SYSTEM, "keys.rotated", encode("rot", rotation.id), codes=progress.renewed, others=progress.others)
