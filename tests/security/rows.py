"""A row of any table, made from what the catalogue says of its columns: so that a table of tomorrow is in the tests of today."""

import re
from typing import NamedTuple
from uuid import UUID

import asyncpg

TEXTS = ("text", "character varying", "jsonb", "json", "bytea", "text[]", "character varying[]")
PLAIN = {
    "uuid": "gen_random_uuid()", "text": "'x'", "bytea": "'x'::bytea", "jsonb": "'{}'::jsonb", "boolean": "false", "text[]": "'{x}'",
    "timestamp with time zone": "now()", "date": "current_date", "interval": "'1 hour'::interval", "inet": "'127.0.0.1'::inet",
    "double precision": "1", "real": "1", "numeric": "1", "smallint": "1", "integer": "1", "bigint": "1", "uuid[]": "'{}'",
    "integer[]": "'{}'", "bigint[]": "'{}'",
}  # fmt: skip
# What a CHECK wants that no rule here guesses: by column, or by table and column.
WANTED = {
    "slug": "'s' || left(md5(random()::text), 12)",
    "host": "md5(random()::text) || '.test'",
    "store_image.digest": "md5(random()::text)",
    "product_image.digest": "md5(random()::text)",
    "product_image.width": "1",
    "recipient": "md5(random()::text) || '@x.test'",
    "mail": "md5(random()::text) || '@x.test'",
    "currency": "'CNY'",
    "points_level.earn_percent": "100",
    "orders.next_try_at": "now()",
    "data_request.next_try_at": "now()",
    "key_rotation.next_try_at": "now()",
    "key_rotation.purposes": "'{seal}'",
    "code_export.next_try_at": "now()",
    "data_request.shopper_id": "gen_random_uuid()",
    "provider_account.provider": "'sandbox'",
    "sale_reminder.contact": "md5(random()::text)",
    "order_reminder.contact": "md5(random()::text)",
    "cart.lines": "'[]'",
    "coupon_line.whole_minor": "2",
    "retention_rule.contact_days": "730",
    "retention_rule.notice_days": "180",
}


class Column(NamedTuple):
    name: str
    type: str
    is_free: bool  # may be left out of a new row
    checks: str  # the definitions of all CHECKs that name it, joined

    @property
    def octets(self) -> int | None:
        """The length that a CHECK holds its bytes to."""
        exact = re.search(rf"octet_length\({self.name}\) = (\d+)", self.checks)
        return int(exact[1]) if exact else None

    @property
    def words(self) -> list[str]:
        """What a CHECK lists, if it lists words."""
        listed = re.search(rf"\(?\b{self.name}\b\)? = ANY \(ARRAY\[(.*?)\]", self.checks)
        only = re.search(rf"\({self.name} = '([^']*)'::text\)", self.checks)
        return re.findall(r"'([^']*)'", listed[1]) if listed else [only[1]] if only else []


class Table(NamedTuple):
    name: str
    columns: list[Column]

    @property
    def has_tenant(self) -> bool:
        return any(column.name == "tenant_id" for column in self.columns)

    @property
    def texts(self) -> list[Column]:
        """Columns that may hold words."""
        return [column for column in self.columns if column.type in TEXTS]


async def tables(conn: asyncpg.Connection) -> list[Table]:
    sql = """SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, NULL) AS type,
                    NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' AS is_free,
                    coalesce((SELECT string_agg(pg_get_constraintdef(k.oid), ' ') FROM pg_constraint k
                              WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)), '') AS checks
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
             ORDER BY c.relname, a.attnum"""
    found: dict[str, Table] = {}
    for table, *column in await conn.fetch(sql):
        found.setdefault(table, Table(table, [])).columns.append(Column(*column))
    return list(found.values())


async def row_of(conn: asyncpg.Connection, table: Table, tenant: UUID) -> None:
    """Insert a row of `tenant`. What a CHECK asks beyond a list of words or a length belongs into `WANTED`."""
    values = {column.name: _value(table, column) for column in table.columns}
    given = {name: value for name, value in values.items() if value is not None}
    if table.has_tenant:
        given["tenant_id"] = f"'{tenant}'::uuid"
    if "user_id" in values:  # of somebody who works there, if anybody does
        given["user_id"] = f"coalesce((SELECT user_id FROM membership WHERE tenant_id = '{tenant}' LIMIT 1), gen_random_uuid())"
    await conn.execute(f"INSERT INTO {table.name} ({', '.join(given)}) VALUES ({', '.join(given.values())})")


def _value(table: Table, column: Column) -> str | None:
    """An expression; None leaves the column out."""
    if wanted := WANTED.get(f"{table.name}.{column.name}", WANTED.get(column.name)):
        return wanted
    if column.is_free:
        return None
    if column.words:
        return f"'{column.words[0]}'"
    if column.octets:
        return f"decode(repeat('ab', {column.octets}), 'hex')"
    return PLAIN[column.type]
