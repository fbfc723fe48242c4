"""Comma-separated files that a spreadsheet shows as they are, and never computes."""

import csv
import io
from collections.abc import Iterable
from typing import Final

BOM: Final = b"\xef\xbb\xbf"  # where a file begins: without it Excel takes UTF-8 for something else


def rows(of: Iterable[Iterable[str]]) -> bytes:
    """Lines of a file (RFC 4180), every cell in quotes."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([cell(each) for each in row] for row in of)
    return text.getvalue().encode()


def cell(text: str) -> str:
    """`text` as a spreadsheet shows it and never computes it (OWASP: CSV injection)."""
    return f"'{text}" if text.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠") else text
