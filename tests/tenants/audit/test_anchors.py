"""Anchors: what a file of them proves, and every way in which it can be one no longer."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tenants.audit import anchors, cli
from tenants.audit.anchors import FILE, BadAnchors, Folder, Log, NotKept, Signer
from tests.shop import Store
from tests.tenants.audit.records import Record, record_of


@pytest.fixture
async def record(acme: Store, tmp_path: Path) -> AsyncIterator[Record]:
    """Three anchors of a growing chain."""
    async with record_of(acme, tmp_path) as record:
        for subject in "abc":
            await record.add(subject)
            await record.link()
            await record.anchor()
        yield record


def lines(folder: Path) -> list[bytes]:
    return (folder / FILE).read_bytes().splitlines(keepends=True)


class TestAnchor:
    async def test_keeps_each_head_that_moved_once(self, record: Record) -> None:
        kept = anchors.read(record.folder, record.signer.public)
        assert [head.seq for head in kept.heads if head.tenant_id == record.tenant_id] == [3, 4, 5]
        assert await record.anchor() == 0
        assert len(lines(record.folder)) == 3

    async def test_a_head_stays_to_be_anchored_while_the_sink_takes_nothing(self, record: Record, tmp_path: Path) -> None:
        await record.add("d")
        await record.link()
        folder, record.folder = record.folder, tmp_path / "away"
        with pytest.raises(NotKept, match="away"):
            await record.anchor()
        record.folder = folder
        assert await record.anchor() == 1

    async def test_the_platform_sees_heads_and_no_entry(self, record: Record) -> None:
        async with record.store.process.platform_pool.acquire() as platform:
            assert await platform.fetchval("SELECT count(*) FROM audit_head WHERE tenant_id = $1", record.tenant_id) == 1
            for table in ("audit", "audit_link", "audit_unlinked"):
                assert not await platform.fetchval("SELECT has_table_privilege('tessera_platform', $1, 'SELECT')", table)

    async def test_the_log_holds_records_that_can_be_read_again(
        self, record: Record, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        with caplog.at_level(logging.INFO, "tenants.audit.anchors"):
            Log().write(record.signer, [anchors.Anchored(record.tenant_id, 1, bytes(32))], [])
        again = tmp_path / "from-the-log"
        again.mkdir()
        (again / "log.jsonl").write_text(caplog.messages[0].removeprefix("audit anchor ") + "\n")
        assert anchors.read(again, record.signer.public).heads == [anchors.Anchored(record.tenant_id, 1, bytes(32))]


class TestRead:
    def test_a_changed_record(self, record: Record) -> None:
        path = record.folder / FILE
        path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":2', 1))
        with pytest.raises(BadAnchors, match=r"line 1: the signature"):
            anchors.read(record.folder, record.signer.public)

    def test_a_record_taken_out_of_the_middle(self, record: Record) -> None:
        first, _, last = lines(record.folder)
        (record.folder / FILE).write_bytes(first + last)
        with pytest.raises(BadAnchors, match=r"line 2: the line before"):
            anchors.read(record.folder, record.signer.public)

    async def test_records_cut_off_the_end(self, record: Record) -> None:
        """Each line that is left is right; what is missed is the newest, which the database noted."""
        assert await record.faults(anchored=True) == []
        (record.folder / FILE).write_bytes(b"".join(lines(record.folder)[:-1]))
        assert await record.faults(anchored=True) == [("anchor", 5)]

    def test_records_that_changed_places(self, record: Record) -> None:
        first, second, third = lines(record.folder)
        (record.folder / FILE).write_bytes(first + third + second)
        with pytest.raises(BadAnchors, match="line 2"):
            anchors.read(record.folder, record.signer.public)

    def test_a_record_signed_by_another_key(self, record: Record) -> None:
        Folder(record.folder).write(Signer(bytes(32)), [], [])
        with pytest.raises(BadAnchors, match=r"line 4: the signature"):
            anchors.read(record.folder, record.signer.public)

    def test_a_file_that_is_none(self, record: Record, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        with pytest.raises(BadAnchors, match="no anchors"):
            anchors.read(other, record.signer.public)
        (other / "x.jsonl").write_text("hello\n")
        with pytest.raises(BadAnchors, match=r"x\.jsonl, line 1"):
            anchors.read(other, record.signer.public)

    def test_what_a_crash_cut_short_is_told_and_what_follows_is_whole(self, record: Record) -> None:
        path = record.folder / FILE
        path.write_bytes(path.read_bytes()[:-20])
        Folder(record.folder).write(record.signer, [], [])
        assert len(lines(record.folder)) == 4
        with pytest.raises(BadAnchors, match="line 3"):
            anchors.read(record.folder, record.signer.public)


class TestCommand:
    @pytest.fixture
    def environ(self, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = record.settings
        for name, value in {
            "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "TESSERA_SECRET": settings.secret.hex(),
            "TESSERA_ENV": "test", "TESSERA_ANCHOR_DIR": str(record.folder),
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)

    async def run(self, *argv: str) -> int:
        return await asyncio.to_thread(cli.main, argv)

    async def test_verify_says_what_it_held_against_what(self, record: Record, environ: None, capsys: pytest.CaptureFixture[str]) -> None:
        assert await self.run("verify", "--tenant", f"ten_{record.tenant_id.hex}") == 0
        assert "5 links of 1 chains, held against 3 anchored heads: no faults" in capsys.readouterr().out

    async def test_verify_finds_a_change(self, record: Record, environ: None, capsys: pytest.CaptureFixture[str]) -> None:
        await record.execute("UPDATE audit SET actor = 'usr_2' WHERE tenant_id = $T AND subject = 'a'")
        assert await self.run("verify", "--tenant", f"ten_{record.tenant_id.hex}", "--json") == 1
        told = json.loads(capsys.readouterr().out)
        assert [(fault["tenant_id"], fault["what"], fault["seq"]) for fault in told["faults"]] == [
            (f"ten_{record.tenant_id.hex}", "changed", 3)
        ]

    async def test_anchors_that_were_changed_are_a_fault(self, record: Record, environ: None, capsys: pytest.CaptureFixture[str]) -> None:
        (record.folder / FILE).write_bytes(b"".join(lines(record.folder)[1:]))
        assert await self.run("verify") == 1
        assert "line 1" in capsys.readouterr().err

    async def test_what_cannot_be_looked_at(self, record: Record, environ: None, monkeypatch: pytest.MonkeyPatch) -> None:
        assert await self.run("verify", "--tenant", "ten_x") == 2
        monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
        assert await self.run("verify") == 2

    async def test_anchor_and_link(self, record: Record, environ: None, capsys: pytest.CaptureFixture[str]) -> None:
        await record.add("d")
        await record.link()
        assert await self.run("anchor") == 0
        assert record.signer.public.hex() in capsys.readouterr().out
        assert await self.run("link") == 0
