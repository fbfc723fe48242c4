"""The unit of work: what a lost connection is, and what is our own mistake."""

import asyncio
import contextlib
import time
from uuid import uuid4

import asyncpg
import pytest

from api.process import Process
from checkout_core.errors import Unavailable
from tenants.db import Pool, tenant_tx
from tessera.embedded import Servers
from tests.drills.proxy import BLACK_HOLE, PASS, Proxy


class TestTenantTx:
    async def test_a_server_that_ends_the_connection_is_away(self, process: Process) -> None:
        with pytest.raises(Unavailable):
            async with tenant_tx(process.app_pool, uuid4()) as tx:
                await tx.conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        async with tenant_tx(process.app_pool, uuid4()) as tx:
            assert await tx.conn.fetchval("SELECT 1") == 1

    @pytest.mark.parametrize("arguments", [(), (1, 2), ("x",), (2**40,)])
    async def test_a_mistake_of_ours_is_not_called_a_lost_connection(self, process: Process, arguments: tuple[object, ...]) -> None:
        with pytest.raises((asyncpg.InterfaceError, asyncpg.DataError)):
            async with tenant_tx(process.app_pool, uuid4()) as tx:
                await tx.conn.fetchval("SELECT $1::integer", *arguments)

    async def test_a_server_that_says_nothing_is_waited_for_once(self, process: Process, servers: Servers) -> None:
        socket = f"{servers.database_url.partition('host=')[2]}/.s.PGSQL.5432"

        async def ask_the_deaf(pool: Pool, proxy: Proxy) -> None:
            async with tenant_tx(pool, uuid4()) as tx:
                proxy.up = proxy.down = BLACK_HOLE
                await tx.conn.execute("SELECT 1")

        async with Proxy(lambda: socket) as proxy:
            dsn = f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres?sslmode=disable"
            async with asyncpg.create_pool(dsn, min_size=1, max_size=1, command_timeout=1.0) as pool:
                began = time.monotonic()
                with pytest.raises(Unavailable):
                    await ask_the_deaf(pool, proxy)
                assert 1.0 <= time.monotonic() - began < 1.8
                proxy.up = proxy.down = PASS
                async with tenant_tx(pool, uuid4()) as tx:
                    assert await tx.conn.fetchval("SELECT 1") == 1

    async def test_the_tenant_ends_with_the_transaction(self, process: Process) -> None:
        tenant = uuid4()
        async with process.app_pool.acquire() as conn:
            async with tenant_tx(conn, tenant):
                assert await conn.fetchval("SELECT current_setting('app.tenant_id')::uuid") == tenant
            assert await conn.fetchval("SELECT current_setting('app.tenant_id', true)") in (None, "")

    async def test_nothing_stays_open_however_it_was_cancelled(self, process: Process) -> None:
        async def work() -> None:
            async with tenant_tx(process.app_pool, uuid4()) as tx:
                await tx.conn.execute("SELECT pg_sleep(0.0005)")

        for turns in range(150):
            task = asyncio.create_task(work())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            async with process.app_pool.acquire() as conn:
                assert not conn.is_in_transaction()
