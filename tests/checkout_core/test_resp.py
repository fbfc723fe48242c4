"""One connection to Redis: what it says when replies come in pieces, wrong, late or never."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from checkout_core.node import Address, Node, connect
from checkout_core.resp import Busy, Closed, Link, NoScript, Refused, Unknown
from tessera.embedded import Servers

TIMEOUT_S = 0.4
INFO = b"run_id:r\r\nmaster_replid:m\r\ncluster_enabled:0\r\n"
REPLIES = b"+OK\r\n:42\r\n$5\r\nhello\r\n$-1\r\n*3\r\n:1\r\n*2\r\n$1\r\na\r\n$0\r\n\r\n*0\r\n-ERR no\r\n$2\r\n\r\n\r\n"
READ = [b"OK", 42, b"hello", None, [1, [b"a", b""], []], Refused, b"\r\n"]


class Silent:
    """A server that says who it is, and then nothing but what a test makes it say."""

    def __init__(self) -> None:
        self.received = b""
        self.writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        introduced = 0
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                self.received += data
                for _ in range(self.received.count(b"INFO") - introduced):
                    introduced += 1
                    writer.write(b"$%d\r\n%s\r\n" % (len(INFO), INFO))
        writer.close()

    def say(self, data: bytes) -> None:
        assert self.writer is not None
        self.writer.write(data)


@pytest.fixture
async def silent(tmp_path: Path) -> AsyncIterator[tuple[Silent, Address]]:
    server, path = Silent(), str(tmp_path / "silent.sock")
    listening = await asyncio.start_unix_server(server.serve, path)
    async with listening:
        yield server, Address(path=path)
        if server.writer is not None:
            server.writer.close()
            with contextlib.suppress(ConnectionError):
                await server.writer.wait_closed()


@pytest.fixture
async def link(silent: tuple[Silent, Address]) -> AsyncIterator[Link]:
    """To the silent server."""
    link = await connect(silent[1], timeout_s=TIMEOUT_S, in_flight_max=8)
    yield link
    link.drop("the test is over")
    await link.lost


@pytest.fixture
async def real(valkey: Servers) -> AsyncIterator[Link]:
    valkey.wait_ready("valkey")
    link = await connect(Address.of(valkey.redis_url))
    yield link
    link.drop("the test is over")
    await link.lost


def read(link: Link, calls: int) -> list[asyncio.Future[Any]]:
    return [link.call("PING") for _ in range(calls)]


class TestCall:
    async def test_replies_go_to_those_who_asked(self, real: Link) -> None:
        """Pipelined by itself: nobody waits for another's reply before he sends."""
        asked = [str(n).encode() for n in range(200)]
        assert await asyncio.gather(*(real.call("ECHO", text) for text in asked)) == asked
        assert real.in_flight == 0

    async def test_any_bytes(self, real: Link) -> None:
        odd = bytes(range(256)) * 300
        assert await real.call("ECHO", odd) == odd

    async def test_one_who_leaves_does_not_take_anothers_reply(self, real: Link) -> None:
        first, second = real.call("ECHO", "first"), real.call("ECHO", "second")
        first.cancel()
        assert await second == b"second"

    async def test_an_error_is_of_its_own_call(self, real: Link) -> None:
        results = await asyncio.gather(real.call("ECHO", "a"), real.call("NOSUCH"), real.call("ECHO", "b"), return_exceptions=True)
        assert [results[0], type(results[1]), results[2]] == [b"a", Refused, b"b"]

    async def test_what_cannot_be_packed_is_not_sent(self, real: Link) -> None:
        with pytest.raises(TypeError):
            real.call("ECHO", None)  # type: ignore[arg-type]
        assert await real.call("ECHO", "still here") == b"still here"

    async def test_first_leaves_at_once_and_the_rest_of_the_tick_together(self, silent: tuple[Silent, Address], link: Link) -> None:
        before = len(silent[0].received)
        calls = read(link, 5)
        await asyncio.sleep(0.05)
        assert silent[0].received[before:] == b"*1\r\n$4\r\nPING\r\n" * 5
        silent[0].say(b"+PONG\r\n" * 5)
        assert await asyncio.gather(*calls) == [b"PONG"] * 5


class TestReplies:
    @pytest.mark.parametrize("at", range(1, len(REPLIES)))
    async def test_split_at_every_byte(self, link: Link, at: int) -> None:
        calls = read(link, len(READ))
        link.data_received(REPLIES[:at])
        link.data_received(REPLIES[at:])
        assert all(call.done() for call in calls)
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(r) if isinstance(r, Exception) else r for r in results] == READ

    async def test_byte_by_byte_over_the_wire(self, silent: tuple[Silent, Address], link: Link) -> None:
        calls = read(link, len(READ))
        for byte in REPLIES:
            silent[0].say(bytes([byte]))
            await asyncio.sleep(0)
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(r) if isinstance(r, Exception) else r for r in results] == READ

    @pytest.mark.parametrize("nonsense", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$x\r\n", b"*1\r\n!\r\n", b"\x00\x01\x02\r\n"])
    async def test_not_the_protocol(self, silent: tuple[Silent, Address], link: Link, nonsense: bytes) -> None:
        """Whatever was answered before stands; the rest is unknown, and the connection is not used again."""
        first, *others = read(link, 3)
        silent[0].say(b"+PONG\r\n" + nonsense)
        assert await first == b"PONG"
        for other in others:
            with pytest.raises(Unknown):
                await other
        with pytest.raises(Closed):
            link.call("PING")

    async def test_a_reply_that_nobody_asked_for(self, silent: tuple[Silent, Address], link: Link) -> None:
        silent[0].say(b"-ERR max number of clients reached\r\n")
        assert "nobody asked" in await link.lost

    @pytest.mark.parametrize(
        ("reply", "raised", "stays"),
        [
            ("ERR wrong number of arguments", Refused, True),
            ("WRONGTYPE Operation against a key", Refused, True),
            ("NOSCRIPT No matching script", NoScript, True),
            ("OOM command not allowed when used memory > 'maxmemory'", Closed, True),
            ("MISCONF Errors writing to the AOF file", Closed, True),
            ("NOREPLICAS Not enough good replicas to write", Closed, True),
            ("BUSY Redis is busy running a script", Closed, True),
            ("MOVED 3999 127.0.0.1:6381", Closed, False),
            ("ASK 3999 127.0.0.1:6381", Closed, False),
            ("READONLY You can't write against a read only replica.", Closed, False),
            ("CLUSTERDOWN The cluster is down", Closed, False),
            ("MASTERDOWN Link with MASTER is down", Closed, False),
            ("TRYAGAIN Multiple keys request during rehashing of slot", Closed, False),
            ("LOADING Redis is loading the dataset in memory", Closed, False),
        ],
    )
    async def test_error_replies(
        self, silent: tuple[Silent, Address], link: Link, reply: str, raised: type[Exception], stays: bool
    ) -> None:
        """One who is not to be asked any more is left, after the calls under way are answered."""
        first, second = read(link, 2)
        silent[0].say(f"-{reply}\r\n".encode())
        with pytest.raises(raised) as error:
            await first
        assert type(error.value) is raised
        assert link.is_open is stays
        silent[0].say(b"+PONG\r\n")
        assert await second == b"PONG"
        if not stays:
            assert await link.lost == reply


class TestSilence:
    async def test_what_is_not_answered_in_time_is_unknown(self, link: Link) -> None:
        began = time.monotonic()
        results = await asyncio.gather(*read(link, 3), return_exceptions=True)
        assert [type(result) for result in results] == [Unknown] * 3
        assert TIMEOUT_S <= time.monotonic() - began < 5
        assert "in time" in await link.lost

    async def test_a_call_may_have_more_time(self, silent: tuple[Silent, Address], link: Link) -> None:
        call = link.call("PING", timeout_s=5)
        await asyncio.sleep(1.5 * TIMEOUT_S)
        silent[0].say(b"+PONG\r\n")
        assert await call == b"PONG"

    async def test_time_starts_anew_with_each_call(self, silent: tuple[Silent, Address], link: Link) -> None:
        for _ in range(4):
            call = link.call("PING")
            await asyncio.sleep(0.4 * TIMEOUT_S)
            silent[0].say(b"+PONG\r\n")
            assert await call == b"PONG"

    async def test_a_loop_that_was_held_up_still_reads_what_came_meanwhile(self, silent: tuple[Silent, Address], link: Link) -> None:
        call = link.call("PING")
        await asyncio.sleep(0.02)
        silent[0].say(b"+PONG\r\n")
        time.sleep(1.5 * TIMEOUT_S)  # noqa: ASYNC251 - that is the point
        assert await call == b"PONG"

    async def test_calls_in_flight_are_bounded(self, silent: tuple[Silent, Address], link: Link) -> None:
        calls = read(link, 8)
        with pytest.raises(Busy):
            link.call("PING")
        silent[0].say(b"+PONG\r\n" * 8)
        await asyncio.gather(*calls)
        again = link.call("PING")
        silent[0].say(b"+PONG\r\n")
        assert await again == b"PONG"

    async def test_the_server_hangs_up(self, silent: tuple[Silent, Address], link: Link) -> None:
        calls = read(link, 3)
        await asyncio.sleep(0.02)
        silent[0].say(b"+PONG\r\n")
        assert silent[0].writer is not None
        silent[0].writer.close()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [results[0], type(results[1]), type(results[2])] == [b"PONG", Unknown, Unknown]

    async def test_what_had_not_left_yet_is_not_unknown(self, silent: tuple[Silent, Address], link: Link) -> None:
        before = len(silent[0].received)
        calls = read(link, 3)
        link.drop("now")
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(result) for result in results] == [Unknown, Closed, Closed]
        assert len(silent[0].received) - before <= len(b"*1\r\n$4\r\nPING\r\n")


class TestConnect:
    @pytest.mark.parametrize(
        ("url", "address"),
        [
            ("unix:///run/valkey.sock?db=2", Address(path="/run/valkey.sock", db=2)),
            ("redis://redis.internal", Address("redis.internal")),
            ("redis://anna:secret@h:7000/3", Address("h", 7000, db=3, username="anna", password="secret")),
            ("rediss://:secret@h?ssl_ca_certs=/ca.pem", Address("h", password="secret", tls=True, ca_certs="/ca.pem")),
        ],
    )
    def test_urls(self, url: str, address: Address) -> None:
        assert Address.of(url) == address

    async def test_ident_is_run_and_replication_id(self, real: Link) -> None:
        run, _, replication = real.ident.partition(":")
        info = (await real.call("INFO")).decode()
        assert f"run_id:{run}\r\n" in info
        assert f"master_replid:{replication}\r\n" in info
        assert len(run) == len(replication) == 40

    async def test_database_and_password(self, valkey: Servers, real: Link) -> None:
        await real.call("CONFIG", "SET", "requirepass", "secret")
        try:
            address = Address.of(valkey.redis_url)
            with pytest.raises(Closed, match="NOAUTH"):
                await connect(address)
            other = await connect(address._replace(password="secret", db=3))
            assert b" db=3 " in await other.call("CLIENT", "INFO")
            other.drop("the test is over")
        finally:
            await real.call("CONFIG", "SET", "requirepass", "")

    async def test_nobody_there(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            await connect(Address(path=str(tmp_path / "nobody.sock")))

    async def test_one_who_hangs_up_early_is_tried_again(self, tmp_path: Path) -> None:
        """A server that dies while it is being asked who it is."""
        visits, silent, path = 0, Silent(), str(tmp_path / "early.sock")

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal visits
            visits += 1
            if visits < 4:
                await reader.read(16)
                writer.close()
            else:
                await silent.serve(reader, writer)

        async with await asyncio.start_unix_server(serve, path):
            node = Node(Address(path=path), asyncio.Event())
            assert (await node.ready(10)).ident == "r:m"
            await node.aclose()
        assert visits == 4
