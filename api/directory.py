"""Which store a request is for: by its host, or on the platform's own host by the header X-Tessera-Store."""

import datetime as dt
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec
from litestar.connection import ASGIConnection

from api.memory import Memory
from checkout_core.errors import AppError, BadRequest, Forbidden, NotFound
from tenants import hosts
from tenants.db import Pool

TTL_S = 1.9  # and `hot.STORE_S`: two seconds after a change nobody goes by what was before
STORES_MAX = 20_000
HEADER = "x-tessera-store"
AGAIN_S: Final = (60, 3600)  # after which whoever finds a store closed for a while may look again


class Suspended(Forbidden):
    code = "store_suspended"


class Closed(AppError):
    """The merchant has closed his store for a while. No `Unavailable`: nothing that was asked is under way, and no page presses again."""

    status = 503
    code = "store_closed"


class Store(msgspec.Struct, frozen=True):
    """`host` is the one that links to the store name; `moved` that it was named by an address it has left."""

    tenant_id: UUID
    slug: str
    host: str = ""
    moved: bool = False
    suspended: bool = False
    closed: bool = False
    opens_at: dt.datetime | None = None

    @property
    def sells(self) -> bool:
        return not (self.suspended or self.closed)

    def must_be_open(self) -> None:
        """Raises `Suspended` and `Closed`."""
        self.must_not_be_suspended()
        if self.closed:
            detail = "The merchant has closed this store for a while. Nothing is sold; orders that were placed can be paid and looked up."
            raise Closed(detail, retry_after_s=_again_s(self.opens_at))

    def must_not_be_suspended(self) -> None:
        """What serves those who hold an order asks this much. Raises `Suspended`."""
        if self.suspended:
            raise Suspended("This store is closed by the platform. Orders that are paid are still delivered or refunded; nothing is sold.")


def _again_s(opens_at: dt.datetime | None) -> int:
    shortest, longest = AGAIN_S
    left_s = (opens_at - dt.datetime.now(dt.UTC)).total_seconds() if opens_at is not None else longest / 6
    return int(min(max(left_s, shortest), longest))


class Directory:
    """Answers from memory; a store that is new, moved or gone is noticed within `TTL_S`."""

    def __init__(self, platform: Pool, base_domain: str) -> None:
        def store(home: hosts.Home | None) -> Store | None:
            if home is None:
                return None
            host = home.primary_host or f"{home.slug}.{base_domain}"
            return Store(home.tenant_id, home.slug, host, home.moved, home.suspended, home.closed, home.opens_at)

        async def by_host(host: str) -> Store | None:
            return store(await hosts.by_host(platform, host))

        async def by_slug(slug: str) -> Store | None:
            return store(await hosts.by_slug(platform, slug, base_domain))

        self._by_host = Memory(by_host, ttl_s=TTL_S, size=STORES_MAX)
        self._by_slug = Memory(by_slug, ttl_s=TTL_S, size=STORES_MAX)

        self._base_domain = base_domain

        async def suspended(tenant_id: UUID) -> bool:
            return await hosts.is_suspended(platform, tenant_id)

        self._suspended = Memory(suspended, ttl_s=TTL_S, size=STORES_MAX)

    async def store_of(self, connection: ASGIConnection) -> Store:  # type: ignore[type-arg]
        """The store that the request names. Raises as `find`."""
        slugs = connection.headers.getall(HEADER, [])
        if len(slugs) > 1:
            raise BadRequest("X-Tessera-Store contradicts the host or itself.")
        return await self.find(host_of(connection), slugs[0] if slugs else "")

    async def find(self, host: str, slug: str) -> Store:
        """Raises `NotFound` when neither names a store, `BadRequest` when they name different ones, `Unavailable` while nobody knows."""
        by_host = await self._by_host.get(host) if host else None
        if not slug:
            if by_host is None:
                raise NotFound("No store answers to this host. On the platform's host, name one with X-Tessera-Store.", code="no_store")
            return by_host
        if by_host is not None and by_host.slug == slug:
            return by_host
        store = await self._by_slug.get(slug) if 1 < len(slug) <= 63 else None
        if by_host is not None:
            # By another name of the same store: one that it has left.
            if store is None or store.tenant_id != by_host.tenant_id:
                raise BadRequest("X-Tessera-Store contradicts the host or itself.")
            return by_host
        if store is None:
            raise NotFound("There is no such store.", code="no_store")
        return store

    async def serves(self, host: str) -> bool:
        """Whether a store answers to `host`. Raises as `find`."""
        return await self._by_host.get(host) is not None

    async def is_platform(self, host: str) -> bool:
        """Whether `host` is the platform's own and no store's, not even one's that is gone. Raises as `find`."""
        below = host.endswith(f".{self._base_domain}")
        return host == self._base_domain or not (below or await self.serves(host))

    def knows(self, host: str) -> bool:
        """Whether memory can say so, without a look in Postgres."""
        return self._by_host.knows(host)

    async def may_change(self, tenant_id: UUID, *, at_once: bool = False) -> None:
        """Raises `Suspended` when the tenant's people may only read; `at_once` is by Postgres and not by memory."""
        if at_once:
            self._suspended.forget(tenant_id)
        if await self._suspended.get(tenant_id):
            raise Suspended("The platform has suspended this store. What is there can be read; orders can be refunded and cancelled.")

    def peek(self, host: str, slug: str) -> Store | None:
        """The open store that is named, if memory knows and both names agree; None for everything that `find` must judge."""
        store = self._remembered(host, slug)
        return store if store is not None and store.sells else None

    def _remembered(self, host: str, slug: str) -> Store | None:
        by_host = self._by_host.peek(host) if host else None
        if not slug:
            return by_host
        if by_host is not None:
            return by_host if by_host.slug == slug else None
        # A host that memory does not know may be another store's: only one known to be none leaves the word to the header.
        return self._by_slug.peek(slug) if self._by_host.knows(host) else None


def host_of(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    """The Host header in lower case without its port; empty when it is absent, double or too long to be one."""
    hosts = connection.headers.getall("host", [])
    return host_name(hosts[0]) if len(hosts) == 1 else ""


@lru_cache(maxsize=1024)
def host_name(text: str) -> str:
    """The name in a Host header, as hosts are stored."""
    if len(text) > 255:
        return ""
    name, _, port = text.rpartition(":")
    return (name if name and port.isdigit() else text).lower().rstrip(".")
