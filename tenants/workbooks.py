"""Spreadsheets as Excel keeps them (ECMA-376), written piece by piece: rows as they come, a file as it is sent.

Texts are texts (`t="inlineStr"`): whatever a cell says, nothing in it is computed.
"""

import re
import zipfile
from collections.abc import AsyncIterator, Iterable
from typing import Final
from xml.sax.saxutils import escape

from tenants.drain import Drain

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A sheet has 1,048,576 rows at most; and one below 2 GiB needs no ZIP64, which not every reader takes: of half a million rows each may
# have 4 KiB.
SHEET_ROWS: Final = 500_000
CELL_MAX: Final = 1_000  # letters; Excel takes 32,767
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# What XML 1.0 cannot say at all.
_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def rows(of: Iterable[Iterable[str | int]]) -> bytes:
    """Rows of a sheet: integers as numbers, everything else as text."""
    return "".join(f"<row>{''.join(_cell(each) for each in row)}</row>" for row in of).encode()


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(_UNSAYABLE.sub(" ", value[:CELL_MAX]))}</t></is></c>'


async def file(parts: AsyncIterator[tuple[int, bytes]], *, sheets: int, header: bytes) -> AsyncIterator[bytes]:
    """The whole of a workbook from (sheet, rows) in order, sheets counted from 1; never whole in memory."""
    drain = Drain()
    with zipfile.ZipFile(drain, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _frame(sheets).items():
            archive.writestr(name, _HEAD + content)
        part = await anext(parts, None)
        for sheet in range(1, sheets + 1):
            with archive.open(f"xl/worksheets/sheet{sheet}.xml", "w") as written:
                written.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode() + header)
                while part is not None and part[0] == sheet:
                    written.write(part[1])
                    yield drain.take()
                    part = await anext(parts, None)
                written.write(b"</sheetData></worksheet>")
            yield drain.take()
    yield drain.take()


def _frame(sheets: int) -> dict[str, str]:
    """What a workbook needs besides its sheets."""
    numbers = range(1, sheets + 1)
    content = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{content}.worksheet+xml"/>' for n in numbers)
    names = "".join(f'<sheet name="Orders {n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    links = "".join(f'<Relationship Id="rId{n}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers)
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{content}.sheet.main+xml"/>{parts}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
    }
