"""What Redis holds of flash sales, each sale read at one instant, beside the rows it is held against."""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core import journal, keys
from checkout_core.admission import ident_of
from checkout_core.config import Settings
from checkout_core.intents import SaleKey
from checkout_core.journal import Entry
from checkout_core.partitions import Partitions
from checkout_core.resp import Closed, Refused, Unknown

AT_ONCE = 64  # sales read together
SHOPPERS_AT_ONCE = 5_000

NO_ANSWER = (Closed, Unknown, Refused, struct.error, OSError)


class GateSale(NamedTuple):
    """A flash sale's row."""

    tenant_id: UUID
    id: UUID
    epoch: int
    left: int  # allotted − committed
    give_seq: int
    runs: bool  # neither ended nor past its end
    over_for_s: float  # since its end, by row or audit; 0 while it runs

    @property
    def key(self) -> SaleKey:
        return SaleKey(self.tenant_id, self.id)


class Counter(NamedTuple):
    """A flash sale in Redis."""

    is_ours: bool  # the server is the one it was loaded on
    epoch: int
    avail: int
    given: int
    entries: list[Entry]


async def gate_sales(conn: asyncpg.Connection) -> list[GateSale]:
    """All flash sales, as of the connection's snapshot."""
    sql = """SELECT sale.tenant_id, sale.id, epoch, allotted - committed, give_seq, state <> 'ended' AND coalesce(ends_at > now(), true),
                    coalesce(extract(epoch FROM now() - least(ends_at, ended_at))::float8, 0)
             FROM sale
             LEFT JOIN (SELECT tenant_id, subject, min(at) AS ended_at FROM audit WHERE action = 'sale.ended' GROUP BY 1, 2) ended
               ON ended.tenant_id = sale.tenant_id AND ended.subject = 'sal_' || replace(sale.id::text, '-', '')
             WHERE door = 'gate' ORDER BY 1, 2"""
    return [GateSale(*row) for row in await conn.fetch(sql)]


class Counters:
    """Reads Redis, and changes nothing there."""

    def __init__(self, partitions: Partitions) -> None:
        self._partitions = partitions

    async def of(self, sales: Sequence[GateSale]) -> list[Counter | None]:
        """One for each sale, None where Redis holds nothing. Raises `NO_ANSWER`."""
        found: list[Counter | None] = []
        for start in range(0, len(sales), AT_ONCE):
            found += await asyncio.gather(*(self._read(sale.key) for sale in sales[start : start + AT_ONCE]))
        return found

    async def _read(self, sale: SaleKey) -> Counter | None:
        names = keys.of(sale)
        link = self._partitions.link(names.partition)
        # One transaction: an intent is in the counter or in the journal, and never in both or none.
        calls = [
            link.call("MULTI"),
            link.call("HMGET", names.sale, "ident", "epoch", "avail", "given"),
            link.call("HGETALL", names.journal),
            link.call("EXEC"),
        ]
        (ident, epoch, avail, given), flat = (await asyncio.gather(*calls))[-1]
        if ident is None and not flat:
            return None
        entries = [journal.unpack(field, value) for field, value in zip(flat[::2], flat[1::2], strict=True)]
        is_ours = ident is not None and ident == ident_of(link).encode()
        return Counter(is_ours, int(epoch or 0), int(avail or 0), int(given or 0), entries)

    async def kept(self, sale: SaleKey) -> int:
        """How many keys of the sale there are."""
        names = keys.of(sale)
        count: int = await self._partitions.link(names.partition).call("EXISTS", *names[1:])
        return count

    async def shoppers(self, sale: SaleKey) -> dict[UUID, int]:
        """Units held or asked for, by shopper."""
        names = keys.of(sale)
        link = self._partitions.link(names.partition)
        counts: dict[UUID, int] = {}
        cursor = b"0"
        while True:
            cursor, flat = await link.call("HSCAN", names.by, cursor, "COUNT", SHOPPERS_AT_ONCE)
            counts |= {UUID(bytes=shopper): int(units) for shopper, units in zip(flat[::2], flat[1::2], strict=True)}
            if cursor == b"0":
                return counts


@asynccontextmanager
async def open_counters(settings: Settings) -> AsyncIterator[Counters]:
    async with Partitions(settings.redis_url) as partitions:
        yield Counters(partitions)


async def restless(conn: asyncpg.Connection, settings: Settings) -> dict[str, int]:
    """Flash sales whose gate is not as it will be when nobody presses: closed, behind with returns, or with intents undecided."""
    running = [sale for sale in await gate_sales(conn) if sale.runs]
    if not running:
        return {}
    try:
        async with open_counters(settings) as counters:
            found = await counters.of(running)
    except NO_ANSWER:
        return {"gates that do not answer": len(running)}
    moving = [
        sale.id
        for sale, counter in zip(running, found, strict=True)
        if counter is None or not counter.is_ours or counter.epoch != sale.epoch or counter.entries or counter.given < sale.give_seq
    ]
    return {"gates not at rest": len(moving)} if moving else {}
