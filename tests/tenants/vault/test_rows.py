"""Rows from bytes: never a crash, never a lost line, whatever the bytes and wherever they are cut."""

import itertools
import tracemalloc
from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkout_core.errors import Unprocessable
from tenants.vault.codes import Content, Reason
from tenants.vault.examine import examiner
from tenants.vault.fields import DELIMITERS
from tenants.vault.layout import ENCODINGS, HEAD_BYTES, Layout, Wishes, detect
from tenants.vault.rows import LINE_BYTES_MAX, PIECE_LINES, LineReader, Piece, Row

COMMA = Layout(encoding="utf-8", delimiter="comma", columns=("code", "secret", "ignore"))
SOLE = Layout(encoding="utf-8")


def pieces(layout: Layout, *parts: bytes, cut_at: int = 0) -> list[Piece]:
    reader = LineReader(layout, cut_at)
    return [*itertools.chain.from_iterable(list(reader.feed(part)) for part in parts), *reader.finish()]


def rows(layout: Layout, *parts: bytes) -> list[Row]:
    return [row for piece in pieces(layout, *parts) for row in piece.rows]


def lines_of(data: bytes) -> int:
    return len(data.split(b"\n")) - data.endswith(b"\n") if data else 0


class TestLines:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"AAAA\nBBBB\n", ["AAAA", "BBBB"]),
            (b"AAAA\r\nBBBB", ["AAAA", "BBBB"]),
            (b"\xef\xbb\xbfAAAA\n\nBBBB\n", ["AAAA", None, "BBBB"]),
            (b"  AAAA \n \t \n", ["AAAA", None]),
            (b"A\x0bA\nB\x0cB\nC\xe2\x80\xa8C\nD\xc2\x85D", ["A\x0bA", "B\x0cB", "C\u2028C", "D\x85D"]),
            (b"\n\n", [None, None]),
            (b"", []),
        ],
    )
    def test_counted_as_an_editor_counts(self, data: bytes, expected: list[str | None]) -> None:
        assert [(row.line_no, row.fields) for row in rows(SOLE, data)] == [
            (no, [text] if text else []) for no, text in enumerate(expected, 1)
        ]

    def test_undecodable(self) -> None:
        assert [row.fault for row in rows(SOLE, b"AAAA\n\xff\xfe\nBBBB\n")] == [None, Reason.NOT_DECODABLE, None]

    def test_too_long_is_dropped_and_still_counts_for_the_digest(self) -> None:
        long = b"x" * (LINE_BYTES_MAX + 1)
        exact = b"x" * LINE_BYTES_MAX
        [piece] = pieces(SOLE, b"AAAA\n" + long + b"\n" + exact + b"\nBBBB\n")
        assert [row.fault for row in piece.rows] == [None, Reason.LINE_TOO_LONG, None, None]
        [other] = pieces(SOLE, b"AAAA\n" + long[:-1] + b"y\n" + exact + b"\nBBBB\n")
        assert piece.digest != other.digest

    def test_memory_is_bounded(self) -> None:
        reader = LineReader(SOLE)
        tracemalloc.start()
        for _ in range(400):
            assert list(reader.feed(b"x" * 65536)) == []
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [row.fault for piece in reader.finish() for row in piece.rows] == [Reason.LINE_TOO_LONG]
        assert peak < 1 << 20

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_utf_16_in_single_bytes(self, encoding: str, mark: str) -> None:
        data = f"{mark}AAAA,密-1,\r\nBBBB,2,\U00020000\r\n".encode(encoding)
        layout = Layout(encoding=encoding, delimiter="comma", columns=("code", "secret", "ignore"))
        parts = [data[at : at + 1] for at in range(len(data))]
        assert [row.fields for row in rows(layout, *parts)] == [["AAAA", "密-1", ""], ["BBBB", "2", "\U00020000"]]

    def test_half_a_utf_16_character_at_the_end(self) -> None:
        layout = Layout(encoding="utf-16-le")
        data = "AAAA\nBBBB".encode("utf-16-le")
        assert [row.fault for row in rows(layout, data[:-1])] == [None, Reason.NOT_DECODABLE]
        assert [row.fault for row in rows(layout, "AAAA\n".encode("utf-16-le") + b"\x00\xd8\n\x00CC")] == [None, Reason.NOT_DECODABLE, None]

    def test_header_is_the_first_line_with_anything_on_it(self) -> None:
        layout = Layout(encoding="utf-8", header=True)
        assert rows(layout, b"\n code \nAAAA\ncode\n") == [Row(1, []), Row(3, ["AAAA"]), Row(4, ["code"])]


class TestQuotes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('"AAAA","1,1",x\n', [(1, ["AAAA", "1,1", "x"])]),
            ('"AA""AA",1,x\n', [(1, ['AA"AA', "1", "x"])]),
            ('AA"AA,1,x\n', [(1, ['AA"AA', "1", "x"])]),
            ('AAAA, "1" ,x\n', [(1, Reason.OPEN_QUOTE)]),
            ('AAAA,1,"two\nlines"\nBBBB,2,x\n', [(1, ["AAAA", "1", "two\nlines"]), (3, ["BBBB", "2", "x"])]),
            ('AAAA,1,"two\n\n""lines"" of three"\n', [(1, ["AAAA", "1", 'two\n\n"lines" of three'])]),
            ('"AAAA,1,x\nBBBB,2,x\nCCCC,3,x\n', [(1, Reason.OPEN_QUOTE), (2, ["BBBB", "2", "x"]), (3, ["CCCC", "3", "x"])]),
            # A stray mark whose end happens to come swallows no neighbour: the code would run over two lines.
            ('"AAAA,1,x\nBBBB",2,x\n', [(1, Reason.OPEN_QUOTE), (2, ['BBBB"', "2", "x"])]),
            ('AAAA,"1\n2",x\n', [(1, Reason.OPEN_QUOTE), (2, ['2"', "x"])]),
            ('AAAA,1,"' + "x\n" * 30 + '"\n', [(1, Reason.OPEN_QUOTE)]),
        ],
    )
    def test_each(self, text: str, expected: list[tuple[int, object]]) -> None:
        found = [(row.line_no, row.fault or row.fields) for row in rows(COMMA, text.encode())]
        assert found[: len(expected)] == expected

    def test_a_sole_column_may_be_quoted(self) -> None:
        assert [row.fields for row in rows(SOLE, b'"AAAA"\nBB"BB\n')] == [["AAAA"], ['BB"BB']]
        assert [row.fault for row in rows(SOLE, b'"AAAA\nBBBB\n')] == [Reason.OPEN_QUOTE, None]

    def test_across_the_end_of_a_piece(self) -> None:
        head = b"".join(b"A%05d,1,x\n" % n for n in range(PIECE_LINES - 1))
        text = head + b'BBBB,2,"two\nlines"\nCCCC,3,x\n'
        found = pieces(COMMA, text)
        assert [piece.lines_done for piece in found][-1] == PIECE_LINES + 2
        assert [row.fields[0] for piece in found for row in piece.rows][-2:] == ["BBBB", "CCCC"]


class TestPieces:
    DATA = b"".join(b"A%05d\n" % n for n in range(3 * PIECE_LINES + 7))

    def test_digest_is_of_all_lines_so_far(self) -> None:
        found = pieces(SOLE, self.DATA)
        assert [piece.lines_done for piece in found] == [PIECE_LINES, 2 * PIECE_LINES, 3 * PIECE_LINES, 3 * PIECE_LINES + 7]
        assert found[-1].digest == sha256(self.DATA).digest()

    @pytest.mark.parametrize("cut_at", [1, 17, PIECE_LINES, PIECE_LINES + 1, 3 * PIECE_LINES + 7])
    def test_one_ends_where_it_is_asked_to(self, cut_at: int) -> None:
        found = {piece.lines_done: piece for piece in pieces(SOLE, self.DATA, cut_at=cut_at)}
        assert found[cut_at].digest == sha256(b"".join(self.DATA.splitlines(keepends=True)[:cut_at])).digest()
        assert [row.line_no for piece in found.values() for row in piece.rows] == list(range(1, 3 * PIECE_LINES + 8))


TRICKY = st.sampled_from(
    [b"\n", b"\r\n", b"\r", b'"', b",", b"----", b"\t", b" ", b";", b"\xef\xbb\xbf", b"\xff", b"\0", "卡号".encode(), "密码".encode("gbk"),
     b"code", b"AAAA-1", b"BBBB-22", b"=x", b"<a>", "\u3000".encode(), b'","', b'"\n', b"x" * 600]
)  # fmt: skip
FILES = st.lists(st.one_of(TRICKY, st.binary(max_size=8)), max_size=60).map(b"".join)


def cut(data: bytes, at: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(min(edge, len(data)) for edge in at), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def line_count(layout: Layout, data: bytes) -> int:
    if layout.encoding.startswith("utf-16"):
        text = data[: len(data) // 2 * 2].decode(layout.encoding, "replace")
        data = text.encode("utf-8", "replace") + (b"?" if len(data) % 2 else b"")
    return lines_of(data.replace(b"\r", b"\n") if layout.newline == "cr" else data)


def accounted(layout: Layout, data: bytes, edges: list[int]) -> int:
    """How many lines are the header or in exactly one row, wherever the bytes are cut."""
    whole, parts = pieces(layout, data), pieces(layout, *cut(data, edges))
    assert whole == parts, "where the bytes are cut makes no difference"
    found = [row for piece in whole for row in piece.rows]
    lines = whole[-1].lines_done if whole else 0
    examine = examiner(layout, None)
    for row in found:
        verdict = examine(row)
        assert verdict is None or isinstance(verdict, Content | Reason)
    taken = [row.line_no + further for row in found for further in range(row.lines)]
    assert taken == sorted(set(taken)), "no line is in two rows"
    missing = sorted(set(range(1, lines + 1)) - set(taken))
    if missing:
        assert layout.header
        assert missing == list(range(missing[0], missing[-1] + 1)), "the header is the one thing that is no row"
        assert not any(row.fields for row in found if row.line_no < missing[0])
    return len(set(taken)) + len(missing)


class TestAnything:
    @given(data=FILES, edges=st.lists(st.integers(0, 600), max_size=5))
    @settings(max_examples=400, deadline=None)
    def test_detected_or_refused_and_no_line_lost(self, data: bytes, edges: list[int]) -> None:
        try:
            layout = detect(data[:HEAD_BYTES], Wishes())
        except Unprocessable:
            return
        assert accounted(layout, data, edges) == line_count(layout, data)

    @given(
        data=FILES,
        edges=st.lists(st.integers(0, 600), max_size=5),
        layout=st.builds(
            Layout,
            encoding=st.sampled_from(ENCODINGS),
            delimiter=st.sampled_from(list(DELIMITERS)),
            newline=st.sampled_from(["lf", "cr"]),
            header=st.booleans(),
            columns=st.sampled_from([("code",), ("code", "secret"), ("ignore", "secret", "code", "valid_until", "face_value")]),
        ),
    )
    @settings(max_examples=600, deadline=None)
    def test_in_any_layout_no_line_is_lost(self, data: bytes, edges: list[int], layout: Layout) -> None:
        assert accounted(layout, data, edges) == line_count(layout, data)
