"""What the gate reads past llhttp, llhttp reads the same way; and the little that is let through is what clients write."""

import re
from types import ModuleType
from typing import NamedTuple

import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api import plain as compiled
from loadtests.bench.compiled import twin

BODY = b'{"sale_id":"sal_0","quantity":1}'
PLAIN = (
    b"POST /v1/checkouts HTTP/1.1\r\nHost: shop.example:8000\r\nUser-Agent: curl/8.1\r\nAccept: */*\r\nX-Tessera-Store: acme\r\n"
    b"authorization: Bearer st_abc\r\nIdempotency-Key: k-1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    % (len(BODY), BODY)
)


readable = twin(compiled)
both = pytest.mark.parametrize("reader", [compiled, readable], ids=["compiled", "readable"])


class Read(NamedTuple):
    """A request as llhttp hands it over."""

    method: bytes
    url: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    keep_alive: bool


class Parsed:
    """One request through llhttp. `whole` is None unless there was exactly one, complete and without complaint."""

    def __init__(self, data: bytes) -> None:
        self.url, self.body, self.headers, self.ended = b"", b"", list[tuple[bytes, bytes]](), 0
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets it
        self.parser = parser
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.ended = -1
        self.whole = self._whole() if self.ended == 1 else None

    def _whole(self) -> Read:
        parser = self.parser
        return Read(parser.get_method(), self.url, parser.get_http_version(), self.headers, self.body, self.keep_alive)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.keep_alive = self.parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ended += 1


def agrees(reader: ModuleType, data: bytes) -> bool:
    """Whether the reader knew the request. Then llhttp must have read the same, and nothing that asks for more."""
    read = reader.read(data)
    if read is None:
        return False
    whole = Parsed(data).whole
    assert whole is not None, data
    assert (whole.method, whole.url, whole.version, whole.keep_alive) == (b"POST", b"/v1/checkouts", "1.1", True)
    names = [name for name, _ in whole.headers]
    wanted = (b"authorization", b"idempotency-key", b"host", b"x-tessera-store", b"idempotency-retry", b"content-type", b"connection")
    assert all(names.count(name) <= 1 for name in wanted)
    assert not set(names) & (compiled.COLD_HEADERS | {b"transfer-encoding"})
    headers = dict(whole.headers)
    told = [headers.get(name, b"") for name in wanted[:4]]
    assert read == (*told, b"idempotency-retry" in headers, whole.body)
    assert headers[b"content-type"] == b"application/json"
    return True


def test_the_compiled_one_is_loaded() -> None:
    assert compiled.__file__.endswith(".so")
    assert str(readable.__file__).endswith(".py")


@both
class TestRead:
    def test_what_clients_write(self, reader: ModuleType) -> None:
        assert reader.read(PLAIN) == (b"Bearer st_abc", b"k-1", b"shop.example:8000", b"acme", False, BODY)
        assert agrees(reader, PLAIN)

    @pytest.mark.parametrize("header", [b"Connection: keep-alive", b"connection:keep-alive", b"X-Nothing: a  b", b"Idempotency-Retry: 1"])
    def test_more_that_is_plain(self, reader: ModuleType, header: bytes) -> None:
        assert agrees(reader, PLAIN.replace(b"Accept: */*", header))

    @pytest.mark.parametrize(
        "header",
        [
            b"Connection: close", b"Connection: upgrade", b"Upgrade: h2c", b"Cookie: a=b", b"Expect: 100-continue",
            b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"X-Forwarded-For: 1.2.3.4", b"Forwarded: for=a", b"Host: other",
            b"AUTHORIZATION: Bearer st_x", b"Content-Length: 3", b"content-type: text/plain", b"Folded: a\r\n b", b"Spaced : a",
            b"Tab:\ta", b"Two:  spaces", b"Trailing: a ", b"Empty:", b"Control: a\x01b", b"High: \xe4", b"NUL: a\x00b", b": nameless",
            b"no colon", b"Bare: lf\nX: y", b"Bare: cr\rX: y",
        ],
    )  # fmt: skip
    def test_is_left_to_llhttp(self, reader: ModuleType, header: bytes) -> None:
        assert reader.read(PLAIN.replace(b"Accept: */*", header)) is None

    @pytest.mark.parametrize(
        ("was", "now"),
        [
            (b"POST ", b"post "), (b"POST ", b"GET "), (b"HTTP/1.1", b"HTTP/1.0"), (b"checkouts ", b"checkouts?a=b "),
            (b" /v1", b"  /v1"), (b"Length: 32", b"Length: 31"), (b"Length: 32", b"Length: 33"), (b"Length: 32", b"Length: +32"),
            (b"Length: 32", b"Length: 3 2"), (b"Length: 32", b"Length: 99999"), (b"Content-Length: 32\r\n", b""),
            (b"application/json", b"application/json; charset=utf-8"),
        ],
    )  # fmt: skip
    def test_another_request_is_left_to_llhttp(self, reader: ModuleType, was: bytes, now: bytes) -> None:
        assert was in PLAIN
        assert reader.read(PLAIN.replace(was, now)) is None

    def test_half_of_one_or_two_are_left_to_llhttp(self, reader: ModuleType) -> None:
        assert not any(reader.read(PLAIN[:at]) for at in range(len(PLAIN)))
        assert reader.read(PLAIN + PLAIN) is None
        assert reader.read(b"\r\n" + PLAIN) is None

    def test_bounds(self, reader: ModuleType) -> None:
        many = b"".join(b"X-%d: y\r\n" % n for n in range(100))
        assert reader.read(PLAIN.replace(b"Accept: */*\r\n", many)) is None
        assert reader.read(PLAIN.replace(b"*/*", b"y" * 9000)) is None


_token = st.text("abAB-09_:. \t\r\n\x00\xe4", max_size=8).map(lambda text: text.encode("latin-1"))
_names = st.sampled_from(
    [
        b"Host",
        b"authorization",
        b"Content-Length",
        b"content-type",
        b"Connection",
        b"Transfer-Encoding",
        b"Idempotency-Key",
        b"X-A",
        b"cookie",
    ]
)
_values = st.sampled_from([b"a", b"32", b"0", b"application/json", b"keep-alive", b"close", b"chunked", b"Bearer st_x", b""])
_line = st.tuples(st.one_of(_names, _token), st.sampled_from([b": ", b":", b" : ", b":\t"]), st.one_of(_values, _token)).map(b"".join)
_ends = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\r\n"])
_lines = st.lists(st.tuples(_line, _ends).map(b"".join), max_size=4).map(b"".join)


@settings(max_examples=1500, deadline=None)
@given(_lines, st.integers(0, 8))
@example(b"", 0)
def test_whatever_is_read_llhttp_reads_too(lines: bytes, at: int) -> None:
    """Lines put anywhere between those of a plain request."""
    head, end, body = PLAIN.partition(b"\r\n\r\n")
    own = head.split(b"\r\n")
    place = 1 + at % len(own)
    data = b"".join(line + b"\r\n" for line in own[:place]) + lines + b"".join(line + b"\r\n" for line in own[place:]) + b"\r\n" + body
    assert agrees(compiled, data) == agrees(readable, data)
    if not lines:
        assert end
        assert agrees(compiled, data)


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, len(PLAIN) - 1), st.binary(max_size=2), st.integers(0, 2))
def test_damage_is_read_by_both_or_by_llhttp(at: int, put: bytes, gone: int) -> None:
    data = PLAIN[:at] + put + PLAIN[at + gone :]
    assert agrees(compiled, data) == agrees(readable, data)


def test_the_comparison_can_fail() -> None:
    """A reader that takes a chunked body for a plain one would be seen."""
    careless = ModuleType("careless")
    careless.read = lambda data: compiled.read(re.sub(rb"Transfer-Encoding: chunked", rb"X-Nothing: at-all", data))  # type: ignore[attr-defined]
    with pytest.raises(AssertionError):
        agrees(careless, PLAIN.replace(b"Accept: */*", b"Transfer-Encoding: chunked"))
