"""Rules for migrations: those a reader of the files can see, and those only the database can tell."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from checkout_core.config import Settings
from tenants.db import ROLES
from tenants.migrate import bootstrap, migrate, ours
from tessera.embedded import Servers
from tests.house.sources import ROOT

FILES = sorted((ROOT / "tenants" / "migrations").glob("*.sql"))
# Read before a request's tenant is known, by tessera_platform alone. Every other table is a tenant's.
PLATFORM = {
    "tenant", "store_host", "merchant_user", "merchant_session", "merchant_place", "merchant_totp", "merchant_recovery_code", "proof",
    "throttle", "migration", "platform_staff", "platform_session",
    "platform_audit", "reserved_slug", "off_boarding",
}  # fmt: skip
DATABASE = "house_rules"


def statements(path: Path) -> list[str]:
    text = re.sub(r"--[^\n]*", "", path.read_text())
    return [" ".join(part.split()) for part in re.split(r";\s*\n", text) if part.strip()]


def at_top_level(text: str) -> str:
    """A statement without what stands in parentheses."""
    while (shorter := re.sub(r"\([^()]*\)", "", text)) != text:
        text = shorter
    return text


def test_numbered_without_a_gap() -> None:
    assert [path.name[:4] for path in FILES] == [f"{number:04}" for number in range(1, len(FILES) + 1)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
class TestEachFile:
    def test_begins_by_saying_why(self, path: Path) -> None:
        assert path.read_text().startswith("-- ")

    def test_has_no_triggers_and_no_enums(self, path: Path) -> None:
        """A distributed table takes no triggers; equality on an enum uses no index under row-level security."""
        refused = re.compile(r"\bCREATE (OR REPLACE )?(CONSTRAINT )?TRIGGER\b|\bAS ENUM\b", re.IGNORECASE)
        assert [text for text in statements(path) if refused.search(text)] == []

    def test_does_one_thing_a_statement(self, path: Path) -> None:
        """Two actions in one ALTER TABLE are refused by a distributed table."""
        assert not [text for text in statements(path) if text.upper().startswith("ALTER TABLE") and "," in at_top_level(text)]

    def test_only_adds(self, path: Path) -> None:
        """The code of yesterday runs against the schema of today: to take something away needs a release of its own and a word why."""
        taking = re.compile(r"^(DROP (?!POLICY)|ALTER TABLE \S+ (DROP (?!CONSTRAINT)|RENAME))", re.IGNORECASE)
        assert "-- contract:" in path.read_text() or not [text for text in statements(path) if taking.match(text)]


@pytest.fixture(scope="module")
async def schema(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    """A database of its own with the real schema, made by the real migrations; by four at once, as when four processes start."""
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
    await admin.execute(f"CREATE DATABASE {DATABASE}")
    url = servers.database_url.replace("/postgres?", f"/{DATABASE}?")
    environ = servers.environment | {"DATABASE_URL": url, "TESSERA_ENV": "test", "TESSERA_SECRET": "00" * 32}
    ran = await asyncio.gather(*(migrate(Settings.from_env(environ)) for _ in range(4)))
    assert sorted(map(len, ran)) == [0, 0, 0, len(FILES)]
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()
    await admin.execute(f"DROP DATABASE {DATABASE}")
    await admin.close()


TENANTS_TABLES = f"""(
    SELECT c.oid, c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND c.relname NOT IN ({", ".join(f"'{table}'" for table in sorted(PLATFORM))})) AS t"""

# Each finds what breaks the rule that is its name.
RULES = {
    "a tenant's table forces row-level security": f"SELECT relname FROM {TENANTS_TABLES} WHERE NOT forced",
    "and a policy checks what is read and what is written": f"""
        SELECT relname FROM {TENANTS_TABLES}
        WHERE oid NOT IN (SELECT polrelid FROM pg_policy WHERE polqual IS NOT NULL AND polwithcheck IS NOT NULL)""",
    "it has a primary key": f"""
        SELECT relname FROM {TENANTS_TABLES} WHERE oid NOT IN (SELECT conrelid FROM pg_constraint WHERE contype = 'p')""",
    "its unique keys hold the tenant": f"""
        SELECT t.relname FROM {TENANTS_TABLES} JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'tenant_id' WHERE NOT a.attnum = ANY(i.indkey)""",
    "no index begins with the tenant but its primary key, or one that begins with the whole of that": f"""
        SELECT t.relname FROM {TENANTS_TABLES} JOIN pg_index i ON i.indrelid = t.oid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] AND a.attname = 'tenant_id'
        LEFT JOIN pg_index p ON p.indrelid = t.oid AND p.indisprimary
        WHERE array_to_string(i.indkey[0:p.indnkeyatts - 1], ' ') IS DISTINCT FROM array_to_string(p.indkey[0:p.indnkeyatts - 1], ' ')
            OR p.indkey IS NULL""",
    "its foreign keys begin with the tenant": f"""
        SELECT t.relname FROM {TENANTS_TABLES} JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1] WHERE a.attname <> 'tenant_id'""",
    "there are no triggers": "SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal",
    "no column is an enum": """
        SELECT attrelid::regclass::text FROM pg_attribute WHERE atttypid IN (SELECT oid FROM pg_type WHERE typtype = 'e')""",
    "the migrator owns everything": """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND pg_get_userbyid(relowner) <> 'tessera_migrator'""",
}
NAUGHTY = """
    CREATE TYPE mood AS ENUM ('good');
    CREATE TABLE naughty (tenant_id uuid, name text UNIQUE, mood mood, seller uuid REFERENCES tenant (id));
    CREATE INDEX ON naughty (tenant_id, name);
    CREATE TRIGGER nosy AFTER INSERT ON naughty EXECUTE FUNCTION suppress_redundant_updates_trigger();"""


async def found(schema: asyncpg.Connection, query: str) -> set[str]:
    return {row[0] for row in await schema.fetch(query)}


async def test_roles_are_made_for_several_databases_of_a_cluster_at_once(servers: Servers) -> None:
    admin = await asyncpg.connect(servers.database_url)
    names = [f"{DATABASE}_{number}" for number in range(4)]
    for name in names:
        await admin.execute(f"CREATE DATABASE {name}")
    url = servers.database_url
    environ = servers.environment | {"TESSERA_ENV": "test", "TESSERA_SECRET": "00" * 32}
    each = [Settings.from_env(environ | {"DATABASE_URL": url.replace("/postgres?", f"/{name}?")}) for name in names]
    try:
        await asyncio.gather(*(bootstrap(settings) for settings in each * 2))
        assert await admin.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = ANY($1)", ROLES) == len(ROLES)
    finally:
        for name in names:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


class TestSchema:
    async def test_every_file_ran(self, schema: asyncpg.Connection) -> None:
        assert await found(schema, "SELECT name FROM migration") == {migration.name for migration in ours()}

    @pytest.mark.parametrize("rule", RULES)
    async def test_rule(self, schema: asyncpg.Connection, rule: str) -> None:
        assert await found(schema, RULES[rule]) == set()

    async def test_the_rules_catch_a_table_that_breaks_all_of_them(self, schema: asyncpg.Connection) -> None:
        attempt = schema.transaction()
        await attempt.start()
        await schema.execute(NAUGHTY)
        caught = {rule for rule, query in RULES.items() if "naughty" in await found(schema, query)}
        await attempt.rollback()
        assert caught == set(RULES)

    async def test_the_application_cannot_see_the_platforms_tables(self, schema: asyncpg.Connection) -> None:
        seen = """SELECT table_name || ' ' || privilege_type FROM information_schema.role_table_grants
                  WHERE table_schema = 'public' AND grantee IN ('tessera_app', 'PUBLIC') AND table_name = ANY($1)"""
        assert await schema.fetch(seen, sorted(PLATFORM)) == []

    async def test_only_the_migrator_passes_by_the_policies(self, schema: asyncpg.Connection) -> None:
        query = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'tessera%' AND (rolbypassrls OR rolsuper)"
        assert await found(schema, query) == {"tessera_migrator"}
