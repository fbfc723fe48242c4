"""A line of text cut into fields: delimiters, quotation marks, and bytes that are not text."""

import csv
from typing import Final

from tenants.vault.codes import trim

# In the order in which they are tried: the longer and rarer first.
DELIMITERS: Final = {"dashes": "----", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " ", "none": ""}
QUOTED: Final = frozenset(("tab", "comma", "semicolon", "pipe", "none"))


def split(text: str, delimiter: str) -> list[str] | None:
    """The trimmed fields of a line; none at all for a blank one; None when a quotation mark stays open or is followed by more text.

    Dashes and spaces know no quotation marks. Several spaces in a row part as one.
    """
    if delimiter == "space":
        return [trim(field) for field in text.split()]
    if '"' in text and delimiter in QUOTED:
        return _split_quoted(text, delimiter)
    text = text.strip() if delimiter != "tab" else text.strip("\r\n")
    if not text or text.isspace():
        return []
    fields = [text] if delimiter == "none" else text.split(DELIMITERS[delimiter])
    if text.isascii():
        return [field.strip() for field in fields]
    return [trim(field) for field in fields]


def _split_quoted(text: str, delimiter: str) -> list[str] | None:
    if delimiter == "none":
        text = trim(text)
        if text.startswith('"'):
            return [trim(text[1:-1].replace('""', '"'))] if len(text) > 1 and text.endswith('"') else None
        return [text]
    try:
        # One record, or the beginning of one. A bare CR would end a record for the reader; in the middle of a line it is only dirt.
        parts = text.strip("\r\n").replace("\r\n", "\n").replace("\r", " ").split("\n")
        source = [*(part + "\n" for part in parts[:-1]), parts[-1]]
        records = list(csv.reader(source, delimiter=DELIMITERS[delimiter], strict=True, skipinitialspace=delimiter != "tab"))
    except csv.Error:
        return None
    if len(records) != 1:
        return None
    return [trim(field) for field in records[0]]


def decode_lines(lines: list[bytes], encoding: str) -> list[str | None]:
    """Each line as text, None where it is not valid in `encoding`. One decoding for all of them when nothing is wrong."""
    try:
        texts: list[str | None] = list(b"\n".join(lines).decode(encoding).split("\n"))
    except UnicodeDecodeError:
        return [_decode(line, encoding) for line in lines]
    return texts if len(texts) == len(lines) else [_decode(line, encoding) for line in lines]


def _decode(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None
