"""A name server of our own: a real one over UDP on this machine, whose zone the test writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tenants.resolver import StubResolver


class NameServer(asyncio.DatagramProtocol):
    """`texts` are the TXT records by name; every other name does not exist. With `rcode` it answers that instead; None is silence."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.rcode: dns.rcode.Rcode | None = dns.rcode.NOERROR
        self.asked: list[str] = []
        self.port = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if self.rcode is None:
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        answer.set_rcode(self.rcode)
        if self.rcode == dns.rcode.NOERROR:
            values = self.texts.get(name)
            if values is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif values and question.rdtype == dns.rdatatype.TXT:
                quoted = [" ".join(f'"{value[n : n + 40]}"' for n in range(0, len(value), 40)) for value in values]
                answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", "TXT", quoted))
        self._transport.sendto(answer.to_wire(), addr)

    @property
    def resolver(self) -> StubResolver:
        return StubResolver(["127.0.0.1"], port=self.port)


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
