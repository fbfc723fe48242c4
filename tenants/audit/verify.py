"""Proof of the chains: no entry changed, removed, added or moved; all old ones linked; and every anchor is what the chain still says."""

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple
from uuid import UUID

from tenants.audit.anchors import Kept
from tenants.audit.chain import COLUMNS, Entry, Head, link_hash, root
from tenants.db import Connection

UNLINKED_S = 60  # how long an entry may wait for its link
READ_AT_ONCE = 5000
FAULTS_TOLD = 100  # of each tenant


class Fault(NamedTuple):
    """`what` is one of: gap, missing, changed, unlinked, cut, anchor."""

    tenant_id: UUID
    what: str
    seq: int | None
    entry: UUID | None
    detail: str


class Verdict(NamedTuple):
    tenants: int
    entries: int
    anchored: int  # heads of anchors that were held against the chains
    faults: list[Fault]


async def noted(conn: Connection, tenant_id: UUID | None = None) -> dict[UUID, int]:
    """Up to where the database says that each chain was anchored. To be asked before anchors are read: they say at least as much then."""
    sql = "SELECT tenant_id, anchored_seq FROM audit_head WHERE anchored_seq > 0 AND ($1::uuid IS NULL OR tenant_id = $1)"
    return dict(await conn.fetch(sql, tenant_id))


async def verify(conn: Connection, *, tenant_id: UUID | None = None, kept: Kept | None = None, before: Mapping[UUID, int] = {}) -> Verdict:
    """Prove the chains of all tenants, or of one, in one reading. `conn` is in a transaction with one snapshot, as a role that sees all.

    `before` is what was `noted` before `kept` was read: anchors that say less have lost their last records.
    """
    heads = [head for head in kept.heads if tenant_id in (None, head.tenant_id)] if kept else []
    sql = "SELECT tenant_id, seq, hash FROM audit_head WHERE $1::uuid IS NULL OR tenant_id = $1"
    chains = {row[0]: _Chain(row[0], Head(row[1], row[2])) for row in await conn.fetch(sql, tenant_id)}
    for head in heads:
        if head.tenant_id in chains:
            chains[head.tenant_id].anchors.setdefault(head.seq, set()).add(head.hash)
    links = 0
    async for owner, link, audit_id, entry in _links(conn, tenant_id):
        links += 1
        chains.setdefault(owner, _Chain(owner, root(owner))).follow(link, audit_id, entry)
    faults = [fault for chain in chains.values() for fault in chain.ended()]
    faults += await _unlinked(conn, tenant_id)
    gone = {head.tenant_id: head for head in heads if head.tenant_id not in chains and kept and head.tenant_id not in kept.closed}
    faults += [
        Fault(head.tenant_id, "anchor", head.seq, None, "the chain was anchored, and nothing of it is here") for head in gone.values()
    ]
    reached = {owner: max(chain.anchors, default=0) for owner, chain in chains.items()}
    faults += [
        Fault(owner, "anchor", seq, None, f"anchored up to {seq}, and the anchors that are kept end at {reached[owner]}")
        for owner, seq in before.items()
        if owner in chains and reached[owner] < seq
    ]
    return Verdict(len(chains), links, len(heads), faults)


class _Chain:
    """One tenant's chain while it is followed."""

    def __init__(self, tenant_id: UUID, head: Head) -> None:
        self.tenant_id, self._head = tenant_id, head
        self.anchors: dict[int, set[bytes]] = {}
        self._last = root(tenant_id)
        self._faults: list[Fault] = []

    def follow(self, head: Head, audit_id: UUID, entry: Entry | None) -> None:
        """The next link there is, and its entry if that is there."""
        expected = self._last.seq + 1
        if head.seq != expected:
            self._fault("gap", expected, None, f"links {expected} to {head.seq - 1} are not there")
        elif entry is None:
            self._fault("missing", head.seq, audit_id, "the link's entry is not there")
        elif link_hash(self._last.hash, self.tenant_id, head.seq, entry) != head.hash:
            self._fault("changed", head.seq, audit_id, "entry, place or link are not what was linked")
        if self.anchors.get(head.seq, set()) - {head.hash}:
            self._fault("anchor", head.seq, audit_id, "the chain was another when it was anchored")
        self._last = head  # as it is stored: what follows is held against that, so that one change is one fault

    def ended(self) -> list[Fault]:
        """All that was found, when there are no more links."""
        last = self._last
        if self._head != last:
            self._fault("cut", last.seq, None, f"the chain ends at {last.seq}, its head says {self._head.seq}")
        if beyond := [seq for seq in self.anchors if seq > last.seq]:
            self._fault("anchor", max(beyond), None, f"the chain was anchored up to {max(beyond)} and ends at {last.seq}")
        return self._faults

    def _fault(self, what: str, seq: int | None, entry: UUID | None, detail: str) -> None:
        if len(self._faults) < FAULTS_TOLD:
            self._faults.append(Fault(self.tenant_id, what, seq, entry, detail))


async def _links(conn: Connection, tenant_id: UUID | None) -> AsyncIterator[tuple[UUID, Head, UUID, Entry | None]]:
    """The links of each tenant in order, each with its entry if that is there."""
    columns = ", ".join(f"audit.{name}" for name in COLUMNS.split(", "))
    sql = f"""SELECT audit_link.tenant_id, seq, hash, audit_id, {columns} FROM audit_link
              LEFT JOIN audit ON audit.tenant_id = audit_link.tenant_id AND audit.id = audit_id
              WHERE $1::uuid IS NULL OR audit_link.tenant_id = $1 ORDER BY audit_link.tenant_id, seq"""
    async for owner, seq, hash_, audit_id, *entry in conn.cursor(sql, tenant_id, prefetch=READ_AT_ONCE):
        there = entry[0] is not None
        yield owner, Head(seq, hash_), audit_id, Entry(*entry) if there else None


async def _unlinked(conn: Connection, tenant_id: UUID | None) -> list[Fault]:
    sql = f"""SELECT audit.tenant_id, count(*), min(audit.id::text)::uuid
              FROM audit LEFT JOIN audit_link ON audit_link.tenant_id = audit.tenant_id AND audit_id = audit.id
              WHERE ($1::uuid IS NULL OR audit.tenant_id = $1) AND audit_id IS NULL AND at < now() - interval '{UNLINKED_S} s'
              GROUP BY 1"""
    return [
        Fault(owner, "unlinked", None, first, f"{count} entries older than {UNLINKED_S} s have no link")
        for owner, count, first in await conn.fetch(sql, tenant_id)
    ]


async def queue_strays(conn: Connection) -> int:
    """Have entries linked that were written by a release from before the chain; how many. As a role that sees all tenants."""
    sql = """INSERT INTO audit_unlinked (tenant_id, id)
             SELECT audit.tenant_id, audit.id FROM audit
             WHERE NOT EXISTS (SELECT 1 FROM audit_link WHERE audit_link.tenant_id = audit.tenant_id AND audit_id = audit.id)
             ON CONFLICT DO NOTHING"""
    return int((await conn.execute(sql)).rpartition(" ")[2])
