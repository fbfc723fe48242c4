"""The scripts of flash sales as plain functions on plain values: the readable truth that the Lua is compared with."""

from dataclasses import dataclass, field
from uuid import UUID

from checkout_core.admission import Admission, Answer, Code, Count, Dropped, Gate, Given, GivenBack, Loaded, Return
from checkout_core.intents import Intent


@dataclass
class Stored:
    """What Redis holds of one sale: its counters (None: nothing) and the journal, which outlives them."""

    ident: str | None = None
    epoch: int = 0
    state: str = ""
    avail: int = 0
    limit: int = 0
    given: int = 0
    starts_ms: int | None = None
    ends_ms: int | None = None
    by: dict[UUID, int] = field(default_factory=dict)
    journal: dict[UUID, Intent] = field(default_factory=dict)  # with the epoch it was admitted under


def admit(stored: Stored, ident: str, now_ms: int, backlog_max: int, intents: list[Intent]) -> Admission:
    if stored.ident != ident:
        return Admission(Gate.CLOSED, stored.epoch, 0, [])
    if stored.state != "open":
        return Admission(Gate[stored.state.upper()], stored.epoch, 0, [])
    if stored.starts_ms is not None and now_ms < stored.starts_ms:
        return Admission(Gate.NOT_STARTED, stored.epoch, 0, [])
    if stored.ends_ms is not None and now_ms >= stored.ends_ms:
        return Admission(Gate.ENDED, stored.epoch, 0, [])
    answers = []
    backlog = len(stored.journal)
    # Who holds nothing has nothing undecided. Or its units came back before it was forgotten: then it is admitted again, over itself.
    holders, before = set(stored.by), dict(stored.journal)
    orders, shoppers = set[UUID](), set[UUID]()  # of those admitted here
    for intent in intents:
        holds = stored.by.get(intent.shopper_id, 0)
        pending = before.get(intent.order_id) if intent.shopper_id in holders else None
        again = intent.order_id in orders and intent.shopper_id in shoppers
        if again or (pending is not None and pending.epoch == stored.epoch):
            answers.append(Answer(Code.REPLAY, True))
        elif stored.limit and holds + intent.quantity > stored.limit:
            answers.append(Answer(Code.LIMIT, holds > 0))
        elif stored.avail < intent.quantity:
            answers.append(Answer(Code.SOLD_OUT, holds > 0))
        elif backlog >= backlog_max:
            answers.append(Answer(Code.BACKLOG, holds > 0))
        else:
            stored.avail -= intent.quantity
            stored.by[intent.shopper_id] = holds + intent.quantity
            stored.journal[intent.order_id] = intent._replace(epoch=stored.epoch)
            orders.add(intent.order_id)
            shoppers.add(intent.shopper_id)
            backlog += 1
            answers.append(Answer(Code.ADMITTED, True))
    return Admission(Gate.OPEN, stored.epoch, stored.avail, answers)


def ack(stored: Stored, decided: list[tuple[UUID, UUID]]) -> int:
    removed = {
        order_id for order_id, intent_id in decided if order_id in stored.journal and stored.journal[order_id].intent_id == intent_id
    }
    for order_id in removed:
        del stored.journal[order_id]
    return len(removed)


def give_back(stored: Stored, ident: str, epoch: int, returns: list[Return]) -> GivenBack:
    if stored.ident != ident:
        return GivenBack(Given.CLOSED, stored.given, stored.epoch)
    if stored.epoch != epoch:
        return GivenBack(Given.STALE, stored.given, stored.epoch)
    if stored.given != returns[0].seq - 1:
        return GivenBack(Given.ALREADY if stored.given >= returns[-1].seq else Given.OUT_OF_STEP, stored.given, stored.epoch)
    for row in returns:
        stored.avail += row.units
        stored.given = row.seq
        if row.shopper_id is not None:
            stored.by[row.shopper_id] = stored.by.get(row.shopper_id, 0) - row.slots
    stored.by = {shopper: units for shopper, units in stored.by.items() if units > 0}
    return GivenBack(Given.APPLIED, stored.given, stored.epoch)


def load(stored: Stored, ident: str, count: Count, held: list[tuple[UUID, int]]) -> Loaded:
    if stored.ident is not None and stored.epoch >= count.epoch:
        return Loaded.STALE
    stored.ident, stored.by = ident, dict(held)
    for name, value in count._asdict().items():
        setattr(stored, name, value)
    return Loaded.LOADED


def drop(stored: Stored, epoch: int) -> Dropped:
    if stored.ident is not None and stored.epoch > epoch:
        return Dropped.STALE
    if stored.journal:
        return Dropped.BUSY
    stored.__init__()  # type: ignore[misc]  # as if it had never been
    return Dropped.DROPPED
