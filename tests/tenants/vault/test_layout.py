"""How a file is laid out, as detected from its beginning."""

import pytest

from checkout_core.errors import BadRequest, Unprocessable
from tenants.vault.codes import compile_pattern
from tenants.vault.layout import HEAD_BYTES, Layout, Wishes, detect

TWO = "AAAA-1----111111\nBBBB-2----222222\nCCCC-3----333333\n"


def found(text: str | bytes, **wishes: object) -> Layout:
    return detect(text if isinstance(text, bytes) else text.encode(), Wishes(**wishes))  # type: ignore[arg-type]


class TestEncoding:
    @pytest.mark.parametrize(
        ("codec", "mark", "expected"),
        [
            ("utf-8", b"", "utf-8"),
            ("utf-8", b"\xef\xbb\xbf", "utf-8"),
            ("utf-16-le", b"\xff\xfe", "utf-16-le"),
            ("utf-16-be", b"\xfe\xff", "utf-16-be"),
            ("utf-16-le", b"", "utf-16-le"),
            ("utf-16-be", b"", "utf-16-be"),
            ("gb18030", b"", "gb18030"),
            ("gbk", b"", "gb18030"),
        ],
    )
    def test_each(self, codec: str, mark: bytes, expected: str) -> None:
        text = "卡号,卡密,有效期至\r\n" + "YX-QHNC-NYTV,7584548570551356,2027-07-12\r\n" * 20
        layout = found(mark + text.encode(codec))
        assert (layout.encoding, layout.delimiter, layout.columns) == (expected, "comma", ("code", "secret", "valid_until"))

    def test_one_broken_line_changes_nothing(self) -> None:
        assert found("卡号\n礼-1\n礼-2\n".encode() + b"\xff\xff\n").encoding == "utf-8"

    def test_a_character_cut_by_the_end_of_the_head(self) -> None:
        text = ("礼品卡" * 20 + "\n").encode() * 2000
        assert {found(text[: HEAD_BYTES + cut]).encoding for cut in range(6)} == {"utf-8"}

    @pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n" + bytes(100), b"%PDF-1.4\n", b"\xd0\xcf\x11\xe0" + b"a" * 99, bytes(range(32))])
    def test_no_text(self, head: bytes) -> None:
        with pytest.raises(Unprocessable) as refused:
            found(head)
        assert refused.value.code == "not_text"


class TestDelimiter:
    @pytest.mark.parametrize(
        ("text", "delimiter", "columns"),
        [
            (TWO, "dashes", ("code", "secret")),
            ("AAAA-1\nBBBB-2\n", "none", ("code",)),
            ("AAAA-1", "none", ("code",)),
            ("AAAA-1\t111\nBBBB-2\t222\n", "tab", ("code", "secret")),
            ("AAAA-1,111\nBBBB-2,222\n", "comma", ("code", "secret")),
            ("AAAA-1;111\nBBBB-2;222\n", "semicolon", ("code", "secret")),
            ("AAAA-1|111\nBBBB-2|222\n", "pipe", ("code", "secret")),
            ("AAAA-1 111\nBBBB-2   222\n", "space", ("code", "secret")),
            ("AAAA-1\u3000111\nBBBB-2\u3000222\n", "space", ("code", "secret")),
            ('"AAAA,1","11,1"\n"BBBB,2","22,2"\n', "comma", ("code", "secret")),
            ("AAAA-1,111,2027-01-31\nBBBB-2,222,2028/2/1\n", "comma", ("code", "secret", "valid_until")),
            ("AAAA-1,20270131\nBBBB-2,20280201\n", "comma", ("code", "valid_until")),
            ("1,AAAA-1,111\n2,BBBB-2,222\n3,CCCC-3,333\n", "comma", ("ignore", "code", "secret")),
            ("AAAA-1,111,x,y\nBBBB-2,222,x,y\n", "comma", ("code", "secret", "ignore", "ignore")),
            ("prose that stands once\n" + TWO, "dashes", ("code", "secret")),
            ("AAAA-1----111\rBBBB-2----222\r", "dashes", ("code", "secret")),
        ],
    )
    def test_each(self, text: str, delimiter: str, columns: tuple[str, ...]) -> None:
        layout = found(text)
        assert (layout.delimiter, layout.columns, layout.header) == (delimiter, columns, False)

    def test_a_pattern_keeps_lines_whole(self) -> None:
        layout = detect(b"1234 5678\n2345 6789\n", Wishes(), compile_pattern(r"\d{4} \d{4}"))
        assert (layout.delimiter, layout.columns) == ("none", ("code",))


class TestHeader:
    @pytest.mark.parametrize(
        ("names", "columns"),
        [
            ("卡号,卡密,有效期至", "code secret valid_until"),
            ("序号,卡号,密码,面值(元),进价(元),备注", "ignore code secret face_value ignore ignore"),
            ("序列号,激活码", "code secret"),
            ("兑换码,密码", "code secret"),
            ("密码,卡号", "secret code"),
            ("卡密,有效期", "code valid_until"),
            ("激活码,备注", "code ignore"),
            ("账号,密码,到期时间", "code secret valid_until"),
            ("Card Number,PIN,Expiry", "code secret valid_until"),
            ("card_no,password,face value", "code secret face_value"),
            ("Serial,Code", "code secret"),
            ("code,secret", "code secret"),
            ("No.,Gift Code", "ignore code"),
            ("卡 号,密_码", "code secret"),
            ("卡号（16位）,卡密【勿泄露】", "code secret"),
        ],
    )
    def test_names(self, names: str, columns: str) -> None:
        layout = found(names + "\n" + "AAAA-1," * names.count(",") + "111\n")
        assert (layout.header, layout.columns, layout.names) == (True, tuple(columns.split()), tuple(names.split(",")))

    def test_the_only_column(self) -> None:
        assert found("兑换码\nAAAA-1\nBBBB-2\n").header
        assert not found("AAAA-1\nBBBB-2\n").header

    def test_an_unknown_header_when_told(self) -> None:
        layout = found("foo,bar\nAAAA-1,111\nBBBB-2,222\n", header=True)
        assert (layout.header, layout.columns, layout.names) == (True, ("code", "secret"), ("foo", "bar"))

    def test_no_header_when_told(self) -> None:
        assert not found("code\nAAAA-1\n", header=False).header


class TestWishes:
    def test_win(self) -> None:
        layout = found(TWO, delimiter="none", columns=("code",), encoding="gb18030")
        assert (layout.delimiter, layout.columns, layout.encoding) == ("none", ("code",), "gb18030")

    @pytest.mark.parametrize(("word", "means"), [("GBK", "gb18030"), ("utf8", "utf-8"), ("UTF-16-LE", "utf-16-le")])
    def test_names_of_encodings(self, word: str, means: str) -> None:
        assert Wishes.of(encoding=word).encoding == means

    @pytest.mark.parametrize(("word", "means"), [("----", "dashes"), (",", "comma"), ("\t", "tab"), ("tab", "tab"), ("", "none")])
    def test_names_of_delimiters(self, word: str, means: str) -> None:
        assert Wishes.of(delimiter=word).delimiter == means

    @pytest.mark.parametrize(
        "wrong",
        [
            {"encoding": "latin-1"},
            {"delimiter": "::"},
            {"columns": ""},
            {"columns": "secret"},
            {"columns": "code,code"},
            {"columns": "code,price"},
        ],
    )
    def test_not_understood(self, wrong: dict[str, str]) -> None:
        with pytest.raises(BadRequest) as refused:
            Wishes.of(**wrong)  # type: ignore[arg-type]
        assert refused.value.code == next(iter(wrong))


@pytest.mark.parametrize("empty", [b"", b"\n\n", b" \t \r\n", b"\xef\xbb\xbf"])
def test_nothing_in_it(empty: bytes) -> None:
    with pytest.raises(Unprocessable) as refused:
        found(empty)
    assert refused.value.code == "empty_file"
