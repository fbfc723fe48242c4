# ruff: noqa: N999 - the module has the name of its command
"""`tessera import FILE --store SLUG --sku SKU`: a file of codes into the vault, straight into the database, with a progress bar.

Interrupted or killed, the import stays as far as it came; the same line with `--resume` in place of `--sku` goes on with it.
"""

import argparse
import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from checkout_core.config import Settings
from checkout_core.errors import AppError, NotFound
from checkout_core.ids import decode
from tenants import hosts, vault
from tenants.db import create_pool, dsn_for, tenant_tx
from tenants.keys import Keyring

CHUNK_BYTES: Final = 64 * 1024
BAR_WIDTH: Final = 30
LINES_TOLD: Final = 20


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tessera import", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE", help="text, CSV or XLSX; how it is laid out is detected")
    parser.add_argument("--store", required=True, metavar="SLUG")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--sku", metavar="SKU", help="`sku_…`, whose stock the codes become")
    what.add_argument("--resume", action="store_true", help="go on with the latest unfinished import of a file of this name")
    what.add_argument("--preview", action="store_true", help="only show how the file would be read")
    parser.add_argument("--encoding", help="utf-8, utf-16-le, utf-16-be, gb18030 or xlsx")
    parser.add_argument("--delimiter", help="dashes (----), tab, comma, semicolon, pipe, space or none")
    parser.add_argument("--columns", help="a role for each column: code, secret, valid_until, face_value or ignore, with commas between")
    parser.add_argument("--header", action=argparse.BooleanOptionalAction, help="whether the first line names the columns")
    parser.add_argument("--source", default="", help="where the codes come from, for the record")
    parser.add_argument("--note", default="")
    parser.add_argument("--json", action="store_true", help="print the whole report as JSON")
    args = parser.parse_args(argv)
    try:
        settings = Settings.from_env()
        size = args.file.stat().st_size
    except (ValueError, OSError) as error:
        print(f"tessera import: {error}", file=sys.stderr)
        return 2
    bar = Bar(size, visible=sys.stderr.isatty())
    try:
        found = asyncio.run(bring_in(settings, args, bar))
    except KeyboardInterrupt:
        bar.end()
        print("tessera import: interrupted; go on with --resume in place of --sku", file=sys.stderr)
        return 1
    except AppError as error:
        bar.end()
        print(f"tessera import: {error.detail}", file=sys.stderr)
        return 1
    bar.end()
    if args.json or isinstance(found, vault.Preview):
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        tell(found, bar)
    return 0


async def bring_in(settings: Settings, args: argparse.Namespace, bar: "Bar") -> vault.Report | vault.Preview:
    wishes = vault.Wishes.of(encoding=args.encoding, delimiter=args.delimiter, columns=args.columns, header=args.header)
    tenant_id = await tenant_of(settings, args.store)
    if args.preview:
        return await vault.preview(bar.chunks(args.file), wishes, bytes_max=settings.import_bytes_max)
    keyring = Keyring(settings.secret, settings.master_keys)
    pool = await create_pool(dsn_for(settings, "tessera_app"), size=2, name="tessera-import")
    try:
        if args.resume:
            async with tenant_tx(pool, tenant_id) as tx:
                batch_id = await vault.unfinished(tx, args.file.name)
            return await vault.resume(
                pool, keyring, tenant_id, batch_id, bar.chunks(args.file), bytes_max=settings.import_bytes_max, progress=bar.progress
            )
        origin = vault.Origin(operator="command line", filename=args.file.name, source=args.source, note=args.note)
        return await vault.run(
            pool, keyring, tenant_id, decode("sku", args.sku), bar.chunks(args.file), wishes, origin,
            bytes_max=settings.import_bytes_max, progress=bar.progress,
        )  # fmt: skip
    finally:
        await pool.close()


async def tenant_of(settings: Settings, slug: str) -> UUID:
    pool = await create_pool(dsn_for(settings, "tessera_platform"), size=1, name="tessera-import")
    try:
        found = await hosts.by_slug(pool, slug, settings.base_domain)
    finally:
        await pool.close()
    if found is None:
        raise NotFound(f"There is no store {slug!r}.")
    return found.tenant_id


class Bar:
    """How much of the file is read, and how many of its lines are in the database. On a terminal; elsewhere a line now and then."""

    def __init__(self, size_bytes: int, *, visible: bool) -> None:
        self.lines_done = 0
        self.began = time.monotonic()
        self._size_bytes = max(size_bytes, 1)
        self._read_bytes = 0
        self._visible = visible
        self._shown_at = 0.0

    async def chunks(self, path: Path) -> AsyncIterator[bytes]:
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                self._read_bytes += len(chunk)
                yield chunk

    def progress(self, lines_done: int) -> None:
        self.lines_done = lines_done
        now = time.monotonic()
        if now - self._shown_at >= (0.1 if self._visible else 5):
            self._shown_at = now
            self._show()

    def lines_per_s(self) -> float:
        return self.lines_done / max(time.monotonic() - self.began, 0.001)

    def end(self) -> None:
        if self._visible and self.lines_done:
            self._show()
            print(file=sys.stderr)

    def _show(self) -> None:
        share = min(self._read_bytes / self._size_bytes, 1.0)
        full = round(share * BAR_WIDTH)
        bar = f"[{'#' * full}{'-' * (BAR_WIDTH - full)}] {share:4.0%}  {self.lines_done:,} lines  {self.lines_per_s():,.0f}/s"
        print(f"\r{bar}   " if self._visible else bar, end="" if self._visible else "\n", file=sys.stderr, flush=True)


def tell(report: vault.Report, bar: Bar) -> None:
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took_s = time.monotonic() - bar.began
    print(f"{report.filename}: {report.lines:,} lines in {took_s:.1f} s ({bar.lines_per_s():,.0f} lines/s, {memory_mb:.0f} MB at most)")
    print(f"loaded {report.loaded:,} · duplicates {report.duplicates:,} · malformed {report.malformed_count:,} · blank {report.blank:,}")
    for line in report.errors[:LINES_TOLD]:
        print(f"  line {line.line:,}: {line.detail}")
    if len(report.errors) > LINES_TOLD:
        print(f"  … and {report.duplicates + report.malformed_count - LINES_TOLD:,} more: --json tells all")
    print(f"import {report.id}, {report.state}")
