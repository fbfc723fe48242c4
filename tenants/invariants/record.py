"""The record: who did what, which nobody can change afterwards (I23)."""

import time

import asyncpg

from tenants.audit.verify import UNLINKED_S, verify
from tenants.invariants.look import Look
from tenants.invariants.registry import invariant


@invariant("I23")
async def the_record_stays(look: Look) -> None:
    for table in ("audit", "audit_link"):
        await look.none(
            f"the application may add to {table}, and change or remove nothing there",
            of=f"(VALUES ('{table}')) AS kept",
            sql=f"""SELECT '{table}' AS "table" WHERE has_table_privilege('tessera_app', '{table}', 'UPDATE, DELETE, TRUNCATE')
                      OR has_any_column_privilege('tessera_app', '{table}', 'UPDATE')""",
        )
    await look.none(
        "every revealed order has an audit row that says who saw it",
        of="delivery WHERE revealed_at IS NOT NULL",
        sql="""SELECT revealed.tenant_id AS tenant, revealed.order_id AS "order"
               FROM (SELECT DISTINCT tenant_id, order_id FROM delivery WHERE revealed_at IS NOT NULL) revealed
               WHERE NOT EXISTS (SELECT 1 FROM audit
                                 WHERE audit.tenant_id = revealed.tenant_id AND action = 'codes.revealed'
                                   AND subject = 'ord_' || replace(revealed.order_id::text, '-', ''))""",
    )


@invariant("I23")
async def the_chains_verify(look: Look) -> None:
    """All but the anchors, which are not in the database: `tessera audit verify` holds the chains against those."""
    intact, linked = (
        "no entry of the audit was changed, removed or moved: its chains verify",
        f"entries older than {UNLINKED_S} s are linked",
    )
    start = time.perf_counter()
    try:
        async with look.conn.transaction():
            verdict = await verify(look.conn)
    except asyncpg.PostgresError as error:
        for sentence in (intact, linked):
            look.failed(sentence, f"Postgres says: {error}")
        return
    rows = [{"tenant": f.tenant_id, "what": f.what, "seq": f.seq, "entry": f.entry, "detail": f.detail} for f in verdict.faults]
    look.found(intact, verdict.entries, [row for row in rows if row["what"] != "unlinked"], start)
    if look.store.options.at_rest:
        look.found(linked, verdict.entries, [row for row in rows if row["what"] == "unlinked"], start)
    else:
        look.unchecked(linked, "it only has to hold when traffic has stopped (--at-rest)")
