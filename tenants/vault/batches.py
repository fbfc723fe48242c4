"""The row of an import: its beginning, its progress line by line, its end, and the report."""

import datetime as dt
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from checkout_core import ids
from checkout_core.errors import Conflict, NotFound, Unprocessable
from tenants.db import NEWEST, TenantTx
from tenants.units import expiry
from tenants.vault.codes import SENTENCES, Pattern, Reason, compile_pattern
from tenants.vault.layout import Layout

LINES_REPORTED_MAX: Final = 10_000
TEXT_MAX: Final = 200

_encode = msgspec.json.encode
_layout = msgspec.json.Decoder(Layout)


class Line(msgspec.Struct, frozen=True):
    """A line that was not loaded, and why; never what it holds."""

    line: int
    kind: str
    reason: str
    detail: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`lines` counts every line read so far, header and blank ones included. Lists stop at LINES_REPORTED_MAX; the counts do not."""

    id: str
    sku_id: str
    state: str
    filename: str
    source: str
    note: str
    operator: str
    layout: Layout
    lines: int
    loaded: int
    duplicates: int
    duplicates_in_file: int
    duplicates_in_vault: int
    malformed_count: int
    malformed: list[int]
    blank: int
    errors: list[Line]
    failure: str | None
    created_at: dt.datetime
    finished_at: dt.datetime | None


class Batch(msgspec.Struct, frozen=True):
    """What a load needs to know of its batch."""

    id: UUID
    sku_id: UUID
    state: str
    layout: Layout
    digest: bytes | None
    lines_done: int
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None


class Listed(msgspec.Struct, frozen=True):
    """A batch as a list shows it, `imported` or `made`. `cost_minor` is what all of it cost."""

    id: UUID
    sku_id: UUID
    priority: int
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    recalled_as: str | None
    kind: str
    state: str
    filename: str
    source: str
    note: str
    operator: str
    cost_minor: int | None
    loaded: int
    recall_reason: str | None
    created_at: dt.datetime


_LISTED: Final = ", ".join(Listed.__struct_fields__)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one piece adds to the batch."""

    lines_before: int
    lines_done: int
    digest: bytes
    loaded: int
    duplicates_in_file: int
    duplicates_in_vault: int
    malformed: int
    blank: int
    unit_from: int | None  # the ids of its units lie between these
    unit_to: int | None


async def pattern_of(tx: TenantTx, sku_id: UUID) -> Pattern | None:
    """The SKU's own test for codes, if it has one.

    Raises `NotFound` when there is no such SKU, `Conflict` (`stock_is_made`) when its units come from no file, (`stock_is_parts`) when it
    has none.
    """
    row = await tx.conn.fetchrow("SELECT code_pattern, stock FROM sku WHERE tenant_id = $1 AND id = $2", tx.tenant_id, sku_id)
    if row is None:
        raise NotFound(f"There is no SKU {ids.encode('sku', sku_id)}.")
    if row["stock"] == "parts":
        raise Conflict("A bundle has no units of its own: load stock of its parts. Nothing was loaded.", code="stock_is_parts")
    if row["stock"] == "made":
        raise Conflict("Units of this SKU come from no file: make them. Nothing was loaded.", code="stock_is_made")
    return None if row["code_pattern"] is None else compile_pattern(row["code_pattern"])


async def is_picked(tx: TenantTx, sku_id: UUID) -> bool:
    """Whether shoppers choose among the SKU's units."""
    return bool(await tx.conn.fetchval("SELECT picked FROM sku WHERE tenant_id = $1 AND id = $2", tx.tenant_id, sku_id))


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a file comes from, in the merchant's words. Asking again with the same `idempotency_key` finds the same import."""

    operator: str
    filename: str = ""
    source: str = ""
    note: str = ""
    cost_minor: int | None = None
    priority: int = 100
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    idempotency_key: str | None = None


async def start(tx: TenantTx, sku_id: UUID, layout: Layout, origin: Origin) -> UUID:
    """Begin an import. Its units are for sale only once the batch is `loaded`.

    Raises `NotFound` for an unknown SKU, `Unprocessable` (code `ends_too_early`), and `Conflict` (code `import_running`) when another
    import with the key began meanwhile.
    """
    if origin.valid_from is not None and origin.valid_until is not None and origin.valid_until <= origin.valid_from:
        raise Unprocessable("The batch would end before it begins. Nothing was loaded.", code="ends_too_early")
    await pattern_of(tx, sku_id)
    batch_id = ids.new_id()
    sql = """INSERT INTO vault_batch (tenant_id, id, sku_id, filename, source, note, operator, cost_minor, idempotency_key, layout,
                                      priority, valid_from, valid_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"""
    words = (_stored(text) for text in (origin.filename, origin.source, origin.note))
    about = (origin.operator, origin.cost_minor, origin.idempotency_key, _encode(layout).decode())
    try:
        await tx.conn.execute(sql, tx.tenant_id, batch_id, sku_id, *words, *about, origin.priority, origin.valid_from, origin.valid_until)
    except asyncpg.UniqueViolationError:
        raise running() from None
    await tx.audit(origin.operator, "vault.import", ids.encode("bat", batch_id), sku=ids.encode("sku", sku_id))
    return batch_id


def _stored(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:TEXT_MAX]


def running() -> Conflict:
    return Conflict("This import is being loaded by somebody else at the same time. Look at its report.", code="import_running")


async def by_key(tx: TenantTx, idempotency_key: str) -> tuple[UUID, UUID] | None:
    """The batch that was started with the key, and its SKU."""
    sql = "SELECT id, sku_id FROM vault_batch WHERE tenant_id = $1 AND idempotency_key = $2"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, idempotency_key)
    return (row["id"], row["sku_id"]) if row else None


async def unfinished(tx: TenantTx, filename: str) -> UUID:
    """The latest import of a file of this name that did not come to its end. Raises `NotFound`."""
    sql = "SELECT id FROM vault_batch WHERE tenant_id = $1 AND filename = $2 AND state <> 'loaded' ORDER BY id DESC LIMIT 1"
    batch_id: UUID | None = await tx.conn.fetchval(sql, tx.tenant_id, _stored(filename))
    if batch_id is None:
        raise NotFound(f"There is no unfinished import of {filename!r}.")
    return batch_id


async def get(tx: TenantTx, batch_id: UUID) -> Batch:
    row = await tx.conn.fetchrow("SELECT * FROM vault_batch WHERE tenant_id = $1 AND id = $2", tx.tenant_id, batch_id)
    if row is None:
        raise NotFound(f"There is no import {ids.encode('bat', batch_id)}.")
    return Batch(
        row["id"], row["sku_id"], row["state"], _layout.decode(row["layout"]), row["digest"], row["lines_done"], row["valid_from"],
        row["valid_until"],
    )  # fmt: skip


async def advance(tx: TenantTx, batch_id: UUID, step: Step) -> bool:
    """Add `step` to the batch. False when it is not where the step begins: somebody else is loading the same file."""
    sql = """UPDATE vault_batch
             SET lines_done = $4, digest = $5, loaded = loaded + $6, duplicates_in_file = duplicates_in_file + $7,
                 duplicates_in_vault = duplicates_in_vault + $8, malformed = malformed + $9, blank = blank + $10,
                 unit_from = least(unit_from, $11), unit_to = greatest(unit_to, $12)
             WHERE tenant_id = $1 AND id = $2 AND lines_done = $3 AND state = 'loading'
             RETURNING true"""
    return bool(await tx.conn.fetchval(sql, tx.tenant_id, batch_id, *msgspec.structs.astuple(step)))


async def finish(tx: TenantTx, batch_id: UUID, lines_done: int) -> bool:
    """loading → loaded: from this commit on its units are stock. False when the batch is not where the caller believes it."""
    sql = """UPDATE vault_batch SET state = 'loaded', finished_at = now(), failure = NULL
             WHERE tenant_id = $1 AND id = $2 AND lines_done = $3 AND state = 'loading' RETURNING loaded"""
    loaded = await tx.conn.fetchval(sql, tx.tenant_id, batch_id, lines_done)
    if loaded is not None:
        await expiry.schedule(tx, [batch_id])
        await tx.emit("vault.loaded", {"batch": ids.encode("bat", batch_id), "loaded": loaded})
    return loaded is not None


async def fail(tx: TenantTx, batch_id: UUID, why: str) -> None:
    """loading → failed: the file cannot be read to its end. What it loaded is no stock; a resume with a readable file goes on."""
    sql = """UPDATE vault_batch SET state = 'failed', failure = $3, finished_at = now()
             WHERE tenant_id = $1 AND id = $2 AND state = 'loading' RETURNING true"""
    if await tx.conn.fetchval(sql, tx.tenant_id, batch_id, why):
        await tx.emit("vault.failed", {"batch": ids.encode("bat", batch_id)})


async def reopen(tx: TenantTx, batch_id: UUID) -> None:
    """failed → loading, for a resume."""
    sql = (
        "UPDATE vault_batch SET state = 'loading', failure = NULL, finished_at = NULL WHERE tenant_id = $1 AND id = $2 AND state = 'failed'"
    )
    await tx.conn.execute(sql, tx.tenant_id, batch_id)


async def report(tx: TenantTx, batch_id: UUID) -> Report:
    """How far the import is, and each line it did not load. Raises `NotFound`."""
    row = await tx.conn.fetchrow("SELECT * FROM vault_batch WHERE tenant_id = $1 AND id = $2", tx.tenant_id, batch_id)
    if row is None:
        raise NotFound(f"There is no import {ids.encode('bat', batch_id)}.")
    sql = "SELECT line_no, kind, reason FROM vault_line WHERE tenant_id = $1 AND batch_id = $2 ORDER BY line_no LIMIT $3"
    lines = await tx.conn.fetch(sql, tx.tenant_id, batch_id, LINES_REPORTED_MAX)
    return _report(row, [Line(no, kind, reason, SENTENCES[Reason(reason)]) for no, kind, reason in lines])


async def recent(tx: TenantTx, *, limit: int, before: UUID | None = None) -> list[Report]:
    """At most `limit` imports, newest first, older than `before`, without their lines."""
    sql = "SELECT * FROM vault_batch WHERE tenant_id = $1 AND id < $2 AND kind = 'imported' ORDER BY id DESC LIMIT $3"
    return [_report(row, []) for row in await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, limit)]


async def listed(tx: TenantTx, *, sku_id: UUID | None, limit: int, before: UUID | None = None) -> list[Listed]:
    """At most `limit` batches, of one SKU or of all, newest first, older than `before`."""
    of_sku = "AND sku_id = $4" if sku_id else ""
    sql = f"SELECT {_LISTED} FROM vault_batch WHERE tenant_id = $1 AND id < $2 {of_sku} ORDER BY id DESC LIMIT $3"
    arguments = [tx.tenant_id, before or NEWEST, limit, *([sku_id] if sku_id else [])]
    return [Listed(*row) for row in await tx.conn.fetch(sql, *arguments)]


def _report(row: Any, lines: list[Line]) -> Report:
    return Report(
        id=ids.encode("bat", row["id"]),
        sku_id=ids.encode("sku", row["sku_id"]),
        state=row["state"],
        filename=row["filename"],
        source=row["source"],
        note=row["note"],
        operator=row["operator"],
        layout=_layout.decode(row["layout"]),
        lines=row["lines_done"],
        loaded=row["loaded"],
        duplicates=row["duplicates_in_file"] + row["duplicates_in_vault"],
        duplicates_in_file=row["duplicates_in_file"],
        duplicates_in_vault=row["duplicates_in_vault"],
        malformed_count=row["malformed"],
        malformed=[line.line for line in lines if line.kind == "malformed"],
        blank=row["blank"],
        errors=lines,
        failure=row["failure"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )
