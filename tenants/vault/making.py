"""Units that come from no file: capacity of a type whose stock is made."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from checkout_core import ids
from checkout_core.ids import new_id
from tenants.db import TenantTx
from tenants.keys import Keyring, unit_place
from tenants.vault.codes import Content, normalise, pack

AT_ONCE: Final = 10_000  # of sealed ones in one transaction: 0.3 s here
COUNT_MAX: Final = 100_000

# Sealed ones have a code each, as if they came from a file; its line is its place in the batch.
_SEALED = """WITH given AS MATERIALIZED (
                 SELECT * FROM unnest($5::bigint[], $6::bytea[], $7::bytea[], $8::text[])
                 WITH ORDINALITY AS given (unit_id, fingerprint, sealed, pick, line_no)),
             made AS (INSERT INTO code (tenant_id, unit_id, sku_id, batch_id, line_no, fingerprint, fingerprint_key_id, key_id,
                                        sealed)
                      SELECT $1, unit_id, $2, $3, line_no, fingerprint, $9, $4, sealed FROM given ORDER BY fingerprint)
             INSERT INTO unit (tenant_id, id, rank, sku_id, batch_id, pick) SELECT $1, unit_id, unit_id, $2, $3, pick FROM given"""


async def make(
    tx: TenantTx,
    sku_id: UUID,
    count: int,
    *,
    actor: str,
    note: str = "",
    cost_minor: int | None = None,
    picks: Sequence[str] | None = None,
    keyring: Keyring | None = None,
    contents: Callable[[Sequence[int]], Sequence[Content]] | None = None,
) -> UUID:
    """Make `count` loose units of a SKU as a batch of its own, up to COUNT_MAX; with `contents` each sealed with a code, with `picks` each
    of its own.

    All or nothing: the transaction is the caller's.
    """
    batch_id = new_id()
    sql = """INSERT INTO vault_batch (tenant_id, id, sku_id, state, kind, sealed, operator, note, cost_minor, loaded, finished_at)
             VALUES ($1, $2, $3, 'loaded', 'made', $4, $5, $6, $7, $8, now())"""
    about = (contents is not None, actor, note, cost_minor, count)
    await tx.conn.execute(sql, tx.tenant_id, batch_id, sku_id, *about)
    chosen = list(picks) if picks else [None] * count
    if contents is None:
        sql = """INSERT INTO unit (tenant_id, id, rank, sku_id, batch_id, pick)
                 SELECT $1, id, id, $2, $3, pick FROM (SELECT nextval('unit_id_seq') AS id, pick FROM unnest($4::text[]) AS pick) AS made"""
        await tx.conn.execute(sql, tx.tenant_id, sku_id, batch_id, chosen)
    else:
        assert keyring is not None
        await _seal(tx, sku_id, batch_id, chosen, keyring, contents)
    await tx.audit(actor, "units.made", ids.encode("bat", batch_id), sku=ids.encode("sku", sku_id), units=count)
    return batch_id


async def _seal(
    tx: TenantTx, sku_id: UUID, batch_id: UUID, picks: Sequence[str | None], keyring: Keyring,
    contents: Callable[[Sequence[int]], Sequence[Content]],
) -> None:  # fmt: skip
    keys = await keyring.of(tx)
    for start in range(0, len(picks), AT_ONCE):
        if start == AT_ONCE:
            await tx.unhurried()
        sql = "SELECT array_agg(nextval('unit_id_seq')) FROM generate_series(1, $1)"
        units: list[int] = await tx.conn.fetchval(sql, min(AT_ONCE, len(picks) - start))
        made = contents(units)
        marks = [keys.fingerprint(normalise(content.code)) for content in made]
        sealed = [keys.seal(pack(content), unit_place(tx.tenant_id, sku_id, unit)) for unit, content in zip(units, made, strict=True)]
        about = (keys.key_id, units, marks, sealed, picks[start : start + AT_ONCE], keys.fingerprint_key_id)
        await tx.conn.execute(_SEALED, tx.tenant_id, sku_id, batch_id, *about)
