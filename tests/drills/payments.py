"""Money: notices in every order and number, payments that race the end of the hold, and a provider whose notices never come."""

import asyncio
import random
import time
from datetime import timedelta

import asyncpg

from checkout_core.ids import decode
from tenants.db import dsn_for
from tests.drills.drill import Budget, Outcome, Stage, Timeline, judge
from tests.drills.journeys import Journeys
from tests.drills.races import Heats, add
from tests.drills.scenes import misdirected, notices

RACES = 5000
CHILDREN = 2
HEAT = 10  # races of a heat
HEATS_MAX = 50  # of one child
UNNOTICED = 1000
PAID_WITHIN_S = 150  # of its payment page: a payer who takes his time, beyond the third query
DELIVERED_WITHIN_S = 90.0
SHORT_MATRIX = 60  # cases of the short form, of all kinds
PAYERS = 100  # at once


async def pay_or_expire(stage: Stage, budget: Budget) -> Outcome:
    """Until as many races were run as are wanted: those that a busy machine began too late are none."""
    children, outcome, raced = await stage.children(), Outcome("pay or expire", 0, [], counts={}), 0
    wanted = budget.of(RACES)
    while raced < wanted and outcome.runs < 2 * wanted:
        heats = min(HEATS_MAX, -(-(wanted - raced) // (HEAT * CHILDREN)))
        for played in await asyncio.gather(*(children.play("pay_or_expire", heats) for _ in range(CHILDREN))):
            outcome.violations += played.wrong + played.violated
            raced += sum(count for how, count in played.seen.items() if ": " in how and not how.startswith("never_paid"))
            outcome.runs += played.rounds * HEAT
            add(outcome.counts, played)
    if raced < wanted:
        outcome.violations.append(f"{raced} races of {wanted}: this machine is too busy to be in time")
    outcome.runs = raced
    return outcome


async def unnoticed(stage: Stage, budget: Budget) -> Outcome:
    """Not one notice of the provider arrives; payers take from no time to two minutes and a half. The active query finds them all.

    Its first turn comes after half a minute. The short form does not wait for that: a query is due a moment after the payment.
    """
    shop, timeline, wanted = await stage.shop(), Timeline(), budget.of(UNNOTICED)
    journeys = Journeys(shop, await stage.client())
    await journeys.open_store(2 * wanted)
    await journeys.back_office("faults", {"drop": 1.0})
    room = asyncio.Semaphore(PAYERS)

    async def buy() -> bytes:
        async with room:
            asked = await journeys.press(journeys.sales["direct"])
            attempt = await journeys.start(asked)
        await asyncio.sleep(random.uniform(0, PAID_WITHIN_S * budget.share))
        async with room:
            await journeys.pay(attempt)
            if budget.share < 1:
                await journeys.hurry("payment_attempt", asked.order)
        return decode("ord", asked.order)

    orders = await asyncio.gather(*(buy() for _ in range(wanted)))
    timeline.note(f"{wanted} are paid")
    conn = await asyncpg.connect(dsn_for(journeys.settings, "tessera_migrator"))
    try:
        ending = time.monotonic() + DELIVERED_WITHIN_S
        sql = "SELECT count(*), max(delivered_at - paid_at) FROM orders WHERE id = ANY ($1) AND state = 'delivered'"
        delivered, slowest = await conn.fetchrow(sql, orders)
        while delivered < wanted and time.monotonic() < ending:
            await asyncio.sleep(1)
            delivered, slowest = await conn.fetchrow(sql, orders)
        sql = "SELECT count(*) FROM payment_inbox WHERE tenant_id = (SELECT tenant_id FROM orders WHERE id = $1)"
        notices = await conn.fetchval(sql, orders[0])
    finally:
        await conn.close()
    timeline.note(f"{delivered} are delivered")
    wrong = list(journeys.strange)
    if delivered < wanted or slowest > timedelta(seconds=DELIVERED_WITHIN_S):
        wrong.append(f"{delivered} of {wanted} orders are delivered, the slowest {slowest} after its payment")
    if notices:
        wrong.append(f"{notices} notices came all the same")
    await journeys.back_office("faults", {"drop": 0})
    wrong += await judge(shop, history=None)
    return Outcome("no notice at all", wanted, wrong, round(slowest.total_seconds(), 1), {"delivered": delivered}, timeline.events)


DRILLS = {
    "webhook matrix": Heats("webhook matrix", ("notices", len(notices.CASES), {}), least=SHORT_MATRIX),
    "misdirected notices": Heats("misdirected notices", ("misdirected", len(misdirected.CASES), {}), least=len(misdirected.CASES)),
    "pay or expire": pay_or_expire,
    "no notice at all": unnoticed,
}
