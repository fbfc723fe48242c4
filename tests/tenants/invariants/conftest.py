"""A database for each test, copied from one healthy store, and the provider's books over real HTTP."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec
import pytest
from redis.asyncio import Redis

from checkout_core import keys
from checkout_core.admission import Count, Gatekeeper
from checkout_core.config import Settings
from checkout_core.intents import SaleKey
from checkout_core.partitions import Partitions
from tenants.invariants import run
from tenants.invariants.look import Options, Store
from tenants.invariants.report import Report, Status
from tenants.migrate import migrate
from tessera.embedded import Servers
from tests.tenants.invariants.healthy import MCH_ID, Healthy, build

TOKEN = "books-token"
STATEMENTS = 1_000  # more than a check asks
RULES = {"unit": "unit_slot", "points_entry": "points_entry_once"}  # what an index holds and no constraint
_number = count()


def database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@dataclass
class Template:
    settings: Settings
    store: Healthy


@pytest.fixture(scope="session")
async def template(servers: Servers) -> Template:
    """The healthy store, in a database that nobody is connected to afterwards."""
    name = f"checker_{os.getpid()}"
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    settings = Settings(
        database_url=database(servers.database_url, name), redis_url=servers.redis_url, arq_redis_url=servers.arq_redis_url,
        secret=bytes(range(32)), environment="test",
    )  # fmt: skip
    await migrate(settings)
    conn = await asyncpg.connect(settings.database_url)
    try:
        store = await build(conn, settings.secret)
    finally:
        await conn.close()
    return Template(settings, store)


class Bench:
    """One store of its own to break and check. Connected as the superuser, whom nothing restrains."""

    def __init__(self, settings: Settings, conn: asyncpg.Connection, store: Healthy, options: Options) -> None:
        self.settings, self.conn, self.store, self.options = settings, conn, store, options

    async def execute(self, *statements: str) -> None:
        for statement in statements:
            await self.conn.execute(self.store.sql(statement))

    async def loosen(self, *tables: str) -> None:
        """Take away the constraints that would forbid what is about to be done."""
        for table in tables:
            sql = """SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('c', 'f', 'p', 'u')"""
            for (name,) in await self.conn.fetch(sql, table):
                await self.conn.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name} CASCADE")
        for index in (name for table, name in RULES.items() if table in tables):
            await self.conn.execute(f"DROP INDEX {index}")

    async def check(self, **options: Any) -> Report:
        return await run.check(self.settings, msgspec.structs.replace(self.options, **options))

    @property
    def flash(self) -> SaleKey:
        return SaleKey(self.store.ids["tenant"], self.store.ids["flash"])


@asynccontextmanager
async def copied(template: Template) -> AsyncIterator[Settings]:
    """A copy of the healthy store in a database of its own, gone afterwards."""
    healthy = urlsplit(template.settings.database_url).path[1:]
    name = f"{healthy}_{next(_number)}"
    admin = await asyncpg.connect(database(template.settings.database_url, "postgres"))
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {healthy}")
        yield msgspec.structs.replace(template.settings, database_url=database(template.settings.database_url, name))
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def bench(template: Template) -> AsyncIterator[Bench]:
    store = replace(template.store, ids=dict(template.store.ids), books=json.loads(json.dumps(template.store.books)))
    async with copied(template) as settings:
        conn = await asyncpg.connect(settings.database_url)
        bench = Bench(settings, conn, store, Options())
        try:
            async with gates(bench):
                yield bench
        finally:
            await conn.close()


class Undone(Bench):
    """Breaks and checks in one transaction that is never committed: nothing has to be copied first.

    A check that looks a second time over a connection of its own sees the healthy store: what only such a look finds needs a `Bench`."""

    async def check(self, **options: Any) -> Report:
        options = msgspec.structs.replace(self.options, **options)
        await self.conn.execute("SET LOCAL ROLE tessera_migrator")
        await run.prepare(self.conn)
        return await run.look_into_everything(Store(conn=self.conn, settings=self.settings, options=options))


class Kept(NamedTuple):
    settings: Settings
    conn: asyncpg.Connection


@pytest.fixture(scope="session")
async def kept(template: Template) -> AsyncIterator[Kept]:
    """A connection that has seen the tables and the statements before; to a copy, since of a template with somebody in it none is made."""
    async with copied(template) as settings:
        conn = await asyncpg.connect(settings.database_url, statement_cache_size=STATEMENTS, max_cached_statement_lifetime=0)
        yield Kept(settings, conn)
        await conn.close()


@pytest.fixture
async def undone(template: Template, kept: Kept) -> AsyncIterator[Undone]:
    transaction = kept.conn.transaction()
    await transaction.start()
    bench = Undone(kept.settings, kept.conn, template.store, Options())
    try:
        async with gates(bench):
            yield bench
    finally:
        await transaction.rollback()


@asynccontextmanager
async def gates(bench: Bench) -> AsyncIterator[None]:
    """The gates of the flash sales that run are loaded as the rows say, for as long as the block."""
    sql = """SELECT tenant_id, id, state, epoch, allotted - committed, give_seq, limit_per_shopper,
                    ARRAY (SELECT shopper_id FROM unit WHERE unit.tenant_id = sale.tenant_id AND sale_id = sale.id AND state = 'held')
             FROM sale WHERE door = 'gate'"""
    names = []
    async with Partitions(bench.settings.redis_url) as partitions, Redis.from_url(bench.settings.redis_url) as redis:
        for tenant_id, sale_id, state, epoch, left, given, limit, shoppers in await bench.conn.fetch(sql):
            sale = SaleKey(tenant_id, sale_id)
            names += keys.of(sale)[1:]
            if state != "ended":
                counted = Count(epoch=epoch, state=state, avail=left, limit=limit, given=given)
                await Gatekeeper(partitions).load(sale, counted, [(shopper, 1) for shopper in shoppers])
        try:
            yield
        finally:
            await redis.delete(*names)


@pytest.fixture
async def books(bench: Bench) -> AsyncIterator[dict[str, Any]]:
    """The provider's books as they go with the healthy store; what a test changes in them is what the checker is told."""
    served: dict[str, Any] = {"merchants": {MCH_ID: bench.store.books}, "self_check": []}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        allowed = f"bearer {TOKEN}".encode() in head.lower()
        body = json.dumps(served).encode() if allowed else b"{}"
        status = b"200 OK" if allowed else b"401 Unauthorized"
        writer.write(b"HTTP/1.1 %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (status, len(body), body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bench.options = msgspec.structs.replace(bench.options, provider_url=f"http://127.0.0.1:{port}", provider_token=TOKEN)
    yield served
    server.close()
    await server.wait_closed()


def violated(report: Report) -> set[str]:
    return {verdict.name for verdict in report.verdicts if verdict.status is Status.VIOLATED}


def rows(report: Report, name: str) -> str:
    """The offending rows of one promise, as the reader of the report sees them."""
    claims = next(verdict.claims for verdict in report.verdicts if verdict.name == name)
    return json.dumps([row for claim in claims for row in claim.rows])
