"""XLSX: what a person reads in the cells becomes rows; what a hostile workbook would unpack to is refused unread."""

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkout_core.errors import Unprocessable
from tenants.vault import sheet as module
from tenants.vault.codes import Content, Reason
from tenants.vault.examine import examiner
from tenants.vault.layout import Wishes
from tenants.vault.sheet import Sheet


def workbook(*rows: list[Any], change: Callable[[Any], None] = lambda sheet: None) -> io.BytesIO:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    change(book.active)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def repacked(file: io.BytesIO, change: Callable[[dict[str, bytes]], None]) -> io.BytesIO:
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    changed.seek(0)
    return changed


def verdicts(file: io.BytesIO, wishes: Wishes | None = None) -> list[Any]:
    sheet = Sheet(file, wishes or Wishes())
    sheet.check()
    examine = examiner(sheet.layout, None)
    return [examine(row) for piece in sheet.pieces() for row in piece.rows]


HEADER = ["卡号", "密码", "有效期"]


class TestCells:
    @pytest.mark.parametrize(
        ("cell", "format_", "expected"),
        [
            ("05697338", None, "05697338"),
            (5697338, "00000000", "05697338"),
            (5697338, None, "5697338"),
            (5697338.0, None, "5697338"),
            (123456789012345, None, "123456789012345"),
            (1234567890123457, None, "1234567890123457"),  # exact, so no spreadsheet kept it
            (1234567890123450, None, Reason.DIGITS_LOST),
            (1.23456789012345e18, None, Reason.DIGITS_LOST),
            (True, None, "TRUE"),
            ("=A1&B1", None, Reason.MARKUP),
            (" 12345\n", None, "12345"),
            (None, None, Reason.NO_SECRET),
        ],
    )
    def test_secret(self, cell: Any, format_: str | None, expected: Any) -> None:
        def change(sheet: Any) -> None:
            sheet["B2"].number_format = format_ or sheet["B2"].number_format

        [found] = verdicts(workbook(HEADER, ["AAAA-1", cell, "x"], change=change))
        assert (found.secret if isinstance(found, Content) else found) == expected

    def test_dates_are_written_as_people_sort_them(self) -> None:
        day = dt.datetime.fromisoformat("2027-07-12")  # a sheet knows no time zones
        found = verdicts(workbook(HEADER, ["AAAA-1", "1", day], ["BBBB-2", "2", day.replace(hour=8, minute=30)]))
        assert [content.valid_until for content in found] == ["2027-07-12", "2027-07-12 08:30:00"]

    def test_rows_are_counted_as_the_sheet_counts_them(self) -> None:
        def change(sheet: Any) -> None:
            sheet["A9"] = "BBBB-2"
            sheet["B9"] = "2"

        sheet = Sheet(workbook(HEADER, ["AAAA-1", "1"], change=change), Wishes())
        assert [(row.line_no, bool(row.fields)) for piece in sheet.pieces() for row in piece.rows] == [
            (2, True), *[(no, False) for no in range(3, 9)], (9, True),
        ]  # fmt: skip

    def test_without_a_header(self) -> None:
        assert verdicts(workbook([1, "AAAA-1", "1"], [2, "BBBB-2", "2"])) == [Content("AAAA-1", "1"), Content("BBBB-2", "2")]

    def test_columns_when_told(self) -> None:
        wishes = Wishes.of(columns="secret,code,ignore")
        assert verdicts(workbook(HEADER, ["1", "AAAA-1", "x"]), wishes) == [Content("AAAA-1", "1")]

    def test_the_first_sheet_with_anything_on_it(self) -> None:
        book = openpyxl.Workbook()
        book.create_sheet("second").append(["AAAA-1"])
        file = io.BytesIO()
        book.save(file)
        assert verdicts(file) == [Content("AAAA-1")]

    def test_a_wrong_dimension_hides_nothing(self) -> None:
        def change(parts: dict[str, bytes]) -> None:
            name = "xl/worksheets/sheet1.xml"
            parts[name] = parts[name].replace(b'<dimension ref="A1:B3"', b'<dimension ref="A1"')

        file = repacked(workbook(["卡号", "密码"], ["AAAA-1", "1"], ["BBBB-2", "2"]), change)
        assert verdicts(file) == [Content("AAAA-1", "1"), Content("BBBB-2", "2")]


class TestHostile:
    def outcome(self, file: io.BytesIO) -> str:
        try:
            found = verdicts(file)
        except Unprocessable as refused:
            return refused.code
        assert len(found) <= module.ROWS_MAX
        return "read" if all(verdict is None or isinstance(verdict, Content | Reason) for verdict in found) else "nonsense"

    def refused(self, file: io.BytesIO) -> str:
        with pytest.raises(Unprocessable) as refused:
            verdicts(file)
        return refused.value.code

    @pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + b"x" * 1000])
    def test_no_zip(self, content: bytes) -> None:
        assert self.refused(io.BytesIO(content)) == "not_a_sheet"

    def test_a_zip_of_something_else(self) -> None:
        assert self.refused(repacked(workbook(), lambda parts: parts.clear())) == "not_a_sheet"

    def test_empty(self) -> None:
        assert self.refused(workbook()) == "empty_file"

    @pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
    def test_bomb(self, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "UNPACKED_BYTES_MAX", 1 << 20)
        monkeypatch.setattr(module, "PART_BYTES_MAX", 1 << 20)
        file = repacked(workbook(["AAAA-1"]), lambda parts: parts.update({part: b" " * (2 << 20)}))
        assert len(file.getvalue()) < 20_000
        assert self.refused(file) == "sheet_too_large"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_document_type(self, encoding: str) -> None:
        def change(parts: dict[str, bytes]) -> None:
            xml = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><worksheet>&c;</worksheet>'
            parts["xl/worksheets/sheet1.xml"] = xml.encode(encoding)

        assert self.refused(repacked(workbook(["AAAA-1"]), change)) == "not_a_sheet"

    @pytest.mark.parametrize("number", [b"2000000", b"99999999999999999999", b"-1", b"x"])
    def test_row_numbers_beyond_a_sheet(self, number: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "ROWS_MAX", 1000)

        def change(parts: dict[str, bytes]) -> None:
            name = "xl/worksheets/sheet1.xml"
            parts[name] = parts[name].replace(b'<row r="2"', b'<row r="' + number + b'"')

        file = repacked(workbook(HEADER, ["AAAA-1", "1"]), change)
        assert self.outcome(file) in ("sheet_too_large", "not_a_sheet", "read")

    def test_half_a_sheet_is_found_out_before_anything_is_given(self) -> None:
        def change(parts: dict[str, bytes]) -> None:
            name = "xl/worksheets/sheet1.xml"
            parts[name] = parts[name][: len(parts[name]) // 2]

        rows = [[f"AAAA-{n}", str(n)] for n in range(1000)]
        sheet = Sheet(repacked(workbook(*rows), change), Wishes())
        with pytest.raises(Unprocessable):
            sheet.check()

    @given(at=st.integers(0, 5000), with_=st.binary(min_size=1, max_size=4))
    @settings(max_examples=150, deadline=None)
    def test_any_damage_is_read_or_refused(self, at: int, with_: bytes) -> None:
        content = bytearray(WHOLE)
        at %= len(content)
        content[at : at + len(with_)] = with_
        assert self.outcome(io.BytesIO(bytes(content))) in ("not_a_sheet", "sheet_too_large", "empty_file", "read")


WHOLE = workbook(HEADER, *[[f"AAAA-{n}", str(n), "2027-01-01"] for n in range(5)]).getvalue()
