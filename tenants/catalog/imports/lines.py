"""The lines of a catalogue file: which column is what, and what each cell says, read by the readers of the vault's files."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from checkout_core.errors import Unprocessable
from tenants.vault import headers
from tenants.vault.codes import SENTENCES
from tenants.vault.layout import HEAD_BYTES, Wishes
from tenants.vault.rows import Row
from tenants.vault.source import Chunks, Source, open_source

LINES_MAX: Final = 20_000  # of a file: they are held in memory, checked together and saved together
BYTES_MAX: Final = 32 << 20
PROBLEMS_MAX: Final = 100  # that are told of one file

# What a header may be called, as `headers.plain` reads it.
NAMES: Final[dict[str, str]] = {
    name: column
    for column, names in {
        "reference": "reference sku skureference skuid sku编号 编号 规格编号 商家编码",
        "name": "name skuname sku名称 规格 规格名称",
        "product_reference": "product productreference productid 商品编号 商品编码",
        "product_name": "productname 商品 商品名称",
        "description": "description productdescription 描述 商品描述 介绍",
        "kind": "kind goods 类型 商品类型",
        "category": "category 分类 商品分类",
        "product_state": "productstate 商品状态",
        "price": "price 价格 售价 单价",
        "cost": "cost 成本 成本价",
        "face_value": "facevalue 面值 面额",
        "usage_note": "usagenote 使用说明 说明",
        "state": "state 状态",
        "code_pattern": "codepattern 卡密格式",
    }.items()
    for name in names.split()
}
OPTION: Final = ("option:", "option：", "规格:", "规格：", "选项:", "选项：")  # before the name of an axis
_FORMULA: Final = "=+-@＝＋－＠"


class Sheet(NamedTuple):
    """What may stand in a file: `names` of columns, as `headers.plain` reads them, and those that must be there, with the reason."""

    names: Mapping[str, str]
    needed: Mapping[str, str]
    has_options: bool = False


CATALOG: Final = Sheet(NAMES, {"reference": "a SKU is known by its reference"}, has_options=True)


class LineProblem(msgspec.Struct, frozen=True):
    """What is wrong with a line, which counts from 1 with the header's. `field` is empty when it is the line as a whole."""

    line: int
    field: str
    why: str


class Line(msgspec.Struct, frozen=True):
    """What a line says, by column; nothing for an empty cell. `choices` by option."""

    number: int
    cells: dict[str, str]
    choices: dict[str, str]


class File(msgspec.Struct, frozen=True):
    """`columns` are those that were found, in their order."""

    columns: list[str]
    lines: list[Line]
    problems: list[LineProblem]


async def read(chunks: Chunks, sheet: Sheet = CATALOG, *, encoding: str | None = None, delimiter: str | None = None) -> File:
    """All lines of a file. Raises `Unprocessable` or `TooLarge` for what is no such file, `BadRequest` for an unknown encoding."""
    chunks, first = await _peeked(chunks)
    wishes = Wishes.of(encoding=encoding, delimiter=delimiter or _delimiter(first))
    wishes = msgspec.structs.replace(wishes, header=True, columns=("ignore",))
    source = await open_source(chunks, wishes, bytes_max=BYTES_MAX)
    try:
        # A description may go on over several lines: then there must be as many cells as columns.
        source.layout = msgspec.structs.replace(source.layout, columns=("ignore",) * len(source.layout.names))
        return await _read(source, sheet)
    finally:
        await source.aclose()


async def _peeked(chunks: Chunks) -> tuple[Chunks, bytes]:
    """The same again, and its first line."""
    head = b""
    async for chunk in chunks:
        head += chunk
        if b"\n" in head.lstrip() or len(head) > HEAD_BYTES:
            break
    return _chained(head, chunks), head.lstrip().partition(b"\n")[0]


async def _chained(head: bytes, chunks: Chunks) -> Chunks:
    if head:
        yield head
    async for chunk in chunks:
        yield chunk


def refused(problems: Sequence[LineProblem]) -> Unprocessable:
    """`import_refused`, with how many problems there are and the first of them."""
    lines = len({each.line for each in problems})
    detail = f"{len(problems)} things are wrong in {lines} lines. Nothing was saved; correct the file and send it again."
    return Unprocessable(detail, code="import_refused", wrong=len(problems), problems=msgspec.to_builtins(problems[:PROBLEMS_MAX]))


def _delimiter(first: bytes) -> str | None:
    """What stands between the columns' names, in any encoding; None leaves it to be detected. What is below may be cut in many ways."""
    counted = {each: first.count(each.encode()) for each in ("\t", ",", ";", "|")}
    most = max(counted, key=lambda each: counted[each])
    return most if counted[most] and not first.startswith(b"PK") else None


async def _read(source: Source, sheet: Sheet) -> File:
    columns, problems = _columns(source.layout.names, sheet)
    lines: list[Line] = []
    async for piece in source.pieces():
        for row in piece.rows:
            if row.fault or row.fields:
                line, wrong = _line(columns, row)
                problems += wrong
                lines.append(line)
        if len(lines) > LINES_MAX:
            raise Unprocessable(f"The file has more than {LINES_MAX:,} lines. Split it; nothing was saved.", code="too_many_lines")
        await asyncio.sleep(0)
    return File([column for column in columns if column], lines, problems)


def _columns(names: tuple[str, ...], sheet: Sheet) -> tuple[list[str], list[LineProblem]]:
    """What each column is; those that are options begin with `option:`."""
    columns: list[str] = []
    problems: list[LineProblem] = []
    for name in names:
        prefixes = OPTION if sheet.has_options else ()
        axis = next((name[len(prefix) :].strip() for prefix in prefixes if name.casefold().startswith(prefix)), "")
        column = f"option:{axis}" if axis else sheet.names.get(headers.plain(name), "")
        if not column:
            known = [*sorted(set(sheet.names.values())), *(["option:…"] if sheet.has_options else [])]
            problems.append(LineProblem(1, name, f"There is no column of this name. Known are {', '.join(known)}"))
        elif column in columns:
            problems.append(LineProblem(1, name, "This column is there twice."))
        columns.append(column)
    missing = [LineProblem(1, column, f"This column is missing: {why}.") for column, why in sheet.needed.items() if column not in columns]
    return columns, problems + missing


def _line(columns: list[str], row: Row) -> tuple[Line, list[LineProblem]]:
    if row.fault:
        return Line(row.line_no, {}, {}), [LineProblem(row.line_no, "", SENTENCES[row.fault])]
    cells: dict[str, str] = {}
    choices: dict[str, str] = {}
    for column, field in zip(columns, row.fields, strict=False):
        # As a spreadsheet's own way to show what it would else compute (`tenants.spreadsheets.cell`).
        text = field[1:] if field.startswith("'") and field[1:2] and field[1] in _FORMULA else field
        if text and column.startswith("option:"):
            choices[column.removeprefix("option:")] = text
        elif text and column:
            cells[column] = text
    wrong = [LineProblem(row.line_no, "", "The line has more cells than the header.")] if any(row.fields[len(columns) :]) else []
    return Line(row.line_no, cells, choices), wrong
