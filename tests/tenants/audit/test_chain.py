"""The audit's chain: every way of tampering is found, nothing is left out, and nobody waits for the linking."""

import asyncio
import datetime as dt
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import asyncpg
import pytest

from checkout_core import safeties
from tenants.audit import chain
from tenants.audit.verify import queue_strays
from tenants.db import dsn_for, tenant_tx
from tests.shop import Store
from tests.tenants.audit.records import Record, record_of


@pytest.fixture
async def record(acme: Store, tmp_path: Path) -> AsyncIterator[Record]:
    """Signing up has left entries 1 and 2; three more, all linked and anchored."""
    async with record_of(acme, tmp_path) as record:
        await record.add("a", "b", "c")
        await record.link()
        await record.anchor()
        yield record


class TestEncoding:
    async def test_is_as_the_docstring_says(self, record: Record) -> None:
        """Computed here by hand, from the columns, with nothing of ours."""
        sql = """SELECT a.*, extract(epoch FROM at) * 1000000 AS us, hash FROM audit a JOIN audit_link l
                 ON l.tenant_id = a.tenant_id AND audit_id = id WHERE a.tenant_id = $1 ORDER BY seq"""
        before = hashlib.sha256(b"tessera/audit/1\0" + record.tenant_id.bytes).digest()
        for seq, row in enumerate(await record.conn.fetch(sql, record.tenant_id), 1):
            text = b"".join(
                len(raw).to_bytes(4, "big") + raw for raw in (row[name].encode() for name in ("actor", "action", "subject", "detail"))
            )
            fixed = record.tenant_id.bytes + seq.to_bytes(8, "big") + row["id"].bytes + int(row["us"]).to_bytes(8, "big")
            before = hashlib.sha256(before + fixed + text).digest()
            assert row["hash"] == before

    def test_no_two_entries_read_the_same(self) -> None:
        """Were lengths not hashed, moving a letter from one text to the next would change nothing."""
        one = chain.Entry(UUID(int=1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "ab", "c", "d", "{}")
        hashes = {chain.link_hash(bytes(32), UUID(int=2), 1, each) for each in (one, one._replace(actor="a", action="bc"))}
        assert len(hashes) == 2


class Tampering(NamedTuple):
    what: str
    sql: list[str]
    found: list[tuple[str, int | None]]


ENTRY = "(SELECT audit_id FROM audit_link WHERE tenant_id = $T AND seq = 3)"
TAMPERINGS = [
    *(
        Tampering(f"{column} is changed", [f"UPDATE audit SET {column} = {to} WHERE tenant_id = $T AND id = {ENTRY}"], [("changed", 3)])
        for column, to in {
            "actor": "'usr_2'", "action": "'thing.undone'", "subject": "'z'", "detail": "detail || '{\"amount_minor\": 2}'",
            "at": "at + interval '1 us'",
        }.items()
    ),
    Tampering("an entry is deleted", [f"DELETE FROM audit WHERE tenant_id = $T AND id = {ENTRY}"], [("missing", 3)]),
    Tampering("an entry is deleted with its link", [
        f"DELETE FROM audit WHERE tenant_id = $T AND id = {ENTRY}", "DELETE FROM audit_link WHERE tenant_id = $T AND seq = 3"],
        [("gap", 3)]),
    Tampering("and the rest moves up", [
        f"DELETE FROM audit WHERE tenant_id = $T AND id = {ENTRY}", "DELETE FROM audit_link WHERE tenant_id = $T AND seq = 3",
        "UPDATE audit_link SET seq = 3 WHERE tenant_id = $T AND seq = 4", "UPDATE audit_link SET seq = 4 WHERE tenant_id = $T AND seq = 5",
        "UPDATE audit_head SET seq = 4 WHERE tenant_id = $T"],
        [("changed", 3), ("changed", 4)]),
    Tampering("the last is deleted", [
        "DELETE FROM audit WHERE tenant_id = $T AND id = (SELECT audit_id FROM audit_link WHERE tenant_id = $T AND seq = 5)",
        "DELETE FROM audit_link WHERE tenant_id = $T AND seq = 5"], [("cut", 5 - 1)]),
    Tampering("two change places", [
        "UPDATE audit_link SET seq = 99 WHERE tenant_id = $T AND seq = 3", "UPDATE audit_link SET seq = 3 WHERE tenant_id = $T AND seq = 4",
        "UPDATE audit_link SET seq = 4 WHERE tenant_id = $T AND seq = 99"], [("changed", 3), ("changed", 4), ("changed", 5)]),
    Tampering("an entry is slipped in and never linked", [
        """INSERT INTO audit (tenant_id, id, at, actor, action, subject)
           VALUES ($T, gen_random_uuid(), now() - interval '1 hour', 'usr_1', 'x', 'y')"""], [("unlinked", None)]),
    Tampering("the whole chain is gone", ["DELETE FROM audit_link WHERE tenant_id = $T"], [("cut", 0)]),
]  # fmt: skip


class TestTampering:
    async def test_nothing_is_wrong_with_what_nobody_touched(self, record: Record) -> None:
        verdict = await record.verify(anchored=True)
        assert (verdict.tenants, verdict.entries, verdict.anchored, verdict.faults) == (1, 5, 1, [])

    @pytest.mark.parametrize("case", TAMPERINGS, ids=lambda case: case.what)
    async def test_is_found(self, record: Record, case: Tampering) -> None:
        await record.execute(*case.sql)
        assert await record.faults() == case.found

    async def test_a_chain_made_anew_over_a_changed_entry_is_found_by_the_anchor_alone(self, record: Record) -> None:
        await record.execute(f"UPDATE audit SET actor = 'usr_2' WHERE tenant_id = $T AND id = {ENTRY}")
        await record.chain_anew()
        assert await record.faults() == []
        assert await record.faults(anchored=True) == [("anchor", 5)]

    async def test_a_tail_cut_off_with_its_head_is_found_by_the_anchor_alone(self, record: Record) -> None:
        await record.execute(
            "DELETE FROM audit WHERE tenant_id = $T AND id IN (SELECT audit_id FROM audit_link WHERE tenant_id = $T AND seq > 3)"
        )
        await record.chain_anew()
        assert await record.faults() == []
        assert await record.faults(anchored=True) == [("anchor", 5)]

    async def test_all_of_it_gone_is_found_by_the_anchor_alone(self, record: Record) -> None:
        await record.execute(*(f"DELETE FROM {table} WHERE tenant_id = $T" for table in ("audit", "audit_link", "audit_head")))
        assert await record.faults() == []
        assert await record.faults(anchored=True) == [("anchor", 5)]

    async def test_a_chain_goes_on_after_its_anchor(self, record: Record) -> None:
        await record.add("d")
        await record.link()
        assert await record.faults(anchored=True) == []


class TestLinking:
    async def test_what_commits_late_is_linked_once_and_not_skipped(self, record: Record) -> None:
        """It took its id first, and committed after another that came later was linked."""
        async with tenant_tx(record.pool, record.tenant_id) as slow:
            await slow.audit("usr_1", "thing.done", "early id")
            await record.add("late id")
            assert await record.link() == 1
        assert await record.link() == 1
        assert await record.link() == 0
        assert await record.faults() == []
        assert [seq for seq, _ in await record.links()] == [1, 2, 3, 4, 5, 6, 7]

    async def test_what_is_rolled_back_leaves_nothing(self, record: Record) -> None:
        async def fail() -> None:
            async with tenant_tx(record.pool, record.tenant_id) as tx:
                await tx.audit("usr_1", "thing.done", "never")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail()
        assert await record.link() == 0

    async def test_many_write_and_several_link_at_once(self, record: Record) -> None:
        writing = [record.add(*map(str, range(10))) for _ in range(8)]
        linking = [record.link() for _ in range(4)]
        await asyncio.gather(*writing, *linking)
        await record.link()
        assert [seq for seq, _ in await record.links()] == list(range(1, 86))
        assert await record.faults() == []

    async def test_who_acts_does_not_wait_for_who_links(self, record: Record) -> None:
        async with tenant_tx(record.pool, record.tenant_id) as linking:
            await linking.conn.execute("SELECT 1 FROM audit_head WHERE tenant_id = $1 FOR UPDATE", record.tenant_id)
            async with asyncio.timeout(1):
                await record.add("meanwhile")
        assert await record.link() == 1

    async def test_more_than_fit_a_transaction(self, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(chain, "AT_ONCE", 2)
        await record.add(*"defgh")
        assert await record.link() == 5
        assert await record.faults() == []

    async def test_entries_of_the_release_before_are_found_and_linked(self, record: Record) -> None:
        await record.execute(
            "INSERT INTO audit (tenant_id, id, actor, action, subject) VALUES ($T, gen_random_uuid(), 'usr_1', 'old', 'x')"
        )
        assert await record.link() == 0
        assert await queue_strays(record.conn) >= 1
        assert await record.link() == 1
        assert await record.faults() == []

    async def test_what_is_linked_and_queued_again_is_linked_once(self, record: Record) -> None:
        await record.execute("INSERT INTO audit_unlinked (tenant_id, id) SELECT tenant_id, id FROM audit WHERE tenant_id = $T")
        await record.add("d")
        assert await record.link() == 6
        assert [seq for seq, _ in await record.links()] == [1, 2, 3, 4, 5, 6]
        assert await record.faults() == []

    async def test_the_application_can_neither_change_nor_remove(self, record: Record) -> None:
        app = await asyncpg.connect(dsn_for(record.settings, "tessera_app"))
        try:
            for sql in ("UPDATE audit SET actor = ''", "DELETE FROM audit", "UPDATE audit_link SET seq = 1", "DELETE FROM audit_link"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await app.execute(sql)
        finally:
            await app.close()


async def test_without_the_chain_entries_stay_unlinked_and_that_is_found(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: the safety removed, entries are taken for linked, and the proof says they are not."""
    monkeypatch.setattr(safeties, "_off", frozenset({"audit_chain"}))
    await record.add("d")
    assert await record.link() == 1
    await record.execute("UPDATE audit SET at = at - interval '1 hour' WHERE tenant_id = $T AND subject = 'd'")
    assert await record.faults() == [("unlinked", None)]
