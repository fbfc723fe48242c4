"""Which text is a code, when two are the same card, and what is never shown."""

import time
from pathlib import Path

import msgspec
import pytest

from checkout_core.errors import BadRequest
from tenants.vault.codes import SENTENCES, Code, Content, Reason, compile_pattern, fault, mask, normalise, pack, trim, unpack

GUIDE = (Path(__file__).parents[3] / "docs" / "code-files.md").read_text()
CODES = [
    ("MU-LBQD-UELV", None),
    ("abcd", None),
    ("abc", Reason.TOO_SHORT),
    ("", Reason.NO_CODE),
    ("x" * 512, None),
    ("x" * 513, Reason.TOO_LONG),
    ("https://a.example/get?code=1&x=%20#y", None),
    ("MU－ZBDD－AHA3", None),
    ("é-1234", None),
    ("-1234", None),
    ("=HYPERLINK(1)", Reason.MARKUP),
    ("+8613800000000", Reason.MARKUP),
    ("@user", Reason.MARKUP),
    ("<b>code</b>", Reason.MARKUP),
    ("＝SUM(A1)", Reason.MARKUP),
    ("AB CD", Reason.INNER_SPACE),
    ("AB\u00a0CD", Reason.INNER_SPACE),
    ("AB\u3000CD", Reason.INNER_SPACE),
    ("卡密1234", Reason.PROSE),
    ("1234㊙", Reason.PROSE),
    ("カード12", Reason.PROSE),
    ("가나다라", Reason.PROSE),
    ("MU-\0BAD", Reason.UNPRINTABLE),
    ("AB\tCD", Reason.UNPRINTABLE),
    ("AB\rCD", Reason.UNPRINTABLE),
    ("AB\u200bCD", Reason.UNPRINTABLE),
    ("AB\u202eCD", Reason.UNPRINTABLE),
    ("AB\ufffdCD", Reason.UNPRINTABLE),
    ("AB\ud800CD", Reason.UNPRINTABLE),
    ("AB\x7fCD", Reason.UNPRINTABLE),
    ("AB\u2028CD", Reason.UNPRINTABLE),
]


@pytest.mark.parametrize(("text", "expected"), CODES)
def test_a_code(text: str, expected: Reason | None) -> None:
    assert fault(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("7", None), ("", Reason.NO_SECRET), ("=1", Reason.MARKUP), ("a b", Reason.INNER_SPACE)])
def test_a_secret_may_be_short(text: str, expected: Reason | None) -> None:
    assert fault(text, secret=True) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("  AB-1 ", "AB-1"), ("\ufeffAB-1", "AB-1"), ("\u3000AB-1\u200b \u200b", "AB-1"), (" \t\r\n", ""), ("A B", "A B")],
)
def test_trimmed(text: str, expected: str) -> None:
    assert trim(text) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("MU-ZBDD", "MU－ZBDD", True),
        ("ＡＢＣＤ", "ABCD", True),
        ("12 34", "1234", True),
        ("12\u30003 4", "1234", True),
        ("abcd", "ABCD", False),
        ("AB-CD", "ABCD", False),
        ("e\u0301-12", "é-12", True),
    ],
)
def test_the_same_card(one: str, other: str, same: bool) -> None:
    assert (normalise(one) == normalise(other)) is same


class TestPattern:
    def test_takes_the_place_of_the_rules(self) -> None:
        pattern = compile_pattern(r"\d{4} \d{4}|礼品-\d+")
        assert fault("1234 5678", pattern=pattern) is None
        assert fault("礼品-1", pattern=pattern) is None
        assert fault("1234-5678", pattern=pattern) is Reason.PATTERN
        assert fault("x 1234 5678", pattern=pattern) is Reason.PATTERN
        assert fault("1234\x005678", pattern=compile_pattern(".*")) is Reason.UNPRINTABLE
        assert fault("9" * 513, pattern=compile_pattern(".*")) is Reason.TOO_LONG

    @pytest.mark.parametrize("pattern", ["", "[", "(a", "(?=a)b", r"(a)\1", "a{5000}", "x" * 201, "\ud800", "(((a{100}){100}){100}){100}"])
    def test_what_it_does_not_take(self, pattern: str) -> None:
        with pytest.raises(BadRequest) as refused:
            compile_pattern(pattern)
        assert refused.value.code == "code_pattern"

    @pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a|aa)+b", "a*a*a*a*a*a*a*b", "(.*)*(.*)*x", "(a?){100}a{100}b"])
    def test_none_is_slow(self, pattern: str) -> None:
        matches = compile_pattern(pattern)
        began = time.process_time()
        assert not matches("a" * 512)
        assert time.process_time() - began < 0.1


class TestContent:
    @pytest.mark.parametrize("content", [Content("AB-1"), Content("AB-1", "77"), Content("AB-1", None, "2027-01-01", "50")])
    def test_comes_back_as_it_went_in(self, content: Content) -> None:
        assert unpack(pack(content), 7) == Code(7, content.code, content.secret, content.valid_until, content.face_value)

    def test_is_not_shown_in_tracebacks(self) -> None:
        assert "AB-1" not in repr(Content("AB-1", "77")) + repr(Code(7, "AB-1", "77"))

    def test_leaves_out_what_there_is_not(self) -> None:
        assert msgspec.json.encode(Code(7, "AB-1")) == b'{"unit":7,"code":"AB-1"}'


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    assert SENTENCES[reason].endswith(".")
    assert f"`{reason}`" in GUIDE


@pytest.mark.parametrize(("text", "shown"), [("YK-R2CD-2BL5", "YK…L5"), ("1234567", "…"), ("", "…")])
def test_masked(text: str, shown: str) -> None:
    assert mask(text) == shown
