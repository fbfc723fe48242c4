"""How a file is laid out: encoding, delimiter, header, and which column holds what. Detected from its first bytes, overridable."""

import re
from collections import Counter
from itertools import pairwise
from typing import Final, get_args

import msgspec

from checkout_core.errors import BadRequest, Unprocessable
from tenants.vault import headers
from tenants.vault.codes import Pattern, trim
from tenants.vault.fields import DELIMITERS, decode_lines, split
from tenants.vault.headers import Role

HEAD_BYTES: Final = 64 * 1024
SAMPLE_LINES: Final = 200
COLUMNS_MAX: Final = 32
ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
ALIASES: Final = {
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
    "ascii": "utf-8",
    "utf-16": "utf-16-le",
    "utf16": "utf-16-le",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}
SHEET: Final = "xlsx"


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`delimiter` is a name of `fields.DELIMITERS`, or empty in a sheet. `columns`: a role for each, one of them `code`."""

    encoding: str
    delimiter: str = "none"
    newline: str = "lf"  # `cr`: lines end with CR alone, as on old Macs
    header: bool = False
    columns: tuple[Role, ...] = ("code",)
    names: tuple[str, ...] = ()  # the header's own words
    sheet: str = ""

    @property
    def is_sheet(self) -> bool:
        return self.encoding == SHEET


class Wishes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the merchant says about the file; whatever is None is detected."""

    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    columns: tuple[Role, ...] | None = None

    @classmethod
    def of(
        cls, *, encoding: str | None = None, delimiter: str | None = None, header: bool | None = None, columns: str | None = None
    ) -> "Wishes":
        """From the words of a request. Raises `BadRequest` naming the word that is not understood."""
        if encoding is not None:
            encoding = ALIASES.get(encoding.lower(), encoding.lower())
            if encoding not in (*ENCODINGS, SHEET):
                raise BadRequest(f"encoding is one of {', '.join((*ENCODINGS, SHEET))}.", code="encoding")
        if delimiter is not None and delimiter not in DELIMITERS:
            named = {characters: name for name, characters in DELIMITERS.items()}
            if delimiter not in named:
                raise BadRequest(f"delimiter is one of {', '.join(DELIMITERS)}.", code="delimiter")
            delimiter = named[delimiter]
        return cls(encoding=encoding, delimiter=delimiter, header=header, columns=None if columns is None else _columns(columns))


def _columns(words: str) -> tuple[Role, ...]:
    columns = tuple(word.strip() for word in words.split(","))
    known = get_args(Role)
    if not set(columns) <= set(known) or len(columns) > COLUMNS_MAX:
        raise BadRequest(f"columns is a list of {', '.join(known)}, one for each column, with commas between.", code="columns")
    once = Counter(column for column in columns if column != "ignore")
    if once["code"] != 1 or max(once.values()) > 1:
        raise BadRequest("columns names `code` exactly once and the others at most once.", code="columns")
    return columns  # type: ignore[return-value]  # checked against the literals above


def is_sheet(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04")


def detect(head: bytes, wishes: Wishes, pattern: Pattern | None = None) -> Layout:
    """The layout of a text file that begins with `head` (HEAD_BYTES of it, or all there is).

    A SKU's `pattern` tells that a line is a code as a whole, spaces and all. Raises `Unprocessable` (code `not_text`, `empty_file`).
    """
    encoding = wishes.encoding or detect_encoding(head)
    if encoding == SHEET:
        raise Unprocessable("The file is not a spreadsheet in the XLSX format.", code="not_a_sheet")
    newline, lines = _sample(head, encoding)
    texts = [text for text in (trim(line) for line in lines) if text]
    if not texts:
        raise Unprocessable("The file has no line with anything on it.", code="empty_file")
    delimiter = wishes.delimiter or _delimiter(texts, pattern)
    rows = [row for row in (split(text, delimiter) for text in lines) if row and any(row)]
    return arrange(Layout(encoding=encoding, delimiter=delimiter, newline=newline), rows or [[texts[0]]], wishes)


def arrange(layout: Layout, rows: list[list[str]], wishes: Wishes) -> Layout:
    """`layout` with header and columns found from the first `rows` of trimmed fields."""
    header = headers.is_header(rows[0]) if wishes.header is None else wishes.header
    names = tuple(name[:64] for name in rows[0][:COLUMNS_MAX]) if header else ()
    if wishes.columns is not None:
        columns = wishes.columns
    elif header and headers.is_header(rows[0]):
        columns = headers.roles(rows[0][:COLUMNS_MAX])
    else:
        columns = _columns_by_content(rows[1:] if header else rows)
    return msgspec.structs.replace(layout, header=header, names=names, columns=columns)


_CONTROLS: Final = bytes({*range(0x20)} - {*b"\t\n\v\f\r"})


def detect_encoding(head: bytes) -> str:
    """By byte order mark, else by where zero bytes stand, else by which of UTF-8 and GB18030 more lines are valid in."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            return encoding
    pairs = max(1, len(head) // 2)
    if head[1::2].count(0) > 0.4 * pairs and head[0::2].count(0) < 0.1 * pairs:
        return "utf-16-le"
    if head[0::2].count(0) > 0.4 * pairs and head[1::2].count(0) < 0.1 * pairs:
        return "utf-16-be"
    unseen = len(head) - len(head.translate(None, _CONTROLS))
    if unseen > 0.05 * len(head) or head.startswith((b"%PDF", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        raise Unprocessable("The file is neither text nor an XLSX sheet (old .xls and archives are not read).", code="not_text")
    telling = [line for line in head.split(b"\n")[:-1] or [head] if not line.isascii()]
    valid = {encoding: sum(_decodes(line, encoding) for line in telling) for encoding in ("utf-8", "gb18030")}
    # Text in GB18030 is hardly ever valid UTF-8, but the other way round it often is: a tie goes to UTF-8.
    if 2 * valid["utf-8"] >= len(telling):
        return "utf-8"
    return "gb18030" if 2 * valid["gb18030"] >= len(telling) else "utf-8"


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _sample(head: bytes, encoding: str) -> tuple[str, list[str]]:
    """How lines end, and the first lines. The last one may be cut off by the end of the head, and is left out unless it is the only one."""
    if encoding.startswith("utf-16"):
        head = head.decode(encoding, "replace").encode()
    newline = "cr" if b"\r" in head and b"\n" not in head else "lf"
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\r" if newline == "cr" else b"\n")
    whole = lines[:-1] if len(lines) > 1 and len(head) >= HEAD_BYTES // 2 else lines
    decoded = decode_lines(whole[: 2 * SAMPLE_LINES], "utf-8" if encoding.startswith("utf-16") else encoding)
    return newline, [line for line in decoded if line is not None][:SAMPLE_LINES]


def _delimiter(texts: list[str], pattern: Pattern | None) -> str:
    """The first of the candidates that cuts nearly every line into the same number of fields."""
    if pattern is not None and 2 * sum(map(pattern, texts)) > len(texts):
        return "none"
    for name in DELIMITERS:
        if name == "none":
            continue
        counts = Counter(len(row) for row in (split(text, name) for text in texts) if row)
        if not counts:
            continue
        fields, lines = counts.most_common(1)[0]
        if 2 <= fields <= COLUMNS_MAX and lines >= 0.6 * len(texts):
            return name
    return "none"


_date = re.compile(r"(19|20)\d\d([-/.年])?(0?[1-9]|1[0-2])(\2|月)?(0?[1-9]|[12]\d|3[01])日?([ T].*)?").fullmatch
_count = re.compile(r"\d{1,7}").fullmatch


def _columns_by_content(rows: list[list[str]]) -> tuple[Role, ...]:
    """Without names: running numbers are ignored, dates are the validity, of the rest the first is the code and the second its secret."""
    width = min(Counter(map(len, rows)).most_common(1)[0][0] if rows else 1, COLUMNS_MAX)
    rows = [row for row in rows if len(row) == width]
    found: list[Role] = []
    for at in range(width):
        values = [row[at] for row in rows if row[at]]
        if width > 1 and values and all(map(_date, values)) and "valid_until" not in found:
            found.append("valid_until")
        elif width > 1 and len(values) > 1 and not found and _runs(values):
            found.append("ignore")
        else:
            found.append("code" if "code" not in found else "secret" if "secret" not in found and values else "ignore")
    if "code" not in found:
        found[0] = "code"
    return tuple(found)


def _runs(values: list[str]) -> bool:
    numbers = [int(value) for value in values if _count(value)]
    return len(numbers) == len(values) and all(b - a == 1 for a, b in pairwise(numbers))
