"""The duty of a rotation: pass by pass over everything that is sealed, until one finds nothing left; then the key before is removed.

Each step is a transaction that seals some rows anew and notes how far it came: killed anywhere, the next worker goes on from there. Nobody
else is in its way, nor it in anybody's: what is sealed is read without locks, and no new row is sealed under the key before.
"""

import asyncio
import time
from typing import Any, Final
from uuid import UUID

from tenants.db import Pool, TenantTx, tenant_tx
from tenants.keys import Keyring, TenantKeys, unit_place
from tenants.rotations import Progress, Rotation, claim, finish, go_on, lock_running
from tenants.rotations.places import OTHERS, TABLES, Sealed
from tenants.vault.codes import normalise, unpack

LEASE_S: Final = 60.0  # a crash delays a rotation by so much at most
# Between two passes. Who read a row before it was sealed anew finds the key as long as his transaction lasts, which is 12 s.
SETTLE_S: Final = 60.0
CODES_AT_ONCE: Final = 500
LOOKED_AT_ONCE: Final = 5000  # where there is nothing left to do


async def carry_out(pool: Pool, keyring: Keyring, tenant_id: UUID, rotation_id: UUID) -> None:
    """Go on until the pass is over: half of the time at most, the shop comes first."""
    if not await claim(pool, tenant_id, rotation_id, LEASE_S):
        return
    while True:
        began = time.perf_counter()
        async with tenant_tx(pool, tenant_id) as tx:
            if not await _step(tx, keyring, rotation_id):
                return
        await asyncio.sleep(time.perf_counter() - began)


async def _step(tx: TenantTx, keyring: Keyring, rotation_id: UUID) -> bool:
    """Seal some rows anew; whether the pass goes on. Two workers at it make each step one after the other."""
    rotation = await lock_running(tx, rotation_id)
    if rotation is None:
        return False
    progress, keys = rotation.progress, await keyring.of(tx)
    if progress.table == "code":
        on = await _codes(tx, keys, progress)
    else:
        on = await _others(tx, keys, OTHERS[TABLES.index(progress.table) - 1], progress)
    if not on:  # to the next table
        at = TABLES.index(progress.table) + 1
        progress.table, progress.after = TABLES[at % len(TABLES)], None
        on = at < len(TABLES)
    if on:
        # A crash of Postgres may take the last steps back, in order, and with them the notes of how far they came.
        await tx.conn.execute("SET LOCAL synchronous_commit = off")
        await go_on(tx, rotation_id, progress, LEASE_S)
    elif progress.turn > 1 and not progress.found:
        await _remove(tx, rotation, keys)
        await finish(tx, rotation)
    else:
        progress.turn, progress.found = progress.turn + 1, 0
        await go_on(tx, rotation_id, progress, SETTLE_S)
    return on


async def _codes(tx: TenantTx, keys: TenantKeys, progress: Progress) -> bool:
    """Whether there may be more. Nobody but this duty writes these columns, and no two at once."""
    at_once = CODES_AT_ONCE if progress.turn == 1 else LOOKED_AT_ONCE
    sql = """SELECT unit_id, sku_id, key_id, fingerprint, fingerprint_key_id,
                    CASE WHEN key_id < $4 OR fingerprint_key_id < $5 THEN sealed END AS sealed
             FROM code WHERE tenant_id = $1 AND unit_id > $2 ORDER BY unit_id LIMIT $3"""
    after = int(progress.after[0]) if progress.after else -1
    rows = await tx.conn.fetch(sql, tx.tenant_id, after, at_once, *keys.in_use)
    old = [row for row in rows if row["sealed"] is not None]
    if old:
        renewed = await asyncio.to_thread(_renewed, keys, old)
        # Between the first and the last: whatever plan is chosen, it reads no others.
        sql = """UPDATE code SET key_id = $2, fingerprint_key_id = $3, sealed = x.sealed, fingerprint = x.fingerprint
                 FROM unnest($4::bigint[], $5::bytea[], $6::bytea[]) AS x (unit_id, sealed, fingerprint)
                 WHERE code.tenant_id = $1 AND code.unit_id = x.unit_id AND code.unit_id BETWEEN $7 AND $8"""
        units = [row["unit_id"] for row in old]
        await tx.conn.execute(sql, tx.tenant_id, *keys.in_use, units, *renewed, units[0], units[-1])
    progress.renewed += len(old)
    progress.found += len(old)
    if rows:
        progress.after = [str(rows[-1]["unit_id"])]
    return len(rows) == at_once


def _renewed(keys: TenantKeys, rows: list[Any]) -> tuple[list[bytes], list[bytes]]:
    """What is sealed and the fingerprint of each of the codes `rows`, under the keys in use."""
    sealed, fingerprints = [], []
    for row in rows:
        place = unit_place(keys.tenant_id, row["sku_id"], row["unit_id"])
        content = keys.open_(row["key_id"], row["sealed"], place)
        sealed.append(keys.seal(content, place) if row["key_id"] < keys.key_id else row["sealed"])
        if row["fingerprint_key_id"] < keys.fingerprint_key_id:
            fingerprints.append(keys.fingerprint(normalise(unpack(content, row["unit_id"]).code)))
        else:
            fingerprints.append(row["fingerprint"])
    return sealed, fingerprints


async def _others(tx: TenantTx, keys: TenantKeys, where: Sealed, progress: Progress) -> bool:
    """Whether there may be more. Each row is locked: what its owner seals meanwhile he seals under the newest key, and that stays."""
    columns = [column for column, _ in where.key]
    marks = ", ".join(f"${n}::text::{type_}" for n, (_, type_) in enumerate(where.key, 4))
    beyond = f"AND ({', '.join(columns)}) > ({marks})" if progress.after else ""
    sql = f"""SELECT * FROM {where.table} WHERE tenant_id = $1 AND {where.key_id} < $2 AND {where.content} IS NOT NULL {beyond}
              ORDER BY {", ".join(columns)} LIMIT $3 FOR NO KEY UPDATE"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, keys.key_id, where.at_once, *(progress.after or ()))
    own = " AND ".join(f"{column} = ${n}" for n, column in enumerate(columns, 4))
    sql = f"UPDATE {where.table} SET {where.key_id} = $2, {where.content} = $3 WHERE tenant_id = $1 AND {own}"
    for row in rows:
        place = where.place(tx.tenant_id, row)
        sealed = keys.seal(keys.open_(row[where.key_id], row[where.content], place), place)
        await tx.conn.execute(sql, tx.tenant_id, keys.key_id, sealed, *(row[column] for column in columns))
    progress.others += len(rows)
    progress.found += len(rows)
    if rows:
        progress.after = [str(rows[-1][column]) for column in columns]
    return len(rows) == where.at_once


async def _remove(tx: TenantTx, rotation: Rotation, keys: TenantKeys) -> None:
    """The keys before those in use: nothing is sealed under them, and nothing can be any more."""
    in_use = {"seal": keys.key_id, "fingerprint": keys.fingerprint_key_id}
    for purpose in rotation.purposes:
        sql = "DELETE FROM tenant_key WHERE tenant_id = $1 AND purpose = $2 AND id < $3"
        await tx.conn.execute(sql, tx.tenant_id, purpose, in_use[purpose])
