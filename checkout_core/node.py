"""One server and the connection to it, opened again by itself whenever it is lost; until then every call says `Closed` at once."""

import asyncio
import contextlib
import random
import ssl
from typing import Any, Final, NamedTuple, Self

from redis.asyncio.connection import SSLConnection, parse_url

from checkout_core.errors import Unavailable
from checkout_core.resp import IN_FLIGHT_MAX, TIMEOUT_S, Closed, Link, Refused
from checkout_core.watched import link_class

CONNECT_TIMEOUT_S: Final = 2.0
PAUSE_S: Final = (0.02, 1.0)  # between attempts to connect: doubled from the first to the last, with jitter
LOOK_S: Final = 1.0  # how often an open link asks whether its server is still the same primary


class Address(NamedTuple):
    host: str = "localhost"
    port: int = 6379
    path: str = ""  # of a unix socket, instead
    db: int = 0
    username: str = ""
    password: str = ""
    tls: bool = False
    ca_certs: str = ""

    @classmethod
    def of(cls, url: str) -> Self:
        """From `redis://`, `rediss://` or `unix://`. Raises `ValueError`."""
        parsed: dict[str, Any] = dict(parse_url(url))
        tls = parsed.pop("connection_class", None) is SSLConnection
        named = {name: parsed[name] for name in ("host", "port", "path", "db", "username", "password") if name in parsed}
        return cls(**named, tls=tls, ca_certs=parsed.get("ssl_ca_certs", ""))


async def connect(address: Address, *, timeout_s: float = TIMEOUT_S, in_flight_max: int = IN_FLIGHT_MAX) -> Link:
    """An open link that knows its server's ident. Raises `OSError`, `TimeoutError`, `Refused` or `Unavailable`."""
    loop = asyncio.get_running_loop()
    link = link_class()(timeout_s=timeout_s, in_flight_max=in_flight_max)
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        if address.path:
            await loop.create_unix_connection(lambda: link, address.path)
        else:
            context = ssl.create_default_context(cafile=address.ca_certs or None) if address.tls else None
            await loop.create_connection(lambda: link, address.host, address.port, ssl=context)
        try:
            if address.password:
                await link.call("AUTH", *filter(None, (address.username, address.password)))
            if address.db:
                await link.call("SELECT", address.db)
            about: dict[str, str] = {}
            for section in ("server", "replication", "cluster"):
                about |= await _info(link, section)
            link.ident = f"{about['run_id']}:{about['master_replid']}"
            link.in_cluster = about.get("cluster_enabled") == "1"
        except BaseException:
            link.drop("it could not be opened")
            raise
    return link


async def _info(link: Link, section: str) -> dict[str, str]:
    text: bytes = await link.call("INFO", section)
    return dict(line.partition(":")[::2] for line in text.decode().splitlines() if ":" in line)


class Node:
    """One server, and the link to it while there is one. `changed` is set whenever a link was lost or could not be opened."""

    def __init__(
        self, address: Address, changed: asyncio.Event, *, timeout_s: float = TIMEOUT_S, in_flight_max: int = IN_FLIGHT_MAX
    ) -> None:
        self.address = address
        self.problem = ""  # why there was none, last time
        self._changed = changed
        self._timeout_s = timeout_s
        self._in_flight_max = in_flight_max
        self._link: Link | None = None
        self._opened = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._keep(), name=f"link to {address.path or address.host}")

    @property
    def link(self) -> Link:
        """Raises `Closed` while there is none."""
        if self._link is None or not self._link.is_open:
            raise Closed("The gate is closed for a moment. Nothing was reserved; ask again.")
        return self._link

    async def ready(self, timeout_s: float = CONNECT_TIMEOUT_S) -> Link:
        """The link, waiting for it. Raises `Closed` after `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._link is None or not self._link.is_open:
                    self._opened.clear()
                    await self._opened.wait()
        return self.link

    async def aclose(self) -> None:
        """Take no more calls; what is unanswered is unknown."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        pause_s = PAUSE_S[0]
        while True:
            try:
                link = self._link = await connect(self.address, timeout_s=self._timeout_s, in_flight_max=self._in_flight_max)
            except Exception as error:  # whatever it was, this task must live to try again
                self.problem = str(error) or type(error).__name__
            else:
                self._opened.set()
                pause_s = PAUSE_S[0]
                try:
                    self.problem = await self._watch(link)
                finally:
                    link.drop("this process is shutting down")
            self._changed.set()
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311 - jitter
            pause_s = min(2 * pause_s, PAUSE_S[1])

    async def _watch(self, link: Link) -> str:
        """Until the link is lost: a demoted and promoted server keeps its connections, but has another ident."""
        while True:
            await asyncio.wait([link.lost], timeout=LOOK_S)
            if link.lost.done():
                return link.lost.result()
            with contextlib.suppress(Unavailable, Refused):
                replid = (await _info(link, "replication")).get("master_replid")
                if not link.ident.endswith(f":{replid}"):
                    link.leave("the server has another ident now")
