"""Pieces of a file into Postgres: examined, fingerprinted and sealed in a thread, then written in one transaction each."""

import asyncio
import datetime as dt
import os
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from checkout_core.errors import Unavailable
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.keys import NONCE_BYTES, Keyring, TenantKeys, unit_place
from tenants.units.validity import end_of
from tenants.vault import batches
from tenants.vault.batches import Batch, Step
from tenants.vault.codes import Content, Labelled, Reason, normalise, pack
from tenants.vault.examine import Verdict
from tenants.vault.rows import Piece, Row

TRIES_MAX: Final = 8  # over 13 s: a restart of Postgres is not the end of an import
T = TypeVar("T")


class Examined(NamedTuple):
    """A piece after examination. The first lists run in parallel: the first line with each card number, in the file's order;
    `again` are further lines of the piece with one of those numbers. A line's fingerprints are those under each key, the newest first;
    `labels` are of what shoppers choose among, with a surcharge each."""

    line_nos: list[int]
    fingerprints: list[list[bytes]]
    packed: list[bytes]
    ends: list[dt.datetime | None]  # when each is no longer valid; empty where no line says
    labels: list[tuple[str, int] | None]
    again: list[tuple[int, list[bytes]]]
    malformed: list[tuple[int, Reason]]
    blank: int


class Prepared(NamedTuple):
    piece: Piece
    keys: TenantKeys
    examined: Examined
    units: list[int]
    sealed: list[bytes]


class Loader:
    """Prepares and writes the pieces of one batch, in order. The next may be prepared while one is written."""

    def __init__(
        self, pool: Pool, keyring: Keyring, keys: TenantKeys, batch: Batch, examine: Callable[[Row], Verdict], zone: ZoneInfo
    ) -> None:
        self.lines_done = batch.lines_done
        self._pool = pool
        self._keyring = keyring
        self._keys = keys
        self._batch = batch
        self._examine = examine
        self._zone = zone
        self._dated = "valid_until" in batch.layout.columns

    async def prepare(self, piece: Piece) -> Prepared:
        """Everything that needs no transaction. Unit ids come in the order of the lines; those of duplicates are left unused."""
        keys = self._keys
        examined = await asyncio.to_thread(self._examined, piece, keys)
        units = await self._retried(lambda: self._units(len(examined.packed)))
        return Prepared(piece, keys, examined, units, await asyncio.to_thread(self._sealed, examined.packed, units, keys))

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
                keys = await self._keyring.of(tx)
                if keys.in_use != prepared.keys.in_use:
                    raise _Rotated(keys)
                await self._write(tx, prepared)

        while True:
            try:
                await self._retried(once)
                break
            except _Rotated as rotated:
                # Since it was prepared: nothing may be sealed under the key before any more.
                self._keys = rotated.keys
                prepared = await self.prepare(piece)
        self.lines_done = piece.lines_done

    def _examined(self, piece: Piece, keys: TenantKeys) -> Examined:
        seen: set[bytes] = set()
        found = Examined([], [], [], [], [], [], [], 0)
        line_nos, fingerprints, packed, ends, labels, again, malformed, blank = found
        examine = self._examine
        fingerprints_of = keys.fingerprints
        for row in piece.rows:
            verdict = examine(row)
            label = verdict[1:] if isinstance(verdict, Labelled) else None
            if isinstance(verdict, Labelled):
                verdict = verdict.content
            if verdict is None:
                blank += 1
            elif isinstance(verdict, Content):
                known = fingerprints_of(normalise(verdict.code))
                if known[0] in seen:
                    again.append((row.line_no, known))
                else:
                    seen.add(known[0])
                    line_nos.append(row.line_no)
                    fingerprints.append(known)
                    packed.append(pack(verdict))
                    if self._dated:
                        ends.append(end_of(verdict.valid_until, self._zone) if verdict.valid_until else None)
                    labels.append(label)
            else:
                malformed.append((row.line_no, verdict))
        return found._replace(blank=blank)

    def _sealed(self, packed: list[bytes], units: list[int], keys: TenantKeys) -> list[bytes]:
        tenant_id, sku_id = keys.tenant_id, self._batch.sku_id
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
        piece, keys, examined, units, sealed = prepared
        # Nobody is promised a piece: a crash of Postgres may take the last ones back, in order, and a resume loads them again. The end
        # of the import commits durably, and with it everything before it.
        await tx.conn.execute("SET LOCAL synchronous_commit = off")
        taken = await self._insert(tx, keys, examined, units, sealed)
        if any(examined.labels):
            await self._label(tx, examined, units)
        twice = await self._told_apart(tx, taken, examined)
        in_file = sum(same_file for _, same_file in twice)
        step = Step(
            lines_before=self.lines_done, lines_done=piece.lines_done, digest=piece.digest, loaded=len(units) - len(taken),
            duplicates_in_file=in_file, duplicates_in_vault=len(twice) - in_file, malformed=len(examined.malformed), blank=examined.blank,
            unit_from=units[0] if units else None, unit_to=units[-1] if units else None,
        )  # fmt: skip
        if not await batches.advance(tx, self._batch.id, step):
            raise batches.running()
        await self._tell(tx, examined.malformed, twice)

    async def _insert(
        self, tx: TenantTx, keys: TenantKeys, examined: Examined, units: list[int], sealed: list[bytes]
    ) -> list[tuple[int, list[bytes]]]:
        """Units with their codes, except where the tenant's vault has the card number already: those, with their lines.

        In the order of fingerprints: two imports of the same codes wait for each other instead of deadlocking. While fingerprint keys are
        rotated, a code that is in the vault is either seen under the key before, or its new fingerprint is there and refuses the row: the
        rotation writes one in place of the other in one step.
        """
        if not units:
            return []
        known = list(zip(*examined.fingerprints, strict=True))  # for each key those of all lines
        # A look-up for each line, never a join that might read the whole vault.
        unknown = " AND ".join(
            f"(SELECT unit_id FROM code WHERE tenant_id = $1 AND fingerprint = before_{n}) IS NULL" for n in range(1, len(known))
        )
        sql = f"""WITH given AS MATERIALIZED (
                     SELECT * FROM unnest($6::bigint[], $7::bigint[], $8::bytea[], $12::bytea[]
                                          {"".join(f", ${n + 12}::bytea[]" for n in range(1, len(known)))})
                     AS given (unit_id, line_no, sealed, fingerprint{"".join(f", before_{n}" for n in range(1, len(known)))})
                     ORDER BY fingerprint
                 ), made AS (
                     INSERT INTO code (tenant_id, unit_id, sku_id, batch_id, line_no, fingerprint, fingerprint_key_id, key_id, sealed)
                     SELECT $1, unit_id, $2, $3, line_no, fingerprint, $5, $4, sealed FROM given {"WHERE" if unknown else ""} {unknown}
                     ON CONFLICT (tenant_id, fingerprint) DO NOTHING
                     RETURNING unit_id, line_no
                 ), stock AS (
                     INSERT INTO unit (tenant_id, id, rank, sku_id, batch_id, valid_from, valid_until)
                     SELECT $1, unit_id, unit_id, $2, $3, $10, coalesce(($9::timestamptz[])[width_bucket(unit_id, $6::bigint[])], $11)
                     FROM made
                 )
                 SELECT CASE WHEN count(*) < cardinality($6) THEN coalesce(array_agg(line_no), '{{}}') END FROM made"""
        made = await tx.conn.fetchval(
            sql, tx.tenant_id, self._batch.sku_id, self._batch.id, *keys.in_use, units, examined.line_nos, sealed,
            examined.ends, self._batch.valid_from, self._batch.valid_until, *known,
        )  # fmt: skip
        if made is None:  # every one, as nearly always
            return []
        made = set(made)
        return [(no, known) for no, known in zip(examined.line_nos, examined.fingerprints, strict=True) if no not in made]

    async def _label(self, tx: TenantTx, examined: Examined, units: list[int]) -> None:
        """Let the units that were loaded be chosen by their labels. What is said of a label that is there already stays as it is."""
        sql = """WITH given AS MATERIALIZED (
                     SELECT * FROM unnest($3::bigint[], $4::text[], $5::bigint[]) WITH ORDINALITY
                     AS given (unit_id, label, surcharge_minor, place)
                 ), stock AS (
                     UPDATE unit SET pick = label FROM given WHERE tenant_id = $1 AND id = unit_id RETURNING label, surcharge_minor, place
                 )
                 INSERT INTO pick (tenant_id, sku_id, pick, label, surcharge_minor)
                 SELECT DISTINCT ON (label) $1, $2, label, label, surcharge_minor FROM stock ORDER BY label, place
                 ON CONFLICT DO NOTHING"""
        labels, surcharges = zip(*(label or (None, None) for label in examined.labels), strict=True)
        await tx.conn.execute(sql, tx.tenant_id, self._batch.sku_id, units, list(labels), list(surcharges))

    async def _told_apart(self, tx: TenantTx, clashes: list[tuple[int, list[bytes]]], examined: Examined) -> list[tuple[int, bool]]:
        """The lines with a number that was there already, each with whether it came from this very file."""
        elsewhere: set[bytes] = set()
        if clashes:
            sql = "SELECT fingerprint FROM code WHERE tenant_id = $1 AND fingerprint = ANY($2) AND batch_id <> $3"
            each = [fingerprint for _, known in clashes for fingerprint in known]
            elsewhere = {row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, each, self._batch.id)}
        return [(no, elsewhere.isdisjoint(known)) for no, known in clashes + examined.again]

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


class _Rotated(Exception):
    """Others than those a piece was prepared with are the tenant's keys now."""

    def __init__(self, keys: TenantKeys) -> None:
        super().__init__()
        self.keys = keys
