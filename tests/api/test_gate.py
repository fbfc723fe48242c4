"""The gate against uvicorn itself: the same bytes to both, the same answers from both, in the same order."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
import uvicorn
from litestar import Litestar

from api import bounds, hot
from api.gate import gate_of
from api.hot import STORE_S
from api.server import listen
from checkout_core.errors import Unavailable
from checkout_core.intents import Decision, Intent, SaleKey
from tests.shop import Store

SILENCE_S = 1.5  # after which a server that waits for more of a malformed request is taken to be silent
LAST = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"  # ends a connection whose requests were well formed
Answer = tuple[bytes, frozenset[bytes], bytes]


class Two(NamedTuple):
    """The ports of both servers, and how many requests the gate answered itself."""

    gate: int
    plain: int
    answered: list[int]


@asynccontextmanager
async def served(app: Litestar, http: object) -> AsyncIterator[int]:
    socket = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, http=http, lifespan="off", log_config=None, access_log=False, server_header=False)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([socket]))
    while not server.started:  # noqa: ASYNC110  uvicorn offers no event
        await asyncio.sleep(0.01)
    try:
        yield socket.getsockname()[1]
    finally:
        server.should_exit = True
        await task


@pytest.fixture(scope="module")
async def two(app: Litestar) -> AsyncIterator[Two]:
    """Both run throughout: a server of uvicorn's takes a fifth of a second to end."""
    answered = [0]
    protocol = gate_of(app, https=False)

    class Counting(protocol):  # type: ignore[misc, valid-type]
        def _press(self, cycle: hot.HotCycle) -> None:
            answered[0] += 1
            super()._press(cycle)

    async with served(app, Counting) as here, served(app, "httptools") as there:
        yield Two(here, there, answered)


async def ask(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """All that comes back until the server hangs up or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if pause:
                await asyncio.sleep(pause)
        while chunk := await asyncio.wait_for(reader.read(65536), SILENCE_S):
            got += chunk
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()
    return got


async def asked(port: int, *pieces: bytes, pause: float = 0.0) -> list[Answer]:
    """The answers to well-formed requests, in order."""
    *got, last = answers(await ask(port, *pieces, LAST, pause=pause))
    assert last[0].startswith(b"HTTP/1.1 200")
    return got


def answers(raw: bytes) -> list[Answer]:
    """Status, headers and body of each answer. The date is nobody's business."""
    out = []
    while raw:
        head, found, rest = raw.partition(b"\r\n\r\n")
        assert found, raw
        status, *lines = head.split(b"\r\n")
        headers = frozenset(line.lower() for line in lines if not line.lower().startswith((b"date:", b"server:")))
        [length] = [int(line.split(b":")[1]) for line in headers if line.startswith(b"content-length:")] or [0]
        out.append((status, headers, rest[:length]))
        raw = rest[length:]
    return out


def post(
    who: dict[str, str], body: bytes, *extra: bytes, key: bytes = b"k", chunked: bool = False, path: bytes = b"/v1/checkouts"
) -> bytes:
    lines = [b"POST %b HTTP/1.1" % path, b"Host: localhost", b"Content-Type: application/json", b"Idempotency-Key: " + key]
    lines += [f"{name}: {value}".encode() for name, value in who.items()] + list(extra)
    if chunked:
        half = len(body) // 2
        pieces = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:half], body[half:]) if piece)
        return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", pieces + b"0\r\n\r\n"])
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


class Menu:
    """Requests of every kind, for one shopper and one sale. The same key gives the same order whichever server is asked."""

    def __init__(self, who: dict[str, str], sale: str) -> None:
        body = f'{{"sale_id":"{sale}","quantity":1}}'.encode()
        self.hot = post(who, body)
        self.chunked = post(who, body, chunked=True)
        self.refused = post(who, body.replace(b":1}", b":99}"), key=b"large")
        self.malformed = post(who, b'{"quantity":"1"}')
        self.cookie = post(who, body, b"Cookie: a=b")  # cold: the framework judges it
        self.nobody = post({"Authorization": "Bearer st_forged", "X-Tessera-Store": who["X-Tessera-Store"]}, body)
        self.get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        self.missing = post(who, b"{}", path=b"/v1/nothing")

    def all(self) -> dict[str, bytes]:
        return dict(vars(self))


@pytest.fixture
async def menu(acme: Store, two: Two) -> Menu:
    menu = Menu(await acme.guest(), await acme.sale(5))
    await asked(two.gate, menu.hot)  # from then on the store is in memory
    return menu


class TestAlone:
    async def test_hot_requests_never_reach_the_framework(self, two: Two, menu: Menu) -> None:
        before = two.answered[0]
        for name in ("hot", "chunked", "refused", "malformed"):
            assert len(await asked(two.gate, menu.all()[name])) == 1
        assert two.answered[0] == before + 4
        for name in ("cookie", "nobody", "get", "missing"):
            assert len(await asked(two.gate, menu.all()[name])) == 1
        assert two.answered[0] == before + 4

    async def test_each_is_answered_as_uvicorn_and_the_framework_do(self, two: Two, menu: Menu) -> None:
        for name, request in menu.all().items():
            here, there = await asked(two.gate, request), await asked(two.plain, request)
            assert here == there, name
            assert len(here) == 1


class TestWhichStore:
    """Where memory does not know the store, which is where a crowd's first presses come."""

    async def test_anonymous_and_of_the_other_store(self, two: Two, acme: Store, globex: Store, menu: Menu) -> None:
        stranger = (await globex.guest()) | acme.at
        for request in (menu.nobody, menu.hot.replace(b"Bearer st_", b"Bearer st_x"), post(stranger, b"{}")):
            before = two.answered[0]
            [here], [there] = await asked(two.gate, request), await asked(two.plain, request)
            assert here == there
            assert here[0] == b"HTTP/1.1 401 Unauthorized"
            assert two.answered[0] - before <= 1, "nothing was pressed, or only asked for its store"

    @pytest.mark.parametrize("named", [{}, {"X-Tessera-Store": "nowhere"}, {"X-Tessera-Store": "x" * 64}, {"X-Tessera-Store": "Ä"}])
    async def test_no_store(self, two: Two, acme: Store, named: dict[str, str]) -> None:
        who = {"Authorization": (await acme.guest())["Authorization"]} | named
        [here], [there] = await asked(two.gate, post(who, b"{}")), await asked(two.plain, post(who, b"{}"))
        assert here == there
        assert here[0] == b"HTTP/1.1 404 Not Found"

    async def test_host_and_header_contradict_each_other(self, two: Two, acme: Store, globex: Store) -> None:
        request = post(await acme.guest(), b"{}").replace(b"Host: localhost", f"Host: {globex.host}".encode())
        [here], [there] = await asked(two.gate, request), await asked(two.plain, request)
        assert here == there
        assert here[0] == b"HTTP/1.1 400 Bad Request"

    async def test_by_its_host(self, two: Two, acme: Store) -> None:
        who = {"Authorization": (await acme.guest())["Authorization"]}
        body = f'{{"sale_id":"{await acme.sale(1)}","quantity":1}}'.encode()
        [(status, _, _)] = await asked(two.gate, post(who, body).replace(b"Host: localhost", f"Host: {acme.host}".encode()))
        assert status == b"HTTP/1.1 201 Created"

    async def test_a_crowd_waits_for_one_look_up_and_never_reaches_the_framework(
        self, two: Two, acme: Store, menu: Menu, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        directory, looked_up, framework = acme.process.directory, 0, 0
        find = directory._by_slug._look_up

        async def slow(slug: str) -> object:
            nonlocal looked_up
            looked_up += 1
            await asyncio.sleep(0.05)
            return await find(slug)

        async def counted(self: object, connection: object) -> object:
            nonlocal framework
            framework += 1
            raise AssertionError

        monkeypatch.setattr(directory._by_slug, "_look_up", slow)
        monkeypatch.setattr(type(directory), "store_of", counted)
        directory._by_slug.forget(acme.slug)
        await asyncio.sleep(STORE_S)
        crowd = await asyncio.gather(*(asked(two.gate, menu.hot * 3) for _ in range(20)))
        assert {status for got in crowd for status, _, _ in got} == {b"HTTP/1.1 201 Created"}
        assert (len([1 for got in crowd for _ in got]), looked_up, framework) == (60, 1, 0)

    async def test_nobody_knows_while_postgres_is_away(self, two: Two, acme: Store, menu: Menu, monkeypatch: pytest.MonkeyPatch) -> None:
        async def away(slug: str) -> None:
            raise Unavailable("The database is away for a moment.")

        monkeypatch.setattr(acme.process.directory._by_slug, "_look_up", away)
        acme.process.directory._by_slug.forget(acme.slug)
        await asyncio.sleep(STORE_S)
        [(status, _, _)] = await asked(two.gate, menu.hot)
        assert status == b"HTTP/1.1 503 Service Unavailable"


class TestTogether:
    async def test_any_three_on_one_connection_pipelined_and_in_turn(self, two: Two, menu: Menu) -> None:
        kinds = [menu.hot, menu.chunked, menu.cookie, menu.get]
        alone = {kind: await asked(two.plain, kind) for kind in kinds}
        for three in itertools.product(kinds, repeat=3):
            expected = [answer for kind in three for answer in alone[kind]]
            assert await asked(two.gate, b"".join(three)) == expected

    async def test_split_at_every_byte(self, two: Two, menu: Menu) -> None:
        raw = menu.hot + menu.get + menu.chunked
        expected = await asked(two.plain, raw)
        assert len(expected) == 3

        async def split(at: int) -> None:
            assert await asked(two.gate, raw[:at], raw[at:], pause=0.02) == expected

        for start in range(1, len(raw), 100):
            await asyncio.gather(*(split(at) for at in range(start, min(start + 100, len(raw)))))
        assert await asked(two.gate, *(raw[n : n + 1] for n in range(len(raw)))) == expected

    async def test_a_pipeline_of_a_hundred(self, two: Two, menu: Menu) -> None:
        got = await asked(two.gate, (menu.hot + menu.get) * 50)
        assert [status.split()[1] for status, _, _ in got] == [b"201", b"200"] * 50

    async def test_connection_close_is_kept(self, two: Two, menu: Menu) -> None:
        closing = menu.hot.replace(b"Host:", b"Connection: close\r\nHost:")
        got = answers(await ask(two.gate, closing + menu.get))
        assert len(got) == 1
        assert b"connection: close" in got[0][1]


class TestSlowCommit:
    async def test_an_admitted_wish_is_answered_with_its_address_and_goes_on(
        self, two: Two, acme: Store, menu: Menu, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        doors, going_on = acme.process.doors, asyncio.Event()

        async def slow(sale: SaleKey, intents: Sequence[Intent]) -> list[Decision | Exception]:
            orders = {i.order_id for i in intents}
            doors.admitted |= orders
            await going_on.wait()
            doors.admitted -= orders
            return [Unavailable("late") for _ in intents]

        monkeypatch.setattr(acme.process.batcher, "_commit", slow)
        raw = await asked(two.gate, menu.hot)
        going_on.set()
        [(status, headers, body)] = raw
        assert status == b"HTTP/1.1 202 Accepted"
        assert b'"state":"admitted"' in body
        assert any(line.startswith(b"location: /v1/orders/ord_") for line in headers)


MALFORMED = {
    "both lengths": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": b"Content-Length: 3\r\nContent-Length: 4\r\n",
    "a list of lengths": b"Content-Length: 3, 3\r\n",
    "a signed length": b"Content-Length: +3\r\n",
    "a negative length": b"Content-Length: -3\r\n",
    "a length in hex": b"Content-Length: 0x3\r\n",
    "a huge length": b"Content-Length: 99999999999999999999\r\n",
    "chunked twice": b"Transfer-Encoding: chunked, chunked\r\n",
    "chunked, not last": b"Transfer-Encoding: chunked, gzip\r\n",
    "chunked, misspelt": b"Transfer-Encoding: xchunked\r\n",
    "chunked after a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
    "a space before the colon": b"Content-Length : 3\r\n",
    "a folded header": b"X: a\r\n b\r\n",
    "a bare carriage return": b"X: a\rb\r\n",
    "a NUL": b"X: a\x00b\r\n",
    "no name": b": x\r\n",
    "no colon": b"nonsense\r\n",
    "a control character in a name": b"X\x01: a\r\n",
}


class TestMalformed:
    @pytest.mark.parametrize("name", MALFORMED)
    async def test_headers_are_judged_as_uvicorn_judges_them(self, two: Two, menu: Menu, name: str) -> None:
        raw = re.sub(rb"Content-Length: \d+\r\n", lambda _: MALFORMED[name], menu.hot)
        await expect_same(two, raw + menu.get)

    @pytest.mark.parametrize(
        "chunks",
        [
            b"3\r\nabc\r\n0\r\n\r\n",
            b"g\r\n",
            b"-1\r\n",
            b"3\r\nabcd\r\n0\r\n\r\n",
            b"3;x=y\r\n{} \r\n0\r\n\r\n",
            b"\r\n",
            b"0\r\nX: y\r\n\r\n",
        ],
    )
    async def test_chunks_are_judged_as_uvicorn_judges_them(self, two: Two, menu: Menu, chunks: bytes) -> None:
        head = menu.chunked.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        await expect_same(two, head + chunks + menu.get)

    @pytest.mark.parametrize(
        "line",
        [
            b"POST  /v1/checkouts HTTP/1.1",
            b"POST /v1/checkouts HTTP/1.2",
            b"POST /v1/checkouts",
            b"post /v1/checkouts HTTP/1.1",
            b"\x16\x03\x01",
        ],
    )
    async def test_first_lines_are_judged_as_uvicorn_judges_them(self, two: Two, menu: Menu, line: bytes) -> None:
        raw = menu.hot.replace(b"POST /v1/checkouts HTTP/1.1", line)
        await expect_same(two, raw)


async def expect_same(two: Two, raw: bytes) -> None:
    here, there = await asyncio.gather(shown(two.gate, raw), shown(two.plain, raw))
    assert here == there


async def shown(port: int, raw: bytes) -> list[bytes]:
    """The statuses of all answers."""
    return re.findall(rb"HTTP/1\.1 (\d\d\d)", await ask(port, raw))


class TestBounds:
    async def test_too_many_headers(self, two: Two, menu: Menu) -> None:
        many = b"".join(b"X-%d: y\r\n" % n for n in range(bounds.HEADERS_MAX + 1))
        assert await shown(two.gate, menu.get.replace(b"\r\n\r\n", b"\r\n" + many + b"\r\n")) == [b"431"]

    async def test_headers_too_long(self, two: Two, menu: Menu) -> None:
        long = b"X: " + b"y" * bounds.HEADER_BYTES_MAX + b"\r\n"
        assert await shown(two.gate, menu.get.replace(b"\r\n\r\n", b"\r\n" + long + b"\r\n")) == [b"431"]

    async def test_a_target_too_long(self, two: Two) -> None:
        assert await shown(two.gate, b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * bounds.HEADER_BYTES_MAX)) == [b"414"]

    @pytest.mark.parametrize("chunked", [False, True])
    async def test_a_body_too_large(self, two: Two, acme: Store, menu: Menu, chunked: bool) -> None:
        body = b'{"sale_id":"' + b"x" * 70_000 + b'","quantity":1}'
        assert await shown(two.gate, post(await acme.guest(), body, chunked=chunked)) == [b"413"]

    @pytest.mark.parametrize("started", [b"", b"POST /v1/checkouts HT", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX:"])
    async def test_who_does_not_go_on_is_hung_up_on(self, two: Two, monkeypatch: pytest.MonkeyPatch, started: bytes) -> None:
        for name in ("FIRST_BYTE_S", "HEAD_S", "STALL_S"):
            monkeypatch.setattr(bounds, name, 0.2)
        reader, writer = await asyncio.open_connection("127.0.0.1", two.gate)
        writer.write(started)
        async with asyncio.timeout(4):
            got = await reader.read()
        writer.close()
        assert re.findall(rb"HTTP/1\.1 (\d\d\d)", got) == ([b"408"] if started else [])
