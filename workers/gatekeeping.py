"""The duty of a flash sale: its gate is loaded, left intents are decided, units given back, and all of it forgotten at the end.

One duty a sale, every other second while it runs, and at once when its row changes. Two workers at it are harmless: the claim is a lease,
a load takes a new epoch, a replay is idempotent by order and intent, a give-back applies once by its number.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from checkout_core.admission import BATCH_MAX, Dropped, Gatekeeper, Given, Loaded, Return, View
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tenants.db import Pool, tenant_tx
from tenants.orders import allot, commit_batch, gates

log = logging.getLogger(__name__)

EVERY_S = 2.0  # at 1.0 the turns of 500 sales were a sixth of all that 1,500 orders a second cost
LEFT_AFTER_MS = 3_000  # an intent undecided for so long was left by a process that died; a commit takes milliseconds
# Ended by the merchant, or by its time: what was admitted in the last moment has been committed or left by then.
_OVER = "(state = 'ended' OR door <> 'gate' OR coalesce(ends_at < now() - interval '5 s', false))"
DECIDED = frozenset(Outcome) - {Outcome.WRONG_DOOR}
# What is said of values that no column takes: Redis' file may have been damaged, and has no checksum.
NO_WISH = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError, OverflowError)


async def tend(pool: Pool, gatekeeper: Gatekeeper, tenant_id: UUID, sale_id: UUID) -> bool:
    """Look after the gate of one sale; whether units came to it.

    Raises `Closed` or `Unknown` while Redis is away: it is tried again soon.
    """
    sale = SaleKey(tenant_id, sale_id)
    async with tenant_tx(pool, tenant_id) as tx:
        sql = f"""UPDATE sale SET next_try_at = now() + $3::float8 * interval '1 second'
                 WHERE tenant_id = $1 AND id = $2 AND next_try_at <= now() RETURNING epoch, {_OVER}, tries"""
        row = await tx.conn.fetchrow(sql, tenant_id, sale_id, EVERY_S)
    if row is None:
        return False
    epoch, over, tries = row
    view = await gatekeeper.view(sale)
    await _recover(pool, gatekeeper, sale)
    came = False
    if over:
        await _forget(pool, gatekeeper, sale, epoch, view)
    elif view is None or not view.is_ours or view.epoch != epoch:
        came = await _load(pool, gatekeeper, sale, view)
    else:
        came = await _give_back(pool, gatekeeper, sale, view)
    if tries:
        # This duty does not end when it is done: its failures would add up over the sale's life, and one more put the gate off for minutes.
        async with tenant_tx(pool, tenant_id) as tx:
            await tx.conn.execute("UPDATE sale SET tries = 0 WHERE tenant_id = $1 AND id = $2", tenant_id, sale_id)
    return came


async def _load(pool: Pool, gatekeeper: Gatekeeper, sale: SaleKey, view: View | None) -> bool:
    """Count in Postgres under a new epoch, and load what was counted. Whatever happens between is caught by the epoch."""
    async with tenant_tx(pool, sale.tenant_id) as tx:
        # Above whatever Redis holds, also if Postgres was restored to an earlier day.
        sql = "UPDATE sale SET epoch = greatest(epoch, $3) + 1 WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, sale.tenant_id, sale.sale_id, view.epoch if view else 0)
        locked = await allot.lock_sale(tx, sale.sale_id)
        assert locked is not None, "a sale is never deleted"
        counted, held = await gates.count(tx, locked)
    loaded = await gatekeeper.load(sale, counted, held)
    if loaded is Loaded.LOADED:
        log.info("gate of sale %s is loaded: epoch %d, %d units", sale.sale_id, counted.epoch, counted.avail)
    return loaded is Loaded.LOADED and counted.avail > 0


async def _recover(pool: Pool, gatekeeper: Gatekeeper, sale: SaleKey) -> None:
    """Decide what was admitted and left: by a process that died, or before a restart. What is of an old epoch is void and removed.

    What can be decided by nobody is reported and removed too, or nothing of the sale would ever be again. The gate had counted units for
    it: a new epoch, and it is counted anew.
    """
    async for entries in gatekeeper.older_than(sale, LEFT_AFTER_MS):
        for start in range(0, len(entries), BATCH_MAX):
            part = entries[start : start + BATCH_MAX]
            decisions = await _decide(pool, sale, [entry.intent for entry in part if entry.intent is not None])
            if hopeless := [e.order_id for e in part if e.order_id not in decisions]:
                log.error("sale %s: what the journal holds of %s can be decided by nobody and is removed", sale.sale_id, hopeless)
                async with tenant_tx(pool, sale.tenant_id) as tx:
                    await gates.bump(tx, sale.sale_id)
            decided = [e for e in part if e.order_id not in decisions or decisions[e.order_id].outcome in DECIDED]
            await gatekeeper.ack(sale, [(e.order_id, e.intent_id) for e in decided])


async def _decide(pool: Pool, sale: SaleKey, intents: Sequence[Intent]) -> dict[UUID, Decision]:
    """The decisions by order. An intent that Postgres takes for no wish at all has none, and does not spoil it for the others."""
    if not intents:
        return {}
    try:
        return {decision.order_id: decision for decision in await commit_batch(pool, sale, intents)}
    except NO_WISH:
        if len(intents) == 1:
            return {}
        middle = len(intents) // 2
        return await _decide(pool, sale, intents[:middle]) | await _decide(pool, sale, intents[middle:])


async def _give_back(pool: Pool, gatekeeper: Gatekeeper, sale: SaleKey, view: View) -> bool:
    given, came = view.given, False
    while True:
        async with tenant_tx(pool, sale.tenant_id) as tx:
            rows = await gates.returns_after(tx, sale.sale_id, view.epoch, given, BATCH_MAX)
        if not rows:
            return came
        done = await gatekeeper.give_back(sale, view.epoch, [Return(*row) for row in rows])
        came = came or done.status is Given.APPLIED
        if done.status not in (Given.APPLIED, Given.ALREADY, Given.OUT_OF_STEP) or done.given <= given:
            return came
        given = done.given


async def _forget(pool: Pool, gatekeeper: Gatekeeper, sale: SaleKey, epoch: int, view: View | None) -> None:
    """Remove the keys of a sale that is over; when they are gone the duty is done, unless the row changed meanwhile."""
    # Redis knows a newer epoch than the row when Postgres was restored to an earlier day. Also when the gate has just been loaded again:
    # then the row has changed too, the duty goes on, and loads it once more.
    if await gatekeeper.drop(sale, max(epoch, view.epoch if view else 0)) is not Dropped.DROPPED:
        return
    async with tenant_tx(pool, sale.tenant_id) as tx:
        sql = f"UPDATE sale SET next_try_at = NULL WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND {_OVER}"
        await tx.conn.execute(sql, sale.tenant_id, sale.sale_id, epoch)
