"""Rows of an XLSX sheet, streamed. A sheet is a zip of XML written by strangers: what it may unpack to is bounded before any is parsed."""

import datetime as dt
import re
import warnings
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from typing import IO, Any, Final

import openpyxl

from checkout_core.errors import AppError, Unprocessable
from tenants.vault.codes import Reason, trim
from tenants.vault.layout import COLUMNS_MAX, SAMPLE_LINES, SHEET, Layout, Wishes, arrange
from tenants.vault.rows import PIECE_LINES, Piece, Row

SHEET_BYTES_MAX: Final = 64 << 20  # as uploaded
UNPACKED_BYTES_MAX: Final = 512 << 20  # the rows, which are streamed
PART_BYTES_MAX: Final = 64 << 20  # shared strings, styles and so on, which are held in memory
PARTS_MAX: Final = 2_000
ROWS_MAX: Final = 1_048_576  # Excel's own limit
CELL_CHARACTERS_MAX: Final = 32_767  # likewise
EXACT_DIGITS: Final = 15  # of a number in a spreadsheet


class Sheet:
    """An open workbook's first sheet that has rows. Its methods take time: call them in a thread."""

    def __init__(self, file: IO[bytes], wishes: Wishes, layout: Layout | None = None) -> None:
        """Raises `Unprocessable` (code `not_a_sheet`, `sheet_too_large`, `empty_file`) for what cannot or should not be read."""
        _check_parts(file)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that do not matter here
                self._book = openpyxl.load_workbook(file, read_only=True, keep_links=False)
        except Exception:
            raise _not_a_sheet() from None
        self.layout = layout or self._arranged(wishes)

    def check(self) -> None:
        """Read all rows once, so that a damaged sheet loads nothing rather than half of its rows."""
        for _ in self._cells():
            pass

    def pieces(self, cut_at: int = 0) -> Iterator[Piece]:
        """As `LineReader` gives them; the digest is of the cells' text."""
        digest, rows, header_due, line_no = sha256(), list[Row](), self.layout.header, 0
        for line_no, cells in enumerate(self._cells(), 1):
            fields = [_text(cell.value, cell) for cell in cells]
            digest.update(repr(fields).encode())
            if header_due and any(fields):
                header_due = False
            elif not any(fields):
                rows.append(Row(line_no, []))
            else:
                rows.append(Row(line_no, fields, self._rounded(cells)))
            if line_no % PIECE_LINES == 0 or line_no == cut_at:
                yield Piece(rows, line_no, digest.digest())
                rows = []
        if line_no and line_no % PIECE_LINES != 0 and line_no != cut_at:
            yield Piece(rows, line_no, digest.digest())

    def _arranged(self, wishes: Wishes) -> Layout:
        for name in self._book.sheetnames:
            layout = Layout(encoding=SHEET, delimiter="", sheet=name)
            rows = []
            for cells in self._cells(name):
                if any(fields := [_text(cell.value, cell) for cell in cells]):
                    rows.append(fields)
                if len(rows) == SAMPLE_LINES:
                    break
            if rows:
                width = max(map(len, rows))
                return arrange(layout, [row + [""] * (width - len(row)) for row in rows], wishes)
        raise Unprocessable("The workbook has no sheet with anything on it.", code="empty_file")

    def _cells(self, name: str | None = None) -> Iterator[list[Any]]:
        """The cells of each row up to the last that is not empty. Rows that the file leaves out are given as empty ones."""
        try:
            sheet = self._book[name or self.layout.sheet]
            if not hasattr(sheet, "reset_dimensions"):
                return  # a chart sheet has no rows
            sheet.reset_dimensions()  # what the file says of its own size is often wrong
            for number, row in enumerate(sheet.iter_rows(max_col=COLUMNS_MAX), 1):
                if number > ROWS_MAX:
                    raise Unprocessable(f"The sheet has more than {ROWS_MAX:,} rows.", code="sheet_too_large")
                cells = list(row)
                while cells and cells[-1].value is None:
                    cells.pop()
                yield cells
        except AppError:
            raise
        except Exception:
            raise _not_a_sheet() from None

    def _rounded(self, cells: list[Any]) -> Reason | None:
        """Whether a code or secret was stored as a number with more digits than a spreadsheet keeps."""
        for cell, role in zip(cells, self.layout.columns, strict=False):
            value = cell.value
            too_long = role in ("code", "secret") and isinstance(value, int | float) and abs(value) >= 10**EXACT_DIGITS
            # A whole number that a program wrote has digits after the fifteenth; in one that a spreadsheet has kept they are zeros.
            if too_long and (isinstance(value, float) or not str(value)[EXACT_DIGITS:].strip("0")):
                return Reason.DIGITS_LOST
        return None


_doctype: Final = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def _not_a_sheet() -> Unprocessable:
    """In place of whatever zipfile, zlib, the XML parser and openpyxl raise on damage: they share no family, and their words may quote
    a cell."""
    return Unprocessable("The workbook is damaged or is no XLSX file. Open it, save it again as XLSX, and upload that.", code="not_a_sheet")


def _check_parts(file: IO[bytes]) -> None:
    """What each part says it unpacks to is what zipfile will read of it at most, so the declared sizes are bounds."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            rows = sum(part.file_size for part in parts if part.filename.startswith("xl/worksheets/"))
            others = [
                part for part in parts if part.filename.endswith((".xml", ".rels")) and not part.filename.startswith("xl/worksheets/")
            ]
            too_large = rows > UNPACKED_BYTES_MAX or any(part.file_size > PART_BYTES_MAX for part in others) or len(parts) > PARTS_MAX
            if too_large:
                raise Unprocessable("The workbook unpacks to more than is read. Save the sheet of codes as CSV.", code="sheet_too_large")
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as stream:
                        # A workbook has no use for a document type; XML bombs and references to other files have.
                        if _doctype.search(stream.read(4096).replace(b"\0", b"")):
                            raise _not_a_sheet()
    except AppError:
        raise
    except Exception:
        raise _not_a_sheet() from None
    file.seek(0)


_zeros = re.compile(r"0+").fullmatch


def _text(value: Any, cell: Any) -> str:
    """What a person reads in the cell, as far as it matters for codes."""
    if value is None:
        return ""
    if isinstance(value, str):
        return trim(value[:CELL_CHARACTERS_MAX])
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**EXACT_DIGITS:
        value = int(value)
    if isinstance(value, int):
        # 5697338 under the format 00000000 is read 05697338: the zeros belong to the code.
        width = len(cell.number_format) if value >= 0 and _zeros(cell.number_format) else 0
        return str(value).zfill(width)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "seconds")
    return trim(str(value))
