"""What a check may look at, and how it says what it saw."""

import datetime as dt
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct, field

from checkout_core import ids
from checkout_core.config import Settings
from tenants.db import Connection
from tenants.invariants.books import Books
from tenants.invariants.history import History
from tenants.invariants.report import Claim, Status

ROWS_SHOWN = 10

PREFIXES = {
    "tenant": "ten", "product": "prd", "sku": "sku", "sale": "sal", "order": "ord", "shopper": "shp", "batch": "bat", "payment": "pay",
    "attempt": "att", "refund": "ref", "account": "acc", "case": "exc", "other_order": "ord", "other_payment": "pay", "owner": "ord",
    "endpoint": "whe", "coupon": "cpn", "grant": "cpg",
}  # fmt: skip


class Options(Struct, frozen=True, kw_only=True):
    """`sample`: how many codes of each tenant are opened, None for all. `wait_s`: how long to wait for the store to come to rest."""

    at_rest: bool = False
    wait_s: float = 0.0
    sample: int | None = 40
    history: str = ""
    provider_url: str = ""
    provider_token: str = ""


class Store(Struct, kw_only=True):
    """Everything the checks look at. `conn` is inside one read-only snapshot of Postgres, as a role that sees all tenants.

    The provider's books were read once before the snapshot and once after: what they held before must be known to us, what we
    knew must be in them after. Each is None when there is no provider to ask.
    """

    conn: Connection
    settings: Settings
    options: Options
    history: History | None = None
    books_before: Books | None = None
    books_after: Books | None = None
    why_no_books: str = "no address of the sandbox provider was given"
    failures: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


class Look:
    """One promise being looked into: each method records one claim."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.conn = store.conn
        self.claims: list[Claim] = []

    async def none(self, sentence: str, of: str | int, sql: str, *args: Any, at_rest: bool = False) -> None:
        """Claim `sentence`, which holds when `sql` finds nothing.

        of   what the claim is about, as the tail of a FROM: its rows are counted (or their number)
        sql  selects the offenders, as ids and figures with the names of `PREFIXES`; never a code
        """
        if at_rest and not self.store.options.at_rest:
            return self.unchecked(sentence, "it only has to hold when traffic has stopped (--at-rest)")
        start = time.perf_counter()
        try:
            # A savepoint: a statement that fails here does not take the snapshot with it.
            async with self.conn.transaction():
                looked_at = await self._count(of)
                total, rows = await self._offenders(sql, args)
        except asyncpg.PostgresError as error:
            return self.failed(sentence, f"Postgres says: {error}")
        self._record(sentence, looked_at, total, rows, start)
        return None

    def found(self, sentence: str, looked_at: int, offenders: Sequence[Mapping[str, Any]], start: float | None = None) -> None:
        """Claim `sentence` about `looked_at` things, of which `offenders` contradict it; looked at since `start` (perf_counter)."""
        self._record(sentence, looked_at, len(offenders), offenders[:ROWS_SHOWN], start or time.perf_counter())

    def unchecked(self, sentence: str, reason: str) -> None:
        self.claims.append(Claim(sentence=sentence, status=Status.NOT_CHECKED, reason=reason))

    def failed(self, sentence: str, reason: str) -> None:
        """Could not be checked although it should have been; the report says so and the exit code too."""
        self.unchecked(sentence, reason)
        self.store.failures.append(f"{sentence}: {reason}")

    async def _count(self, of: str | int) -> int:
        if isinstance(of, int):
            return of
        if of not in self.store.counts:
            self.store.counts[of] = await self.conn.fetchval(f"SELECT count(*) FROM {of}")
        return self.store.counts[of]

    async def _offenders(self, sql: str, args: Iterable[Any]) -> tuple[int, list[Mapping[str, Any]]]:
        sql = f"SELECT offender.*, count(*) OVER () AS _total FROM ({sql}) offender LIMIT {ROWS_SHOWN}"
        rows = [dict(row) for row in await self.conn.fetch(sql, *args)]
        total = rows[0]["_total"] if rows else 0
        return total, [{name: value for name, value in row.items() if name != "_total"} for row in rows]

    def _record(self, sentence: str, looked_at: int, total: int, rows: Sequence[Mapping[str, Any]], start: float) -> None:
        status = Status.VIOLATED if total else Status.HOLDS
        shown = [plain(row) for row in rows]
        seconds = time.perf_counter() - start
        self.claims.append(Claim(sentence=sentence, status=status, looked_at=looked_at, violations=total, rows=shown, seconds=seconds))


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as people and programs outside know it: prefixed ids, times in RFC 3339."""
    return {name: _plain(name, value) for name, value in row.items()}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, UUID):
        return ids.encode(PREFIXES[name], value) if name in PREFIXES else value.hex
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value if isinstance(value, int | str | bool | None) else str(value)
