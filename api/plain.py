"""A press of "buy" written the way every client library writes it, read in one go.

Not an HTTP parser: `read` knows `POST /v1/checkouts` whole, in one piece, with plain headers. Whatever it does not know (half a request, a
space too many, a header twice, anything that asks for more than an answer) it leaves unread to llhttp. What it does know, llhttp reads the
same way: tests/api/test_plain.py holds the two against each other. Compiled by Cython from this same file.
"""

FIRST = b"POST /v1/checkouts HTTP/1.1\r\n"
BYTES_MAX = 8 * 1024  # of a whole request; a larger one is not plain
HEADERS_MAX = 64
JSON = b"application/json"

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
# The names by length and last letter, which no two of them share: one comparison tells, without an object for each name that comes by.
_LONGEST = max(map(len, _KINDS))
_NAMES = list(_KINDS)
_KIND = bytes(_KINDS.values())
_NOBODY = 255
_PLACE = bytearray([_NOBODY]) * (32 * (_LONGEST + 1))
for _n, _name in enumerate(_NAMES):
    _place = len(_name) << 5 | ord(_name[len(_name) - 1 :]) & 31
    assert _PLACE[_place] == _NOBODY, _name
    _PLACE[_place] = _n
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
    authorization = key = host = store = b""
    seen = 0
    length = 0
    at = len(FIRST)
    for _ in range(HEADERS_MAX):
        start = at
        while at < size and _BYTES[data[at]] & _NAME:
            at += 1
        if at == start:
            break
        if at + 2 >= size or data[at] != 0x3A:
            return None
        kind = _kind(data, start, at)
        at += 2 if data[at + 1] == 0x20 else 1
        start = at
        while at < size and (_BYTES[data[at]] & _VISIBLE or data[at] == 0x20):
            at += 1
        # Neither empty nor with a space at either end, of which parsers think differently.
        if at == start or data[start] == 0x20 or data[at - 1] == 0x20 or at + 2 > size or data[at] != 0x0D or data[at + 1] != 0x0A:
            return None
        if kind != OTHER:
            if kind == COLD or seen & 1 << kind:
                return None
            seen |= 1 << kind
            if kind == AUTHORIZATION:
                authorization = data[start:at]
            elif kind == KEY:
                key = data[start:at]
            elif kind == HOST:
                host = data[start:at]
            elif kind == STORE:
                store = data[start:at]
            elif kind == LENGTH:
                length = _number(data, start, at)
            elif (kind == TYPE and not _same(data, start, at, JSON)) or (kind == CONNECTION and not _stays_open(data, start, at)):
                return None
        at += 2
    if at + 2 > size or data[at] != 0x0D or data[at + 1] != 0x0A:
        return None
    at += 2
    if not seen & 1 << LENGTH or not seen & 1 << TYPE or length != size - at:
        return None
    return authorization, key, host, store, seen & 1 << RETRY != 0, data[at:]


def _kind(data: bytes, start: int, end: int) -> int:
    """Of the name there, in any case."""
    length = end - start
    if length > _LONGEST:
        return OTHER
    place = _PLACE[length << 5 | data[end - 1] & 31]
    if place == _NOBODY:
        return OTHER
    name = _NAMES[place]
    for n in range(length):
        if data[start + n] | 0x20 != name[n]:  # lower case, of letters, digits and "-"
            return OTHER
    return _KIND[place]


def _same(data: bytes, start: int, end: int, word: bytes) -> bool:
    if end - start != len(word):
        return False
    for n in range(end - start):  # noqa: SIM110  a generator is not what C makes of it
        if data[start + n] != word[n]:
            return False
    return True


def _stays_open(data: bytes, start: int, end: int) -> bool:
    return _same(data, start, end, b"keep-alive") or _same(data, start, end, b"Keep-Alive")


def _number(data: bytes, start: int, end: int) -> int:
    """Of one to four digits; -1 for anything else, which is no length."""
    if end - start > 4:
        return -1
    number = 0
    for at in range(start, end):
        if not 0x30 <= data[at] <= 0x39:
            return -1
        number = 10 * number + data[at] - 0x30
    return number
