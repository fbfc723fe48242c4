"""Migrations: numbered SQL files, each run once, in order, by one process at a time.

The rules are in docs/migrations.md: expand first, contract releases later; a file once run never changes (its checksum is kept).
A file whose first line is `-- no-transaction` runs statement by statement outside a transaction (for CREATE INDEX CONCURRENTLY).
"""

import asyncio
import logging
import random
import re
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

import asyncpg

from checkout_core.config import Settings
from tenants.db import ROLES, dsn_for, role_password

LOCK_ID = 0x7E55E7A  # any constant of our own: whoever holds this advisory lock migrates, the others wait
LOCK_TIMEOUT_MS = 5_000  # a migration that cannot get its table lock gives way to the shop instead of queueing in front of it
STATEMENT_TIMEOUT_MS = 15 * 60_000
ASK_AGAIN_S = 0.1
TRIES = 20
# "Tuple concurrently updated" has no class of its own; a role made twice at once breaks the catalogue's index.
_MET = (asyncpg.InternalServerError, asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError)

log = logging.getLogger(__name__)


class Migration(NamedTuple):
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()

    @property
    def in_transaction(self) -> bool:
        return not self.sql.startswith("-- no-transaction")

    def statements(self) -> list[str]:
        """The file cut at the semicolons that end a line, but for those in the body of a function (`$$ … $$`)."""
        parts = re.findall(r"(?:\$\$.*?\$\$|[^;]|;(?![ \t]*(?:--[^\n]*)?$))+", self.sql, flags=re.MULTILINE | re.DOTALL)
        bare = (re.sub(r"^\s*--.*$", "", part, flags=re.MULTILINE).strip() for part in parts)
        return [part for part in bare if part]


class MigrationChanged(Exception):
    """A file that was run before has another content now."""


def ours() -> list[Migration]:
    folder = files("tenants").joinpath("migrations")
    return sorted(Migration(f.name, f.read_text()) for f in folder.iterdir() if f.name.endswith(".sql"))


async def migrate(settings: Settings) -> list[str]:
    """Bring the database up to date; the names of the files that were run. Safe to call from many processes at once."""
    await bootstrap(settings)
    return await run(dsn_for(settings, "tessera_migrator"), ours())


async def bootstrap(settings: Settings) -> None:
    """Create the roles, as the administrator of `DATABASE_URL`.

    The migrator bypasses row-level security: under FORCE, a plain owner's backfill silently updates nothing. The others own nothing.
    """
    admin = await asyncpg.connect(settings.database_url, timeout=10)
    try:
        await _alone(admin)
        for tries_left in reversed(range(TRIES)):
            try:
                await _make_roles(admin, settings)
                return
            except _MET as error:
                # Roles are the cluster's, and the lock this database's: somebody migrates another database of it just now.
                if not tries_left:
                    raise
                log.info("roles are made again: %s", error)
                await asyncio.sleep(random.uniform(0.5, 1.5) * ASK_AGAIN_S)  # noqa: S311  it only spreads them
    finally:
        await admin.close()


async def _make_roles(admin: asyncpg.Connection, settings: Settings) -> None:
    async with admin.transaction():
        for role in ROLES:
            if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                await admin.execute(f"CREATE ROLE {role} LOGIN")
            bypass = "BYPASSRLS" if role == "tessera_migrator" else "NOBYPASSRLS"
            # The password is hex of our own making: nothing to quote.
            await admin.execute(f"ALTER ROLE {role} {bypass} PASSWORD '{role_password(settings, role)}'")
        await admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        await admin.execute(f"GRANT USAGE ON SCHEMA public TO {', '.join(ROLES)}")
        await admin.execute("GRANT CREATE ON SCHEMA public TO tessera_migrator")


async def run(dsn: str, migrations: Iterable[Migration]) -> list[str]:
    """Run what has not been run yet. Raises `MigrationChanged` before anything is touched if a file was edited after it ran."""
    conn = await asyncpg.connect(dsn, timeout=10)
    try:
        await _alone(conn)
        await conn.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
        await conn.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
        await conn.execute(
            """CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, checksum text NOT NULL,
                                                    run_at timestamptz NOT NULL DEFAULT now())"""
        )
        done = {row["name"]: row["checksum"] for row in await conn.fetch("SELECT name, checksum FROM migration")}
        todo = list(migrations)
        for m in todo:
            if done.get(m.name, m.checksum) != m.checksum:
                raise MigrationChanged(f"{m.name} has run with another content. Restore it, and put the change into a new file.")
        todo = [m for m in todo if m.name not in done]
        for m in todo:
            if m.in_transaction:
                async with conn.transaction():
                    await _apply(conn, m)
            else:
                await _apply(conn, m)
        if todo:
            await _let_go(conn)
        return [m.name for m in todo]
    finally:
        await conn.close()


async def _let_go(conn: asyncpg.Connection) -> None:
    """Let tessera_retention delete the rows of stores that have left, in every table of tenants, also one that is new."""
    if not await conn.fetchval("SELECT to_regclass('off_boarding') IS NOT NULL"):
        return
    sql = """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relforcerowsecurity
               AND NOT EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = c.oid AND polname = 'left_for_good')"""
    for (table,) in await conn.fetch(sql):
        await conn.execute(f"GRANT SELECT, DELETE ON {table} TO tessera_retention")
        left = "tenant_id IN (SELECT o.tenant_id FROM off_boarding o WHERE o.state = 'deleting' AND o.delete_at <= now())"
        await conn.execute(f"CREATE POLICY left_for_good ON {table} TO tessera_retention USING ({left}) WITH CHECK (false)")


async def _alone(conn: asyncpg.Connection) -> None:
    """Return when nobody else migrates, and keep others away until the connection closes.

    It asks again and again: a statement that waited for the lock would be waited for by `CREATE INDEX CONCURRENTLY` of who holds it.
    """
    while not await conn.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_ID):  # noqa: ASYNC110  Postgres tells nobody who does not wait
        await asyncio.sleep(ASK_AGAIN_S)


async def _apply(conn: asyncpg.Connection, migration: Migration) -> None:
    for statement in migration.statements():
        await conn.execute(statement)
    await conn.execute("INSERT INTO migration (name, checksum) VALUES ($1, $2)", migration.name, migration.checksum)
