"""Where a webhook may go. A merchant names the host, so it must not lead into our own network: SSRF (OWASP API7:2023).

The URL is read strictly, its name is resolved by us, every address it has is checked, and the connection goes to an address that was
checked: nobody resolves the name a second time, so an answer that changes between check and use (DNS rebinding) changes nothing.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.exception
import dns.name

from checkout_core.errors import Unprocessable
from tenants.http import Origin

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str], Awaitable[list[str]]]
"""The addresses of a name, IPv4 first. Raises `Unresolved`."""

URL_MAX = 2048
LOOK_UP_S = 3.0
ADDRESSES_TRIED = 3
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
# Two labels at least: a single one is a name of some local network. The last begins with a letter: WHATWG's parser takes a host whose last
# label is a number for an IPv4 address (https://url.spec.whatwg.org/#ends-in-a-number-checker), and so does inet_aton: 0x7f.1, 2130706433.
_NAME = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)+(?=[a-z]){_LABEL}")
_PATH = re.compile(r"[!-~]*")

# IANA's registries of special-purpose addresses, RFC 6890 and what came after, as far as they are not globally reachable; and what leads to
# IPv4 by another way. `ipaddress.is_global` differs between versions of Python, and knows nothing of the last line.
_REFUSED_V4 = [
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # public by its number, yet the host of every virtual machine at Azure
    )
]  # fmt: skip
# Of IPv6 what is global unicast at all: without mapped and compatible IPv4, NAT64, unique local, link-local, multicast, each of which may
# be a way to an IPv4 address or into a local network.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = [
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # IETF assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32", "3fff::/20",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
    )
]  # fmt: skip


class AddressRefused(Unprocessable):
    code = "webhook_address_refused"


class Unresolved(Exception):
    """The name has no address, or nobody said so in time."""


class Target(NamedTuple):
    """A URL, taken apart."""

    host: str
    port: int
    secure: bool
    authority: str
    path: str  # with the query


def parse(url: str, *, loopback: bool = False) -> Target:
    """What `url` says. With `loopback` (never in production) addresses of this machine are fine too, and for those http.

    Raises `AddressRefused` unless it is https with a public host on port 443 or above 1023, without user, password and fragment.
    """
    if not url.isascii() or not url.isprintable() or len(url) > URL_MAX or set(url) & set(' \\"<>^`{|}'):
        raise AddressRefused("The URL is too long, or holds a character that belongs encoded: in paths as %.., in hosts as punycode.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("This is not a URL.") from None
    host = parts.hostname or ""
    if "@" in parts.netloc or "#" in url:
        raise AddressRefused("The URL must hold no user, no password and no fragment. What you want to recognize us by, put into the path.")
    if parts.netloc.endswith(":") or "%" in parts.netloc:
        raise AddressRefused("The host of the URL is malformed.")
    literal = _literal(host)
    if literal is None and not _NAME.fullmatch(host):
        raise AddressRefused("The host of the URL is neither a full domain name nor an address in its usual form.")
    here = loopback and literal is not None and literal.is_loopback
    if literal is not None and not here:
        _must_be_public(literal)
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise AddressRefused("The URL must begin with https://.")
    secure = parts.scheme == "https"
    port = (443 if secure else 80) if port is None else port
    if port != 443 and not 1024 <= port <= 65535 and not here:
        raise AddressRefused(f"Port {port} is not one for webhooks: use 443, or one above 1023.")
    path = parts.path or "/"
    assert _PATH.fullmatch(path + parts.query)
    return Target(host, port, secure, parts.netloc.lower(), f"{path}?{parts.query}" if parts.query else path)


def _literal(host: str) -> Address | None:
    """An address as the standard library reads it, which takes no octal, no hexadecimal and no missing part."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return None if getattr(address, "scope_id", None) else address


def is_public(address: Address) -> bool:
    """Whether an address is one of the open Internet, and no way around to another kind."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in block for block in _REFUSED_V4)
    return address in _GLOBAL_V6 and not any(address in block for block in _REFUSED_V6)


def _must_be_public(address: Address) -> None:
    if not is_public(address):
        raise AddressRefused("The URL leads to an address that is not on the open Internet.")


async def origins(target: Target, resolver: Resolver, *, loopback: bool = False) -> list[Origin]:
    """Where to connect, in the order to try. Raises `AddressRefused` when any of its addresses is not public, `Unresolved`."""
    literal = _literal(target.host)
    found = [literal] if literal is not None else [_literal(text) for text in await resolver(target.host)]
    if not found:
        raise Unresolved(f"{target.host} has no address")
    for address in found:
        if address is None:
            raise Unresolved(f"{target.host} has no address that can be read")
        if not (loopback and address.is_loopback):
            _must_be_public(address)
    return [Origin(target.host, target.port, target.secure, target.authority, str(address)) for address in found[:ADDRESSES_TRIED]]


class Dns:
    """The resolver of a process: asks the system's name servers, or those given as addresses; never /etc/hosts, never with a search domain.

    Not the system's own: that one waits in threads, of which there are few, and a name server of an attacker would keep them all.
    """

    def __init__(self, nameservers: Sequence[str] = (), port: int = 53) -> None:
        self._resolver: dns.asyncresolver.Resolver | None = None
        self._nameservers = nameservers
        self._port = port

    async def __call__(self, host: str) -> list[str]:
        try:
            if self._resolver is None:
                self._resolver = dns.asyncresolver.Resolver(configure=not self._nameservers)
                if self._nameservers:
                    self._resolver.nameservers, self._resolver.port = list(self._nameservers), self._port
            answers = await self._resolver.resolve_name(dns.name.from_text(host), lifetime=LOOK_UP_S)
        except (dns.exception.DNSException, OSError) as error:
            raise Unresolved(f"{host} was not resolved: {type(error).__name__}") from None
        return sorted(answers.addresses(), key=lambda text: ":" in text)
