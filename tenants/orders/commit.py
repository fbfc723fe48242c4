"""The commit: one transaction decides a batch of intents, of one sale or of several of a store. Both doors end here.

One round trip when nothing speaks against any of them (`at_once`), else five: begin, lock, read, write, commit. Keyed joins, rows sorted
by id. Whoever changes a sale's units locks the sale's row first, so commits of one sale stand in line behind it, and pause, end and restock
wait for one batch at most. The reasons and the measurements are in docs/decisions/0002-one-commit.md and 0018-at-once.md.
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core import safeties
from checkout_core.decide import RESERVED, decide
from checkout_core.errors import NotFound, Unavailable
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import allot, at_once, gates, hoarding
from tenants.orders.at_once import Left
from tenants.orders.draft import Draft
from tenants.orders.sale import Sale
from tenants.orders.survey import Ask, Known, Survey, known, survey

log = logging.getLogger(__name__)

TRIES = 4
_RESERVED = Outcome.RESERVED  # an enumeration's own look-up takes as long as a comparison of two orders
_made = tuple.__new__  # of a NamedTuple, in a loop over a batch: half the time of its own name
_RACED = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)


More = Callable[[], Sequence[Intent]]


class _Again(Exception):
    """An order of this batch was committed through another sale a moment ago; a second look sees it."""


class Wishes(NamedTuple):
    """What shoppers want of one sale."""

    sale_id: UUID
    intents: Sequence[Intent]


async def commit_batch(pool: Pool, sale: SaleKey, intents: Sequence[Intent], more: More = tuple) -> list[Decision]:
    """Decide `intents` of `sale`, durably; the decisions in the same order.

    `more` is asked, when the sale's row is ours at last, for intents that came meanwhile: they are decided with them, behind them.
    Raises `NotFound` for an unknown sale, `Unavailable` when the outcome is unknown or the rows stay contended.
    """
    together = list(intents)
    left: list[Decision] | Left | None = None
    for _ in range(TRIES):
        try:
            if left is None:
                left = await at_once.reserve(pool, sale, together)
                if isinstance(left, list):
                    return left
            async with tenant_tx(pool, sale.tenant_id) as tx:
                return await commit(tx, sale.sale_id, together, more, contested=left is Left.CONTESTED)
        except (_Again, *_RACED) as error:
            log.info("commit of %d intents of sale %s is tried again: %s", len(together), sale.sale_id, type(error).__name__)
    raise Unavailable("The sale is contended. Nothing was reserved; ask again with the same key.", code="contended")


async def commit(tx: TenantTx, sale_id: UUID, intents: list[Intent], more: More = tuple, *, contested: bool = True) -> list[Decision]:
    """The same inside the caller's transaction; `intents` grows by `more`. Unless it is `contested`, all may yet be reserved at once."""
    sale = await allot.lock_sale(tx, sale_id)
    if sale is None:
        raise NotFound("There is no such sale.")
    intents += more()
    if not contested and isinstance(reserved := await at_once.reserve(tx.conn, SaleKey(tx.tenant_id, sale_id), intents), list):
        return reserved
    [decisions] = await _commit(tx, [_Part(sale, intents)])
    return decisions


async def commit_together(pool: Pool, tenant_id: UUID, wishes: Sequence[Wishes]) -> list[list[Decision] | None]:
    """Decide what shoppers want of several sales of a store in one transaction; None for a sale to be committed by itself.

    That is one whose row somebody else holds just now, or that does not exist; or all of them, when their rows were contended.
    """
    try:
        if len(wishes) == 1 and wishes[0].intents:
            [(sale_id, intents)] = wishes
            if isinstance(reserved := await at_once.reserve(pool, SaleKey(tenant_id, sale_id), intents), list):
                return [reserved]
        async with tenant_tx(pool, tenant_id) as tx:
            free = {sale.id: sale for sale in await allot.lock_free_sales(tx, [w.sale_id for w in wishes])}
            # Of each sale once: two parts of one would pick the same units.
            parts = {n: _Part(sale, w.intents) for n, w in enumerate(wishes) if (sale := free.pop(w.sale_id, None))}
            decided = dict(zip(parts, await _commit(tx, list(parts.values())) if parts else [], strict=True))
    except (_Again, *_RACED) as error:
        log.info("commit of %d sales of store %s is made sale by sale: %s", len(wishes), tenant_id, type(error).__name__)
        return [None] * len(wishes)
    return [decided.get(n) for n in range(len(wishes))]


class _Part:
    """What a commit does in one sale."""

    def __init__(self, sale: Sale, intents: Sequence[Intent]) -> None:
        self.sale = sale
        self.at_gate = sale.door == "gate"
        self.intents = intents
        fence = sale.epoch if self.at_gate else None
        self.valid = [i for i in intents if i.epoch == fence] if safeties.on("epoch") else list(intents)
        self.closed = Outcome.ON_THE_SHELF if sale.door == "shelf" else sale.closed_because(admitted=self.at_gate)

    @property
    def is_open(self) -> bool:
        return self.closed is None and bool(self.valid)

    @property
    def ask(self) -> Ask:
        return Ask(self.sale, sum([i.quantity for i in self.valid]), {i.shopper_id for i in self.valid})

    def answers(self, rows: dict[UUID, Known]) -> list[Decision]:
        return [answer(i, row) if (row := rows.get(i.order_id)) else self._void(i) for i in self.intents]

    def _void(self, intent: Intent) -> Decision:
        """Why an intent was not decided: it came through the wrong door, under an old epoch, or to a sale that is not open."""
        sale = self.sale
        if (intent.epoch is None) == self.at_gate:
            outcome = Outcome.WRONG_DOOR
        elif intent.epoch is not None and intent.epoch != sale.epoch:
            outcome = Outcome.STALE
        else:
            assert self.closed is not None
            outcome = self.closed
        return Decision(outcome, intent.order_id, "refused", intent.quantity, 0, sale.currency, sale.now, None)


async def _commit(tx: TenantTx, parts: Sequence[_Part]) -> list[list[Decision]]:
    """Decide the parts, whose sales are locked, in turn."""
    order_ids = [i.order_id for part in parts for i in part.intents]
    open_parts = [part for part in parts if part.is_open]
    if open_parts:
        seen, rows = await survey(tx, [part.ask for part in open_parts], order_ids)
        draft = Draft()
        for part, own in zip(open_parts, seen, strict=True):
            fresh = {i.order_id: i for i in sorted(part.valid, key=_ORDER_ID) if i.order_id not in rows}
            _decide(draft, part.sale, list(fresh.values()), own, rows)
        if draft.intents and await draft.write(tx) != len(draft.intents):
            raise _Again
    else:
        rows = await known(tx, order_ids)
    for part in parts:
        if part.at_gate:
            await _return_what_was_not_needed(tx, part.sale, part.valid, rows)
    return [part.answers(rows) for part in parts]


_ORDER_ID = itemgetter(Intent._fields.index("order_id"))


async def _return_what_was_not_needed(tx: TenantTx, sale: Sale, intents: list[Intent], rows: dict[UUID, Known]) -> None:
    """The gate counted units for each admission. Give back those of intents that hold none: refused, or admitted a second time.

    An admitted intent that finds no unit shows that the gate counted too many: a new epoch, and it is counted anew.
    """
    idle = [i for i in intents if (r := rows.get(i.order_id)) is None or r.refusal is not None or r.intent_id != i.intent_id]
    if any(r.refusal == Outcome.SOLD_OUT and r.intent_id == i.intent_id for i in idle if (r := rows.get(i.order_id))):
        await gates.bump(tx, sale.id)
        return
    await gates.give_back(tx, sale, [gates.Return(f"intent:{i.intent_id.hex}", i.shopper_id, i.quantity, i.quantity) for i in idle])


def answer(intent: Intent, row: Known) -> Decision:
    """What the order's row says: the same to the one who made it and to every retry."""
    _, state, refusal, body_hash, amount_minor, currency, created_at, hold_until = row
    outcome = _RESERVED if refusal is None else Outcome(refusal)
    if body_hash != intent.body_hash and safeties.on("body_hash"):
        outcome = Outcome.CONFLICT
    return _made(Decision, (outcome, intent.order_id, state, intent.quantity, amount_minor, currency, created_at, hold_until))


def _decide(draft: Draft, sale: Sale, fresh: list[Intent], seen: Survey, rows: dict[UUID, Known]) -> None:
    """Decide the intents of a sale that nobody has seen yet; what was decided goes to the draft, and to what is known."""
    passed, sent_away = hoarding.sift(sale, fresh, seen.waits)
    limit = sale.limit_per_shopper if safeties.on("unique_slot") else 0
    outcomes = decide([(i.shopper_id, i.quantity) for i in passed], seen.taken, limit, len(seen.units))
    price, currency, now = sale.price_minor, sale.currency, sale.now
    hold_until = now + dt.timedelta(seconds=sale.hold_s)
    draft.begin(sale, hold_until)
    at = 0
    for intent, (outcome, slots) in zip(passed, outcomes, strict=True):
        order_id, intent_id, _, quantity, body_hash, *_ = intent
        if outcome == RESERVED:
            to = at + quantity
            draft.reserve(intent, seen.units[at:to], seen.ranks[to - 1], slots)
            rows[order_id] = _made(Known, (intent_id, "awaiting", None, body_hash, quantity * price, currency, now, hold_until))
            at = to
        else:
            draft.refuse(intent, outcome)
            rows[order_id] = Known(intent_id, "refused", outcome, body_hash, 0, currency, now, None)
    for intent in fresh if sent_away else ():
        if refusal := sent_away.get(intent.order_id):
            rows[intent.order_id] = Known(intent.intent_id, "refused", refusal, intent.body_hash, 0, currency, now, None)
            if sale.door == "gate":
                # What the gate admitted is decided once: a replay must find the same refusal, or it would give back twice.
                draft.refuse(intent, refusal)
