"""The chain: each link's hash covers the link before it and the whole of one entry, so that nothing in between can be changed alone.

    hash(0)   = SHA-256("tessera/audit/1" ‖ 0x00 ‖ tenant)
    hash(seq) = SHA-256(hash(seq − 1) ‖ tenant ‖ seq ‖ id ‖ at ‖ actor ‖ action ‖ subject ‖ detail)

`tenant` and `id` are the 16 bytes of a uuid, `seq` is 8 bytes, `at` 8 bytes of microseconds since 1970 UTC, signed; both big-endian.
The four texts are UTF-8, each behind its length in bytes as 4 bytes big-endian; `detail` is the text that Postgres writes of the jsonb.

Linking follows commits: it takes what it sees committed and unlinked, in the order of ids. Which of two entries stands first in the
chain says nothing about which happened first; their times and ids do.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from checkout_core import safeties
from tenants.db import Pool, TenantTx, tenant_tx

AT_ONCE = 500  # entries a transaction: some 10 ms
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Entry(NamedTuple):
    """An entry as it is hashed. `detail` is jsonb as Postgres writes it."""

    id: UUID
    at: dt.datetime
    actor: str
    action: str
    subject: str
    detail: str


COLUMNS = ", ".join(Entry._fields)


class Head(NamedTuple):
    """The last link of a chain; `seq` 0 before the first."""

    seq: int
    hash: bytes


def root(tenant_id: UUID) -> Head:
    """What the first link of a tenant stands on."""
    return Head(0, hashlib.sha256(b"tessera/audit/1\0" + tenant_id.bytes).digest())


def link_hash(before: bytes, tenant_id: UUID, seq: int, entry: Entry) -> bytes:
    """32 bytes over the hash of the link before and the entry."""
    at_us = (entry.at - _EPOCH) // _MICROSECOND
    parts = [before, tenant_id.bytes, seq.to_bytes(8, "big"), entry.id.bytes, at_us.to_bytes(8, "big", signed=True)]
    for text in entry[2:]:
        raw = text.encode()
        parts += [len(raw).to_bytes(4, "big"), raw]
    return hashlib.sha256(b"".join(parts)).digest()


def extend(tenant_id: UUID, head: Head, entries: Sequence[Entry]) -> list[Head]:
    """The links that `entries` become after `head`, in their order."""
    links = []
    for entry in entries:
        head = Head(head.seq + 1, link_hash(head.hash, tenant_id, head.seq + 1, entry))
        links.append(head)
    return links


async def link(pool: Pool, tenant_id: UUID) -> int:
    """The duty of entries that are not linked: link all that are committed by now; how many there were.

    Of two workers at it one leaves it to the other. Whoever writes entries meanwhile waits for neither.
    """
    linked = 0
    while True:
        async with tenant_tx(pool, tenant_id) as tx:
            done = await _link_some(tx)
        linked += done
        if done < AT_ONCE:
            return linked


async def _link_some(tx: TenantTx) -> int:
    head = await _lock_head(tx)
    if head is None:
        return 0  # somebody else is at it; what he has not seen is still due
    # A statement after the lock: it sees what the one who held the lock before has linked.
    sql = f"""SELECT EXISTS (SELECT 1 FROM audit_link l WHERE l.tenant_id = $1 AND audit_id = audit.id), {COLUMNS} FROM audit JOIN (
                  SELECT id FROM audit_unlinked WHERE tenant_id = $1 ORDER BY id LIMIT $2) unlinked USING (id)
              WHERE tenant_id = $1 ORDER BY id"""
    found = [(linked, Entry(*row)) for linked, *row in await tx.conn.fetch(sql, tx.tenant_id, AT_ONCE)]
    # One that is linked may have been queued again by `queue_strays`, which waits for nobody.
    if (entries := [entry for linked, entry in found if not linked]) and safeties.on("audit_chain"):
        links = extend(tx.tenant_id, head, entries)
        sql = """INSERT INTO audit_link (tenant_id, seq, audit_id, hash)
                 SELECT $1, * FROM unnest($2::bigint[], $3::uuid[], $4::bytea[])"""
        ids = [entry.id for entry in entries]
        await tx.conn.execute(sql, tx.tenant_id, [one.seq for one in links], ids, [one.hash for one in links])
        await tx.conn.execute("UPDATE audit_head SET seq = $2, hash = $3 WHERE tenant_id = $1", tx.tenant_id, *links[-1])
    sql = "DELETE FROM audit_unlinked WHERE tenant_id = $1 AND id = ANY($2)"
    await tx.conn.execute(sql, tx.tenant_id, [entry.id for _, entry in found])
    return len(found)


async def _lock_head(tx: TenantTx) -> Head | None:
    """The end of the chain, locked; None when another holds it."""
    select = "SELECT seq, hash FROM audit_head WHERE tenant_id = $1 FOR UPDATE SKIP LOCKED"
    row = await tx.conn.fetchrow(select, tx.tenant_id)
    if row is None:
        sql = "INSERT INTO audit_head (tenant_id, seq, hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
        await tx.conn.execute(sql, tx.tenant_id, *root(tx.tenant_id))
        row = await tx.conn.fetchrow(select, tx.tenant_id)
    return Head(*row) if row else None
