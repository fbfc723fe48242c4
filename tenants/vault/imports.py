"""An import: a file of codes becomes units of a SKU, in pieces of some thousand lines, one transaction each.

A piece's units, codes, line report and progress commit together, so after a crash the batch knows exactly how far it came. A resume
sends the same file again: the digest of the lines that are done proves it is the same, they are skipped, and the rest is loaded as if
nothing had happened. A line's fate depends on what stands before it in the file and in the vault, never on where pieces begin.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID
from zoneinfo import ZoneInfo

from checkout_core.errors import Conflict, TooLarge, Unprocessable
from tenants.db import Pool, tenant_tx
from tenants.keys import Keyring
from tenants.units import shelving
from tenants.vault import batches
from tenants.vault.batches import Batch, Origin, Report
from tenants.vault.examine import examiner
from tenants.vault.layout import Wishes
from tenants.vault.loader import Loader
from tenants.vault.rows import Piece
from tenants.vault.source import FILE_BYTES_MAX, Chunks, Source, open_source

Progress = Callable[[int], None]
"""Is told how many lines are done."""


async def run(
    pool: Pool, keyring: Keyring, tenant_id: UUID, sku_id: UUID, chunks: Chunks, wishes: Wishes, origin: Origin, *,
    bytes_max: int = FILE_BYTES_MAX, progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Import `chunks` as stock of the SKU: detect the layout, start a batch, load it. The report of the loaded batch.

    Raises `NotFound` (no such SKU) and `Unprocessable` or `TooLarge` (no file of codes) before anything is kept. With the
    idempotency key of an earlier import this is a resume of that one; `Conflict` (code `idempotency_conflict`) if it was for another SKU.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        pattern = await batches.pattern_of(tx, sku_id)
        earlier = await batches.by_key(tx, origin.idempotency_key) if origin.idempotency_key else None
    if earlier is not None:
        batch_id, earlier_sku = earlier
        if earlier_sku != sku_id:
            raise Conflict("This Idempotency-Key belongs to an import for another SKU.", code="idempotency_conflict")
        return await resume(pool, keyring, tenant_id, batch_id, chunks, bytes_max=bytes_max, progress=progress)
    file = await open_source(chunks, wishes, pattern=pattern, bytes_max=bytes_max)
    try:
        async with tenant_tx(pool, tenant_id) as tx:
            batch_id = await batches.start(tx, sku_id, file.layout, origin)
        return await _load(pool, keyring, tenant_id, batch_id, file, progress)
    finally:
        await file.aclose()


async def resume(
    pool: Pool, keyring: Keyring, tenant_id: UUID, batch_id: UUID, chunks: Chunks, *,
    bytes_max: int = FILE_BYTES_MAX, progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Go on with an import that was cut off, given the same file from its beginning. A batch that is loaded already only reports.

    Raises `NotFound`, and `Conflict` (code `different_file`) when the lines that are done are not those of this file.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        batch = await batches.get(tx, batch_id)
        await batches.reopen(tx, batch_id)
    file = await open_source(chunks, Wishes(), layout=batch.layout, bytes_max=bytes_max)
    try:
        if batch.state != "loaded":
            return await _load(pool, keyring, tenant_id, batch_id, file, progress)
        async for _ in _beyond(file, batch):
            raise _different()
        async with tenant_tx(pool, tenant_id) as tx:
            return await batches.report(tx, batch_id)
    finally:
        await file.aclose()


async def _load(pool: Pool, keyring: Keyring, tenant_id: UUID, batch_id: UUID, file: Source, progress: Progress | None) -> Report:
    """Load what `file` has beyond the lines that are done, and make the batch stock. Any error but one of the file leaves it resumable.

    While Postgres writes a piece, a thread examines and seals the next.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        batch = await batches.get(tx, batch_id)
        keys = await keyring.of(tx)
        pattern, picked = await batches.pattern_of(tx, batch.sku_id), await batches.is_picked(tx, batch.sku_id)
        zone = ZoneInfo(await tx.conn.fetchval("SELECT zone FROM store WHERE tenant_id = $1", tenant_id))
    loader = Loader(pool, keyring, keys, batch, examiner(batch.layout, pattern, picked=picked), zone)
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
    async with tenant_tx(pool, tenant_id) as tx:
        shelf = await shelving.that_takes(tx, batch.sku_id)
        if not await batches.finish(tx, batch_id, loader.lines_done):
            raise batches.running()
        report = await batches.report(tx, batch_id)
        if shelf is not None:
            await shelving.fill(tx, batch.sku_id, shelf, batch_id, actor=report.operator)
    if progress is not None:
        progress(loader.lines_done)
    return report


async def _settled(writing: asyncio.Task[None] | None) -> None:
    """Let a write under way come to its end, whatever that is: its connection must not be left in the middle of it."""
    if writing is None:
        return
    await asyncio.wait([writing])
    if not writing.cancelled():
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
        raise _different()


def _different() -> Conflict:
    return Conflict(
        "This is not the file the import began with. What was loaded is kept; resume with the same file.", code="different_file"
    )
