"""Two doors, one commit. An ordinary sale goes straight to the commit; a flash sale passes Redis first.

The gate in Redis admits no more wishes than there are units, and turns the crowd away.

Nothing is promised before it is committed, and no refusal is said to a shopper who may hold an order in the sale without a look in
Postgres: Redis does not remember decided orders, and may have forgotten or gone back.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

from api.committer import Committer
from api.doubts import Doubts, closed
from api.erased import refusal
from api.memory import Memory
from api.soldout import SoldOut
from checkout_core import safeties
from checkout_core.admission import Admission, Code, Gate, Gatekeeper
from checkout_core.batcher import Said
from checkout_core.bell import Bell
from checkout_core.errors import NotFound, TooMany
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from checkout_core.journal import Entry
from checkout_core.resp import Closed, Unknown
from checkout_core.room import Room
from tenants.db import Pool, tenant_tx
from tenants.orders import answers, gates

# So long a sale may be taken through a door that was changed, when nobody heard of the change; the commit then says so. 500 sales at once
# cost a fifth of an order's whole price when each was looked up every second.
TTL_S = 5.0
SALES_MAX = 10_000
_REFUSED = {Code.LIMIT: Outcome.LIMIT, Code.SOLD_OUT: Outcome.SOLD_OUT}
_UNSAID = (Outcome.STALE, Outcome.WRONG_DOOR)  # no set: the hash of an outcome is taken by Python
_SHUT = {Gate.PAUSED: Outcome.PAUSED, Gate.NOT_STARTED: Outcome.NOT_STARTED, Gate.ENDED: Outcome.ENDED}

Answer = Said | asyncio.Future[Said]
Among = Callable[[UUID, Iterable[UUID]], Collection[UUID]]  # which of these shoppers of a tenant were erased


def _nobody(_: UUID, __: Iterable[UUID]) -> Collection[UUID]:
    return ()


class Door(NamedTuple):
    """How a sale is sold, as it was a moment ago."""

    kind: str
    fallback_per_s: int
    over: bool  # by its end or the merchant: Redis has forgotten it, or will
    room: bool = False  # who finds nothing left may wait, and then comes before who presses later


class Doors:
    """Decides batches: `decide` is what the batcher commits by."""

    def __init__(self, pool: Pool, gatekeeper: Gatekeeper, bell: Bell, erased: Among = _nobody, room: Room | None = None) -> None:
        self._room = room
        self._erased = erased
        self._pool = pool
        self._committer = Committer(pool)
        self._gatekeeper = gatekeeper
        self._bell = bell
        self._doubts = Doubts(pool)
        self._doors: Memory[SaleKey, Door] = Memory(self._look, ttl_s=TTL_S, size=SALES_MAX)
        self.sold_out = SoldOut(pool, gatekeeper)
        self.admitted: set[UUID] = set()  # orders of this process whose commit is under way
        self._buying: list[set[UUID]] = []  # their shoppers, by batch
        self._fallback: dict[SaleKey, tuple[float, float]] = {}
        self._fenced: dict[SaleKey, int] = {}
        self._pending: set[asyncio.Task[object]] = set()

    async def decide(self, sale: SaleKey, intents: Sequence[Intent]) -> Sequence[Answer]:
        """The answers in order; an erased shopper's wish goes no further than here, whatever the gate remembers of his token."""
        if erased := self._erased(sale.tenant_id, (intent.shopper_id for intent in intents)):
            others = [intent for intent in intents if intent.shopper_id not in erased]
            answers = iter(await self._decide(sale, others) if others else ())
            return [refusal() if intent.shopper_id in erased else next(answers) for intent in intents]
        return await self._decide(sale, intents)

    async def _decide(self, sale: SaleKey, intents: Sequence[Intent]) -> Sequence[Answer]:
        door = await self._doors.get(sale)
        if door is None:
            raise NotFound("There is no such sale.")
        decided: Sequence[Answer]
        if door.kind == "shelf":
            decided = [refused(intent, Outcome.ON_THE_SHELF) for intent in intents]
        elif door.kind != "gate":
            decided = await self._committer.commit(sale, intents)
        elif door.over:
            decided = await self._shut(sale, intents, Outcome.ENDED)
        elif door.room and self._room is not None:
            decided = await self._past_those_who_wait(sale, intents, door.fallback_per_s, self._room)
        else:
            decided = await self._through_gate(sale, intents, door.fallback_per_s)
        unsaid = [d for d in decided if isinstance(d, Decision) and d.outcome in _UNSAID]
        if not unsaid:
            return decided
        if any(d.outcome == Outcome.WRONG_DOOR for d in unsaid):
            self._doors.forget(sale)
        return [d if isinstance(d, asyncio.Future) else _unsaid(d) for d in decided]

    async def undecided(self, sale: SaleKey, order_id: UUID, shopper_id: UUID | None) -> Entry | None:
        """The admitted wish that will become the order, if there is one and it is the shopper's. Raises `Unavailable` without Redis."""
        entry = await self._gatekeeper.undecided(sale, order_id)
        own = entry is not None and entry.intent is not None and shopper_id in (None, entry.intent.shopper_id)
        return entry if own else None

    async def is_shelf(self, sale: SaleKey) -> bool:
        """Whether it is bought with a cart. A sale keeps its door for ever."""
        door = await self._doors.get(sale)
        return door is not None and door.kind == "shelf"

    def forget(self, sale: SaleKey) -> None:
        """The sale was changed, or units came back."""
        self._doors.forget(sale)
        self.sold_out.forget(sale)

    async def aclose(self) -> None:
        await asyncio.gather(*self._pending, return_exceptions=True)
        await self._doubts.aclose()

    async def _look(self, sale: SaleKey) -> Door | None:
        async with tenant_tx(self._pool, sale.tenant_id) as tx:
            sql = """SELECT door, fallback_per_s, state = 'ended' OR coalesce(ends_at <= now(), false), waiting_room <> 'off'
                     FROM sale WHERE tenant_id = $1 AND id = $2"""
            row = await tx.conn.fetchrow(sql, sale.tenant_id, sale.sale_id)
        return Door(*row) if row else None

    async def _past_those_who_wait(self, sale: SaleKey, intents: Sequence[Intent], fallback_per_s: int, room: Room) -> Sequence[Answer]:
        """While somebody waits only those go on whose turn it is. Without Redis there is no line, and the gate says what follows."""
        try:
            may = await room.enter(sale, [intent.shopper_id for intent in intents])
        except (Closed, Unknown):
            may = [True] * len(intents)
        passing = [intent for intent, passes in zip(intents, may, strict=True) if passes]
        answers = iter(await self._through_gate(sale, passing, fallback_per_s) if passing else ())
        return [next(answers) if passes else _wait() for passes in may]

    async def _through_gate(self, sale: SaleKey, intents: Sequence[Intent], fallback_per_s: int) -> list[Answer]:
        try:
            admission = await self._gatekeeper.admit(sale, intents)
        except Unknown:
            raise closed("The gate did not answer. Press again with the same key to learn the outcome.") from None
        except Closed:
            self.sold_out.forget(sale)  # nobody knows, while Redis is away
            return await self._past_gate(sale, intents, fallback_per_s)
        if admission.gate is Gate.CLOSED or admission.epoch < self._fenced.get(sale, 0):
            # Or it came back as it was before this process sold past it: what it counts is void, its refusals too. Or the sale is over.
            self.forget(sale)
            self._bell.ring("sale", sale.tenant_id, sale.sale_id)
            raise closed("The sale is being opened. Nothing was reserved; ask again in a moment.")
        if admission.gate is not Gate.OPEN:
            return await self._shut(sale, intents, _SHUT[admission.gate])
        return await self._settle(sale, intents, admission)

    async def _settle(self, sale: SaleKey, intents: Sequence[Intent], admission: Admission) -> list[Answer]:
        pairs = list(zip(intents, admission.answers, strict=True))
        yes, epoch = Code.ADMITTED, admission.epoch  # to ask an enumeration for each wish takes as long as the rest
        admitted = [i.under(epoch) for i, (code, _) in pairs if code is yes]
        if len(admitted) == len(pairs) and admission.avail and safeties.on("commit_first"):
            self.sold_out.forget(sale)
            return list(await self._commit(sale, admitted))
        out: dict[UUID, Answer] = {}  # by intent: two wishes of one order may differ in what they ask
        asked = safeties.on("holders")
        doubtful = [(i, a.code) for i, a in pairs if a.code is Code.REPLAY or (asked and a.code in _REFUSED and (a.holds or i.retried))]
        # Who has an order that is being committed, here or elsewhere, is looked up after ours: it may be decided then. All others at once.
        buying = {i.shopper_id for i in admitted}.union(*self._buying)
        now, later = list[tuple[Intent, Code]](), list[tuple[Intent, Code]]()
        for intent, code in doubtful:
            (later if code is Code.REPLAY or intent.shopper_id in buying else now).append((intent, code))
        out |= self._ask(sale, epoch, now)
        if admitted and safeties.on("commit_first"):
            decisions = await self._commit(sale, admitted)
            out |= {i.intent_id: d for i, d in zip(admitted, decisions, strict=True)}
        elif admitted:
            self._later(self._commit(sale, admitted))
            out |= {i.intent_id: _promised(i) for i in admitted}
        out |= self._ask(sale, epoch, later)
        if admission.avail == 0:
            self.sold_out.learn(sale, epoch)
        else:
            self.sold_out.forget(sale)
        return [out.get(i.intent_id) or self._refusal(i, a.code) for i, a in pairs]

    def _ask(self, sale: SaleKey, epoch: int, doubtful: list[tuple[Intent, Code]]) -> dict[UUID, asyncio.Future[Said]]:
        if not doubtful:
            return {}
        over = {i for i, code in doubtful if code is Code.LIMIT and safeties.on("holders")}
        said = self._doubts.ask(sale, epoch, {i: self._refusal(i, code) for i, code in doubtful}, over)
        return {i.intent_id: future for (i, _), future in zip(doubtful, said, strict=True)}

    async def _commit(self, sale: SaleKey, admitted: list[Intent]) -> list[Decision]:
        """Decide what the gate admitted, and only then have the journal forget it."""
        if not safeties.on("journal"):
            await self._gatekeeper.ack(sale, [(i.order_id, i.intent_id) for i in admitted])
        orders = {i.order_id for i in admitted}
        self.admitted |= orders
        shoppers = {i.shopper_id for i in admitted}
        self._buying.append(shoppers)
        try:
            decisions = await self._committer.commit(sale, admitted)
        finally:
            self.admitted -= orders
            self._buying.remove(shoppers)
        reserved, wrong_door = Outcome.RESERVED, Outcome.WRONG_DOOR
        told = [(i, d.outcome) for i, d in zip(admitted, decisions, strict=True)]
        self.sold_out.won(sale, [i.shopper_id for i, outcome in told if outcome == reserved])
        self._ack(sale, [(i.order_id, i.intent_id) for i, outcome in told if outcome != wrong_door])
        return decisions

    @staticmethod
    def _refusal(intent: Intent, code: Code) -> Said:
        if code in _REFUSED:
            return refused(intent, _REFUSED[code])
        if code is Code.BACKLOG:
            return TooMany(
                "More shoppers are being served than can be at once. Nothing was reserved; ask again.", code="busy", retry_after_s=1
            )
        return closed("Your wish is being decided. Press again with the same key to learn the outcome.")

    async def _shut(self, sale: SaleKey, intents: Sequence[Intent], outcome: Outcome) -> list[Answer]:
        """A sale that is paused or over still tells those who hold an order what they hold."""
        found = await answers.look(self._pool, sale, intents)
        return [found.decided.get(i.intent_id) or refused(i, outcome) for i in intents]

    async def _past_gate(self, sale: SaleKey, intents: Sequence[Intent], fallback_per_s: int) -> list[Answer]:
        """Redis is away: sell throttled through Postgres if the merchant chose so; else say that the gate is closed."""
        allowed = self._spend(sale, fallback_per_s, len(intents))
        if not allowed:
            raise closed("The gate is closed for a moment. Nothing was reserved; ask again.")
        epoch = self._fenced[sale] = await gates.leave(self._pool, sale, self._fenced.get(sale, 0))
        decided = await self._committer.commit(sale, [i.under(epoch) for i in intents[:allowed]])
        waiting = [closed("The gate is closed for a moment. Nothing was reserved; ask again.") for _ in intents[allowed:]]
        return [*decided, *waiting]

    def _spend(self, sale: SaleKey, per_s: int, wanted: int) -> int:
        now = time.monotonic()
        level, then = self._fallback.get(sale, (float(per_s), now))
        level = min(float(per_s), level + (now - then) * per_s)
        allowed = min(wanted, int(level))
        self._fallback[sale] = (level - allowed, now)
        return allowed

    def _ack(self, sale: SaleKey, decided: list[tuple[UUID, UUID]]) -> None:
        """Tell the journal, without making anybody wait: what is not removed now is found decided by the recoverer."""

        async def ack() -> None:
            with suppress(Closed, Unknown):
                await self._gatekeeper.ack(sale, decided)

        self._later(ack())

    def _later(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)


def _wait() -> TooMany:
    detail = "Others wait for this sale and come first. Nothing was reserved: take a place in its waiting room."
    return TooMany(detail, code="waiting_room", retry_after_s=5)


def refused(intent: Intent, outcome: Outcome) -> Decision:
    """A refusal that is nobody's to keep: it has no row, and the same key may be used again."""
    return Decision(outcome, intent.order_id, "", intent.quantity, 0, "", dt.datetime.now(dt.UTC), None)


def _promised(intent: Intent) -> Decision:
    """What a shopper is told without the safety `commit_first`."""
    return Decision(Outcome.RESERVED, intent.order_id, "awaiting", intent.quantity, 0, "", dt.datetime.now(dt.UTC), None)


def _unsaid(answer: Said) -> Said:
    """Outcomes that are between us and Redis become "ask again"."""
    if isinstance(answer, Decision) and answer.outcome in _UNSAID:
        return closed("The sale has just been changed. Nothing was reserved; ask again.")
    return answer
