"""Where webhooks may go: a table of hostile URLs and addresses, names that change their mind, certificates; each with its twin."""

import asyncio
import ipaddress
import ssl
from pathlib import Path
from uuid import UUID

import dns.message
import dns.rrset
import pytest

from tenants.http import Origin
from tenants.webhooks import addresses
from tenants.webhooks.addresses import AddressRefused, Dns, Target, Unresolved, is_public, origins, parse
from tenants.webhooks.sender import Sender
from tests.tenants.test_http import YES, Peer, answering, certified

__all__ = ["certified"]

HOSTILE = [
    # Not https, or not a URL at all.
    "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "https:example.com", "//example.com/", "",
    "https://", "https:///x", "javascript:alert(1)", "https://example.com\\@127.0.0.1/",
    # Who is the host?
    "https://user@example.com/", "https://user:pass@example.com/", "https://example.com@127.0.0.1/", "https://@example.com/",
    "https://example.com#@127.0.0.1/", "https://example.com/#x", "https://exa mple.com/", "https://example.com /", "https://example.com\n/",
    "https://example.com\t/", "https://exam\u200bple.com/", "https://ⓔxample.com/", "https://例子.cn/", "https://exa%6dple.com/",
    "https://example.com:443:443/", "https://example.com:/", "https://example.com:x/", "https://-example.com/", "https://example-.com/",
    "https://example..com/", "https://.example.com/", "https://example.com./", f"https://{'a' * 64}.com/", f"https://{'a.' * 130}com/",
    # Names of this machine and of local networks.
    "https://localhost/", "https://intranet/", "https://LOCALHOST/", "https://metadata/",
    # Addresses of this machine and of private networks.
    "https://127.0.0.1/", "https://127.1.2.3/", "https://0.0.0.0/", "https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/",
    "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/", "https://100.100.100.200/",
    "https://192.0.0.192/", "https://198.18.0.1/", "https://224.0.0.1/", "https://255.255.255.255/", "https://168.63.129.16/",
    # The same, written oddly.
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/", "https://127.0.1/",
    "https://0/", "https://0x0a.0x00.0x00.0x01/", "https://017700000001/", "https://127.0.0.1./", "https://127.0.0.0x1/",
    "https://1.1.1.1.1/", "https://example.0x7f/", "https://1e1.1/", "https://127。0。0。1/",
    # IPv6.
    "https://[::1]/", "https://[::]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/",
    "https://[ff02::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:a9fe:a9fe]/", "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::a00:1]/", "https://[2002:7f00:1::]/", "https://[2002:a9fe:a9fe::1]/",
    "https://[2001:0:a00:1::1]/", "https://[2001:db8::1]/", "https://[100::1]/", "https://[fec0::1]/", "https://[5f00::1]/",
    "https://[::1/", "https://::1/", "https://[1.1.1.1]/", "https://[::ffff:1.1.1.1]/",
    # Ports of other services.
    "https://example.com:22/", "https://example.com:25/", "https://example.com:80/", "https://example.com:0/", "https://example.com:1023/",
    "https://example.com:65536/", "https://example.com:-1/",
    # Too long, or made to break out of a line.
    "https://example.com/" + "a" * 2048, "https://example.com/a b", "https://example.com/\r\nX-Evil: 1", "https://example.com/\x00",
    'https://example.com/"', "https://example.com/<x>", "https://example.com/{x}", "https://example.com/ü",
]  # fmt: skip


class TestParse:
    @pytest.mark.parametrize("url", HOSTILE)
    def test_what_is_refused(self, url: str) -> None:
        with pytest.raises(AddressRefused):
            parse(url)

    @pytest.mark.parametrize(
        ("url", "target"),
        [
            ("https://example.com", Target("example.com", 443, True, "example.com", "/")),
            ("https://Hooks.Example.COM:8443/a/b?c=d&e", Target("hooks.example.com", 8443, True, "hooks.example.com:8443", "/a/b?c=d&e")),
            ("https://xn--fsqu00a.cn/%E4%BD%A0", Target("xn--fsqu00a.cn", 443, True, "xn--fsqu00a.cn", "/%E4%BD%A0")),
            ("https://1.1.1.1/", Target("1.1.1.1", 443, True, "1.1.1.1", "/")),
            ("https://[2606:4700:4700::1111]:8443/x", Target("2606:4700:4700::1111", 8443, True, "[2606:4700:4700::1111]:8443", "/x")),
            ("https://example.com:1024/", Target("example.com", 1024, True, "example.com:1024", "/")),
        ],
    )
    def test_what_is_fine(self, url: str, target: Target) -> None:
        assert parse(url) == target

    def test_this_machine_only_where_it_is_allowed(self) -> None:
        assert parse("http://127.0.0.1:8080/x", loopback=True) == Target("127.0.0.1", 8080, False, "127.0.0.1:8080", "/x")
        for url in ("http://10.0.0.1/", "http://example.com/", "https://169.254.169.254/", "http://0x7f.1/", "https://localhost/"):
            with pytest.raises(AddressRefused):
                parse(url, loopback=True)


class TestIsPublic:
    @pytest.mark.parametrize(
        "text",
        [
            "0.1.2.3", "10.255.255.255", "100.127.255.255", "127.255.255.255", "169.254.0.1", "172.16.0.0", "192.0.0.8", "192.0.2.1",
            "192.88.99.1", "192.168.255.255", "198.19.255.255", "198.51.100.9", "203.0.113.9", "224.0.0.251", "239.255.255.250",
            "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::808:808",
            "64:ff9b:1::1", "100::", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::", "2002:808:808::", "3fff::1",
            "2620:4f:8000::1", "5f00::1", "fc00::", "fdff::1", "fe80::1", "fec0::1", "ff02::1", "4000::1",
        ],
    )  # fmt: skip
    def test_not(self, text: str) -> None:
        assert not is_public(ipaddress.ip_address(text))

    @pytest.mark.parametrize("text", ["1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1", "2a00:1450::1", "240e::1"])
    def test_public(self, text: str) -> None:
        assert is_public(ipaddress.ip_address(text))

    def test_refuses_whatever_python_knows_of(self) -> None:
        """The last address of each half of a thousand blocks: none that the standard library calls special is public to us."""
        for number in range(0, 2**32, 2**22):
            address = ipaddress.IPv4Address(number)
            assert not (is_public(address) and not address.is_global), address


def names(**book: list[str]) -> addresses.Resolver:
    """A resolver that knows `book`, with underscores for full stops."""

    async def resolver(host: str) -> list[str]:
        if found := book.get(host.replace(".", "_")):
            return found
        raise Unresolved(host)

    return resolver


class TestOrigins:
    async def test_are_addresses_for_the_name(self) -> None:
        target = parse("https://hooks.example.com/x")
        found = await origins(target, names(hooks_example_com=["1.1.1.1", "2606:4700::1"]))
        assert found[0] == Origin("hooks.example.com", 443, True, "hooks.example.com", "1.1.1.1")
        assert [origin.address for origin in found] == ["1.1.1.1", "2606:4700::1"]

    @pytest.mark.parametrize("bad", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1", "64:ff9b::a00:1"])
    async def test_one_that_is_not_public_spoils_all(self, bad: str) -> None:
        for found in ([bad], ["1.1.1.1", bad]):
            with pytest.raises(AddressRefused):
                await origins(parse("https://hooks.example.com/x"), names(hooks_example_com=found))

    @pytest.mark.parametrize("odd", ["fe80::1%eth0", "0x7f.1", "x", ""])
    async def test_no_address_is_none(self, odd: str) -> None:
        with pytest.raises(Unresolved):
            await origins(parse("https://hooks.example.com/x"), names(hooks_example_com=[odd]))


class TestRebinding:
    """A name that is public when it is checked, and this machine's when it is used."""

    @staticmethod
    def changing(*answers: str) -> addresses.Resolver:
        left = list(answers)

        async def resolver(host: str) -> list[str]:
            return [left.pop(0) if len(left) > 1 else left[0]]

        return resolver

    async def attempt(self, certified: Path, resolver: addresses.Resolver) -> tuple[int, str | None]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certified)
        peer = Peer(answering(YES), context)
        async with peer.serving() as origin:
            blind = ssl.create_default_context()  # whatever certificates would still save is not what is tried here
            blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
            sender = Sender(connections_max=1, resolver=resolver, trust=blind)
            attempt = await sender.send(f"https://inside.example.com:{origin.port}/", [b"x" * 32], UUID0, b"{}")
            await sender.aclose()
        return peer.connections, attempt.failure

    async def test_a_name_of_this_machine_is_refused_each_time(self, certified: Path) -> None:
        connections, failure = await self.attempt(certified, self.changing("127.0.0.1"))
        assert connections == 0
        assert failure == "The URL leads to an address that is not on the open Internet."

    async def test_it_is_resolved_once(self, certified: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second answer is never asked for: the connection goes to the address that was checked."""
        monkeypatch.setattr("tenants.webhooks.sender.CONNECT_S", 0.1)
        checked = addresses.is_public
        # The network's own block of documentation, which nobody answers for, stands for the public address.
        monkeypatch.setattr(addresses, "is_public", lambda a: str(a) == "192.0.2.1" or checked(a))
        resolver = self.changing("192.0.2.1", "127.0.0.1")
        connections, failure = await self.attempt(certified, resolver)
        assert connections == 0
        assert (failure or "").startswith("not connected")
        assert await resolver("") == ["127.0.0.1"]

    async def test_without_the_check_it_would_be_reached(self, certified: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(addresses, "is_public", lambda _: True)
        connections, _ = await self.attempt(certified, self.changing("127.0.0.1"))
        assert connections == 1


UUID0 = UUID(int=0)


class TestDns:
    """The resolver against a name server of ours."""

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            query = dns.message.from_wire(data)
            answer = dns.message.make_response(query)
            [question] = query.question
            rdata = {"A": "1.1.1.1", "AAAA": "2606:4700::1"}[dns.rdatatype.to_text(question.rdtype)]
            if question.name.to_text() == "hooks.example.com.":
                answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", dns.rdatatype.to_text(question.rdtype), rdata))
            else:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self.transport.sendto(answer.to_wire(), addr)  # type: ignore[attr-defined]

    async def test_both_families_the_older_first(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(self.Server, local_addr=("127.0.0.1", 0))
        try:
            ask = Dns(["127.0.0.1"], transport.get_extra_info("sockname")[1])
            assert await ask("hooks.example.com") == ["1.1.1.1", "2606:4700::1"]
            with pytest.raises(Unresolved, match="NXDOMAIN"):
                await ask("nothing.example.com")
        finally:
            transport.close()
