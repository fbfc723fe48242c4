"""What an import would find in a file, shown before anything is loaded."""

import asyncio
import os
from array import array
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from tenants.vault.batches import Line
from tenants.vault.codes import SENTENCES, Content, Labelled, Pattern, Reason, mask, normalise
from tenants.vault.examine import examiner
from tenants.vault.layout import Layout, Wishes
from tenants.vault.rows import Piece
from tenants.vault.source import FILE_BYTES_MAX, Chunks, open_source

SAMPLE_ROWS: Final = 5
LINES_SHOWN_MAX: Final = 1_000
PARTS: Final = 16  # of what is kept of codes, looked through one after the other: 8 bytes a code, and 64 for one in sixteen


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row as it would be loaded, masked."""

    line: int
    code: str
    secret: str | None = None
    valid_until: str | None = None
    face_value: str | None = None
    label: str | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Of `codes`, `duplicates_in_file` stand earlier in the file. Which are in the vault already is found when it is loaded."""

    layout: Layout
    sample: list[Sample]
    lines: int
    codes: int
    duplicates_in_file: int
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
        return await asyncio.to_thread(seen.told)
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
        self._marks = [array("Q") for _ in range(PARTS)]

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
                mark_ = _mark(verdict.code)
                self._marks[mark_ % PARTS].append(mark_)
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
            codes=counts["codes"], duplicates_in_file=_repeated(self._marks), blank=counts["blank"], malformed=counts["malformed"],
        )  # fmt: skip


_KEY: Final = os.urandom(16)  # of this process: what is kept of a code while a file is read says nothing of it


def _mark(code: str) -> int:
    """Eight bytes stand for a card number while its file is read: of a million, two are alike by chance once in 37 million files."""
    return int.from_bytes(blake2b(normalise(code).encode(), digest_size=8, key=_KEY).digest(), "little")


def _repeated(parts: Sequence["array[int]"]) -> int:
    return sum(len(marks) - len(set(marks)) for marks in parts)
