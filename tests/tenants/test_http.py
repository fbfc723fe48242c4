"""The small HTTP client against servers that do as they like: what it reads, what it refuses, and which connections it uses again."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tenants import http
from tenants.http import Answer, Broken, Client, NotSent, Origin

YES = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Peer:
    """A server that plays `play` on each connection; counts them."""

    def __init__(self, play: Play, tls: ssl.SSLContext | None = None) -> None:
        self.play, self.tls, self.connections, self.open = play, tls, 0, 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            await self.play(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.close()

    @asynccontextmanager
    async def serving(self, host: str = "127.0.0.1") -> AsyncIterator[Origin]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        port = server.sockets[0].getsockname()[1]
        try:
            yield Origin.parse(f"{'https' if self.tls else 'http'}://{host}:{port}")[0]
        finally:
            server.close()

    async def all_closed(self) -> None:
        async with asyncio.timeout(2):
            while self.open:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


def answering(*answers: bytes, pause_s: float = 0.0, size: int = 1 << 20) -> Play:
    """One answer to each request of a connection, in pieces of `size`; after the last it waits for the other side to close."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            for start in range(0, len(answer), size):
                writer.write(answer[start : start + size])
                await asyncio.sleep(pause_s)
        await reader.read()

    return play


async def ask(client: Client, origin: Origin, *, answer_max: int = 1000, body: bytes = b"") -> Answer:
    return await client.exchange(origin, "POST" if body else "GET", "/x", {"Accept": "*/*"}, body, answer_max=answer_max)


class TestReads:
    @pytest.mark.parametrize("size", [1, 2, 7, 1000])
    @pytest.mark.parametrize(
        ("answer", "status", "body"),
        [
            (YES, 200, b"yes"),
            (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
            (b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nye\r\n1;x=y\r\ns\r\n0\r\n\r\n", 404, b"yes"),
            (b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" + YES, 200, b"yes"),
        ],
        ids=["length", "none", "chunks", "interim"],
    )
    async def test_an_answer_however_it_is_cut(self, answer: bytes, status: int, body: bytes, size: int) -> None:
        peer = Peer(answering(answer, answer, size=size))
        async with peer.serving() as origin, Client() as client:
            for _ in range(2):
                found = await ask(client, origin)
                assert (found.status, found.body) == (status, body)
                assert b"Link" not in dict(found.headers)
            assert peer.connections == 1

    async def test_headers_as_they_came(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nSandbox-Nonce: a\r\nSANDBOX-NONCE: b\r\nContent-Length: 0\r\n\r\n"
        async with Peer(answering(answer)).serving() as origin, Client() as client:
            assert (await ask(client, origin)).headers[:2] == [(b"Sandbox-Nonce", b"a"), (b"SANDBOX-NONCE", b"b")]

    async def test_what_is_sent(self) -> None:
        seen: list[bytes] = []

        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readexactly(len(wanted)))
            writer.write(YES)

        async with Peer(play).serving() as origin, Client() as client:
            host = f"127.0.0.1:{origin.port}"
            wanted = f"POST /x HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Tessera\r\nAccept: */*\r\nContent-Length: 4\r\n\r\nbody".encode()
            await ask(client, origin, body=b"body")
        assert seen == [wanted]

    @pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/a\n", "/ü"])
    async def test_a_target_that_would_break_out_of_its_line(self, target: str) -> None:
        async with Client() as client:
            with pytest.raises(ValueError, match="break out"):
                await client.exchange(Origin("127.0.0.1", 1, False, "x"), "GET", target, {}, b"", answer_max=1)
            with pytest.raises(ValueError, match="break out"):
                await client.exchange(Origin("127.0.0.1", 1, False, "x"), "GET", "/", {"A": target + "\r"}, b"", answer_max=1)


class TestRefuses:
    @pytest.mark.parametrize(
        "answer",
        [
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\nyes",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nyes",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\nSandbox-Signature: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 3\r\n\r\nyes",
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 20_000,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000,
            b"HTTP/1.1 200 OK\r\nA: " + b"x" * 20_000,
            b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000,
            YES[:-1],
        ],
        ids=[
            "not http", "no length", "two lengths", "other lengths", "trailers", "folded", "upgrade", "long", "long in chunks",
            "many headers", "long header", "interim for ever", "cut off",
        ],
    )  # fmt: skip
    async def test_what_is_no_answer(self, answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http, "READ_S", 0.3)
        peer = Peer(answering(answer, size=4096, pause_s=0.001))
        async with peer.serving() as origin, Client() as client:
            with pytest.raises(Broken):
                await ask(client, origin)
            await peer.all_closed()

    async def test_the_same_long_answer_where_it_is_allowed(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000
        async with Peer(answering(answer, size=4096)).serving() as origin, Client() as client:
            assert len((await ask(client, origin, answer_max=20_000)).body) == 20_000

    async def test_silence_ends_and_dripping_does_not_count_as_silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http, "READ_S", 0.2)
        async with Client() as client:
            async with Peer(answering(YES[:10])).serving() as origin:
                with pytest.raises(Broken, match="silence"):
                    await ask(client, origin)
            async with Peer(answering(YES, size=8, pause_s=0.05)).serving() as origin:
                assert (await ask(client, origin)).body == b"yes"

    async def test_nobody_there_and_nobody_who_greets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http, "CONNECT_S", 0.2)
        async with Client() as client:
            with pytest.raises(NotSent):
                await ask(client, Origin("127.0.0.1", 1, False, "x"))
            async with Peer(answering(YES)).serving() as origin:
                with pytest.raises(NotSent):
                    await ask(client, origin._replace(secure=True))

    async def test_no_connection_is_free(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http, "CONNECT_S", 0.1)
        async with Peer(answering()).serving() as origin, Client(connections_max=1) as client:
            first = asyncio.create_task(ask(client, origin))
            await asyncio.sleep(0.02)
            with pytest.raises(NotSent, match="free"):
                await ask(client, origin)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)


class TestConnections:
    async def test_as_many_as_are_needed_at_once(self) -> None:
        peer = Peer(answering(*[YES] * 100, pause_s=0.005))
        async with peer.serving() as origin, Client() as client:
            for _ in range(5):
                await asyncio.gather(*(ask(client, origin) for _ in range(4)))
            assert peer.connections == 4
        await peer.all_closed()

    async def test_one_that_was_closed_is_replaced(self) -> None:
        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(YES)

        peer = Peer(once)
        async with peer.serving() as origin, Client() as client:
            for _ in range(3):
                assert (await ask(client, origin)).body == b"yes"
                await peer.all_closed()
                await asyncio.sleep(0.01)
            assert peer.connections == 3

    async def test_an_idle_one_is_not_kept_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http, "KEEP_S", 0.05)
        peer = Peer(answering(YES, YES))
        async with peer.serving() as origin, Client() as client:
            assert (await ask(client, origin)).body == b"yes"
            await peer.all_closed()

    async def test_given_up_half_way_it_is_closed(self) -> None:
        peer = Peer(answering(YES[:-1]))
        async with peer.serving() as origin, Client() as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await ask(client, origin)
            await peer.all_closed()

    @pytest.mark.parametrize("late", [True, False])
    async def test_what_nobody_asked_for_answers_nobody(self, late: bool) -> None:
        assert await self._second_answer(late=late) == b"yes"

    async def test_without_that_rule_it_would(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The connection is kept, and what came unasked is read when the next answer is waited for."""
        stray: list[bytes] = []
        received, exchange = http._Connection.data_received, http._Connection.exchange

        def keeps(self: http._Connection, data: bytes) -> None:
            if self._answer is None or self._answer.done():
                stray.append(data)
            else:
                received(self, data)

        async def exchanges(self: http._Connection, request: bytes, answer_max: int) -> Answer:
            asyncio.get_running_loop().call_soon(lambda: [received(self, data) for data in stray])
            return await exchange(self, request, answer_max)

        monkeypatch.setattr(http._Connection, "data_received", keeps)
        monkeypatch.setattr(http._Connection, "exchange", exchanges)
        assert await self._second_answer(late=True) == b"lie"

    async def _second_answer(self, *, late: bool) -> bytes:
        """The body of the second answer, when the first one was followed by another that nobody asked for."""
        lie = YES.replace(b"yes", b"lie")

        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            if late:
                writer.write(YES)
                await asyncio.sleep(0.05)
                writer.write(lie)
            else:
                writer.write(YES + lie)
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.05)
            writer.write(YES)

        async with Peer(play).serving() as origin, Client() as client:
            await ask(client, origin)
            await asyncio.sleep(0.1)
            return (await ask(client, origin)).body


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for provider.test and 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "provider.test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return file


class TestTrust:
    @staticmethod
    def peer(certified: Path) -> Peer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certified)
        return Peer(answering(YES, YES), context)

    async def test_a_certificate_of_a_known_authority(self, certified: Path) -> None:
        peer = self.peer(certified)
        async with peer.serving() as origin, Client(trust=ssl.create_default_context(cafile=certified)) as client:
            for _ in range(2):
                assert (await ask(client, origin)).body == b"yes"
            assert peer.connections == 1

    async def test_of_an_unknown_one(self, certified: Path) -> None:
        async with self.peer(certified).serving() as origin, Client() as client:
            with pytest.raises(NotSent, match="SSL"):
                await ask(client, origin)

    async def test_for_another_name(self, certified: Path) -> None:
        async with (
            self.peer(certified).serving("localhost") as origin,
            Client(trust=ssl.create_default_context(cafile=certified)) as client,
        ):
            with pytest.raises(NotSent, match="SSL"):
                await ask(client, origin)

    async def test_without_that_rule_both_would_be_believed(self, certified: Path) -> None:
        blind = ssl.create_default_context()
        blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
        async with self.peer(certified).serving("localhost") as origin, Client(trust=blind) as client:
            assert (await ask(client, origin)).body == b"yes"


class TestOrigin:
    @pytest.mark.parametrize(
        ("url", "origin", "below"),
        [
            ("https://api.pay.test", Origin("api.pay.test", 443, True, "api.pay.test"), ""),
            ("http://127.0.0.1:8080/", Origin("127.0.0.1", 8080, False, "127.0.0.1:8080"), ""),
            ("https://[::1]:8443/sandbox/", Origin("::1", 8443, True, "[::1]:8443"), "/sandbox"),
        ],
    )
    def test_of_an_address(self, url: str, origin: Origin, below: str) -> None:
        assert Origin.parse(url) == (origin, below)

    @pytest.mark.parametrize("url", ["", "api.pay.test", "ftp://x", "http://", "http://me:pw@x", "http://x/?a", "http://x/#a", "http://ü"])
    def test_of_what_is_none(self, url: str) -> None:
        with pytest.raises(ValueError, match="not of the form"):
            Origin.parse(url)
