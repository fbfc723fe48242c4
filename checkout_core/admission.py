"""The door of flash sales: typed calls of the scripts in `lua/`, each on the server where the sale's partition lives.

Nothing here is a promise to a shopper: what is admitted has yet to be committed. Every call raises `Closed` when nothing was
done, `Unknown` when it may have been (see `checkout_core.resp`); none is ever sent a second time.
Measured: docs/decisions/0007-redis-core.md.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from enum import IntEnum
from itertools import chain
from typing import Final, Literal, NamedTuple
from uuid import UUID

from checkout_core import journal, keys, safeties, scripts
from checkout_core.intents import Intent, SaleKey
from checkout_core.journal import Entry
from checkout_core.partitions import Partitions
from checkout_core.resp import Link, Part
from checkout_core.scripts import Script, run

BATCH_MAX: Final = 512  # intents or rows of one script call: 3 µs each, and all others wait 1.5 ms
BACKLOG_MAX: Final = 20_000  # undecided intents of a sale; two seconds of commits
LOAD_TIMEOUT_S: Final = 30.0  # 500,000 shoppers take about one


# What a test may remove from a script, see `checkout_core.safeties`.
GUARDS: Final = {
    "ack": ("ack_intent", b" and string.sub(entries[i], 17, 32) == intents[i]"),
    "give_back": (
        "give_back_seq",
        b"if given ~= from_seq then return {given >= from_seq + count and ALREADY or OUT_OF_STEP, given, stored_epoch} end\n",
    ),
}


def _script(name: str) -> Script:
    body = scripts.read(name)
    if name in GUARDS:
        safety, guard = GUARDS[name]
        assert body.count(guard) == 1, f"{name}.lua has lost its guard"
        body = body if safeties.on(safety) else body.replace(guard, b"")
    return Script.of(body)


ADMIT, ACK, GIVE_BACK, LOAD, DROP = map(_script, ("admit", "ack", "give_back", "load", "drop"))


def ident_of(link: Link) -> str:
    """What a gate is loaded for, and what each script asks for."""
    return link.ident if safeties.on("ident") else "whoever answers"


class Gate(IntEnum):
    """What the sale says to a whole batch."""

    CLOSED = 0  # not loaded, or by another server: the controller opens it
    OPEN = 1
    PAUSED = 2
    NOT_STARTED = 3
    ENDED = 4


class Code(IntEnum):
    """What the gate says to one intent of an open sale."""

    ADMITTED = 1
    REPLAY = 2  # the order is in the journal: it is being decided
    LIMIT = 3
    SOLD_OUT = 4  # of the quantity asked for
    BACKLOG = 5  # too many are undecided; later


class Answer(NamedTuple):
    code: Code
    holds: bool  # the shopper may hold something: no refusal before a look in Postgres


class Admission(NamedTuple):
    gate: Gate
    epoch: int  # stamped on what was admitted
    avail: int  # units left
    answers: list[Answer]  # one per intent, in order; empty unless the gate is open


class Given(IntEnum):
    CLOSED = 0
    APPLIED = 1
    ALREADY = 2
    OUT_OF_STEP = 3  # nothing was applied; continue after `given`
    STALE = 4  # another epoch: older rows are inside a count, newer ones wait for their load


class GivenBack(NamedTuple):
    status: Given
    given: int  # the last row applied
    epoch: int  # the one stored


class Return(NamedTuple):
    """Units that come back, a row of Postgres. `seq` counts per sale and epoch, without gaps."""

    seq: int
    shopper_id: UUID | None
    units: int
    slots: int  # by how much the shopper's count falls


class Count(NamedTuple):
    """What Postgres counted under the lock of the sale's row."""

    epoch: int
    state: Literal["open", "paused", "ended"]
    avail: int
    limit: int  # per shopper, 0 for none
    given: int = 0  # the last give-back inside the count
    starts_ms: int | None = None
    ends_ms: int | None = None


class Loaded(IntEnum):
    LOADED = 1
    STALE = 2  # the stored epoch is as new or newer


class Dropped(IntEnum):
    DROPPED = 1
    STALE = 2  # it was loaded again under a newer epoch
    BUSY = 3  # intents are undecided


class View(NamedTuple):
    """What Redis holds of a sale now."""

    is_ours: bool  # the server is still the one it was loaded on: else the gate is closed
    epoch: int
    state: str
    avail: int
    limit: int
    given: int
    undecided: int


# The script's byte per intent: the code, and 8 for "holds something".
_ANSWERS: Final = {code + held: Answer(code, held > 0) for code in Code for held in (0, 8)}


class Gatekeeper:
    """The scripts, for the sales of all partitions."""

    def __init__(self, partitions: Partitions, *, backlog_max: int = BACKLOG_MAX) -> None:
        self._partitions = partitions
        self._backlog_max = backlog_max

    async def admit(self, sale: SaleKey, intents: Sequence[Intent]) -> Admission:
        """Decide at most 512 intents in order. An intent sent again gets a new `intent_id` first: it is another admission.

        An order is its shopper's (`intents.order_id`): one who holds nothing is not asked for what is undecided.
        """
        names = keys.of(sale)
        link = self._partitions.link(names.partition)
        orders, shoppers = _column([i.order_id for i in intents]), _column([i.shopper_id for i in intents])
        quantities = struct.pack(f">{len(intents)}I", *[i.quantity for i in intents])
        args: tuple[Part, ...] = (ident_of(link), self._backlog_max, orders, shoppers, quantities, *map(journal.pack, intents))
        gate, epoch, avail, codes = await run(link, ADMIT, names[1:], args)
        return Admission(Gate(gate), epoch, avail, [_ANSWERS[code] for code in codes])

    async def ack(self, sale: SaleKey, decided: Sequence[tuple[UUID, UUID]]) -> int:
        """Remove decided intents, (order id, intent id) each, at most 512; how many were still there."""
        if not decided:
            return 0
        names = keys.of(sale)
        link = self._partitions.link(names.partition)
        orders, intents = zip(*decided, strict=True)
        removed: int = await run(link, ACK, (names.journal,), (_column(orders), _column(intents)))
        return removed

    async def give_back(self, sale: SaleKey, epoch: int, returns: Sequence[Return]) -> GivenBack:
        """Apply at most 512 returns of one epoch, in a row, if the one before the first is the last that was applied."""
        names = keys.of(sale)
        link = self._partitions.link(names.partition)
        rows: Iterable[tuple[Part, ...]] = ((r.seq, r.shopper_id.bytes if r.shopper_id else b"", r.units, r.slots) for r in returns)
        args: tuple[Part, ...] = (ident_of(link), epoch, returns[0].seq - 1, *chain.from_iterable(rows))
        status, given, stored = await run(link, GIVE_BACK, (names.sale, names.by), args)
        return GivenBack(Given(status), given, stored)

    async def load(self, sale: SaleKey, count: Count, held: Iterable[tuple[UUID, int]]) -> Loaded:
        """Replace the counters; `held` are the units of each shopper who holds some. After `Unknown`, count again under a new epoch."""
        names = keys.of(sale)
        link = self._partitions.link(names.partition)
        times = ["" if ms is None else ms for ms in (count.starts_ms, count.ends_ms)]
        held_args: Iterable[Part] = chain.from_iterable((shopper.bytes, units) for shopper, units in held)
        args: tuple[Part, ...] = (ident_of(link), count.epoch, count.state, count.avail, count.limit, count.given, *times, *held_args)
        status, _ = await run(link, LOAD, (names.sale, names.by), args, timeout_s=LOAD_TIMEOUT_S)
        return Loaded(status)

    async def drop(self, sale: SaleKey, epoch: int) -> Dropped:
        """Forget a sale that ended under `epoch`, once nothing of it is undecided."""
        names = keys.of(sale)
        (status,) = await run(self._partitions.link(names.partition), DROP, names[1:], (epoch,))
        return Dropped(status)

    async def view(self, sale: SaleKey) -> View | None:
        """What Redis holds of the sale, None when it holds nothing."""
        names = keys.of(sale)
        link = self._partitions.link(names.partition)
        stored = link.call("HMGET", names.sale, "ident", "epoch", "state", "avail", "limit", "given")
        (ident, epoch, state, avail, limit, given), undecided = await asyncio.gather(stored, link.call("HLEN", names.journal))
        if ident is None:
            return None
        return View(ident == ident_of(link).encode(), int(epoch), state.decode(), int(avail), int(limit), int(given), undecided)

    async def undecided(self, sale: SaleKey, order_id: UUID) -> Entry | None:
        """The journal's entry of one order."""
        names = keys.of(sale)
        value = await self._partitions.link(names.partition).call("HGET", names.journal, order_id.bytes)
        return None if value is None else journal.unpack(order_id.bytes, value)

    async def older_than(self, sale: SaleKey, age_ms: int) -> AsyncIterator[list[Entry]]:
        """The journal's entries admitted at least `age_ms` ago by the clock of Redis, in pieces; what comes meanwhile may be missed."""
        names = keys.of(sale)
        link = self._partitions.link(names.partition)
        seconds, micros = await link.call("TIME")
        latest_ms = int(seconds) * 1000 + int(micros) // 1000 - age_ms
        cursor = b"0"
        while True:
            cursor, flat = await link.call("HSCAN", names.journal, cursor, "COUNT", BATCH_MAX)
            entries = (journal.unpack(field, value) for field, value in zip(flat[::2], flat[1::2], strict=True))
            if old := [entry for entry in entries if entry.admitted_ms <= latest_ms]:
                yield old
            if cursor == b"0":
                return


def _column(ids: Iterable[UUID]) -> bytes:
    return b"".join([each.bytes for each in ids])
