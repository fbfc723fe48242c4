"""Pieces of a file into Postgres: examined, fingerprinted and sealed in a thread, then written in one transaction each."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar

from checkout_core.errors import Unavailable
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.keys import NONCE_BYTES, TenantKeys, unit_place
from tenants.vault import batches
from tenants.vault.batches import Batch, Step
from tenants.vault.codes import Content, Reason, normalise, pack
from tenants.vault.examine import Verdict
from tenants.vault.rows import Piece, Row

TRIES_MAX: Final = 8  # over 13 s: a restart of Postgres is not the end of an import
T = TypeVar("T")


class Examined(NamedTuple):
    """A piece after examination. The first three lists run in parallel: the first line with each card number, in the file's order;
    `again` are further lines of the piece with one of those numbers."""

    line_nos: list[int]
    fingerprints: list[bytes]
    packed: list[bytes]
    again: list[tuple[int, bytes]]
    malformed: list[tuple[int, Reason]]
    blank: int


class Prepared(NamedTuple):
    piece: Piece
    examined: Examined
    units: list[int]
    sealed: list[bytes]


class Loader:
    """Prepares and writes the pieces of one batch, in order. The next may be prepared while one is written."""

    def __init__(self, pool: Pool, keys: TenantKeys, batch: Batch, examine: Callable[[Row], Verdict]) -> None:
        self.lines_done = batch.lines_done
        self._pool = pool
        self._keys = keys
        self._batch = batch
        self._examine = examine

    async def prepare(self, piece: Piece) -> Prepared:
        """Everything that needs no transaction. Unit ids come in the order of the lines; those of duplicates are left unused."""
        examined = await asyncio.to_thread(self._examined, piece)
        units = await self._retried(lambda: self._units(len(examined.packed)))
        return Prepared(piece, examined, units, await asyncio.to_thread(self._sealed, examined.packed, units))

    async def write(self, prepared: Prepared) -> None:
        """One transaction. When Postgres goes away the outcome is read back, and the piece written again if it was lost.

        Raises `Conflict` (code `import_running`), and `Unavailable` when Postgres stays away or lost earlier pieces too.
        """
        piece, tried = prepared.piece, False

        async def once() -> None:
            nonlocal tried
            async with tenant_tx(self._pool, self._keys.tenant_id) as tx:
                if tried:
                    lines_done = (await batches.get(tx, self._batch.id)).lines_done
                    if lines_done == piece.lines_done:
                        return
                    if lines_done < self.lines_done:
                        raise _Lost("Postgres was restarted and forgot the last lines. Resume the import with the same file.")
                tried = True
                await self._write(tx, prepared)

        await self._retried(once)
        self.lines_done = piece.lines_done

    def _examined(self, piece: Piece) -> Examined:
        seen: set[bytes] = set()
        found = Examined([], [], [], [], [], 0)
        line_nos, fingerprints, packed, again, malformed, blank = found
        examine, fingerprint_of = self._examine, self._keys.fingerprint
        for row in piece.rows:
            verdict = examine(row)
            if verdict is None:
                blank += 1
            elif isinstance(verdict, Content):
                fingerprint = fingerprint_of(normalise(verdict.code))
                if fingerprint in seen:
                    again.append((row.line_no, fingerprint))
                else:
                    seen.add(fingerprint)
                    line_nos.append(row.line_no)
                    fingerprints.append(fingerprint)
                    packed.append(pack(verdict))
            else:
                malformed.append((row.line_no, verdict))
        return found._replace(blank=blank)

    def _sealed(self, packed: list[bytes], units: list[int]) -> list[bytes]:
        keys, tenant_id, sku_id = self._keys, self._keys.tenant_id, self._batch.sku_id
        nonces = os.urandom(NONCE_BYTES * len(packed))
        return [
            keys.seal(content, unit_place(tenant_id, sku_id, unit), nonces[at : at + NONCE_BYTES])
            for at, content, unit in zip(range(0, len(nonces), NONCE_BYTES), packed, units, strict=True)
        ]

    async def _units(self, count: int) -> list[int]:
        # As one array: a row each would keep the event loop busy for milliseconds.
        sql = "SELECT coalesce(array_agg(nextval('unit_id_seq')), '{}') FROM generate_series(1, $1)"
        async with tenant_tx(self._pool, self._keys.tenant_id) as tx:
            units: list[int] = await tx.conn.fetchval(sql, count)
        return units

    async def _write(self, tx: TenantTx, prepared: Prepared) -> None:
        piece, examined, units, sealed = prepared
        # Nobody is promised a piece: a crash of Postgres may take the last ones back, in order, and a resume loads them again. The end
        # of the import commits durably, and with it everything before it.
        await tx.conn.execute("SET LOCAL synchronous_commit = off")
        taken = await self._insert(tx, examined, units, sealed)
        twice = await self._told_apart(tx, taken, examined)
        in_file = sum(same_file for _, same_file in twice)
        step = Step(
            lines_before=self.lines_done, lines_done=piece.lines_done, digest=piece.digest, loaded=len(units) - len(taken),
            duplicates_in_file=in_file, duplicates_in_vault=len(twice) - in_file, malformed=len(examined.malformed), blank=examined.blank,
        )  # fmt: skip
        if not await batches.advance(tx, self._batch.id, step):
            raise batches.running()
        await self._tell(tx, examined.malformed, twice)

    async def _insert(self, tx: TenantTx, examined: Examined, units: list[int], sealed: list[bytes]) -> list[tuple[int, bytes]]:
        """Units with their codes, except where the tenant's vault has the card number already: those, with their lines.

        In the order of fingerprints: two imports of the same codes wait for each other instead of deadlocking.
        """
        sql = """WITH given AS MATERIALIZED (
                     SELECT * FROM unnest($5::bigint[], $6::bigint[], $7::bytea[], $8::bytea[])
                     AS given (unit_id, line_no, fingerprint, sealed) ORDER BY fingerprint
                 ), made AS (
                     INSERT INTO code (tenant_id, unit_id, sku_id, batch_id, line_no, fingerprint, key_id, sealed)
                     SELECT $1, unit_id, $2, $3, line_no, fingerprint, $4, sealed FROM given
                     ON CONFLICT (tenant_id, fingerprint) DO NOTHING
                     RETURNING unit_id, line_no
                 ), stock AS (
                     INSERT INTO unit (tenant_id, id, sku_id, batch_id) SELECT $1, unit_id, $2, $3 FROM made
                 )
                 SELECT CASE WHEN count(*) < cardinality($5) THEN coalesce(array_agg(line_no), '{}') END FROM made"""
        if not units:
            return []
        made = await tx.conn.fetchval(
            sql, tx.tenant_id, self._batch.sku_id, self._batch.id, self._keys.key_id,
            units, examined.line_nos, examined.fingerprints, sealed,
        )  # fmt: skip
        if made is None:  # every one, as nearly always
            return []
        made = set(made)
        return [(no, known) for no, known in zip(examined.line_nos, examined.fingerprints, strict=True) if no not in made]

    async def _told_apart(self, tx: TenantTx, clashes: list[tuple[int, bytes]], examined: Examined) -> list[tuple[int, bool]]:
        """The lines with a number that was there already, each with whether it came from this very file."""
        elsewhere: set[bytes] = set()
        if clashes:
            sql = "SELECT fingerprint FROM code WHERE tenant_id = $1 AND fingerprint = ANY($2) AND batch_id <> $3"
            found = await tx.conn.fetch(sql, tx.tenant_id, [known for _, known in clashes], self._batch.id)
            elsewhere = {row[0] for row in found}
        return [(no, known not in elsewhere) for no, known in clashes + examined.again]

    async def _tell(self, tx: TenantTx, malformed: list[tuple[int, Reason]], twice: list[tuple[int, bool]]) -> None:
        lines = [(no, "malformed", reason) for no, reason in malformed]
        lines += [
            (no, "duplicate_in_file", Reason.SAME_IN_FILE) if same_file else (no, "duplicate_in_vault", Reason.SAME_IN_VAULT)
            for no, same_file in twice
        ]
        if lines:
            numbers, kinds, reasons = zip(*lines, strict=True)
            sql = """INSERT INTO vault_line (tenant_id, batch_id, line_no, kind, reason)
                     SELECT $1, $2, line_no, kind, reason
                     FROM unnest($3::bigint[], $4::text[], $5::text[]) AS given (line_no, kind, reason)"""
            await tx.conn.execute(sql, tx.tenant_id, self._batch.id, numbers, kinds, reasons)

    async def _retried(self, act: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(TRIES_MAX - 1):
            try:
                return await act()
            except _Lost:
                raise
            except Unavailable:
                await asyncio.sleep(0.1 * 2**attempt)
        return await act()


class _Lost(Unavailable):
    """Trying again here cannot help."""
