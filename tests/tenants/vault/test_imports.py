"""Files into the vault of a real database: reports, duplicates, seals, and what a kill leaves."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from checkout_core.config import Settings
from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import decode
from tenants import vault
from tenants.db import tenant_tx
from tenants.keys import SealBroken
from tenants.vault.codes import normalise
from tenants.vault.rows import PIECE_LINES
from tests.shop import Store

ROOT = Path(__file__).parents[3]
CODES = ROOT / "tests" / "data" / "codes"
PIECE, FINISH = "vault.loader.once.commit", "vault.batches.finish.update-vault_batch"  # places where an import may die
MANIFEST: dict[str, Any] = json.loads((CODES / "manifest.json").read_text())


async def chunks(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def bring_in(store: Store, content: bytes | str, *, sku: str | None = None, size: int = 65536, **wishes: str) -> vault.Report:
    data = content.encode() if isinstance(content, str) else content
    process, sku_id = store.process, decode("sku", sku or await store.sku())
    origin = vault.Origin(operator="test", filename="codes.txt")
    return await vault.run(
        process.app_pool, process.keyring, store.tenant_id, sku_id, chunks(data, size), vault.Wishes.of(**wishes), origin
    )


async def rows(store: Store, batch: str) -> list[tuple[int, bytes, vault.Code]]:
    """Line, fingerprint and plaintext of every code of a batch, in the order in which they would be sold."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """SELECT c.unit_id, c.line_no, c.fingerprint FROM code c JOIN unit u ON u.tenant_id = c.tenant_id AND u.id = c.unit_id
                 WHERE c.tenant_id = $1 AND c.batch_id = $2 AND u.batch_id = $2 ORDER BY c.unit_id"""
        found = await tx.conn.fetch(sql, tx.tenant_id, decode("bat", batch))
        codes = await vault.reveal(tx, store.process.keyring, [row["unit_id"] for row in found])
    return [(row["line_no"], row["fingerprint"], code) for row, code in zip(found, codes, strict=True)]


def plain(found: list[tuple[int, bytes, vault.Code]]) -> list[tuple[Any, ...]]:
    return [(line_no, code.code, code.secret, code.valid_until, code.face_value) for line_no, _, code in found]


class TestFiles:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
    @pytest.mark.parametrize("name", ["game-points-gbk.csv", "music-month.txt"])
    async def test_in_every_encoding_the_same(self, acme: Store, name: str, encoding: str) -> None:
        text = (CODES / name).read_bytes().decode("gbk" if "gbk" in name else "utf-8")
        report, expected = await bring_in(acme, text.encode(encoding), size=7001), MANIFEST[name]
        assert (report.loaded, report.duplicates, report.malformed, report.blank, report.lines) == (
            expected["loaded"], expected["duplicates_in_file"], expected["malformed"], expected["blank"], expected["lines"],
        )  # fmt: skip

    async def test_the_trimmed_original_is_delivered(self, acme: Store) -> None:
        report = await bring_in(acme, "  AB-ＣＤ-1 ---- s3cret \nEF-GH-2----x\n")
        assert plain(await rows(acme, report.id)) == [(1, "AB-ＣＤ-1", "s3cret", None, None), (2, "EF-GH-2", "x", None, None)]

    async def test_extra_columns(self, acme: Store) -> None:
        report = await bring_in(acme, "序号,卡号,密码,面值(元),进价,有效期\n1,AAAA-1,77,50,48.1,2027-01-31\n2,BBBB-2,78,,48.1\n")
        assert plain(await rows(acme, report.id)) == [(2, "AAAA-1", "77", "2027-01-31", "50"), (3, "BBBB-2", "78", None, None)]

    async def test_units_follow_the_order_of_the_lines(self, acme: Store) -> None:
        report = await bring_in(acme, (CODES / "video-year.txt").read_bytes())
        assert [line_no for line_no, _, _ in await rows(acme, report.id)] == list(range(1, 10_001))

    async def test_the_report_names_reasons_and_never_codes(self, acme: Store) -> None:
        report = await bring_in(acme, "AAAA-1----11\nBBBB-2\nAAAA-1----22\n=C-3----33\nDDDD-4----44----55\n\nEEEE-5----55\n")
        assert [(line.line, line.kind, line.reason) for line in report.errors] == [
            (2, "malformed", "no_secret"),
            (3, "duplicate_in_file", "same_in_file"),
            (4, "malformed", "markup"),
            (5, "malformed", "too_many_fields"),
        ]
        told = msgspec.json.encode(report).decode()
        assert not any(code in told for code in ("AAAA", "BBBB", "DDDD", "EEEE"))

    async def test_a_file_in_which_nothing_is_a_code(self, acme: Store) -> None:
        report = await bring_in(acme, "谢谢惠顾\n请保管好\n")
        assert (report.state, report.loaded, report.malformed) == ("loaded", 0, [1, 2])


class TestDuplicates:
    async def test_in_the_vault_of_any_sku(self, acme: Store) -> None:
        await bring_in(acme, "AAAA-1\nBBBB-2\n")
        report = await bring_in(acme, "CCCC-3\nＡＡＡＡ－1\nBBBB-2\nBBBB-2\naaaa-1\nCCCC-3\n")
        assert [(line.line, line.kind) for line in report.errors] == [
            (2, "duplicate_in_vault"), (3, "duplicate_in_vault"), (4, "duplicate_in_vault"), (6, "duplicate_in_file"),
        ]  # fmt: skip
        assert (report.loaded, report.duplicates_in_vault, report.duplicates_in_file) == (2, 3, 1)

    async def test_another_store_may_have_the_same(self, acme: Store, globex: Store) -> None:
        reports = [await bring_in(store, "AAAA-1\n") for store in (acme, globex)]
        assert [report.loaded for report in reports] == [1, 1]
        (_, one, _), (_, other, _) = [(await rows(store, report.id))[0] for store, report in zip((acme, globex), reports, strict=True)]
        assert one != other, "fingerprints of two stores cannot be compared"

    async def test_across_pieces(self, acme: Store) -> None:
        lines = [f"CODE-{n}" for n in range(PIECE_LINES)]
        report = await bring_in(acme, "\n".join([*lines, lines[0], "CODE-X", lines[-1]]))
        assert (report.loaded, report.duplicates_in_file) == (PIECE_LINES + 1, 2)

    async def test_two_imports_of_the_same_codes_at_once(self, acme: Store) -> None:
        lines = [f"CODE-{n}" for n in range(3 * PIECE_LINES)]
        both = await asyncio.gather(*[bring_in(acme, "\n".join(order)) for order in (lines, lines[::-1])])
        assert sum(report.loaded for report in both) == len(lines)
        assert sum(report.duplicates_in_vault for report in both) == len(lines)


class TestSecrecy:
    async def test_another_store_cannot_open(self, acme: Store, globex: Store) -> None:
        report = await bring_in(acme, "AAAA-1\n")
        [(_, _, code)] = await rows(acme, report.id)
        async with tenant_tx(globex.process.app_pool, globex.tenant_id) as tx:
            with pytest.raises(NotFound):
                await vault.reveal(tx, globex.process.keyring, [code.unit])

    @pytest.mark.parametrize("swapped", ["sealed = b.sealed", "sku_id = gen_random_uuid()", "sealed = a.sealed || '\\x00'::bytea"])
    async def test_a_seal_moved_or_changed_does_not_open(self, acme: Store, settings: Settings, swapped: str) -> None:
        report = await bring_in(acme, "AAAA-1\nBBBB-2\n")
        (_, _, first), (_, _, second) = await rows(acme, report.id)
        # As an intruder who may write to the database: the application itself has no right to change a code.
        admin = await asyncpg.connect(settings.database_url)
        await admin.execute(f"UPDATE code a SET {swapped} FROM code b WHERE a.unit_id = {first.unit} AND b.unit_id = {second.unit}")
        await admin.close()
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            with pytest.raises(SealBroken) as broken:
                await vault.reveal(tx, acme.process.keyring, [first.unit])
        assert "AAAA" not in str(broken.value)

    async def test_no_plaintext_in_the_database(self, acme: Store, settings: Settings) -> None:
        await bring_in(acme, "PLAINTEXT-CARD-1----PLAINTEXT-SECRET-1\n=PLAINTEXT-BAD----1\nPLAINTEXT-ALONE\n")
        admin = await asyncpg.connect(settings.database_url)
        try:
            for table in ("code", "unit", "vault_batch", "vault_line", "audit", "outbox"):
                told = await admin.fetchval(f"SELECT string_agg(t::text, '') FROM {table} t WHERE tenant_id = $1", acme.tenant_id) or ""
                assert "PLAINTEXT" not in told
                assert b"PLAINTEXT".hex() not in told
        finally:
            await admin.close()


def tricky_lines(count: int) -> bytes:
    """Codes with duplicates near and far, blanks, malformed lines and Chinese, from a fixed seed."""
    dice, lines = random.Random(7), list[str]()
    for n in range(count):
        match dice.randrange(12):
            case 0 if lines:
                lines.append(dice.choice(lines))
            case 1:
                lines.append(dice.choice(["", "   ", "多谢惠顾", "=1+1----2", "AB CD----1", f"ONLY-CARD-{n}"]))
            case _:
                lines.append(f"CARD-{dice.randrange(16**8):08x}-{n}----{dice.randrange(10**6):06d}")
    return "\n".join(lines).encode()


class Killed:
    """`tessera import` as a process of its own, killed by SIGKILL."""

    def __init__(self, store: Store, settings: Settings, file: Path) -> None:
        self.store, self.settings, self.file = store, settings, file

    async def start(self, *arguments: str, **environ: str) -> asyncio.subprocess.Process:
        environ |= {
            "DATABASE_URL": self.settings.database_url, "REDIS_URL": self.settings.redis_url, "TESSERA_SECRET": self.settings.secret.hex(),
            "TESSERA_ENV": "test", "PATH": os.environ["PATH"],
        }  # fmt: skip
        command = [sys.executable, "-m", "tessera", "import", str(self.file), "--store", self.store.slug, *arguments]
        return await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )

    async def batch(self) -> tuple[UUID, int, str] | None:
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            row = await tx.conn.fetchrow("SELECT id, lines_done, state FROM vault_batch WHERE tenant_id = $1", tx.tenant_id)
        return tuple(row) if row else None

    async def reaches(self, process: asyncio.subprocess.Process, line: int) -> None:
        """Wait until `line` is done, or the process ends."""
        while process.returncode is None:
            batch = await self.batch()
            if batch and batch[1] >= line:
                break
            await asyncio.sleep(0.002)

    async def finish(self, *arguments: str) -> vault.Report:
        process = await self.start("--json", *arguments)
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return msgspec.json.decode(out, type=vault.Report)


async def same_as_uninterrupted(store: Store, other: Store, content: bytes, report: vault.Report) -> None:
    """`report` and its rows are those of an import of `content` into another store without a break."""
    expected = await bring_in(other, content)
    facts = ("lines", "loaded", "duplicates_in_file", "duplicates_in_vault", "malformed", "blank", "errors", "state", "layout")
    assert [getattr(report, fact) for fact in facts] == [getattr(expected, fact) for fact in facts]
    found = await rows(store, report.id)
    assert plain(found) == plain(await rows(other, expected.id))
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        keys = await store.process.keyring.of(tx)
        units, codes = [
            await tx.conn.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tx.tenant_id) for table in ("unit", "code")
        ]
    assert [fingerprint for _, fingerprint, _ in found] == [keys.fingerprint(normalise(code.code)) for _, _, code in found]
    assert units == codes == report.loaded


class TestKill:
    @pytest.mark.timeout(240)
    async def test_at_twenty_random_lines(self, acme: Store, globex: Store, settings: Settings, tmp_path: Path) -> None:
        """One import, killed twenty times wherever it happens to be: in the end it is as if it had never been interrupted."""
        content = tricky_lines(60_000)
        file = tmp_path / "codes.txt"
        file.write_bytes(content)
        killed, dice = Killed(acme, settings, file), random.Random()
        what = ["--sku", await acme.sku()]
        seen = list[int]()
        for line in sorted(dice.randrange(60_000) for _ in range(20)):
            process = await killed.start(*what)
            await killed.reaches(process, line - PIECE_LINES)
            # It takes tens of milliseconds over each piece: the blow falls anywhere in one.
            await asyncio.sleep(dice.random() * 0.06)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.communicate()
            if batch := await killed.batch():
                what = ["--resume"]
                seen.append(batch[1])
                if batch[2] == "loaded":
                    break
        assert len(set(seen)) >= 5
        report = await killed.finish(*what) if what == ["--resume"] and batch and batch[2] != "loaded" else await _report(acme)
        await same_as_uninterrupted(acme, globex, content, report)

    @pytest.mark.parametrize("point", [f"{PIECE}.before:3", f"{PIECE}.after:3", f"{FINISH}.before:1"])
    async def test_at_each_step(self, acme: Store, globex: Store, settings: Settings, tmp_path: Path, point: str) -> None:
        content = tricky_lines(4 * PIECE_LINES + 11)
        file = tmp_path / "codes.txt"
        file.write_bytes(content)
        killed = Killed(acme, settings, file)
        process = await killed.start("--sku", await acme.sku(), TESSERA_FAILPOINT=f"{point}:kill")
        await process.communicate()
        assert process.returncode == -signal.SIGKILL
        batch = await killed.batch()
        assert batch is not None
        assert batch[1:] == (
            {f"{PIECE}.before:3": 2, f"{PIECE}.after:3": 3}.get(point, 4) * PIECE_LINES + 11 * (FINISH in point),
            "loading",
        )
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sku_id = await tx.conn.fetchval("SELECT sku_id FROM vault_batch WHERE tenant_id = $1", tx.tenant_id)
            stock = await vault.stock(tx, sku_id)
        assert stock.available == 0
        assert stock.loading > 0
        await same_as_uninterrupted(acme, globex, content, await killed.finish("--resume"))

    async def test_postgres_restarted_in_the_middle(self, acme: Store, globex: Store, servers: Any) -> None:
        content = tricky_lines(8 * PIECE_LINES)
        killed = asyncio.Event()

        async def interrupted() -> AsyncIterator[bytes]:
            for at in range(0, len(content), 65536):
                if at > len(content) // 2 and not killed.is_set():
                    killed.set()
                    servers.kill("postgres")
                yield content[at : at + 65536]

        process, sku_id = acme.process, decode("sku", await acme.sku())
        origin = vault.Origin(operator="test", idempotency_key="k")
        for _ in range(3):
            with suppress(Exception):
                await vault.run(process.app_pool, process.keyring, acme.tenant_id, sku_id, interrupted(), vault.Wishes(), origin)
                break
            servers.wait_ready("postgres")
        assert killed.is_set()
        await same_as_uninterrupted(acme, globex, content, await _report(acme))


async def _report(store: Store) -> vault.Report:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        [latest] = await vault.recent(tx, limit=1)
        return await vault.report(tx, decode("bat", latest.id))


class TestResume:
    async def test_the_same_batch_twice_at_once(self, acme: Store) -> None:
        """Each piece is written by one of them; the other learns that it is not alone."""
        content = tricky_lines(6 * PIECE_LINES)
        process = acme.process
        sku_id = decode("sku", await acme.sku())

        async def broken() -> AsyncIterator[bytes]:
            yield content[: len(content) // 3]
            raise ConnectionResetError

        origin = vault.Origin(operator="test")
        with pytest.raises(ConnectionResetError):
            await vault.run(process.app_pool, process.keyring, acme.tenant_id, sku_id, broken(), vault.Wishes(), origin)
        batch_id = decode("bat", (await _report(acme)).id)
        again = [vault.resume(process.app_pool, process.keyring, acme.tenant_id, batch_id, chunks(content)) for _ in range(2)]
        outcomes = await asyncio.gather(*again, return_exceptions=True)
        reports = [outcome for outcome in outcomes if isinstance(outcome, vault.Report)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert all(isinstance(error, Conflict) and error.code == "import_running" for error in lost), lost
        if not reports:  # each took a piece from the other
            reports = [await vault.resume(process.app_pool, process.keyring, acme.tenant_id, batch_id, chunks(content))]
        assert reports[0].lines == 6 * PIECE_LINES
        units = len(await rows(acme, reports[0].id))
        assert units == reports[0].loaded

    async def test_a_sheet(self, acme: Store) -> None:
        content = (CODES / "gift-card.xlsx").read_bytes()
        report = await bring_in(acme, content)
        process = acme.process
        again = await vault.resume(process.app_pool, process.keyring, acme.tenant_id, decode("bat", report.id), chunks(content))
        assert again == report
        with pytest.raises((Conflict, Unprocessable)):
            await vault.resume(process.app_pool, process.keyring, acme.tenant_id, decode("bat", report.id), chunks(b"AAAA-1\n"))

    async def test_of_another_store(self, acme: Store, globex: Store) -> None:
        report = await bring_in(acme, "AAAA-1\n")
        process = globex.process
        with pytest.raises(NotFound):
            await vault.resume(process.app_pool, process.keyring, globex.tenant_id, decode("bat", report.id), chunks(b"AAAA-1\n"))
