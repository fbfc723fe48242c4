"""A shop whose processes reach what they depend on through proxies: one for each kind of process and each dependency."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import product
from typing import Any, Literal, get_args
from weakref import WeakKeyDictionary

from tessera.processes import HOST
from tessera.shop import Shop
from tests.drills.commits import Cutter
from tests.drills.drill import Stage, open_shop
from tests.drills.proxy import PASS, Proxy, Upstream

Kind = Literal["api", "worker"]
Dependency = Literal["postgres", "valkey", "provider"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DEPENDENCIES: tuple[Dependency, ...] = get_args(Dependency)


class Lines:
    """The proxies. `cutter` sees all that is said to Postgres, and cuts nothing until it is told to."""

    def __init__(self, cutter: Cutter) -> None:
        self.cutter = cutter
        self.shop: Shop | None = None
        self.proxies = {
            (kind, dependency): Proxy(partial(self._upstream, dependency), cutter.sight if dependency == "postgres" else None)
            for kind, dependency in product(KINDS, DEPENDENCIES)
        }

    def between(self, kind: Kind | None = None, dependency: Dependency | None = None) -> Iterator[Proxy]:
        """Those of a kind of process, of a dependency, of both."""
        return (proxy for (k, d), proxy in self.proxies.items() if kind in (None, k) and dependency in (None, d))

    def heal(self) -> None:
        for proxy in self.between():
            proxy.up = proxy.down = PASS

    def environ(self, kind: str) -> dict[str, str]:
        """The dependencies' addresses for one kind of process."""
        port = {dependency: proxy.port for (k, dependency), proxy in self.proxies.items() if k == kind}
        return {
            "DATABASE_URL": f"postgresql://postgres@{HOST}:{port['postgres']}/postgres?sslmode=disable",
            "REDIS_URL": f"redis://{HOST}:{port['valkey']}/0",
            "ARQ_REDIS_URL": f"redis://{HOST}:{port['valkey']}/1",
            "TESSERA_PROVIDER_URL": f"http://{HOST}:{port['provider']}",
        }

    def _upstream(self, to: Dependency) -> Upstream:
        if self.shop is None:
            raise OSError("nobody is there yet")
        if to == "provider":
            return HOST, self.shop.provider_port
        if to == "postgres":
            return f"{self.shop.servers.database_url.partition('host=')[2]}/.s.PGSQL.5432"
        return self.shop.servers.redis_url.removeprefix("unix://").partition("?")[0]


class LinedShop(Shop):
    """Only what its processes ask goes through the lines; checker, clients and provider are not held up."""

    def __init__(self, *args: Any, lines: Lines, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lines = lines
        lines.shop = self

    def environ_of(self, kind: str) -> Mapping[str, str]:
        return self._lines.environ(kind)


@asynccontextmanager
async def open_lines(cutter: Cutter, *, apis: int = 3, **environ: Any) -> AsyncIterator[tuple[LinedShop, Lines]]:
    async with AsyncExitStack() as stack:
        lines = Lines(cutter)
        for proxy in lines.between():
            await stack.enter_async_context(proxy)
        opened = open_shop(apis=apis, make=lambda *args, **options: LinedShop(*args, lines=lines, **options), **environ)
        shop = await asyncio.to_thread(opened.__enter__)  # the proxies serve it meanwhile
        stack.push_async_callback(asyncio.to_thread, opened.__exit__, None, None, None)
        assert isinstance(shop, LinedShop)
        yield shop, lines


async def lined_shop(stage: Stage, cutter: Callable[[], Cutter] = Cutter) -> tuple[LinedShop, Lines]:
    """One for all drills of a stage."""
    if stage not in _opened:
        _opened[stage] = await stage.stack.enter_async_context(open_lines(cutter()))
    return _opened[stage]


_opened: WeakKeyDictionary[Stage, tuple[LinedShop, Lines]] = WeakKeyDictionary()
