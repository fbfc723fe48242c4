"""All data of a store as JSON lines, a file for every thousand rows of a table. Each file is a step: a crash goes on with the next.

Codes leave sealed as they lie, and keys and hashes not at all: what opens a code does not go with it.
"""

from typing import Any, NamedTuple
from uuid import UUID

from tenants.db import Pool, TenantTx, tenant_tx
from tenants.keys import Keyring
from tenants.privacy import archives, requests
from tenants.privacy.requests import DataRequest

AT_ONCE = 1000
# What is ours alone, or would open what is sealed.
LEFT_OUT = frozenset({
    "tenant_key", "data_part", "data_request", "audit_unlinked", "outbox", "idempotent_reply", "payment_inbox", "mail", "webhook_watch",
    "order_reminder", "sale_reminder", "reminder_round",
})  # fmt: skip
SECRETS = (
    "credentials", "key_hash", "old_hash", "lookup_hash", "body_hash", "password_hash", "token_hash", "secret", "old_secret", "words",
)  # fmt: skip


class _Table(NamedTuple):
    name: str
    key: list[str]  # of a tenant's rows, without tenant_id
    types: list[str]


async def carry_out(pool: Pool, keyring: Keyring, tenant_id: UUID, request: DataRequest) -> None:
    """Go on from where the request is until it is done."""
    async with tenant_tx(pool, tenant_id) as tx:
        tables = await _tables(tx)
    while True:
        async with tenant_tx(pool, tenant_id) as tx:
            found = await requests.lock_running(tx, request.id)
            if found is None:
                return
            progress = found or {"table": tables[0].name, "after": None, "files": 0, "rows": 0}
            at = next((n for n, table in enumerate(tables) if table.name >= progress["table"]), len(tables))
            if at == len(tables):
                await requests.finish(tx, request.id, progress, archive=True)
                return
            await _step(tx, keyring, request.id, tables, at, progress)


async def _step(tx: TenantTx, keyring: Keyring, request_id: UUID, tables: list[_Table], at: int, progress: dict[str, Any]) -> None:
    """One file, and how far it came."""
    table = tables[at]
    rows, after = await _rows(tx, table, progress["after"])
    if rows:
        progress["files"] += 1
        name = f"{table.name}/{progress['files']:06}.jsonl"
        await archives.add(tx, keyring, request_id, progress["files"], name, b"".join(row + b"\n" for row in rows))
        progress["rows"] += len(rows)
    if len(rows) < AT_ONCE:
        # The last letter there is: the next table in order, or none.
        progress["table"] = tables[at + 1].name if at + 1 < len(tables) else "~"
        after = None
    progress["after"] = after
    await requests.go_on(tx, request_id, progress)


async def _tables(tx: TenantTx) -> list[_Table]:
    """Every table of tenants with the columns of its primary key: a new one cannot be forgotten."""
    sql = """SELECT c.relname::text, array_agg(a.attname::text ORDER BY k.n), array_agg(format_type(a.atttypid, NULL) ORDER BY k.n)
             FROM pg_class c JOIN pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p'
             CROSS JOIN LATERAL unnest(p.conkey) WITH ORDINALITY AS k (attnum, n)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
             WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity AND c.relkind IN ('r', 'p')
               AND has_table_privilege(c.oid, 'SELECT')
             GROUP BY 1 ORDER BY 1"""
    found = [_Table(name, list(key)[1:], list(types)[1:]) for name, key, types in await tx.conn.fetch(sql)]
    return [table for table in found if table.name not in LEFT_OUT]


async def _rows(tx: TenantTx, table: _Table, after: list[str] | None) -> tuple[list[bytes], list[str] | None]:
    """The next rows as JSON, and the key of the last."""
    key = ", ".join(table.key)
    marks = ", ".join(f"${n}::text::{type_}" for n, type_ in enumerate(table.types, 4))
    beyond = f"AND ({key}) > ({marks})" if after else ""
    order = f"ORDER BY {key}" if key else ""
    keys = f"ARRAY[{', '.join(f'{column}::text' for column in table.key)}]::text[]"
    sql = f"""SELECT (to_jsonb(t) - $2::text[])::text, {keys} FROM {table.name} t WHERE tenant_id = $1 {beyond} {order} LIMIT $3"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, list(SECRETS), AT_ONCE, *(after or ()))
    return [row[0].encode() for row in rows], list(rows[-1][1]) if rows else None
