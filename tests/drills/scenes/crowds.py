"""Crowds: many wishes at the same instant, through several processes. Each scene yields, round by round, what was not as promised.

Those of the direct door; `flash` has those of the gate.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

from checkout_core.intents import Decision, SaleKey
from tenants import sales
from tenants.db import TenantTx, tenant_tx
from tenants.sales import NotEnoughStock
from tests.drills.scenes.market import ACTOR, Market, told

CROWD = 200
FEW = 10
IMPATIENT = 50
RETRIES = 100
FLOOD = 4_000  # shoppers who press at the same instant
PATIENCE_ROUNDS = 200

Crowd = Callable[[SaleKey, int], Awaitable[list[str]]]  # as many new shoppers at once; what they are told


async def last_unit(market: Market, rounds: int) -> AsyncGenerator[list[str]]:
    """200 shoppers, one unit: one wins, 199 are told that it is sold out."""
    store = await market.open_store(units=rounds)
    for _ in range(rounds):
        sale = await market.open_sale(store, units=1)
        answers = await market.press(sale, [market.wish(sale, uuid4()) for _ in range(CROWD)])
        yield differs(answers, RESERVED=1, SOLD_OUT=CROWD - 1)


async def plenty(market: Market, rounds: int) -> AsyncGenerator[list[str]]:
    """200 shoppers, twice as many units: everybody gets one, nobody another's."""
    store = await market.open_store(units=2 * CROWD * rounds)
    for _ in range(rounds):
        sale = await market.open_sale(store, units=2 * CROWD)
        wrong = differs(await market.press(sale, [market.wish(sale, uuid4()) for _ in range(CROWD)]), RESERVED=CROWD)
        held = await market.admin.fetchval("SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'held'", *sale)
        yield wrong + ([] if held == CROWD else [f"{CROWD} shoppers hold {held} units"])


async def last_few(market: Market, rounds: int) -> AsyncGenerator[list[str]]:
    """200 shoppers, ten units: whoever is told that he has one has one of his own."""
    store = await market.open_store(units=FEW * rounds)
    for _ in range(rounds):
        sale = await market.open_sale(store, units=FEW)
        answers = await market.press(sale, [market.wish(sale, uuid4()) for _ in range(CROWD)])
        yield differs(answers, RESERVED=FEW, SOLD_OUT=CROWD - FEW)


async def sell_out(market: Market, rounds: int, units: int = 1000) -> AsyncGenerator[list[str]]:
    """Five shoppers for each unit, thousands at the same instant: exactly the units are sold."""
    for _ in range(rounds):
        sale = await market.open_sale(await market.open_store(units), units=units)
        yield await flood(market, sale, units, market.crowd)


async def changed(market: Market, rounds: int) -> AsyncGenerator[list[str]]:
    """The merchant changes the sale while crowds press; in the end all there is has been sold, once."""
    for _ in range(rounds):
        sale = await market.open_sale(await market.open_store(units=400), units=200, limit=1)
        yield await sell_while_changing(market, sale, market.crowd)


async def limit_of_two(market: Market, rounds: int) -> AsyncGenerator[list[str]]:
    """One shopper presses 50 times at once where two are allowed: he gets two, and is told of the limit 48 times."""
    store = await market.open_store(units=2 * rounds)
    sale = await market.open_sale(store, units=2 * rounds, limit=2)
    for _ in range(rounds):
        shopper = uuid4()
        answers = await market.press(sale, [market.wish(sale, shopper) for _ in range(IMPATIENT)])
        yield differs(answers, RESERVED=2, LIMIT=IMPATIENT - 2)


async def same_key(market: Market, rounds: int) -> AsyncGenerator[list[str]]:
    """The same wish 100 times at once is one order with one answer; another wish under its key is refused, and changes nothing."""
    store = await market.open_store(units=10 * rounds)
    for _ in range(rounds):
        sale = await market.open_sale(store, units=10)
        shopper = uuid4()
        answers = await market.press(sale, [market.wish(sale, shopper, "a key") for _ in range(RETRIES)])
        wrong = differs(answers, RESERVED=RETRIES)
        if len(set(answers)) > 1:
            wrong.append(f"one wish, {len(set(answers))} answers")
        other = await market.press(sale, [market.wish(sale, shopper, "a key", quantity=2) for _ in range(10)])
        wrong += differs(other, CONFLICT=10)
        sql = "SELECT count(*) FROM orders WHERE tenant_id = $1 AND shopper_id = $2"
        if (made := await market.admin.fetchval(sql, store.tenant_id, shopper)) != 1:
            wrong.append(f"one wish, {made} orders")
        yield wrong


# What scenes of both doors share


async def flood(market: Market, sale: SaleKey, units: int, crowd: Crowd) -> list[str]:
    """Five times as many shoppers as units; what is not as promised of what they are told and of what is held then."""
    told: Counter[str] = Counter()
    for start in range(0, 5 * units, FLOOD):
        told.update(await crowd(sale, min(FLOOD, 5 * units - start)))
    wrong = [] if told == {"RESERVED": units, "SOLD_OUT": 4 * units} else [f"{5 * units} shoppers for {units} units are told {dict(told)}"]
    held = await market.admin.fetchval("SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'held'", *sale)
    return wrong + ([] if held == units else [f"of {units} units {held} are held"])


async def sell_while_changing(
    market: Market, sale: SaleKey, crowd: Crowd, tend: Callable[[SaleKey], Awaitable[None]] | None = None
) -> list[str]:
    """Stock comes and goes, the sale is paused and resumed, while crowds press; what is not as promised when all is sold."""
    told: Counter[str] = Counter()
    steps = [*STEPS, *STEPS]
    random.shuffle(steps)
    for step in steps:
        rush = [asyncio.create_task(crowd(sale, 20)) for _ in range(2)]
        await asyncio.sleep(random.uniform(0, 0.01))
        with suppress(NotEnoughStock):
            async with tenant_tx(market.pool, sale.tenant_id) as tx:
                await step(tx, sale)
        if tend:
            await tend(sale)
        for each in await asyncio.gather(*rush):
            told.update(each)
    for _ in range(PATIENCE_ROUNDS):
        if tend:
            await tend(sale)
        answers = await crowd(sale, 20)
        told.update(answers)
        if set(answers) == {"SOLD_OUT"}:
            break
    sql = """SELECT allotted, committed, (SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'held')
             FROM sale WHERE tenant_id = $1 AND id = $2"""
    allotted, committed, held = await market.admin.fetchrow(sql, *sale)
    if told.keys() <= {"RESERVED", "SOLD_OUT", "PAUSED", "Unavailable"} and told["RESERVED"] == allotted == committed == held:
        return []
    return [f"{allotted} units are in the sale, {committed} sold, {held} held; shoppers were told {dict(told)}"]


async def _resume_after_a_pause(tx: TenantTx, sale: SaleKey) -> None:
    await sales.pause(tx, sale.sale_id, actor=ACTOR)
    await sales.resume(tx, sale.sale_id, actor=ACTOR)


STEPS: tuple[Callable[[TenantTx, SaleKey], Awaitable[object]], ...] = (
    lambda tx, sale: sales.add_stock(tx, sale.sale_id, 25, actor=ACTOR),
    lambda tx, sale: sales.withdraw_stock(tx, sale.sale_id, 10, actor=ACTOR),
    lambda tx, sale: sales.set_limit(tx, sale.sale_id, random.randint(1, 3), actor=ACTOR),
    _resume_after_a_pause,
)


def differs(answers: list[Decision | str], **expected: int) -> list[str]:
    """Nothing when the answers are as expected, else what they were."""
    found = dict(sorted(Counter(map(told, answers)).items()))
    return [] if found == expected else [f"told {found}, expected {expected}"]
