"""What an import would find in a file, shown before anything is loaded."""

import asyncio
from collections import Counter
from typing import Final

import msgspec

from tenants.vault.batches import Line
from tenants.vault.codes import SENTENCES, Content, Labelled, Pattern, Reason, mask
from tenants.vault.examine import examiner
from tenants.vault.layout import Layout, Wishes
from tenants.vault.rows import Piece
from tenants.vault.source import FILE_BYTES_MAX, Chunks, open_source

SAMPLE_ROWS: Final = 5
LINES_SHOWN_MAX: Final = 1_000


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row as it would be loaded, masked."""

    line: int
    code: str
    secret: str | None = None
    valid_until: str | None = None
    face_value: str | None = None
    label: str | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`codes` may hold duplicates: they are found when the file is loaded."""

    layout: Layout
    sample: list[Sample]
    lines: int
    codes: int
    blank: int
    malformed: int
    errors: list[Line]


async def preview(
    chunks: Chunks, wishes: Wishes, *, pattern: Pattern | None = None, picked: bool = False, bytes_max: int = FILE_BYTES_MAX
) -> Preview:
    """Read the whole file and keep nothing. Raises `Unprocessable` or `TooLarge` for what is no file of codes."""
    file = await open_source(chunks, wishes, pattern=pattern, bytes_max=bytes_max)
    try:
        seen = _Seen(file.layout, pattern, picked)
        async for piece in file.pieces():
            await asyncio.to_thread(seen.add, piece)
        return seen.told()
    finally:
        await file.aclose()


class _Seen:
    def __init__(self, layout: Layout, pattern: Pattern | None, picked: bool) -> None:
        self._layout = layout
        self._examine = examiner(layout, pattern, picked=picked)
        self._counts: Counter[str] = Counter()
        self._sample: list[Sample] = []
        self._errors: list[Line] = []
        self._lines = 0

    def add(self, piece: Piece) -> None:
        self._lines = piece.lines_done
        for row in piece.rows:
            verdict = self._examine(row)
            label = verdict.label if isinstance(verdict, Labelled) else None
            if isinstance(verdict, Labelled):
                verdict = verdict.content
            if verdict is None:
                self._counts["blank"] += 1
            elif isinstance(verdict, Content):
                self._counts["codes"] += 1
                if len(self._sample) < SAMPLE_ROWS:
                    secret = None if verdict.secret is None else mask(verdict.secret)
                    self._sample.append(Sample(row.line_no, mask(verdict.code), secret, verdict.valid_until, verdict.face_value, label))
            else:
                self._counts["malformed"] += 1
                if len(self._errors) < LINES_SHOWN_MAX:
                    self._errors.append(Line(row.line_no, "malformed", verdict, SENTENCES[Reason(verdict)]))

    def told(self) -> Preview:
        counts = self._counts
        return Preview(
            layout=self._layout, sample=self._sample, lines=self._lines, errors=self._errors,
            codes=counts["codes"], blank=counts["blank"], malformed=counts["malformed"],
        )  # fmt: skip
