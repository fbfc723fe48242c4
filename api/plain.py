"""A press of "buy" written the way every client library writes it, read in one go.

Not an HTTP parser: `read` knows `POST /v1/checkouts` whole, in one piece, with plain headers. Whatever it does not know (half a request, a
space too many, a header twice, anything that asks for more than an answer) it leaves unread to llhttp. What it does know, llhttp reads the
same way: tests/api/test_plain.py holds the two against each other. Compiled by Cython from this same file.
"""

FIRST = b"POST /v1/checkouts HTTP/1.1\r\n"
BYTES_MAX = 8 * 1024  # of a whole request; a larger one is not plain
HEADERS_MAX = 64

OTHER, AUTHORIZATION, KEY, TYPE, HOST, STORE, RETRY, LENGTH, CONNECTION, COLD = range(10)
_WANTED = {
    b"authorization": AUTHORIZATION,
    b"idempotency-key": KEY,
    b"content-type": TYPE,
    b"host": HOST,
    b"x-tessera-store": STORE,
    b"idempotency-retry": RETRY,
    b"content-length": LENGTH,
    b"connection": CONNECTION,
}
# With any of these the request is not plain, and the framework judges it.
COLD_HEADERS = frozenset(
    {b"cookie", b"content-encoding", b"expect", b"upgrade", b"forwarded", b"x-forwarded-for", b"x-forwarded-proto"}
)  # fmt: skip
_KINDS = _WANTED | dict.fromkeys(COLD_HEADERS | {b"transfer-encoding", b"proxy-connection"}, COLD)
KINDS_MAX = 4096  # spellings remembered: names are read in any case
# By byte: 1 for those of names (a part of RFC 9110's tchar), 2 for those of values (VCHAR). llhttp takes a few more.
_NAME, _VISIBLE = 1, 2
_BYTES = bytes(
    _NAME * (chr(b).isascii() and (chr(b).isalnum() or b == 0x2D)) | _VISIBLE * (0x21 <= b <= 0x7E) for b in range(256)
)  # fmt: skip

Plain = tuple[bytes, bytes, bytes, bytes, bool, bytes]


def read(data: bytes) -> "Plain | None":
    """(authorization, idempotency key, host, store, retried, body) of a plain request; None for all others.

    Absent headers are empty. The type of the body is JSON, and the connection stays open.
    """
    size = len(data)
    if size > BYTES_MAX or not data.startswith(FIRST):
        return None
    found: list[bytes] = [b""] * 10
    length = -1
    at = len(FIRST)
    for _ in range(HEADERS_MAX):
        start = at
        while at < size and _BYTES[data[at]] & _NAME:
            at += 1
        if at == start:
            break
        if at + 2 >= size or data[at] != 0x3A:
            return None
        name = data[start:at]
        kind = _KINDS.get(name)
        if kind is None:
            kind = _kind(name)
        at += 2 if data[at + 1] == 0x20 else 1
        start = at
        while at < size and (_BYTES[data[at]] & _VISIBLE or data[at] == 0x20):
            at += 1
        # Neither empty nor with a space at either end, of which parsers think differently.
        if at == start or data[start] == 0x20 or data[at - 1] == 0x20 or at + 2 > size or data[at] != 0x0D or data[at + 1] != 0x0A:
            return None
        if kind != OTHER:
            if kind == COLD or found[kind]:
                return None
            found[kind] = data[start:at]
        at += 2
    if at + 2 > size or data[at] != 0x0D or data[at + 1] != 0x0A:
        return None
    at += 2
    digits = found[LENGTH]
    if not 1 <= len(digits) <= 4 or not digits.isdigit():
        return None
    length = int(digits)
    if length != size - at or found[TYPE] != b"application/json" or found[CONNECTION] not in (b"", b"keep-alive", b"Keep-Alive"):
        return None
    return found[AUTHORIZATION], found[KEY], found[HOST], found[STORE], found[RETRY] != b"", data[at:]


def _kind(name: bytes) -> int:
    """Of a name in another spelling."""
    kind = _KINDS.get(name.lower(), OTHER)
    if len(_KINDS) < KINDS_MAX:
        _KINDS[name] = kind
    return kind
