"""An import: a file of codes becomes units of a SKU, in pieces of a few thousand lines, one transaction each.

A piece's units, codes, line report and progress commit together, so after a crash the batch knows exactly how far it came. A resume
sends the same file again: the digest of the lines that are done proves it is the same, they are skipped, and the rest is loaded as if
nothing had happened. A line's fate depends on what stands before it in the file and in the vault, never on where pieces begin.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from checkout_core.errors import Conflict, TooLarge, Unavailable, Unprocessable
from checkout_core.failpoints import failpoint
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.keys import NONCE_BYTES, Keyring, TenantKeys, unit_place
from tenants.vault import batches
from tenants.vault.batches import Batch, Report, Step
from tenants.vault.codes import Content, Pattern, Reason, compile_pattern, normalise, pack
from tenants.vault.examine import Verdict, examiner
from tenants.vault.layout import Wishes
from tenants.vault.rows import Piece, Row
from tenants.vault.source import FILE_BYTES_MAX, Chunks, Source, open_source

TRIES_MAX: Final = 8  # over 13 s: a restart of Postgres is not the end of an import
T = TypeVar("T")
Progress = Callable[[int], None]
"""Is told how many lines are done."""


class Fresh(NamedTuple):
    """The first line of a piece with some card number."""

    line_no: int
    fingerprint: bytes
    packed: bytes


class Sorted(NamedTuple):
    """A piece after examination: `again` are later lines with the card number of a fresh one in the same piece."""

    piece: Piece
    fresh: list[Fresh]
    again: list[tuple[int, bytes]]
    malformed: list[tuple[int, Reason]]
    blank: int


async def run(
    pool: Pool, keyring: Keyring, tenant_id: UUID, sku_id: UUID, chunks: Chunks, wishes: Wishes, *,
    operator: str, filename: str = "", source: str = "", note: str = "", cost_minor: int | None = None,
    bytes_max: int = FILE_BYTES_MAX, progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Import `chunks` as stock of the SKU: detect the layout, start a batch, load it. The report of the loaded batch.

    Raises `NotFound` (no such SKU) and `Unprocessable` or `TooLarge` (no file of codes) before anything is kept.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        pattern = _compiled(await batches.code_pattern(tx, sku_id))
    file = await open_source(chunks, wishes, pattern=pattern, bytes_max=bytes_max)
    try:
        async with tenant_tx(pool, tenant_id) as tx:
            batch_id = await batches.start(
                tx, sku_id, file.layout, operator=operator, filename=filename, source=source, note=note, cost_minor=cost_minor
            )
        return await load(pool, keyring, tenant_id, batch_id, file, progress=progress)
    finally:
        await file.aclose()


async def resume(
    pool: Pool, keyring: Keyring, tenant_id: UUID, batch_id: UUID, chunks: Chunks, *,
    bytes_max: int = FILE_BYTES_MAX, progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Go on with an import that was cut off, given the same file from its beginning. A batch that is loaded already just reports.

    Raises `NotFound`, and `Conflict` (code `different_file`) when the lines that are done are not those of this file.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        batch = await batches.get(tx, batch_id)
        if batch.state == "loaded":
            return await batches.report(tx, batch_id)
        await batches.reopen(tx, batch_id)
    file = await open_source(chunks, Wishes(), layout=batch.layout, bytes_max=bytes_max)
    try:
        return await load(pool, keyring, tenant_id, batch_id, file, progress=progress)
    finally:
        await file.aclose()


async def load(pool: Pool, keyring: Keyring, tenant_id: UUID, batch_id: UUID, file: Source, *, progress: Progress | None = None) -> Report:
    """Load what `file` has beyond the lines that are done, and make the batch stock. Any error but one of the file leaves it resumable.

    While Postgres writes a piece, a thread examines and seals the next.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        batch = await batches.get(tx, batch_id)
        keys = await keyring.of(tx)
        pattern = _compiled(await batches.code_pattern(tx, batch.sku_id))
    loader = _Loader(pool, keys, batch, examiner(batch.layout, pattern))
    writing: asyncio.Task[None] | None = None
    try:
        async for piece in _beyond(file, batch):
            prepared = await loader.prepare(piece)
            if writing is not None:
                await writing
                if progress is not None:
                    progress(loader.lines_done)
            writing = asyncio.create_task(loader.write(prepared))
        if writing is not None:
            await writing
    except (Unprocessable, TooLarge) as error:
        await _settled(writing)
        async with tenant_tx(pool, tenant_id) as tx:
            await batches.fail(tx, batch_id, error.detail)
        raise
    except BaseException:
        await _settled(writing)
        raise
    failpoint("vault.before_finish")
    async with tenant_tx(pool, tenant_id) as tx:
        if not await batches.finish(tx, batch_id, loader.lines_done):
            raise _raced()
        report = await batches.report(tx, batch_id)
    if progress is not None:
        progress(loader.lines_done)
    return report


async def _settled(writing: asyncio.Task[None] | None) -> None:
    """Let a write under way come to its end, whatever that is: its connection must not be left in the middle of it."""
    if writing is not None and not writing.done():
        await asyncio.wait([writing])
    if writing is not None and not writing.cancelled():
        writing.exception()


async def _beyond(file: Source, batch: Batch) -> AsyncIterator[Piece]:
    """The pieces after the lines that are done, once those have proved to be the same. Raises `Conflict` if they are not."""
    reached = batch.lines_done == 0
    async for piece in file.pieces(batch.lines_done):
        if reached:
            yield piece
        elif piece.lines_done >= batch.lines_done:
            if piece.lines_done != batch.lines_done or piece.digest != batch.digest:
                break
            reached = True
    if not reached:
        raise Conflict(
            "This is not the file the import began with. What was loaded is kept; resume with the same file.", code="different_file"
        )


class _Loader:
    """Prepares and writes the pieces of one batch, in order."""

    def __init__(self, pool: Pool, keys: TenantKeys, batch: Batch, examine: Callable[[Row], Verdict]) -> None:
        self.lines_done = batch.lines_done
        self._pool = pool
        self._keys = keys
        self._batch = batch
        self._examine = examine

    async def prepare(self, piece: Piece) -> "Prepared":
        """Everything that needs no transaction. Unit ids come in the order of the lines; those of duplicates are left unused."""
        sorted_ = await asyncio.to_thread(self._sort, piece)
        units = await self._retried(lambda: self._units(len(sorted_.fresh)))
        return Prepared(sorted_, units, await asyncio.to_thread(self._seal, sorted_.fresh, units))

    def _sort(self, piece: Piece) -> Sorted:
        fresh: dict[bytes, Fresh] = {}
        again, malformed, blank = list[tuple[int, bytes]](), list[tuple[int, Reason]](), 0
        examine, fingerprint_of = self._examine, self._keys.fingerprint
        for row in piece.rows:
            verdict = examine(row)
            if verdict is None:
                blank += 1
            elif isinstance(verdict, Content):
                fingerprint = fingerprint_of(normalise(verdict.code))
                if fingerprint in fresh:
                    again.append((row.line_no, fingerprint))
                else:
                    fresh[fingerprint] = Fresh(row.line_no, fingerprint, pack(verdict))
            else:
                malformed.append((row.line_no, verdict))
        return Sorted(piece, list(fresh.values()), again, malformed, blank)

    def _seal(self, fresh: list[Fresh], units: list[int]) -> list[bytes]:
        nonces = os.urandom(NONCE_BYTES * len(fresh))
        keys, tenant_id, sku_id = self._keys, self._keys.tenant_id, self._batch.sku_id
        return [
            keys.seal(code.packed, unit_place(tenant_id, sku_id, unit), nonces[at : at + NONCE_BYTES])
            for at, code, unit in zip(range(0, len(nonces), NONCE_BYTES), fresh, units, strict=True)
        ]

    async def write(self, prepared: "Prepared") -> None:
        """One transaction. When Postgres goes away the outcome is read back, and the piece written again if it was lost."""
        done = prepared.sorted.piece.lines_done
        tried = False

        async def once() -> None:
            nonlocal tried
            async with tenant_tx(self._pool, self._keys.tenant_id) as tx:
                if tried and (await batches.get(tx, self._batch.id)).lines_done == done:
                    return
                tried = True
                await self._write(tx, prepared)
                failpoint("vault.before_commit")

        await self._retried(once)
        failpoint("vault.after_commit")
        self.lines_done = done

    async def _units(self, count: int) -> list[int]:
        async with tenant_tx(self._pool, self._keys.tenant_id) as tx:
            return [row[0] for row in await tx.conn.fetch("SELECT nextval('unit_id_seq') FROM generate_series(1, $1)", count)]

    async def _retried(self, act: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(TRIES_MAX - 1):
            try:
                return await act()
            except Unavailable:
                await asyncio.sleep(0.1 * 2**attempt)
        return await act()

    async def _write(self, tx: TenantTx, prepared: "Prepared") -> None:
        (piece, fresh, again, malformed, blank), units, sealed = prepared
        loaded = await self._insert(tx, fresh, units, sealed)
        mine = {code.fingerprint for code, unit in zip(fresh, units, strict=True) if unit in loaded}
        clashes = [(code.line_no, code.fingerprint) for code in fresh if code.fingerprint not in mine]
        if clashes:
            sql = "SELECT fingerprint FROM code WHERE tenant_id = $1 AND fingerprint = ANY($2) AND batch_id = $3"
            mine.update(row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, [known for _, known in clashes], self._batch.id))
        twice = [(no, known in mine) for no, known in clashes + again]
        in_file = sum(same_file for _, same_file in twice)
        await self._tell(tx, malformed, twice)
        step = Step(
            lines_before=self.lines_done, lines_done=piece.lines_done, digest=piece.digest, loaded=len(loaded),
            duplicates_in_file=in_file, duplicates_in_vault=len(twice) - in_file, malformed=len(malformed), blank=blank,
        )  # fmt: skip
        if not await batches.advance(tx, self._batch.id, step):
            raise _raced()

    async def _insert(self, tx: TenantTx, fresh: list[Fresh], units: list[int], sealed: list[bytes]) -> set[int]:
        """Units with their codes, except where the tenant's vault has the card number already; the units that were made.

        In the order of fingerprints: two imports of the same codes wait for each other instead of deadlocking.
        """
        sql = """WITH made AS (
                     INSERT INTO code (tenant_id, unit_id, sku_id, batch_id, line_no, fingerprint, key_id, sealed)
                     SELECT $1, unit_id, $2, $3, line_no, fingerprint, $4, sealed
                     FROM unnest($5::bigint[], $6::bigint[], $7::bytea[], $8::bytea[]) AS given (unit_id, line_no, fingerprint, sealed)
                     ORDER BY fingerprint
                     ON CONFLICT (tenant_id, fingerprint) DO NOTHING
                     RETURNING unit_id
                 ), stock AS (
                     INSERT INTO unit (tenant_id, id, sku_id, batch_id) SELECT $1, unit_id, $2, $3 FROM made
                 )
                 SELECT unit_id FROM made"""
        if not fresh:
            return set()
        rows = await tx.conn.fetch(
            sql, tx.tenant_id, self._batch.sku_id, self._batch.id, self._keys.key_id,
            units, [code.line_no for code in fresh], [code.fingerprint for code in fresh], sealed,
        )  # fmt: skip
        return {row[0] for row in rows}

    async def _tell(self, tx: TenantTx, malformed: list[tuple[int, Reason]], twice: list[tuple[int, bool]]) -> None:
        lines = [(no, "malformed", reason) for no, reason in malformed]
        lines += [
            (no, "duplicate_in_file", Reason.SAME_IN_FILE) if same_file else (no, "duplicate_in_vault", Reason.SAME_IN_VAULT)
            for no, same_file in twice
        ]
        if lines:
            numbers, kinds, reasons = zip(*lines, strict=True)
            sql = """INSERT INTO vault_line (tenant_id, batch_id, line_no, kind, reason)
                     SELECT $1, $2, line_no, kind, reason
                     FROM unnest($3::bigint[], $4::text[], $5::text[]) AS given (line_no, kind, reason)"""
            await tx.conn.execute(sql, tx.tenant_id, self._batch.id, numbers, kinds, reasons)


class Prepared(NamedTuple):
    sorted: Sorted
    units: list[int]
    sealed: list[bytes]


def _compiled(pattern: str | None) -> Pattern | None:
    return None if pattern is None else compile_pattern(pattern)


def _raced() -> Conflict:
    return Conflict("This import is being loaded by somebody else at the same time. Look at its report.", code="import_running")
