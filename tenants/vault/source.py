"""A file on its way in: which kind it is, and its pieces one after another, without ever holding it whole."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, Final

from checkout_core.errors import TooLarge, Unprocessable
from tenants.vault.codes import Pattern
from tenants.vault.layout import HEAD_BYTES, SHEET, Layout, Wishes, detect, is_sheet
from tenants.vault.rows import LineReader, Piece
from tenants.vault.sheet import SHEET_BYTES_MAX, Sheet

FILE_BYTES_MAX: Final = 1 << 30
SLICE_BYTES: Final = 128 * 1024
Chunks = AsyncIterator[bytes]


class Source:
    """`layout` is known once it is open; `pieces` may be asked for once. Close it with `aclose`."""

    def __init__(self, layout: Layout, chunks: Chunks, sheet: Sheet | None = None, file: IO[bytes] | None = None) -> None:
        self.layout = layout
        self._chunks = chunks
        self._sheet = sheet
        self._file = file

    async def pieces(self, cut_at: int = 0) -> AsyncIterator[Piece]:
        """Parsing happens in a thread, a slice at a time: the event loop stays free for shoppers."""
        if self._sheet is not None:
            rows = self._sheet.pieces(cut_at)
            while (piece := await asyncio.to_thread(next, rows, None)) is not None:
                yield piece
            return
        reader = LineReader(self.layout, cut_at)
        async for chunk in self._chunks:
            for begin in range(0, len(chunk), SLICE_BYTES):
                for piece in await asyncio.to_thread(_all, reader.feed, chunk[begin : begin + SLICE_BYTES]):
                    yield piece
        rest = reader.finish()
        while (piece := await asyncio.to_thread(next, rest, None)) is not None:
            yield piece

    async def aclose(self) -> None:
        if self._file is not None:
            await asyncio.to_thread(self._file.close)


def _all(feed: object, data: bytes) -> list[Piece]:
    assert callable(feed)
    pieces: Iterator[Piece] = feed(data)
    return list(pieces)


async def open_source(
    chunks: Chunks, wishes: Wishes, *, layout: Layout | None = None, pattern: Pattern | None = None, bytes_max: int = FILE_BYTES_MAX
) -> Source:
    """Look at the beginning of `chunks` and detect the layout, unless an earlier import already settled it in `layout`.

    A sheet has to be there as a whole before it can be read: it is kept in an unnamed temporary file that nobody else can open and
    that is gone with this process. Raises `Unprocessable` for what is not a file of codes, `TooLarge`.
    """
    chunks = _limited(chunks, bytes_max)
    head = bytearray()
    while len(head) < HEAD_BYTES:
        try:
            head += await anext(chunks)
        except StopAsyncIteration:
            break
    chunks = _chained(bytes(head), chunks)
    if not head:
        raise Unprocessable("The file is empty.", code="empty_file")
    if layout.is_sheet if layout else is_sheet(bytes(head)) and wishes.encoding in (None, SHEET):
        file = await _spooled(_limited(chunks, SHEET_BYTES_MAX))
        try:
            sheet = await asyncio.to_thread(Sheet, file, wishes, layout)
            await asyncio.to_thread(sheet.check)
        except BaseException:
            file.close()
            raise
        return Source(sheet.layout, chunks, sheet, file)
    if layout is None:
        layout = await asyncio.to_thread(detect, bytes(head[:HEAD_BYTES]), wishes, pattern)
    return Source(layout, chunks)


async def _limited(chunks: Chunks, bytes_max: int) -> Chunks:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > bytes_max:
            raise TooLarge(f"The file is larger than {bytes_max >> 20} MiB. Split it and import the parts one by one.")
        yield chunk


async def _chained(head: bytes, chunks: Chunks) -> Chunks:
    yield head
    async for chunk in chunks:
        yield chunk


async def _spooled(chunks: Chunks) -> IO[bytes]:
    file = tempfile.TemporaryFile(prefix="tessera-sheet-")  # noqa: SIM115 - it outlives this function
    try:
        async for chunk in chunks:
            await asyncio.to_thread(file.write, chunk)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file
