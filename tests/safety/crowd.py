"""Crowds: many wishes at the same instant, through several processes. Each scenario yields, round by round, what was not as promised."""

from collections import Counter
from collections.abc import AsyncGenerator
from uuid import uuid4

from checkout_core.intents import Decision
from tests.safety.stage import Stage, told

CROWD = 200
IMPATIENT = 50
RETRIES = 100


async def last_unit(stage: Stage, rounds: int) -> AsyncGenerator[list[str]]:
    """200 shoppers, one unit: one wins, 199 are told that it is sold out."""
    store = await stage.open_store(units=rounds)
    for _ in range(rounds):
        sale = await stage.open_sale(store, units=1)
        answers = await stage.press(sale, [stage.wish(sale, uuid4()) for _ in range(CROWD)])
        yield differs(answers, RESERVED=1, SOLD_OUT=CROWD - 1)


async def limit_of_two(stage: Stage, rounds: int) -> AsyncGenerator[list[str]]:
    """One shopper presses 50 times at once where two are allowed: he gets two, and is told of the limit 48 times."""
    store = await stage.open_store(units=IMPATIENT)
    sale = await stage.open_sale(store, units=IMPATIENT, limit=2)
    for _ in range(min(rounds, IMPATIENT // 2)):
        shopper = uuid4()
        answers = await stage.press(sale, [stage.wish(sale, shopper) for _ in range(IMPATIENT)])
        yield differs(answers, RESERVED=2, LIMIT=IMPATIENT - 2)


async def same_key(stage: Stage, rounds: int) -> AsyncGenerator[list[str]]:
    """The same wish 100 times at once is one order with one answer; another wish under its key is refused, and changes nothing."""
    store = await stage.open_store(units=10 * rounds)
    for _ in range(rounds):
        sale = await stage.open_sale(store, units=10)
        shopper = uuid4()
        answers = await stage.press(sale, [stage.wish(sale, shopper, "a key") for _ in range(RETRIES)])
        wrong = differs(answers, RESERVED=RETRIES)
        if len(set(answers)) > 1:
            wrong.append(f"one wish, {len(set(answers))} answers")
        other = await stage.press(sale, [stage.wish(sale, shopper, "a key", quantity=2) for _ in range(10)])
        wrong += differs(other, CONFLICT=10)
        sql = "SELECT count(*) FROM orders WHERE tenant_id = $1 AND shopper_id = $2"
        if (made := await stage.admin.fetchval(sql, store.tenant_id, shopper)) != 1:
            wrong.append(f"one wish, {made} orders")
        yield wrong


def differs(answers: list[Decision | str], **expected: int) -> list[str]:
    """Nothing when the answers are as expected, else what they were."""
    found = dict(sorted(Counter(map(told, answers)).items()))
    return [] if found == expected else [f"told {found}, expected {expected}"]
