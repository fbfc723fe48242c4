"""The commit: one transaction decides a batch of intents of one sale. Both doors end here.

Five round trips: begin, lock, read, write, commit. Keyed joins, rows sorted by id. Whoever changes a sale's units locks the sale's row
first, so commits of one sale stand in line behind it, and pause, end and restock wait for one batch at most. The reasons and the
measurements are in docs/decisions/0002-one-commit.md.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from operator import itemgetter
from uuid import UUID

import asyncpg

from checkout_core import safeties
from checkout_core.decide import RESERVED, decide
from checkout_core.errors import NotFound, Unavailable
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import allot, gates, hoarding
from tenants.orders.sale import Sale
from tenants.orders.survey import Known, Survey, known, survey

log = logging.getLogger(__name__)

TRIES = 4
_RACED = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)


class _Again(Exception):
    """An order of this batch was committed through another sale a moment ago; a second look sees it."""


async def commit_batch(pool: Pool, sale: SaleKey, intents: Sequence[Intent]) -> list[Decision]:
    """Decide `intents` of `sale`, durably; the decisions in the same order.

    Raises `NotFound` for an unknown sale, `Unavailable` when the outcome is unknown or the rows stay contended.
    """
    for _ in range(TRIES):
        try:
            async with tenant_tx(pool, sale.tenant_id) as tx:
                return await commit(tx, sale.sale_id, intents)
        except (_Again, *_RACED) as error:
            log.info("commit of %d intents of sale %s is tried again: %s", len(intents), sale.sale_id, type(error).__name__)
    raise Unavailable("The sale is contended. Nothing was reserved; ask again with the same key.", code="contended")


async def commit(tx: TenantTx, sale_id: UUID, intents: Sequence[Intent]) -> list[Decision]:
    """The same inside the caller's transaction."""
    sale = await allot.lock_sale(tx, sale_id)
    if sale is None:
        raise NotFound("There is no such sale.")
    at_gate = sale.door == "gate"
    fence = sale.epoch if at_gate else None
    valid = [i for i in intents if i.epoch == fence] if safeties.on("epoch") else list(intents)
    closed = sale.closed_because(admitted=at_gate)
    order_ids = [i.order_id for i in intents]
    if valid and closed is None:
        seen = await survey(tx, sale, sum([i.quantity for i in valid]), {i.shopper_id for i in valid}, order_ids)
        rows = seen.known
        fresh = {i.order_id: i for i in sorted(valid, key=_ORDER_ID) if i.order_id not in rows}
        if fresh:
            await _decide(tx, sale, list(fresh.values()), seen)
    else:
        rows = await known(tx, order_ids)
    if at_gate:
        await _return_what_was_not_needed(tx, sale, valid, rows)
    return [
        answer(i, rows[i.order_id]) if i.order_id in rows
        else Decision(_void(sale, i, closed), i.order_id, "refused", i.quantity, 0, sale.currency, sale.now, None)
        for i in intents
    ]  # fmt: skip


_ORDER_ID = itemgetter(Intent._fields.index("order_id"))


def _void(sale: Sale, intent: Intent, closed: Outcome | None) -> Outcome:
    """Why an intent was not decided: it came through the wrong door, under an old epoch, or to a sale that is not open."""
    if (intent.epoch is None) == (sale.door == "gate"):
        return Outcome.WRONG_DOOR
    if intent.epoch is not None and intent.epoch != sale.epoch:
        return Outcome.STALE
    assert closed is not None
    return closed


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
    if safeties.on("body_hash") and row.body_hash != intent.body_hash:
        outcome = Outcome.CONFLICT
    else:
        outcome = Outcome.RESERVED if row.refusal is None else Outcome(row.refusal)
    return Decision(outcome, intent.order_id, row.state, intent.quantity, row.amount_minor, row.currency, row.created_at, row.hold_until)


async def _decide(tx: TenantTx, sale: Sale, fresh: list[Intent], seen: Survey) -> None:
    """Decide the intents nobody has seen yet, write what was decided, and add it to what is known."""
    passed, sent_away = hoarding.sift(sale, fresh, seen.waits)
    limit = sale.limit_per_shopper if safeties.on("unique_slot") else 0
    outcomes = decide([(i.shopper_id, i.quantity) for i in passed], seen.taken, limit, len(seen.units))
    hold_until = sale.now + dt.timedelta(seconds=sale.hold_s)
    price, currency, now = sale.price_minor, sale.currency, sale.now
    given = allot.Given([], [], [], [])
    refusals: list[int | None] = []
    for intent, (outcome, slots) in zip(passed, outcomes, strict=True):
        order_id, intent_id, shopper_id, quantity, body_hash, *_ = intent
        if outcome == RESERVED:
            refusals.append(None)
            seen.known[order_id] = Known(intent_id, "awaiting", None, body_hash, quantity * price, currency, now, hold_until)
            at = len(given.units)
            given.units.extend(seen.units[at : at + quantity])
            given.order_ids.extend([order_id] * quantity)
            given.shopper_ids.extend([shopper_id] * quantity)
            given.slots.extend(slots or [None] * quantity)
        else:
            refusals.append(outcome)
            seen.known[order_id] = Known(intent_id, "refused", outcome, body_hash, 0, currency, now, None)
    if sent_away:
        away = [i for i in fresh if i.order_id in sent_away]
        for i in away:
            seen.known[i.order_id] = Known(i.intent_id, "refused", sent_away[i.order_id], i.body_hash, 0, currency, now, None)
        if sale.door == "gate":
            # What the gate admitted is decided once: a replay must find the same refusal, or it would give back twice.
            passed += away
            refusals += [int(sent_away[i.order_id]) for i in away]
    if passed:
        await _write(tx, sale, passed, refusals, given, hold_until)


_WRITE = """,
    x AS (
        SELECT * FROM unnest($7::uuid[], $8::uuid[], $9::uuid[], $10::smallint[], $11::integer[], $12::bytea[], $13::text[], $14::bytea[],
                             $15::text[])
            AS x(id, intent_id, shopper_id, refusal, quantity, body_hash, contact, lookup_hash, channel)),
    made AS (
        INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, refusal, amount_minor, currency, body_hash, contact, lookup_hash,
                            channel, created_at, hold_until, next_try_at)
        SELECT $1, id, intent_id, shopper_id, CASE WHEN refusal IS NULL THEN 'awaiting' ELSE 'refused' END, refusal,
               CASE WHEN refusal IS NULL THEN quantity * $16::bigint ELSE 0 END, $17, body_hash, contact, lookup_hash,
               channel, $18, CASE WHEN refusal IS NULL THEN $19::timestamptz END, CASE WHEN refusal IS NULL THEN $19::timestamptz END
        FROM x ON CONFLICT DO NOTHING RETURNING id),
    lines AS (
        INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor)
        SELECT $1, id, $2, $20, quantity, $16 FROM x WHERE refusal IS NULL)
    SELECT count(*) FROM made"""


async def _write(
    tx: TenantTx, sale: Sale, intents: list[Intent], refusals: list[int | None], given: allot.Given, hold_until: dt.datetime
) -> None:
    """Orders, their lines and their units, in one round trip. Raises `_Again` when one of the orders exists."""
    ids, intent_ids, shoppers, quantities, hashes, _, contacts, lookups, channels, *_ = zip(*intents, strict=True)
    written = await tx.conn.fetchval(
        allot.giving(sale) + _WRITE, tx.tenant_id, sale.id, *given,
        ids, intent_ids, shoppers, refusals, quantities, hashes, contacts, lookups, channels,
        sale.price_minor, sale.currency, sale.now, hold_until, sale.sku_id,
    )  # fmt: skip
    if written != len(intents):
        raise _Again
