"""What the proxy does to a connection, each fault; and that a cut COMMIT has happened, or has not, as said."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tessera.embedded import Servers
from tests.drills.commits import Cutter, Session, Side
from tests.drills.proxy import BLACK_HOLE, BYTEWISE, HALF_CLOSE, PASS, RESET, STALL, Fault, Proxy, Then, Upstream

TRANSACTIONS = 6


class Echo:
    """A server that says everything back."""

    def __init__(self) -> None:
        self.heard = b""
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                self.heard += data
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            self.ended.set()
            writer.close()


@pytest.fixture
async def echo(tmp_path: Path) -> AsyncIterator[tuple[Echo, Proxy]]:
    """Behind a proxy, on a unix socket."""
    echo = Echo()
    path = str(tmp_path / "echo.sock")
    server = await asyncio.start_unix_server(echo.serve, path)
    async with Proxy(lambda: path) as proxy:
        yield echo, proxy
    server.close()


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def silent(reader: asyncio.StreamReader) -> bool:
    """Whether nothing comes for a moment."""
    try:
        await asyncio.wait_for(reader.readexactly(1), 0.2)
    except TimeoutError:
        return True
    return False


async def test_bytes_pass_and_so_does_the_end(echo: tuple[Echo, Proxy]) -> None:
    async with connected(echo[1]) as (reader, writer):
        sent = bytes(range(256)) * 1000
        writer.write(sent)
        writer.write_eof()
        assert await reader.read() == sent


@pytest.mark.parametrize("fault", [BYTEWISE, Fault(piece=7)])
async def test_pieces_arrive_whole(echo: tuple[Echo, Proxy], fault: Fault) -> None:
    echo[1].up = echo[1].down = fault
    async with connected(echo[1]) as (reader, writer):
        sent = bytes(range(256)) * 4
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent


async def test_slow_is_as_slow_as_said(echo: tuple[Echo, Proxy]) -> None:
    echo[1].down = Fault(latency_s=0.1, bytes_per_s=20_000)
    async with connected(echo[1]) as (reader, writer):
        began = time.monotonic()
        writer.write(bytes(10_000))
        await reader.readexactly(10_000)
        assert 0.55 < time.monotonic() - began < 2


async def test_a_black_hole_swallows_and_the_connection_is_gone_when_it_closes(echo: tuple[Echo, Proxy]) -> None:
    async with connected(echo[1]) as (reader, writer):
        echo[1].up = BLACK_HOLE
        writer.write(b"lost")
        assert await silent(reader)
        assert echo[0].heard == b""
        echo[1].up = PASS
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)


async def test_a_stalled_line_delivers_late(echo: tuple[Echo, Proxy]) -> None:
    async with connected(echo[1]) as (reader, writer):
        echo[1].up = STALL
        writer.write(b"late")
        assert await silent(reader)
        echo[1].up = PASS
        assert await reader.readexactly(4) == b"late"


async def test_a_reset_is_seen_on_both_sides_and_by_whoever_comes(echo: tuple[Echo, Proxy]) -> None:
    async with connected(echo[1]) as (reader, writer):
        writer.write(b"x")
        await reader.readexactly(1)
        echo[1].up = RESET
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        await asyncio.wait_for(echo[0].ended.wait(), 1)
    async with connected(echo[1]) as (reader, writer):
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)


async def test_half_a_connection_is_closed(echo: tuple[Echo, Proxy]) -> None:
    async with connected(echo[1]) as (reader, writer):
        writer.write(b"x")
        await reader.readexactly(1)
        echo[1].down = HALF_CLOSE
        assert await reader.read() == b""
        writer.write(b"still heard")
        await asyncio.sleep(0.2)
        assert echo[0].heard == b"xstill heard"


async def test_a_cut_comes_after_so_many_bytes(echo: tuple[Echo, Proxy]) -> None:
    echo[1].down = Fault(cut_after=100)
    async with connected(echo[1]) as (reader, writer):
        writer.write(bytes(80))
        assert len(await reader.readexactly(80)) == 80
        writer.write(bytes(80))
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(21)
    assert echo[1].cuts == 1


async def test_nobody_behind_it_is_a_reset() -> None:
    async with Proxy(lambda: "/nowhere") as proxy, connected(proxy) as (reader, _):
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)


# COMMIT


def socket_of(servers: Servers) -> Upstream:
    return f"{servers.database_url.partition('host=')[2]}/.s.PGSQL.5432"


async def by_simple_query(conn: Any, number: int) -> None:
    async with conn.transaction():
        await conn.execute("INSERT INTO cut VALUES ($1)", number)


async def prepared(conn: Any, number: int) -> None:
    """COMMIT by the name of a statement that was prepared long before."""
    begin, insert, commit = [await conn.prepare(sql) for sql in ("BEGIN", "INSERT INTO cut VALUES ($1)", "COMMIT")]
    await begin.fetch()
    await insert.fetch(number)
    await commit.fetch()


async def in_one_message(conn: Any, number: int) -> None:
    await conn.execute(f"BEGIN; INSERT INTO cut VALUES ({number}); COMMIT")


@pytest.mark.parametrize("transaction", [by_simple_query, prepared, in_one_message])
@pytest.mark.parametrize(("side", "expected"), [("after", TRANSACTIONS), ("before", 0)])
async def test_a_commit_of_unknown_outcome_has_happened_or_not(servers: Servers, transaction: Any, side: Side, expected: int) -> None:
    cutter = Cutter(1.0, of={"inserts": "INSERT INTO cut"})
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute("CREATE TABLE IF NOT EXISTS cut (number integer PRIMARY KEY); TRUNCATE cut")
    async with Proxy(lambda: socket_of(servers), cutter.sight) as proxy:
        for number in range(TRANSACTIONS):
            conn = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres")
            assert await conn.fetchval("SELECT count(*) FROM cut") == (number if expected else 0)
            cutter.side = side
            with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError)):
                await transaction(conn, number)
            cutter.side = None
            conn.terminate()
    assert await admin.fetchval("SELECT count(*) FROM cut") == expected
    assert cutter.cut == {(side, "inserts"): TRANSACTIONS}
    await admin.close()


async def test_other_transactions_are_left_alone(servers: Servers) -> None:
    cutter = Cutter(1.0, of={"inserts": "INSERT INTO cut"})
    cutter.side = "before"
    async with Proxy(lambda: socket_of(servers), cutter.sight) as proxy:
        conn = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres")
        async with conn.transaction():
            assert await conn.fetchval("SELECT 'COMMIT;'") == "COMMIT;"
        await conn.close()
    assert not cutter.cut


def test_a_commit_that_arrives_byte_by_byte_is_seen() -> None:
    session = Session(lambda _: ("before", "anything"), Counter())
    startup = b"\x00\x00\x00\x08\x00\x03\x00\x00"
    passed = [session.client_says(bytes([byte])) for byte in startup + b"Q\x00\x00\x00\x0cCOMMIT;\x00"]
    assert b"".join(data for data, _ in passed) == startup
    assert [then for _, then in passed] == [Then.PASS] * (len(passed) - 1) + [Then.RESET]
