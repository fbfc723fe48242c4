"""Paying races the end of the hold, on real clocks, within 50 ms of the instant that decides. Whoever wins, there is one outcome.

Money the provider took before it closed buys the goods, however late we hear of it. Money it took afterwards buys them if they are
still there, and goes back if not. Rivals wait for whatever is released, so that what is released wrongly is gone.
"""

import asyncio
import datetime as dt
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID, uuid4

from checkout_core.errors import AppError
from tenants import orders
from tenants.db import tenant_tx
from tenants.payments.attempts import Attempt
from tests.drills.scenes.market import Market, Store, told
from tests.drills.scenes.till import Purchase, Till
from workers.duties import attend

T = TypeVar("T")

HEAT = 10  # races of one sale, with one deadline
HEATS_AT_ONCE = 8  # more, and a small machine is late for its own deadlines
EVERY_S = 0.3  # a heat starts
HOLD_S = 3
CLOSE_S = 0.05
TICK_S = 0.005  # by which a loop that is not busy wakes late
acts: Counter[str] = Counter()  # of payers, tellers and workers: whether this machine was in time

DELIVERED = "delivered, paid: applied, refunds: none, units: 1"
RETURNED = "paid: late, refunds: succeeded, units: 0"
UNPAID = "paid: no, refunds: none, units: 0"


async def pay_or_expire(market: Market, rounds: int, at_once: int = HEATS_AT_ONCE) -> AsyncGenerator[list[str]]:
    """A round is a heat of ten races; with `at_once` = 1 nothing moves between rounds."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))  # payers do not queue for a thread
    till = await Till.open(market)
    store = await market.open_store(units=rounds * HEAT)
    await till.open_account(store)
    for start in range(0, rounds, at_once):
        heats = [_after(number * EVERY_S, till, store) for number in range(min(at_once, rounds - start))]
        for found in await asyncio.gather(*heats):
            yield found
        market.seen.update(acts)
        acts.clear()


async def _after(seconds: float, till: Till, store: Store) -> list[str]:
    await asyncio.sleep(seconds)
    return await heat(till, store)


async def heat(till: Till, store: Store) -> list[str]:
    """Ten orders with one deadline, raced in the four ways in turn."""
    sale = await till.market.open_sale(store, units=HEAT, hold_s=HOLD_S)
    purchases = await asyncio.gather(*(Purchase.reserve(till, sale) for _ in range(HEAT)))
    started = await asyncio.gather(*(purchase.start() for purchase in purchases), return_exceptions=True)
    ways = [WAYS[n % len(WAYS)] if isinstance(attempt, Attempt) else never_paid for n, attempt in enumerate(started)]
    rivals = asyncio.create_task(_rivals(purchases[0]))
    expected = await asyncio.gather(*(way(purchase) for way, purchase in zip(ways, purchases, strict=True)))
    wrong = await till.rest(purchases)
    for way, purchase, allowed in zip(ways, purchases, expected, strict=True):
        ended = await purchase.outcome()
        till.market.seen[f"{way.__name__}: {ended}"] += 1
        if ended not in allowed:
            wrong.append(f"{way.__name__}: ended {ended}; expected {' or '.join(allowed)}")
    for order_id in await rivals:
        await _cancel(till, sale.tenant_id, order_id)
    return wrong


async def at_the_providers_deadline(purchase: Purchase) -> tuple[str, ...]:
    """The provider decides: it took the money, or it closed."""
    ending = _end_of_hold(purchase)
    taken = await _at(purchase.attempt.expires_at, purchase.pay)
    await asyncio.gather(ending, _told(purchase, taken))
    return (DELIVERED,) if taken else (f"expired, {UNPAID}",)


async def paid_in_time_told_late(purchase: Purchase) -> tuple[str, ...]:
    """The notice meets the end of the hold."""
    ending = _end_of_hold(purchase)
    taken = await purchase.pay()
    await asyncio.gather(ending, _at(purchase.hold_until, lambda: _told(purchase, taken)))
    return (DELIVERED,) if taken else (f"expired, {UNPAID}",)


async def paid_late(purchase: Purchase) -> tuple[str, ...]:
    """The provider takes money although it has closed, just when we release: a moment after the hold, when it was asked to close."""
    ending = _end_of_hold(purchase)
    taken = await _at(purchase.hold_until + dt.timedelta(seconds=CLOSE_S), lambda: purchase.pay(late=True))
    await asyncio.gather(ending, _told(purchase, taken))
    return (DELIVERED, f"expired, {RETURNED}")


async def paid_while_cancelling(purchase: Purchase) -> tuple[str, ...]:
    """The shopper cancels in one window and pays in the other: closing and paying meet at the provider."""
    ending = _end_of_hold(purchase)
    instant = purchase.attempt.expires_at - dt.timedelta(seconds=HOLD_S / 4)
    taken, _ = await asyncio.gather(
        _at(instant, purchase.pay), _at(instant, lambda: _cancel(purchase.till, purchase.tenant_id, purchase.order_id))
    )
    await asyncio.gather(ending, _told(purchase, taken))
    return (DELIVERED,) if taken else (f"cancelled, {UNPAID}", f"expired, {UNPAID}")


async def never_paid(purchase: Purchase) -> tuple[str, ...]:
    """This machine was too busy to begin in time: no race, and the hold ends all the same."""
    await _end_of_hold(purchase)
    return (f"expired, {UNPAID}",)


WAYS: tuple[Callable[[Purchase], Awaitable[tuple[str, ...]]], ...] = (
    at_the_providers_deadline, paid_in_time_told_late, paid_late, paid_while_cancelling
)  # fmt: skip


def _end_of_hold(purchase: Purchase) -> asyncio.Future[list[None]]:
    """Two workers find the order due, as soon as it is."""
    duty = ("orders", purchase.tenant_id, purchase.order_id)
    workers = [_at(purchase.hold_until, lambda: attend(purchase.till.services, *duty), early_s=0) for _ in range(2)]
    return asyncio.gather(*workers)


async def _told(purchase: Purchase, taken: bool) -> None:
    if taken:
        await purchase.till.receive(purchase.tenant_id, await purchase.till.caught(purchase.attempt.out_trade_no, "paid"))


async def _cancel(till: Till, tenant_id: UUID, order_id: UUID) -> None:
    try:
        async with tenant_tx(till.market.pool, tenant_id) as tx:
            await orders.cancel(tx, order_id)
    except AppError:
        return  # it is paid, or over
    await attend(till.services, "orders", tenant_id, order_id)


async def _rivals(purchase: Purchase) -> list[UUID]:
    """From the deadline on, somebody wants whatever comes back. The orders that got something."""
    market, sale = purchase.till.market, purchase.sale
    got: list[UUID] = []
    for _ in range(10):
        wishes = [market.wish(sale, uuid4()) for _ in range(HEAT // 2)]
        answers = await _at(purchase.hold_until, lambda: market.press(sale, wishes), early_s=0)  # noqa: B023 - awaited here
        got += [answer.order_id for answer in answers if told(answer) == "RESERVED" and not isinstance(answer, str)]
        await asyncio.sleep(CLOSE_S / 2)
    return got


async def _at(instant: dt.datetime, act: Callable[[], Awaitable[T]], *, early_s: float = CLOSE_S) -> T:
    """Act within 50 ms of `instant`, before or after it; `early_s=0` for what must not come before."""
    offset_s = random.uniform(-early_s, CLOSE_S)
    await asyncio.sleep((instant - dt.datetime.now(dt.UTC)).total_seconds() + offset_s)
    punctual = abs((dt.datetime.now(dt.UTC) - instant).total_seconds()) <= CLOSE_S + TICK_S
    acts["acts in time" if punctual else "acts later"] += 1
    return await act()
