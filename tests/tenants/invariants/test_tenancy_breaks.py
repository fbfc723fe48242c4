"""I21, broken in the catalogue: what would let one tenant see another's rows, or the application change the rules."""

from typing import NamedTuple

import pytest

from tests.tenants.invariants.conftest import Bench, rows, violated

TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"


class Hole(NamedTuple):
    """`undo` is for what all databases of the server share."""

    what: str
    names: str
    sql: list[str]
    undo: str = ""


HOLES = [
    Hole("row-level security is off", "orders", ["ALTER TABLE orders DISABLE ROW LEVEL SECURITY"]),
    Hole("the owner is not held to it", "orders", ["ALTER TABLE orders NO FORCE ROW LEVEL SECURITY"]),
    Hole("a row may have no tenant", "vault_line", [
        "ALTER TABLE vault_line DROP CONSTRAINT vault_line_pkey", "ALTER TABLE vault_line ALTER tenant_id DROP NOT NULL"]),
    Hole("a table without tenants is open to the application", "tenant", ["GRANT SELECT ON tenant TO tessera_app"]),
    Hole("a column of it is open", "tenant", ["GRANT SELECT (slug) ON tenant TO tessera_app"]),
    Hole("a table has no policy", "audit", ["DROP POLICY one_tenant ON audit"]),
    Hole("a second policy opens it for all", "open_day", ["CREATE POLICY open_day ON orders FOR SELECT TO tessera_app USING (true)"]),
    Hole("a policy for everybody opens it", "open_day", ["CREATE POLICY open_day ON orders USING (true) WITH CHECK (true)"]),
    Hole("writing is not checked", "one_tenant", [
        "DROP POLICY one_tenant ON audit", f"CREATE POLICY one_tenant ON audit TO tessera_app USING ({TENANT})"]),
    Hole("writing is checked by something else", "one_tenant", [
        "DROP POLICY one_tenant ON audit", f"CREATE POLICY one_tenant ON audit TO tessera_app USING ({TENANT}) WITH CHECK (true)"]),
    Hole("a unique key tells of other tenants' rows", "unit_alone", ["CREATE UNIQUE INDEX unit_alone ON unit (id)"]),
    Hole("a foreign key reaches across tenants", "order_line_alone", [
        "CREATE UNIQUE INDEX orders_alone ON orders (tenant_id, id) INCLUDE (state)", "ALTER TABLE orders ADD UNIQUE (id)",
        "ALTER TABLE order_line ADD CONSTRAINT order_line_alone FOREIGN KEY (order_id) REFERENCES orders (id)"]),
    Hole("the application may truncate", "outbox", ["GRANT TRUNCATE ON outbox TO tessera_app"]),
    Hole("the application may hang triggers", "outbox", ["GRANT TRIGGER ON outbox TO tessera_app"]),
    Hole("the sweeper sees what is in a row", "payload", ["GRANT SELECT (payload) ON outbox TO tessera_sweeper"]),
    Hole("the sweeper writes", "next_try_at", ["GRANT UPDATE (next_try_at) ON outbox TO tessera_sweeper"]),
    Hole("the application owns a table", "tessera_app", ["CREATE TABLE mine (x int)", "ALTER TABLE mine OWNER TO tessera_app"]),
    Hole("the application may create", "tessera_app", ["GRANT CREATE ON SCHEMA public TO tessera_app"]),
    Hole("the application sees through a view", "all_orders", [
        "CREATE VIEW all_orders AS SELECT * FROM orders", "GRANT SELECT ON all_orders TO tessera_app"]),
    Hole("a function runs with its owner's rights", "peep", [
        "CREATE FUNCTION peep() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM orders'"]),
    Hole("the application bypasses row-level security", "tessera_app", ["ALTER ROLE tessera_app BYPASSRLS"],
         "ALTER ROLE tessera_app NOBYPASSRLS"),
    Hole("the application is a member of the migrator", "tessera_app", ["GRANT tessera_migrator TO tessera_app"],
         "REVOKE tessera_migrator FROM tessera_app"),
]  # fmt: skip


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.what)
async def test_a_hole_is_seen(hole: Hole, bench: Bench) -> None:
    try:
        for statement in hole.sql:
            await bench.conn.execute(statement)
        report = await bench.check()
    finally:
        if hole.undo:
            await bench.conn.execute(hole.undo)
    assert "I21" in violated(report)
    # Reading as a migrator's member comes with every right of its tables, so those promises fall too.
    assert violated(report) <= {"I21", "I10", "I23", "I26"}
    assert hole.names in rows(report, "I21")


async def test_the_probe_sees_what_the_application_sees(bench: Bench) -> None:
    """Not only the catalogue: rows are really asked for as the application."""
    await bench.conn.execute("ALTER TABLE orders DISABLE ROW LEVEL SECURITY")
    report = await bench.check()
    claims = next(verdict.claims for verdict in report.verdicts if verdict.name == "I21")
    seen = {claim.sentence: [row["table"] for row in claim.rows] for claim in claims if claim.violations}
    assert seen["the application without a tenant sees no row"] == ["orders"]
    assert seen["the application as one tenant sees no row of another"] == ["orders"]
