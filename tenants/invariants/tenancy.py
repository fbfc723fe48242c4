"""Tenancy: what Postgres itself would let the application see and change (I21)."""

import asyncpg

from tenants.db import dsn_for
from tenants.invariants.look import Look
from tenants.invariants.registry import invariant

OURS = "('tessera_app', 'tessera_sweeper', 'tessera_platform', 'tessera_retention')"
TENANT = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"  # as pg_get_expr writes it
SWEEPER_MAY_SEE = ("tenant_id", "id", "next_try_at")
TENANTS_TRIED = 3

# Everything outside the system schemas that holds or shows rows, and whether the application can get at it at all.
_TABLES = """
    SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, t.attnum AS tenant_attnum, t.attnotnull
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id' AND NOT t.attisdropped
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_t%'
      AND (has_table_privilege('tessera_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege('tessera_app', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))"""


@invariant("I21")
async def the_catalogue_keeps_tenants_apart(look: Look) -> None:
    await look.none(
        "a table the application can reach has a tenant in every row, and forced row-level security",
        of=f"({_TABLES}) tables",
        sql=f"""SELECT relname AS "table", coalesce(attnotnull, false) AS tenant_in_every_row, relrowsecurity AS row_level_security,
                       relforcerowsecurity AS forced
                FROM ({_TABLES}) tables
                WHERE NOT (coalesce(attnotnull, false) AND relrowsecurity AND relforcerowsecurity AND relkind IN ('r', 'p'))""",
    )
    await look.none(
        "every policy of the application compares tenant_id with the transaction's tenant, for reading and for writing",
        f"({_TABLES}) tables",
        f"""SELECT relname AS "table", polname AS policy
            FROM ({_TABLES}) tables
            LEFT JOIN pg_policy ON polrelid = tables.oid AND polpermissive AND polroles && ARRAY[0::oid, 'tessera_app'::regrole::oid]
            WHERE polname IS NULL OR polcmd <> '*' OR pg_get_expr(polqual, polrelid) IS DISTINCT FROM $1
               OR pg_get_expr(polwithcheck, polrelid) IS DISTINCT FROM $1""",
        TENANT,
    )
    await look.none(
        "a unique key of a tenant's table holds tenant_id",
        of=f"pg_index JOIN ({_TABLES}) tables ON indrelid = tables.oid WHERE indisunique",
        sql=f"""SELECT relname AS "table", indexrelid::regclass::text AS index
                FROM pg_index JOIN ({_TABLES}) tables ON indrelid = tables.oid
                WHERE indisunique AND NOT tenant_attnum = ANY (indkey)""",
    )
    await look.none(
        "a foreign key between tenants' tables carries tenant_id on both sides",
        of=f"pg_constraint JOIN ({_TABLES}) tables ON conrelid = tables.oid WHERE contype = 'f'",
        sql=f"""SELECT tables.relname AS "table", conname AS "constraint"
                FROM pg_constraint JOIN ({_TABLES}) tables ON conrelid = tables.oid
                LEFT JOIN pg_attribute foreign_tenant ON foreign_tenant.attrelid = confrelid AND foreign_tenant.attname = 'tenant_id'
                WHERE contype = 'f' AND NOT EXISTS (SELECT 1 FROM unnest(conkey, confkey) AS pair (near, far)
                                                    WHERE near = tenant_attnum AND far = foreign_tenant.attnum)""",
    )


@invariant("I21")
async def the_roles_are_narrow(look: Look) -> None:
    await look.none(
        "the processes' roles own nothing, bypass nothing and belong to no other role",
        of=f"pg_roles WHERE rolname IN {OURS}",
        sql=f"""SELECT rolname AS role FROM pg_roles r
                WHERE rolname IN {OURS} AND (
                    rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
                    OR EXISTS (SELECT 1 FROM pg_auth_members WHERE member = r.oid)
                    OR EXISTS (SELECT 1 FROM pg_shdepend
                               WHERE refclassid = 'pg_authid'::regclass AND refobjid = r.oid AND deptype = 'o'))""",
    )
    await look.none(
        "the processes' roles cannot truncate a table, refer to it or hang a trigger on it: row-level security does not apply to these",
        of="pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
        sql=f"""SELECT relname AS "table", rolname AS role FROM pg_class CROSS JOIN pg_roles
                WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND rolname IN {OURS}
                  AND has_table_privilege(pg_roles.oid, pg_class.oid, 'TRUNCATE, REFERENCES, TRIGGER')""",
    )
    await look.none(
        "the sweeper sees tenant_id, id and next_try_at, and writes nothing",
        "pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
        """SELECT relname AS "table", attname AS "column"
           FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
           WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
             AND (has_table_privilege('tessera_sweeper', pg_class.oid, 'DELETE')
                  OR has_column_privilege('tessera_sweeper', pg_class.oid, attnum, 'INSERT, UPDATE')
                  OR (has_column_privilege('tessera_sweeper', pg_class.oid, attnum, 'SELECT') AND attname <> ALL ($1)))""",
        list(SWEEPER_MAY_SEE),
    )
    await look.none(
        "no function runs with its owner's rights, and no role may create things of its own",
        of="pg_proc WHERE pronamespace = 'public'::regnamespace",
        sql=f"""SELECT proname AS name, 'function with its owner''s rights' AS fault FROM pg_proc
                WHERE pronamespace = 'public'::regnamespace AND prosecdef
                UNION ALL
                SELECT rolname, 'may create in the schema' FROM pg_roles
                WHERE rolname IN {OURS} AND has_schema_privilege(pg_roles.oid, 'public', 'CREATE')""",
    )


@invariant("I21")
async def row_level_security_applies(look: Look) -> None:
    """Not what the catalogue says but what happens: as the application, without a tenant and as one tenant beside others."""
    nothing, own = "the application without a tenant sees no row", "the application as one tenant sees no row of another"
    try:
        sql = f"SELECT relname FROM ({_TABLES}) tables WHERE tenant_attnum IS NOT NULL ORDER BY 1"
        tables = [row[0] for row in await look.conn.fetch(sql)]
        tenants = [row[0] for row in await look.conn.fetch("SELECT id FROM tenant ORDER BY created_at DESC LIMIT $1", TENANTS_TRIED)]
        app = await asyncpg.connect(dsn_for(look.store.settings, "tessera_app"), timeout=10)
    except (asyncpg.PostgresError, OSError, TimeoutError) as error:
        for sentence in (nothing, own):
            look.failed(sentence, f"Postgres says: {error}")
        return
    try:
        async with app.transaction(readonly=True):
            seen = [t for t in tables if await _sees(app, f"SELECT 1 FROM {t}")]
            look.found(nothing, len(tables), [{"table": t} for t in seen])
            if len(tenants) < 2:
                look.unchecked(own, "there is one tenant only")
                return
            foreign = []
            for me, other in zip(tenants, [*tenants[1:], tenants[0]], strict=True):
                await app.execute("SELECT set_config('app.tenant_id', $1, true)", str(me))
                seen = [t for t in tables if await _sees(app, f"SELECT 1 FROM {t} WHERE tenant_id = $1", other)]
                foreign += [{"table": t, "tenant": other} for t in seen]
            look.found(own, len(tables) * len(tenants), foreign)
    except asyncpg.PostgresError as error:
        look.failed(own, f"Postgres says: {error}")
    finally:
        await app.close()


async def _sees(app: asyncpg.Connection, sql: str, *args: object) -> bool:
    """Whether a row comes back. A table whose columns are granted one by one refuses outright, which is as good as none."""
    return bool(await app.fetchval(f"SELECT EXISTS ({sql})", *args))
