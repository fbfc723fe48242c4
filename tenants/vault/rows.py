"""Rows of a text file, from bytes as they arrive. Memory is bounded by a few thousand lines, whatever the file holds.

Every line of the file is accounted for: it is the header, or in exactly one row, or one of the further lines of a row whose
quoted field holds line breaks.
"""

import codecs
import hashlib
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from tenants.vault.codes import Reason
from tenants.vault.fields import decode_lines, split
from tenants.vault.layout import Layout

PIECE_LINES: Final = 2_000  # one transaction's worth: 50 ms of Postgres, 5 ms of the event loop, and what a crash may cost
LINE_BYTES_MAX: Final = 64 * 1024
QUOTED_LINES_MAX: Final = 20


class Row(NamedTuple):
    """`line_no` counts from 1, the header and blank lines included. No fields: a blank line. With a `fault` the fields mean nothing.

    It takes `lines` lines of the file: more than one where a quoted field holds line breaks.
    """

    line_no: int
    fields: list[str]
    fault: Reason | None = None
    lines: int = 1


class Piece(NamedTuple):
    """Rows up to and including line `lines_done`, and the SHA-256 of all lines so far, by which the same file is known again."""

    rows: list[Row]
    lines_done: int
    digest: bytes


class LineReader:
    """Feed it bytes cut anywhere; it gives pieces, one of which ends exactly at line `cut_at`, if that is where a row ends."""

    def __init__(self, layout: Layout, cut_at: int = 0) -> None:
        self._layout = layout
        self._cut_at = cut_at
        self._encoding = "utf-8" if layout.encoding.startswith("utf-16") else layout.encoding
        self._utf16 = codecs.getincrementaldecoder(layout.encoding)("surrogatepass") if layout.encoding.startswith("utf-16") else None
        self._header_due = layout.header
        self._begun = False
        self._rest = bytearray()  # the line that has not ended yet
        self._long: hashlib._Hash | None = None  # of the line that has not ended yet, once it is too long to keep
        self._too_long: set[int] = set()
        self._lines: list[bytes] = []  # whole lines that are in no piece yet
        self._lines_done = 0
        self._digest = sha256()

    def feed(self, data: bytes) -> Iterator[Piece]:
        self._take(self._in_bytes(data, final=False))
        return self._pieces(final=False)

    def finish(self) -> Iterator[Piece]:
        """The pieces that remain. A last line without a line break counts; an empty one after the last break does not."""
        self._take(self._in_bytes(b"", final=True))
        if self._rest or self._long:
            self._end_line()
        return self._pieces(final=True)

    def _in_bytes(self, data: bytes, *, final: bool) -> bytes:
        """UTF-16 becomes UTF-8 here, so that a line is bytes up to a 0x0A in every encoding (no character of GB18030 holds it)."""
        if self._utf16 is not None:
            try:
                # A lone surrogate becomes bytes that are no UTF-8: its line will be reported.
                data = self._utf16.decode(data, final).encode("utf-8", "surrogatepass")
            except UnicodeDecodeError:
                data = b"\xff"  # half a character at the very end
        if self._layout.newline == "cr":
            data = data.replace(b"\r", b"\n")
        return data

    def _take(self, data: bytes) -> None:
        """Cut `data` into lines. What is kept of a line that is too long is its hash, so that the whole file counts for the digest."""
        *ended, rest = data.split(b"\n")
        for part in ended:
            if self._rest or self._long or len(part) > LINE_BYTES_MAX:
                self._extend(part)
                self._end_line()
            else:
                self._lines.append(part)
        self._extend(rest)

    def _extend(self, part: bytes) -> None:
        if self._long is None and len(self._rest) + len(part) > LINE_BYTES_MAX:
            self._long = sha256(bytes(self._rest))
            self._rest.clear()
        if self._long is not None:
            self._long.update(part)
        else:
            self._rest += part

    def _end_line(self) -> None:
        if self._long is not None:
            self._too_long.add(self._lines_done + len(self._lines) + 1)
            self._lines.append(self._long.digest())
            self._long = None
        else:
            self._lines.append(bytes(self._rest))
            self._rest.clear()

    def _pieces(self, *, final: bool) -> Iterator[Piece]:
        while self._lines:
            to_cut = self._cut_at - self._lines_done
            wanted = min(PIECE_LINES, to_cut) if to_cut > 0 else PIECE_LINES
            if len(self._lines) < wanted and not final:
                return
            rows, used = self._rows(min(wanted, len(self._lines)), final=final)
            if not used:
                return  # the piece begins with a quoted field whose end is still to come
            self._digest.update(b"\n".join(self._lines[:used]) + b"\n")
            del self._lines[:used]
            self._lines_done += used
            yield Piece(rows, self._lines_done, self._digest.digest())

    def _rows(self, wanted: int, *, final: bool) -> tuple[list[Row], int]:
        """Rows of the first `wanted` lines, and how many lines they took: fewer when the last has not ended, more when it ends later."""
        if not self._begun:
            self._lines[0] = self._lines[0].removeprefix(codecs.BOM_UTF8)
            self._begun = True
        texts = decode_lines(self._lines[:wanted], self._encoding)
        delimiter, first_no = self._layout.delimiter, self._lines_done + 1
        rows: list[Row] = []
        at = 0
        while at < len(texts):
            text, line_no, used = texts[at], first_no + at, 1
            if line_no in self._too_long:
                self._too_long.discard(line_no)
                rows.append(Row(line_no, [], Reason.LINE_TOO_LONG))
            elif text is None:
                rows.append(Row(line_no, [], Reason.NOT_DECODABLE))
            else:
                fields = split(text, delimiter)
                if fields is None:
                    if not final and len(self._lines) < at + QUOTED_LINES_MAX:
                        break
                    fields, used = self._continued(at)
                if fields is None:
                    rows.append(Row(line_no, [], Reason.OPEN_QUOTE))
                elif self._header_due and any(fields):
                    self._header_due = False
                else:
                    rows.append(Row(line_no, fields if any(fields) else [], None, used))
            at += used
        return rows, at

    def _continued(self, at: int) -> tuple[list[str] | None, int]:
        """The row whose quoted field runs on over the next lines, and how many lines it takes.

        Only if that gives every column and leaves code and secret on one line: a stray quotation mark must not swallow its neighbours.
        """
        if self._layout.delimiter == "none":
            return None, 1
        texts = decode_lines(self._lines[at : at + QUOTED_LINES_MAX], self._encoding)
        for used in range(2, len(texts) + 1):
            if (last := texts[used - 1]) is None or sum(map(len, filter(None, texts[:used]))) > LINE_BYTES_MAX:
                break
            if '"' not in last:
                continue
            fields = split("\n".join(text for text in texts[:used] if text is not None), self._layout.delimiter)
            if fields is not None:
                told = (field for field, role in zip(fields, self._layout.columns, strict=False) if role != "ignore")
                sound = len(fields) == len(self._layout.columns) and not any("\n" in field for field in told)
                return (fields, used) if sound else (None, 1)
        return None, 1
