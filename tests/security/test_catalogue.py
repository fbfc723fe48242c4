"""What Postgres' own catalogue says of who may see and change what: every table, policy, grant, view, function, sequence and role.

Each rule is a query that finds what breaks it, beside a statement that breaks it: a rule which does not see that proves nothing.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg
import pytest

from checkout_core.config import Settings
from tenants.db import create_pool, dsn_for, tenant_tx
from tessera.embedded import Servers
from tests.house.test_migrations import PLATFORM
from tests.security.database import TENANT, own_database
from tests.security.rows import Table, row_of, tables

PROCESSES = "('tessera_app', 'tessera_sweeper', 'tessera_platform')"
PLATFORMS = f"({', '.join(repr(table) for table in sorted(PLATFORM))})"
# What a process may remove. Everything else is kept, or only marked.
REMOVED = {
    ("tessera_platform", "store_host"): "a host that is given up",
    ("tessera_platform", "merchant_session"): "signing out",
    ("tessera_platform", "proof"): "used, or over",
    ("tessera_platform", "merchant_place"): "nobody signed in there for long",
    ("tessera_platform", "merchant_totp"): "two-step sign-in is switched off",
    ("tessera_platform", "merchant_recovery_code"): "used, or replaced",
    ("tessera_platform", "throttle"): "guesses of long ago",
    ("tessera_platform", "merchant_user"): "somebody who works nowhere any more",
    ("tessera_platform", "platform_session"): "signing out",
    ("tessera_platform", "reserved_slug"): "an address that anybody may have",
    ("tessera_platform", "tenant"): "a store that left for good",
    ("tessera_app", "audit_unlinked"): "an entry that is linked",
    ("tessera_app", "data_part"): "an archive that is over",
    ("tessera_app", "idempotent_reply"): "what it says is of a shopper who was erased",
    ("tessera_app", "sale_reminder"): "told of, ended, or never confirmed",
    ("tessera_app", "stock_watch"): "stock that is watched no longer",
    ("tessera_app", "tenant_key"): "a key that nothing is sealed under any more",
    ("tessera_app", "qualification_document"): "taken back while it is a draft",
    ("tessera_app", "invitation"): "accepted, or taken back",
    ("tessera_app", "mail"): "undone with what it was for",
    ("tessera_app", "membership"): "somebody leaves",
    ("tessera_app", "staff_role"): "a role that nobody has",
    ("tessera_app", "store_domain"): "a domain that is given up",
    ("tessera_app", "buyer_group"): "a group that no price list is for",
    ("tessera_app", "group_member"): "somebody is in the group no more, or is erased",
    ("tessera_app", "points_level"): "a level that there is no more",
    ("tessera_app", "cart"): "a cart that is emptied",
    ("tessera_app", "category"): "a shelf that nothing is in",
    ("tessera_app", "product_image"): "a picture that is shown no more",
    ("tessera_app", "store_image"): "a picture that is shown no more",
    ("tessera_app", "translation"): "a text in a language no more",
    ("tessera_app", "visibility"): "shown everywhere again",
    ("tessera_app", "webhook_attempt"): "thirty days old",
    ("tessera_app", "webhook_delivery"): "thirty days old",
    ("tessera_app", "webhook_endpoint"): "nobody is told there any more",
    ("tessera_app", "webhook_event"): "thirty days old",
    ("tessera_app", "order_reminder"): "a wish that is answered",
    ("tessera_app", "order_tag"): "an order has the tag no more",
    ("tessera_app", "tag"): "a tag that no order has",
    ("tessera_app", "order_change"): "a note that is done",
    ("tessera_app", "event_entry"): "older than anybody may ask for",
    ("tessera_app", "order_posting"): "an order is no longer what it was listed as",
    ("tessera_app", "search_gram"): "a text that is another now, or gone",
    ("tessera_app", "search_text"): "a text that is gone",
}
# Policies for all tenants at once: the sign-in finds where somebody works; tokens of erased shoppers are refused; the heads of the audit
# are signed; the platform decides on qualifications and on products; retention deletes what is over, by rules of each store.
FOR_ALL = (
    "membership signing_in", "staff_role signing_in", "erased_shopper refused", "audit_head anchored", "qualification platform_decides",
    "qualification platform_sees", "qualification_document platform_reviews", "tenant_key platform_reviews", "store platform_sees",
    "tenant_key platform_wraps",
    "audit platform_adds", "audit_unlinked platform_adds", "mail platform_adds", "outbox platform_adds", "retention_rule every",
    "order_change past", "product platform_decides", "product_review platform_decides", "product_review platform_sees",
    "review_rule platform_decides", "content_version platform_decides",
    *(
        f"{of} {past}"
        for of in ("cart", "idempotent_reply", "mail", "orders", "outbox", "payment_inbox")
        for past in ("past", "past_reading")
    ),
)  # fmt: skip
# What the platform may do in tables of tenants: find where somebody works, decide on qualifications and products, sign heads, and leave
# a word. (What it may of `product` is granted column by column.)
OF_PLATFORM = {
    "SELECT": (
        "membership",
        "staff_role",
        "audit_head",
        "erased_shopper",
        "qualification",
        "qualification_document",
        "tenant_key",
        "product_review",
        "review_rule",
        "content_version",
    ),
    "INSERT": ("audit", "audit_unlinked", "mail", "outbox", "review_rule", "content_version"),
    "UPDATE": ("qualification", "audit_head", "product_review", "review_rule"),
}
PLATFORM_MAY = " OR ".join(f"(privilege_type = '{may}' AND table_name IN {of})" for may, of in OF_PLATFORM.items())
# Written once; who sells may add and read.
KEPT = (
    "audit",
    "ledger_tx",
    "ledger_entry",
    "payment",
    "give_back",
    "order_mail",
    "vault_line",
    "unit_event",
    "content_version",
    "points_consumption",
    "points_level_change",
)
OURS = "c.relnamespace = 'public'::regnamespace"


class Rule(NamedTuple):
    finds: str
    broken_by: str


NAUGHTY = "CREATE TABLE naughty (tenant_id uuid NOT NULL PRIMARY KEY, next_try_at timestamptz)"
SECURE = f"""{NAUGHTY}; ALTER TABLE naughty OWNER TO tessera_migrator; ALTER TABLE naughty ENABLE ROW LEVEL SECURITY;
             ALTER TABLE naughty FORCE ROW LEVEL SECURITY; CREATE POLICY one_tenant ON naughty TO tessera_app USING ({TENANT})"""
RULES = {
    "a table forces row-level security, or is the platform's": Rule(
        f"""SELECT c.relname FROM pg_class c WHERE {OURS} AND c.relkind IN ('r', 'p')
            AND NOT (c.relrowsecurity AND c.relforcerowsecurity) AND c.relname NOT IN {PLATFORMS}""",
        NAUGHTY,
    ),
    "one policy is the application's: its own tenant's rows, read and written": Rule(
        f"""SELECT c.relname FROM pg_class c WHERE {OURS} AND c.relkind IN ('r', 'p') AND c.relname NOT IN {PLATFORMS}
            AND (SELECT array_agg(ROW(polpermissive, polcmd, polroles = ARRAY['tessera_app'::regrole::oid],
                                      pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))::text)
                 FROM pg_policy WHERE polrelid = c.oid AND (polroles && ARRAY[0::oid, 'tessera_app'::regrole::oid]))
                IS DISTINCT FROM ARRAY[ROW(true, '*'::"char", true, $${TENANT}$$, $${TENANT}$$)::text]""",
        SECURE,
    ),
    "any other policy shows the sweeper what is due, or is listed": Rule(
        f"""SELECT polrelid::regclass || ' ' || polname FROM pg_policy
           WHERE NOT polroles = ARRAY['tessera_app'::regrole::oid] AND polrelid::regclass || ' ' || polname NOT IN {FOR_ALL}
             AND NOT (polname = 'left_for_good' AND polroles = ARRAY['tessera_retention'::regrole::oid])
             AND NOT (polroles = ARRAY['tessera_sweeper'::regrole::oid] AND polcmd = 'r' AND polwithcheck IS NULL
                      AND pg_get_expr(polqual, polrelid) = '(next_try_at <= now())')""",
        "CREATE POLICY all_of_it ON product FOR SELECT TO tessera_sweeper USING (true)",
    ),
    "a role has one tenant in sight or the platform's tables, never both": Rule(
        f"""SELECT grantee || ' ' || table_name FROM information_schema.table_privileges
            WHERE table_schema = 'public' AND ((grantee IN ('tessera_app', 'tessera_sweeper') AND table_name IN {PLATFORMS})
                                               OR (grantee = 'tessera_platform' AND table_name NOT IN {PLATFORMS}
                                                   AND NOT ({PLATFORM_MAY})))""",
        "GRANT SELECT ON merchant_user TO tessera_app",
    ),
    "everybody has nothing": Rule(
        f"""SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a WHERE {OURS} AND a.grantee = 0
            UNION ALL SELECT attrelid::regclass::text FROM pg_attribute, aclexplode(attacl) a
            WHERE a.grantee = 0 AND attrelid::regclass::text NOT LIKE 'pg\\_%' AND attrelid::regclass::text NOT LIKE 'information_schema.%'
            UNION ALL SELECT nspname::text FROM pg_namespace, aclexplode(nspacl) a WHERE nspname = 'public' AND a.grantee = 0""",
        "GRANT SELECT (name) ON store TO PUBLIC",
    ),
    "no process can do what row-level security does not see": Rule(
        f"""SELECT rolname || ' ' || c.relname FROM pg_class c CROSS JOIN pg_roles r
            WHERE {OURS} AND c.relkind IN ('r', 'p') AND rolname IN {PROCESSES}
              AND has_table_privilege(r.oid, c.oid, 'TRUNCATE, REFERENCES, TRIGGER')""",
        "GRANT TRUNCATE ON orders TO tessera_app",
    ),
    "nothing may be handed on": Rule(
        f"SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a WHERE {OURS} AND a.is_grantable AND a.grantee <> c.relowner",
        "GRANT SELECT ON orders TO tessera_app WITH GRANT OPTION",
    ),
    "nothing is removed but what is listed": Rule(
        f"""SELECT rolname || ' ' || c.relname FROM pg_class c CROSS JOIN pg_roles r
            WHERE {OURS} AND c.relkind IN ('r', 'p') AND rolname IN {PROCESSES} AND has_table_privilege(r.oid, c.oid, 'DELETE')
              AND (rolname || ' ' || c.relname) NOT IN ({", ".join(f"'{role} {table}'" for role, table in REMOVED)})""",
        "GRANT DELETE ON ledger_entry TO tessera_app",
    ),
    "what is kept is not changed": Rule(
        f"""SELECT c.relname FROM pg_class c WHERE {OURS} AND c.relname IN ({", ".join(map(repr, KEPT))})
            AND (has_any_column_privilege('tessera_app', c.oid, 'UPDATE') OR has_table_privilege('tessera_app', c.oid, 'DELETE'))""",
        "GRANT UPDATE (detail) ON audit TO tessera_app",
    ),
    "of a code only what a rotation seals anew is changed, of a key nothing by who uses it": Rule(
        f"""SELECT c.relname || '.' || attname FROM pg_class c JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
            WHERE {OURS} AND ((c.relname = 'code' AND attname NOT IN ('key_id', 'sealed', 'fingerprint_key_id', 'fingerprint')
                               AND has_column_privilege('tessera_app', c.oid, attnum, 'UPDATE'))
                              OR (c.relname = 'code' AND has_table_privilege('tessera_app', c.oid, 'DELETE'))
                              OR (c.relname = 'tenant_key' AND has_column_privilege('tessera_app', c.oid, attnum, 'UPDATE')))""",
        "GRANT UPDATE (unit_id) ON code TO tessera_app",
    ),
    "of a price that was once said only the end is written later": Rule(
        f"""SELECT attname::text FROM pg_class c JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
            WHERE {OURS} AND c.relname = 'price_entry' AND attname <> 'until'
              AND (has_column_privilege('tessera_app', c.oid, attnum, 'UPDATE')
                   OR has_table_privilege('tessera_app', c.oid, 'DELETE'))""",
        "GRANT UPDATE (unit_minor) ON price_entry TO tessera_app",
    ),
    "the sweeper reads three columns of rows that are due, and writes nothing": Rule(
        f"""SELECT c.relname || '.' || attname FROM pg_class c JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
            WHERE {OURS} AND c.relkind IN ('r', 'p')
              AND (has_column_privilege('tessera_sweeper', c.oid, attnum, 'INSERT, UPDATE')
                   OR (has_column_privilege('tessera_sweeper', c.oid, attnum, 'SELECT')
                       AND attname NOT IN ('tenant_id', 'id', 'next_try_at')))""",
        "GRANT SELECT (contact) ON orders TO tessera_sweeper",
    ),
    "there is no view, no materialized one, no foreign table: they would show rows with their owner's eyes": Rule(
        """SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')""",
        "CREATE VIEW everything AS SELECT * FROM orders",
    ),
    "no function but one is ours, and none has its owner's rights": Rule(
        """SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.proname <> 'reserve'
             AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
           UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.prosecdef""",
        "CREATE FUNCTION all_contacts() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS 'SELECT contact FROM orders'",
    ),
    "no rule rewrites a statement": Rule(
        "SELECT rulename::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relkind IN ('r', 'p')",
        "CREATE RULE quiet AS ON INSERT TO audit DO INSTEAD NOTHING",
    ),
    "a sequence gives numbers, and nobody sets it": Rule(
        f"""SELECT rolname || ' ' || c.relname FROM pg_class c CROSS JOIN pg_roles r
            WHERE {OURS} AND c.relkind = 'S' AND rolname IN {PROCESSES}
              AND (has_sequence_privilege(r.oid, c.oid, 'UPDATE') OR has_sequence_privilege(r.oid, c.oid, 'SELECT'))""",
        "GRANT ALL ON SEQUENCE unit_id_seq TO tessera_app",
    ),
    "nothing is granted before it is made": Rule(
        "SELECT defaclrole::regrole::text FROM pg_default_acl",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO tessera_app",
    ),
    "the processes' roles own nothing, bypass nothing, belong to nobody": Rule(
        f"""SELECT rolname FROM pg_roles r WHERE rolname IN {PROCESSES} AND (
                rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
                OR EXISTS (SELECT 1 FROM pg_auth_members WHERE member = r.oid)
                OR EXISTS (SELECT 1 FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = r.oid AND deptype = 'o'))""",
        "GRANT tessera_migrator TO tessera_app",
    ),
    "nobody is a tenant, or passes by the policies, from the start of a session": Rule(
        """SELECT setting FROM pg_db_role_setting, unnest(setconfig) AS setting
           WHERE setting LIKE 'app.%' OR setting LIKE 'row_security%' OR setting LIKE 'role=%'""",
        "ALTER ROLE tessera_app SET app.tenant_id = '00000000-0000-0000-0000-000000000001'",
    ),
    "nobody may make things of his own": Rule(
        f"""SELECT rolname || ' ' || nspname FROM pg_roles r CROSS JOIN pg_namespace n
            WHERE rolname IN {PROCESSES} AND nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(r.oid, n.oid, 'CREATE')""",
        "GRANT CREATE ON SCHEMA public TO tessera_app",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
async def settings(servers: Servers) -> AsyncIterator[Settings]:
    async with own_database(servers, "catalogue") as settings:
        yield settings


@pytest.fixture(scope="module")
async def admin(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(settings.database_url)
    yield conn
    await conn.close()


async def found(admin: asyncpg.Connection, sql: str) -> list[str]:
    return sorted({str(row[0]) for row in await admin.fetch(sql)})


@pytest.mark.parametrize("name", RULES)
class TestRule:
    async def test_holds(self, admin: asyncpg.Connection, name: str) -> None:
        assert await found(admin, RULES[name].finds) == []

    async def test_sees_what_breaks_it(self, admin: asyncpg.Connection, name: str) -> None:
        attempt = admin.transaction()
        await attempt.start()
        try:
            await admin.execute(RULES[name].broken_by)
            assert await found(admin, RULES[name].finds) != []
        finally:
            await attempt.rollback()


@pytest.fixture(scope="module")
async def other(admin: asyncpg.Connection) -> UUID:
    other = uuid4()
    await admin.execute("SET session_replication_role = replica")  # rows without what they refer to
    for table in await tables(admin):
        if table.has_tenant and table.name not in PLATFORM:
            await row_of(admin, table, other)
    await admin.execute("SET session_replication_role = DEFAULT")
    return other


@pytest.fixture(scope="module")
async def own(admin: asyncpg.Connection) -> list[Table]:
    return [table for table in await tables(admin) if table.has_tenant and table.name not in PLATFORM]


class TestEveryTable:
    """Not what the catalogue says but what happens, as the application: one tenant beside another who has a row in every table."""

    async def test_shows_no_row_of_another(self, settings: Settings, admin: asyncpg.Connection, own: list[Table], other: UUID) -> None:
        assert len(own) > 20
        async with await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool:
            for table in own:
                assert await admin.fetchval(f"SELECT count(*) FROM {table.name} WHERE tenant_id = $1", other) >= 1, table.name
                for who, seen in ((other, True), (uuid4(), False)):
                    async with tenant_tx(pool, who) as tx:
                        count = await tx.conn.fetchval(f"SELECT count(*) FROM {table.name}")
                        assert bool(count) == seen, f"{table.name} as {'its own' if seen else 'another'} tenant"

    async def test_takes_no_row_for_another(self, settings: Settings, admin: asyncpg.Connection, own: list[Table], other: UUID) -> None:
        """Postgres says so by itself, before any key or CHECK is looked at."""
        async with await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool:
            for table in own:
                if not await admin.fetchval("SELECT has_table_privilege('tessera_app', $1, 'INSERT')", table.name):
                    continue
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                    async with tenant_tx(pool, uuid4()) as tx:
                        await row_of(tx.conn, table, other)

    async def test_changes_no_row_of_another(self, settings: Settings, admin: asyncpg.Connection, own: list[Table], other: UUID) -> None:
        async with await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool:
            for table in own:
                if await admin.fetchval("SELECT has_table_privilege('tessera_app', $1, 'UPDATE')", table.name):
                    async with tenant_tx(pool, uuid4()) as tx:
                        assert await tx.conn.execute(f"UPDATE {table.name} SET tenant_id = tenant_id") == "UPDATE 0", table.name
