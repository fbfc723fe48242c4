"""One run of the checker: open the snapshot, read the books around it, look into every promise, report."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from checkout_core.config import Settings
from tenants.db import Connection, dsn_for

# Imported for what they register.
from tenants.invariants import coupons, crypto, duties, gates, money, orders, points, protocol, provider, record, stock, tenancy  # noqa: F401
from tenants.invariants import history as histories
from tenants.invariants.books import Books, NoBooks, fetch
from tenants.invariants.look import Look, Options, Store
from tenants.invariants.registry import CHECKS, PROMISES
from tenants.invariants.report import Report, Verdict
from tenants.invariants.rest import wait_for_rest

STATEMENT_TIMEOUT_MS = 10 * 60_000
WORK_MEM = "128MB"  # a million units are joined in memory


async def check(settings: Settings, options: Options) -> Report:
    """Look into every promise. Raises `CONNECTION_LOST` errors when Postgres is away, `BadHistory` and `OSError` for the history file."""
    history = histories.read(Path(options.history)) if options.history else None
    notes: list[str] = []
    conn = await asyncpg.connect(dsn_for(settings, "tessera_migrator"), timeout=10, server_settings={"application_name": "tessera-check"})
    try:
        store = Store(conn=conn, settings=settings, options=options, history=history)
        if options.wait_s:
            notes += await wait_for_rest(conn, settings, options, lambda: _books(store))
        start = time.perf_counter()
        store.books_before = await _books(store, asked=True)
        async with snapshot(conn):
            store.books_after = await _books(store) if store.books_before else None
            return await look_into_everything(store, start, notes)
    finally:
        await conn.close()


@asynccontextmanager
async def snapshot(conn: Connection) -> AsyncIterator[None]:
    """All that is read within is as of one instant, and nothing can be written."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await prepare(conn)
        await conn.execute("SELECT 1 FROM tenant LIMIT 1")  # the snapshot is taken by the first statement that reads
        yield


async def prepare(conn: Connection) -> None:
    """Settings for reading whole tables, for this transaction: these are joined by hash, and only stale statistics say otherwise."""
    await conn.execute(
        f"""SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS};
            SET LOCAL idle_in_transaction_session_timeout = 0;
            SET LOCAL work_mem = '{WORK_MEM}';
            SET LOCAL jit = off;
            SET LOCAL enable_nestloop = off"""
    )


async def look_into_everything(store: Store, start: float | None = None, notes: list[str] | None = None) -> Report:
    """Every promise in order, inside the caller's transaction."""
    start = time.perf_counter() if start is None else start
    verdicts = []
    for name, promise in PROMISES.items():
        look = Look(store)
        for prove in CHECKS[name]:
            await prove(look)
        verdicts.append(Verdict(name, promise, look.claims))
    return Report(
        taken_at=await store.conn.fetchval("SELECT now()"),
        at_rest=store.options.at_rest,
        seconds=time.perf_counter() - start,
        verdicts=verdicts,
        failures=store.failures,
        notes=notes or [],
    )


async def _books(store: Store, *, asked: bool = False) -> Books | None:
    """The provider's books as they are now, None when there are none to read; `asked` notes the failure of a provider that was named."""
    if not store.options.provider_url:
        return None
    if not store.options.provider_token:
        store.why_no_books = "the sandbox provider's admin token was not given"
        return None
    try:
        return await fetch(store.options.provider_url, store.options.provider_token)
    except NoBooks as error:
        store.why_no_books = str(error)
        if asked:
            store.failures.append(f"the provider's books: {error}")
        return None


def check_now(settings: Settings, options: Options) -> Report:
    """The same from code that has no loop running."""
    return asyncio.run(check(settings, options))
