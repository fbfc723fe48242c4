"""Looking through the audit: newest first, page by page, and all of it as a file that a spreadsheet may open."""

import datetime as dt
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from checkout_core.ids import encode
from tenants import spreadsheets
from tenants.db import Pool, TenantTx, tenant_tx

EXPORT_AT_ONCE = 1000
# An id is drawn when the entry is written, `at` is when its transaction began: never further apart than this, clocks and all.
SLACK = dt.timedelta(hours=1)
_encode = msgspec.json.Encoder().encode


class Entry(msgspec.Struct, frozen=True):
    """`actor` is `usr_…`, `key_…` or `shp_…`; `detail` holds ids and figures."""

    id: UUID
    at: dt.datetime
    actor: str
    action: str
    subject: str
    detail: msgspec.Raw


class Filter(msgspec.Struct, frozen=True):
    """What an entry must be; None is anything. `since` is included, `until` is not."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


async def latest(tx: TenantTx, wanted: Filter, *, limit: int, before: UUID | None = None) -> list[Entry]:
    """At most `limit`, newest first, older than the entry `before`."""
    # Only what is asked for stands in the statement: each combination has its plan, and the index that goes with it.
    asked = [
        ("actor = {}", wanted.actor), ("action = {}", wanted.action), ("subject = {}", wanted.subject),
        ("at >= {}", wanted.since), ("at < {}", wanted.until),
        ("id < {}", before), ("id >= {}", _id_at(wanted.since, -SLACK)), ("id < {}", _id_at(wanted.until, SLACK)),
    ]  # fmt: skip
    conditions = ["tenant_id = $1"]
    values: list[object] = [tx.tenant_id, limit]
    for condition, value in asked:
        if value is not None:
            values.append(value)
            conditions.append(condition.format(f"${len(values)}"))
    sql = f"""SELECT id, at, actor, action, subject, detail FROM audit
              WHERE {" AND ".join(conditions)} ORDER BY id DESC LIMIT $2"""
    rows = await tx.conn.fetch(sql, *values)
    return [Entry(id_, at, actor, action, subject, msgspec.Raw(detail.encode())) for id_, at, actor, action, subject, detail in rows]


async def everything(pool: Pool, tenant_id: UUID, wanted: Filter) -> AsyncIterator[list[Entry]]:
    """All entries there are, a thousand at a time, each page in a transaction of its own: a slow reader holds nothing."""
    before: UUID | None = None
    while True:
        async with tenant_tx(pool, tenant_id) as tx:
            found = await latest(tx, wanted, limit=EXPORT_AT_ONCE, before=before)
        if found:
            yield found
        if len(found) < EXPORT_AT_ONCE:
            return
        before = found[-1].id


COLUMNS = ("id", "at", "actor", "action", "subject", "detail")


async def as_csv(pages: AsyncIterator[list[Entry]]) -> AsyncIterator[bytes]:
    """Comma-separated, UTF-8 with a byte order mark, one header line. No cell can become a formula."""
    yield spreadsheets.BOM + spreadsheets.rows([COLUMNS])
    async for entries in pages:
        yield spreadsheets.rows(
            [encode("aud", e.id), e.at.isoformat(), e.actor, e.action, e.subject, bytes(e.detail).decode()] for e in entries
        )


async def as_json_lines(pages: AsyncIterator[list[Entry]]) -> AsyncIterator[bytes]:
    async for entries in pages:
        yield b"".join(
            _encode({"id": encode("aud", e.id), "at": e.at, "actor": e.actor, "action": e.action, "subject": e.subject, "detail": e.detail})
            + b"\n"
            for e in entries
        )


def _id_at(at: dt.datetime | None, slack: dt.timedelta) -> UUID | None:
    """The lowest id of that time (RFC 9562 §5.7: 48 bits of milliseconds lead)."""
    if at is None:
        return None
    ms = int((at + slack).timestamp() * 1000)
    return UUID(int=min(max(ms, 0), (1 << 48) - 1) << 80)
