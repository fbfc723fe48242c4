"""The commit: one transaction decides a batch of intents of one sale. Both doors end here.

Short statements on keyed joins, rows sorted by id. Whoever changes a sale's units locks the sale's row first, so commits of one
sale stand in line behind it, and pause, end and restock wait for one batch at most. The reasons and the measurements are in
docs/decisions/0002-one-commit.md.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from checkout_core import safeties
from checkout_core.decide import decide
from checkout_core.errors import NotFound, Unavailable
from checkout_core.failpoints import failpoint
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import allot, gates, hoarding
from tenants.orders.sale import Sale

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
                decisions = await commit(tx, sale.sale_id, intents)
                failpoint("commit.before")
            failpoint("commit.after")
            return decisions
        except (_Again, *_RACED) as error:
            log.info("commit of %d intents of sale %s is tried again: %s", len(intents), sale.sale_id, type(error).__name__)
    raise Unavailable("The sale is contended. Nothing was reserved; ask again with the same key.", code="contended")


async def commit(tx: TenantTx, sale_id: UUID, intents: Sequence[Intent]) -> list[Decision]:
    """The same inside the caller's transaction."""
    sale = await allot.lock_sale(tx, sale_id)
    if sale is None:
        raise NotFound("There is no such sale.")
    rows = await known(tx, intents)
    valid = [i for i in intents if i.epoch == (sale.epoch if sale.door == "gate" else None)] if safeties.on("epoch") else list(intents)
    fresh = {i.order_id: i for i in sorted(valid, key=lambda i: i.order_id) if i.order_id not in rows}
    closed = sale.closed_because(admitted=sale.door == "gate")
    if fresh and closed is None:
        rows |= await _decide(tx, sale, fresh)
    if sale.door == "gate":
        await _return_what_was_not_needed(tx, sale, valid, rows)
    now = sale.now
    return [
        answer(i, rows[i.order_id]) if i.order_id in rows
        else Decision(_void(sale, i, closed), i.order_id, "refused", i.quantity, 0, sale.currency, now, None)
        for i in intents
    ]  # fmt: skip


Row = dict[str, Any]


def _void(sale: Sale, intent: Intent, closed: Outcome | None) -> Outcome:
    """Why an intent was not decided: it came through the wrong door, under an old epoch, or to a sale that is not open."""
    if (intent.epoch is None) == (sale.door == "gate"):
        return Outcome.WRONG_DOOR
    if intent.epoch is not None and intent.epoch != sale.epoch:
        return Outcome.STALE
    assert closed is not None
    return closed


async def _return_what_was_not_needed(tx: TenantTx, sale: Sale, intents: list[Intent], rows: dict[UUID, Row]) -> None:
    """The gate counted units for each admission. Give back those of intents that hold none: refused, or admitted a second time.

    An admitted intent that finds no unit shows that the gate counted too many: a new epoch, and it is counted anew.
    """
    if any(r["refusal"] == Outcome.SOLD_OUT and r["intent_id"] == i.intent_id for i in intents if (r := rows.get(i.order_id))):
        await gates.bump(tx, sale.id)
        return
    idle = [i for i in intents if (r := rows.get(i.order_id)) is None or r["refusal"] is not None or r["intent_id"] != i.intent_id]
    await gates.give_back(tx, sale, [gates.Return(f"intent:{i.intent_id.hex}", i.shopper_id, i.quantity, i.quantity) for i in idle])


async def known(tx: TenantTx, intents: Sequence[Intent]) -> dict[UUID, Row]:
    sql = """SELECT id, intent_id, state, refusal, body_hash, amount_minor, currency, created_at, hold_until
             FROM orders WHERE tenant_id = $1 AND id = ANY($2)"""
    return {row["id"]: dict(row) for row in await tx.conn.fetch(sql, tx.tenant_id, [i.order_id for i in intents])}


def answer(intent: Intent, row: Row) -> Decision:
    """What the order's row says: the same to the one who made it and to every retry."""
    if safeties.on("body_hash") and row["body_hash"] != intent.body_hash:
        outcome = Outcome.CONFLICT
    else:
        outcome = Outcome.RESERVED if row["refusal"] is None else Outcome(row["refusal"])
    return Decision(
        outcome, intent.order_id, row["state"], intent.quantity, row["amount_minor"], row["currency"], row["created_at"], row["hold_until"]
    )


async def _decide(tx: TenantTx, sale: Sale, fresh: dict[UUID, Intent]) -> dict[UUID, Row]:
    """Decide the intents nobody has seen yet and write what was decided. An outcome without a row is not an answer to keep."""
    passed, rows = await hoarding.sift(tx, sale, list(fresh.values()))
    if sale.door == "gate" and rows:
        # What the gate admitted is decided once: a replay must find the same refusal, or it would give back twice.
        await _insert(tx, [i for i in fresh.values() if i.order_id in rows], rows)
    if not passed:
        return rows
    wishes = [(i.shopper_id, i.quantity) for i in passed]
    units = await allot.pick(tx, sale, sum(quantity for _, quantity in wishes))
    taken = await allot.slots_taken(tx, sale, {shopper for shopper, _ in wishes})
    limit = sale.limit_per_shopper if safeties.on("unique_slot") else 0
    outcomes = decide(wishes, taken, limit, len(units))
    hold_until = sale.now + dt.timedelta(seconds=sale.hold_s)
    given: list[allot.Given] = []
    reserved: list[Intent] = []
    at = 0
    for intent, (outcome, slots) in zip(passed, outcomes, strict=True):
        won = outcome == Outcome.RESERVED
        rows[intent.order_id] = {
            "intent_id": intent.intent_id,
            "state": "awaiting" if won else "refused",
            "refusal": None if won else int(outcome),
            "body_hash": intent.body_hash,
            "amount_minor": intent.quantity * sale.price_minor if won else 0,
            "currency": sale.currency,
            "created_at": sale.now,
            "hold_until": hold_until if won else None,
        }
        if won:
            reserved.append(intent)
            for n, unit in enumerate(units[at : at + intent.quantity]):
                given.append(allot.Given(unit, intent.order_id, intent.shopper_id, slots[n] if slots else None))
            at += intent.quantity
    await _insert(tx, passed, rows)
    if reserved:
        await _insert_lines(tx, sale, reserved)
        await allot.give(tx, sale, given)
    return rows


async def _insert(tx: TenantTx, intents: list[Intent], rows: dict[UUID, Row]) -> None:
    sql = """INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, refusal, amount_minor, currency, body_hash,
                                 contact, lookup_hash, channel, created_at, hold_until, next_try_at)
             SELECT $1, id, intent_id, shopper_id, state, refusal, amount, $9, body_hash,
                    contact, lookup_hash, channel, $12, hold_until, hold_until
             FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::bigint[], $8::bytea[],
                         $10::text[], $11::bytea[], $13::text[], $14::timestamptz[])
               AS x(id, intent_id, shopper_id, state, refusal, amount, body_hash, contact, lookup_hash, channel, hold_until)
             ON CONFLICT DO NOTHING RETURNING id"""
    own = [rows[i.order_id] for i in intents]
    written = await tx.conn.fetch(
        sql, tx.tenant_id,
        [i.order_id for i in intents], [i.intent_id for i in intents], [i.shopper_id for i in intents],
        [r["state"] for r in own], [r["refusal"] for r in own], [r["amount_minor"] for r in own],
        [i.body_hash for i in intents], own[0]["currency"],
        [i.contact for i in intents], [i.lookup_hash for i in intents], own[0]["created_at"],
        [i.channel for i in intents], [r["hold_until"] for r in own],
    )  # fmt: skip
    if len(written) != len(intents):
        raise _Again


async def _insert_lines(tx: TenantTx, sale: Sale, reserved: list[Intent]) -> None:
    sql = """INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor)
             SELECT $1, order_id, $2, $3, quantity, $4 FROM unnest($5::uuid[], $6::integer[]) AS x(order_id, quantity)"""
    await tx.conn.execute(
        sql, tx.tenant_id, sale.id, sale.sku_id, sale.price_minor, [i.order_id for i in reserved], [i.quantity for i in reserved]
    )
