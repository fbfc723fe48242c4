"""The unit of work: what a lost connection is, and what is our own mistake."""

import asyncio
import contextlib
import time
from uuid import uuid4

import asyncpg
import pytest

from api.process import Process
from checkout_core.errors import Unavailable
from checkout_core.ids import decode
from tenants import sales
from tenants.db import TRANSACTION_TIMEOUT_MS, Pool, dsn_for, tenant_tx
from tenants.units import issue
from tessera.embedded import Servers
from tests.drills.proxy import BLACK_HOLE, PASS, Proxy
from tests.shop import Store


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

    @pytest.mark.parametrize("bounded", [True, False], ids=["bounded", "without the bound"])
    async def test_who_stands_still_between_two_words_holds_nothing_for_long(self, process: Process, bounded: bool) -> None:
        """After a Parse without a Sync a session is neither idle nor at work: no other bound ends it."""
        async with tenant_tx(process.app_pool, uuid4()) as watch:
            assert await watch.conn.fetchval("SHOW transaction_timeout") == f"{TRANSACTION_TIMEOUT_MS // 1000}s"
            conn = await asyncpg.connect(dsn_for(process.settings, "tessera_app"))
            pid = conn.get_server_pid()
            bounds = ["idle_in_transaction_session_timeout", "statement_timeout", *(["transaction_timeout"] if bounded else [])]
            for bound in bounds:
                await conn.execute(f"SELECT set_config('{bound}', '300ms', false)")
            await conn.execute("BEGIN")
            parse = b"\0SELECT 1\0" + bytes(2)
            conn._transport.write(b"P" + (len(parse) + 4).to_bytes(4) + parse)
            await asyncio.sleep(1.0)
            alive = await watch.conn.fetchval("SELECT count(*) FROM pg_stat_get_activity($1) WHERE pid IS NOT NULL", pid)
            conn.terminate()
        assert alive == (0 if bounded else 1)

    async def test_what_takes_many_steps_has_no_bound(self, acme: Store, process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
        """A million units are allotted in fifty steps of 0.2 s, and come back in as many."""
        for module in (issue, sales):
            monkeypatch.setattr(module, "CHUNK", 2)
        sku_id = decode("sku", await acme.sku(6))
        rest = {"limit_per_shopper": 0, "price_minor": None, "starts_at": None, "ends_at": None, "hold_s": 900, "actor": "test"}
        bound = f"{TRANSACTION_TIMEOUT_MS // 1000}s"
        for units, left in ((1, bound), (5, "0")):
            async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
                sale = await sales.create(tx, sku_id=sku_id, name="Launch", units=units, **rest)  # type: ignore[arg-type]
                assert await tx.conn.fetchval("SHOW transaction_timeout") == left
            async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
                assert await tx.conn.fetchval("SHOW transaction_timeout") == bound, "it ends with the transaction"
                await sales.end(tx, sale.id, actor="test")
                assert await tx.conn.fetchval("SHOW transaction_timeout") == left

    async def test_the_tenant_ends_with_the_transaction(self, process: Process) -> None:
        tenant = uuid4()
        async with process.app_pool.acquire() as conn:
            async with tenant_tx(conn, tenant):
                assert await conn.fetchval("SELECT current_setting('app.tenant_id')::uuid") == tenant
            assert await conn.fetchval("SELECT current_setting('app.tenant_id', true)") in (None, "")

    async def test_in_line_one_comes_after_the_other(self, acme: Store) -> None:
        """Who counts before he adds waits for who counted first: two at once are not one too many."""
        pool, second_is_in = acme.process.app_pool, asyncio.Event()

        async def second() -> None:
            async with tenant_tx(pool, acme.tenant_id) as tx:
                await tx.in_line()
                second_is_in.set()

        async with tenant_tx(pool, acme.tenant_id) as tx:
            await tx.in_line()
            task = asyncio.create_task(second())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(second_is_in.wait(), 0.1)
        await task
        assert second_is_in.is_set()

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
