"""The DNS as domains need it: the texts of a name, or that nobody knows. Tests ask a server of their own."""

from collections.abc import Sequence
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.resolver

LIFETIME_S = 5.0


class DnsUnavailable(Exception):
    """No answer, or one that says nothing of the name: a time-out, SERVFAIL, REFUSED. What was so before may still be so."""


class Resolver(Protocol):
    async def texts(self, name: str) -> frozenset[str]:
        """The TXT records of `name`; none when its zone says that there are none. Raises `DnsUnavailable`."""
        ...


class StubResolver:
    """Asks recursive name servers: the system's, or those given as addresses, all at one port."""

    def __init__(self, nameservers: Sequence[str] = (), *, port: int = 53) -> None:
        self._nameservers = list(nameservers)
        self._port = port

    async def texts(self, name: str) -> frozenset[str]:
        try:
            resolver = dns.asyncresolver.Resolver(configure=not self._nameservers)
            if self._nameservers:
                resolver.nameservers = self._nameservers
                resolver.port = self._port
            # No cache: who has just written his record asks for it at once.
            answer = await resolver.resolve(name, "TXT", search=False, raise_on_no_answer=False, lifetime=LIFETIME_S)
        except dns.resolver.NXDOMAIN:
            return frozenset()
        except (dns.exception.DNSException, OSError) as error:
            raise DnsUnavailable(type(error).__name__) from error
        return frozenset(b"".join(record.strings).decode("utf-8", "replace") for record in answer.rrset or ())
