"""One transaction, one tenant: the unit of work that every tenant module receives and none commits."""

import datetime as dt
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.config import Settings
from checkout_core.errors import Unavailable
from checkout_core.ids import new_id
from checkout_core.secrets import derive
from tenants import watched

Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
Pool: TypeAlias = asyncpg.Pool

ROLES = ("tessera_migrator", "tessera_app", "tessera_sweeper", "tessera_platform", "tessera_retention")
LOCK_TIMEOUT_MS = 3_000
STATEMENT_TIMEOUT_MS = 10_000
IDLE_IN_TRANSACTION_MS = 4_000  # so long a process that was cut off, or stands still, may hold the row of a sale
# Neither of these ends a session whose process stood still between two words of a statement, asyncpg's Parse and Bind: it is not idle, and
# runs nothing. One was seen to hold a sale's row for 307 s. Postgres 17 and newer.
TRANSACTION_TIMEOUT_MS = 12_000
# Beyond every id and every moment: where a list begins.
# (`$2 IS NULL OR id < $2` is no bound of an index: each page would read all pages before it.)
NEWEST, OLDEST = UUID(int=(1 << 128) - 1), UUID(int=0)
LATEST, EARLIEST = dt.datetime(9999, 1, 1, tzinfo=dt.UTC), dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# How every session plans.
PLANNING = {
    "plan_cache_mode": "force_generic_plan",  # arrays of ids: a custom plan each time costs more than it finds
    # A plan made while a table was small is kept until somebody analyzes it: it must be the one that is right when it is large.
    # Selling 20,000 units right after the schema was made cost Postgres 694 µs an order with sequential scans allowed.
    "enable_seqscan": "off",
    # Without statistics a bitmap looks cheap, and the next units of a sale are found by sorting all it has: of 500,000 in 190 ms,
    # not in 0.2.
    "enable_bitmapscan": "off",
}
# InternalClientError is what asyncpg says when the server went away in the middle of a word of its protocol.
CONNECTION_LOST = (
    asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.OperatorInterventionError,
    OSError, TimeoutError,
)  # fmt: skip

_encode = msgspec.json.Encoder().encode


class TenantTx(msgspec.Struct, frozen=True):
    conn: Any  # a Connection; msgspec, which hands this struct to handlers, knows no union of foreign classes
    tenant_id: UUID

    async def emit(self, topic: str, event: Any) -> None:
        """Record an event for the workers; it leaves with the commit or not at all."""
        await self.conn.execute(
            "INSERT INTO outbox (tenant_id, id, topic, payload) VALUES ($1, $2, $3, $4)",
            self.tenant_id, new_id(), topic, _encode(event).decode(),
        )  # fmt: skip

    async def audit(self, actor: str, action: str, subject: str, **detail: Any) -> None:
        """Record who did what to what, in the same transaction as the deed. `detail` holds ids and figures, never a shopper's contact.

        The entry is linked into the tenant's chain after the commit (`tenants.audit.chain`): the deed waits for no lock.
        """
        await self.conn.execute(
            """WITH entry AS (INSERT INTO audit (tenant_id, id, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6))
               INSERT INTO audit_unlinked (tenant_id, id) VALUES ($1, $2)""",
            self.tenant_id, new_id(), actor, action, subject, _encode(detail).decode(),
        )  # fmt: skip

    async def unhurried(self) -> None:
        """Of many steps that are bounded each: the whole may last from here on."""
        if _bounds_transactions(self.conn):
            await self.conn.execute("SELECT set_config('transaction_timeout', '0', true)")

    async def in_line(self) -> None:
        """Whoever adds to what a store has few of waits here for the one before: what is counted now is still so at the commit."""
        await self.conn.execute("SELECT 1 FROM store WHERE tenant_id = $1 FOR NO KEY UPDATE", self.tenant_id)


def role_password(settings: Settings, role: str) -> str:
    return hmac.digest(derive(settings.secret, "postgres-roles"), role.encode(), "sha256").hex()


def dsn_for(settings: Settings, role: str) -> str:
    """The address of the same database for one of our `ROLES`; `DATABASE_URL` itself is the administrator's."""
    url = urlsplit(settings.database_url)
    query = [(k, v) for k, v in parse_qsl(url.query) if k not in ("user", "password")]
    host = url.netloc.rpartition("@")[2]
    return urlunsplit((url.scheme, f"{role}:{role_password(settings, role)}@{host}", url.path, urlencode(query), ""))


async def create_pool(
    dsn: str,
    *,
    size: int = 8,
    name: str = "tessera",
    statement_cache_size: int = 200,
    warm: Callable[[Connection], Awaitable[None]] | None = None,
) -> Pool:
    """A pool whose sessions never wait for ever. Behind pgbouncer give `statement_cache_size=0`.

    With `warm` all sessions are opened at once and stay, and each begins with that: nobody waits for the first of anything.
    """

    async def begin(conn: Connection) -> None:
        if _bounds_transactions(conn):
            await conn.execute(f"SELECT set_config('transaction_timeout', '{TRANSACTION_TIMEOUT_MS}', false)")
        if warm is not None:
            await warm(conn)

    return await asyncpg.create_pool(
        dsn,
        min_size=size if warm else 1,
        max_size=size,
        init=begin,
        timeout=5,
        command_timeout=STATEMENT_TIMEOUT_MS / 1000 + 2,
        max_inactive_connection_lifetime=0 if warm else 300,
        connection_class=watched.connection_class(),
        reset=_leave_as_it_is,
        statement_cache_size=statement_cache_size,
        # asyncpg would prepare each anew after five minutes, and Postgres plan it: a search by words took 5.9 ms the first time and 0.9 the
        # second (medians of seven sessions, no data).
        max_cached_statement_lifetime=0,
        server_settings={
            "application_name": name,
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
            # A session may be idle for hours: no box on the way shall forget it. Over a Unix socket these say nothing.
            "tcp_keepalives_idle": "60",
            "tcp_keepalives_interval": "10",
            **PLANNING,
        },
    )


def _bounds_transactions(conn: Connection) -> bool:
    """Whether this Postgres has `transaction_timeout`; an older one refuses the very name."""
    return bool(conn.get_server_version() >= (17,))


async def _leave_as_it_is(conn: Connection) -> None:
    """Nothing is to be reset: settings are made for a transaction (`set_config(…, true)`) or for the session at its start, never between.

    asyncpg's own reset would be one more round trip for each transaction. A transaction that was left open the pool ends in any case.
    A test of the house holds that no statement is a bare SET.
    """


@asynccontextmanager
async def tenant_tx(source: Pool | Connection, tenant_id: UUID) -> AsyncIterator[TenantTx]:
    """A transaction in which only rows of `tenant_id` exist. On a connection that is in a transaction already it is a savepoint.

    Raises `Unavailable` when Postgres is away or went away: what was asked may or may not have been committed; asking again is safe.
    """
    # Row-level security reads this; a query that forgets its tenant finds nothing.
    seen = f"SELECT set_config('app.tenant_id', '{tenant_id.hex}', true)"
    try:
        async with _acquired(source) as conn:
            if source is conn and conn.is_in_transaction():
                async with conn.transaction():
                    await conn.execute(seen)
                    yield TenantTx(conn, tenant_id)
                return
            try:
                # In one round trip, and without asyncpg's own bookkeeping: 115 µs of this process for begin and commit, not 353.
                await conn.execute(f"BEGIN; {seen}")
                yield TenantTx(conn, tenant_id)
            except BaseException as error:
                if isinstance(error, TimeoutError):
                    conn.terminate()  # Postgres does not answer: to ask for a rollback too would be to wait as long again
                if not conn.is_closed():
                    await conn.execute("ROLLBACK")
                raise
            await conn.execute("COMMIT")
    except CONNECTION_LOST as error:
        if _is_ours(error):
            raise
        raise Unavailable("The database is away for a moment. Ask the same again; nothing happens twice.") from error


async def by_itself(source: Pool | Connection, sql: str, *args: Any) -> Any:
    """The one row of a statement that names its tenant itself, in one round trip: a transaction of its own, or a part of a connection's.

    Raises as `tenant_tx`: what was asked may or may not have been committed.
    """
    try:
        async with _acquired(source) as conn:
            try:
                return await conn.fetchrow(sql, *args)
            except TimeoutError:
                conn.terminate()
                raise
    except CONNECTION_LOST as error:
        if _is_ours(error):
            raise
        raise Unavailable("The database is away for a moment. Ask the same again; nothing happens twice.") from error


@asynccontextmanager
async def platform_tx(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction on the platform's own tables; `pool` belongs to the role tessera_platform."""
    try:
        async with pool.acquire(timeout=5) as conn, conn.transaction():
            yield conn
    except CONNECTION_LOST as error:
        if _is_ours(error):
            raise
        raise Unavailable("The database is away for a moment. Ask the same again.") from error


def _is_ours(error: BaseException) -> bool:
    """Whether asyncpg complains of what we asked it: a value of the wrong type, too few of them. To try that again would be for ever."""
    return isinstance(error, asyncpg.InterfaceError) and (isinstance(error, ValueError) or "expects" in str(error))


@asynccontextmanager
async def _acquired(source: Pool | Connection) -> AsyncIterator[Connection]:
    if isinstance(source, asyncpg.Pool):
        async with source.acquire(timeout=5) as conn:
            yield conn
    else:
        yield source
