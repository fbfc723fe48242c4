"""The webhook matrix: what a provider may say of an order, in every order, any number of times, early, late and all at once."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from itertools import permutations
from typing import NamedTuple

from tenants.payments.attempts import Attempt
from tests.drills.scenes.market import Market
from tests.drills.scenes.till import Purchase, Till

COPIES = (1, 2, 10)
TIMINGS = ("in a row", "delayed", "at once", "with a query")
DELAY_MAX_S = 0.03
AT_ONCE = 24  # cases under way together


class Happening(NamedTuple):
    """What happens at the provider, and the notice that tells of it."""

    kind: str
    happens: Callable[[Purchase], Awaitable[Attempt]]


async def paid(purchase: Purchase) -> Attempt:
    await purchase.pay()
    return purchase.attempt


async def paid_then_lapsed(purchase: Purchase) -> Attempt:
    """In time; told when the hold is over and its end has found the money."""
    await purchase.pay()
    await purchase.lapse()
    return purchase.attempt


async def paid_then_cancelled(purchase: Purchase) -> Attempt:
    await purchase.pay()
    await purchase.cancel()
    return purchase.attempt


async def paid_more(purchase: Purchase) -> Attempt:
    await purchase.pay(amount=purchase.attempt.amount_minor + 100)
    return purchase.attempt


async def paid_less(purchase: Purchase) -> Attempt:
    await purchase.pay(amount=purchase.attempt.amount_minor - 100)
    return purchase.attempt


async def closed(purchase: Purchase) -> Attempt:
    await purchase.lapse()
    return purchase.attempt


async def cancelled(purchase: Purchase) -> Attempt:
    await purchase.cancel()
    return purchase.attempt


async def paid_late(purchase: Purchase) -> Attempt:
    await purchase.pay(late=True)
    return purchase.attempt


async def paid_late_after_a_rival(purchase: Purchase) -> Attempt:
    await Purchase.begin(purchase.till, purchase.sale)
    await purchase.pay(late=True)
    return purchase.attempt


async def paid_more_and_late(purchase: Purchase) -> Attempt:
    await purchase.pay(late=True, amount=purchase.attempt.amount_minor + 100)
    return purchase.attempt


async def refunded_on_request(purchase: Purchase) -> Attempt:
    await purchase.ask()
    await purchase.ask_for_refund()
    return purchase.attempt


async def refunded_by_rule(purchase: Purchase) -> Attempt:
    """Money that cannot be kept goes back by itself, once we have learnt of it."""
    await purchase.ask()
    await purchase.pay_back()
    return purchase.attempt


async def refunded_once_told(purchase: Purchase) -> Attempt:
    """Nobody asks about an attempt that the provider has closed: of late money only a notice tells."""
    till, attempt = purchase.till, purchase.attempt
    await till.receive(purchase.tenant_id, await till.caught(attempt.out_trade_no, "paid"))
    await purchase.pay_back()
    return attempt


async def paid_the_first_late(purchase: Purchase) -> Attempt:
    """An attempt closed at the provider is replaced by another; then the first is paid all the same."""
    first, merchant = purchase.attempt, purchase.till.merchant
    merchant.call("POST", f"/v3/pay/transactions/out-trade-no/{first.out_trade_no}/close", {"mchid": merchant.mch_id})
    await purchase.ask()
    await purchase.start()
    await purchase.pay(first, late=True)
    return first


PAID = Happening("paid", paid)
CLOSED = Happening("closed", closed)


class Story(NamedTuple):
    """`units` are in the sale: with one, a rival can take what the shopper let go."""

    happenings: tuple[Happening, ...]
    ends: str
    units: int = 1
    faults: dict[str, object] = {}


STORIES = {
    "paid": Story((PAID,), "delivered, paid: applied, refunds: none, units: 1"),
    "closed": Story((CLOSED,), "expired, paid: no, refunds: none, units: 0"),
    "paid, refunded": Story((PAID, Happening("refunded", refunded_on_request)), "refunded, paid: applied, refunds: succeeded, units: 1"),
    "closed, paid late, in stock": Story((CLOSED, Happening("paid", paid_late)), "delivered, paid: applied, refunds: none, units: 1", 2),
    "closed, paid late, sold out, refunded": Story(
        (CLOSED, Happening("paid", paid_late_after_a_rival), Happening("refunded", refunded_once_told)),
        "expired, paid: late, refunds: succeeded, units: 0",
    ),
    "paid too much, refunded": Story(
        (Happening("paid", paid_more), Happening("refunded", refunded_by_rule)), "awaiting, paid: mismatch, refunds: succeeded, units: 0"
    ),
    "paid too little, refunded": Story(
        (Happening("paid", paid_less), Happening("refunded", refunded_by_rule)), "awaiting, paid: mismatch, refunds: succeeded, units: 0"
    ),
    "paid, told of more": Story((PAID,), "delivered, paid: applied, refunds: none, units: 1", faults={"wrong_amount": 100}),
    "paid, told of less": Story((PAID,), "delivered, paid: applied, refunds: none, units: 1", faults={"wrong_amount": -100}),
    "paid, told of another currency": Story((PAID,), "delivered, paid: applied, refunds: none, units: 1", faults={"wrong_currency": "USD"}),
    "paid, told when the hold is over": Story((Happening("paid", paid_then_lapsed),), "delivered, paid: applied, refunds: none, units: 1"),
    "paid, cancelled in the same moment": Story(
        (Happening("paid", paid_then_cancelled),), "delivered, paid: applied, refunds: none, units: 1"
    ),
    "cancelled, paid late, in stock": Story(
        (Happening("closed", cancelled), Happening("paid", paid_late)), "delivered, paid: applied, refunds: none, units: 1", 2
    ),
    "cancelled, paid late, sold out, refunded": Story(
        (Happening("closed", cancelled), Happening("paid", paid_late_after_a_rival), Happening("refunded", refunded_once_told)),
        "cancelled, paid: late, refunds: succeeded, units: 0",
    ),
    "closed, paid late and too much, refunded": Story(
        (CLOSED, Happening("paid", paid_more_and_late), Happening("refunded", refunded_once_told)),
        "expired, paid: mismatch, refunds: succeeded, units: 0",
    ),
    "paid by two attempts": Story(
        (Happening("paid", paid_the_first_late), PAID), "delivered, paid: applied double, refunds: succeeded, units: 1"
    ),
}


class Case(NamedTuple):
    name: str
    story: Story
    order: tuple[int, ...]
    copies: int
    timing: str


CASES = [
    Case(f"{name}; told {'·'.join(str(n + 1) for n in order)}, {copies} times, {timing}", story, order, copies, timing)
    for name, story in STORIES.items()
    for order in permutations(range(len(story.happenings)))
    for copies in COPIES
    for timing in TIMINGS
]


async def notices(market: Market, rounds: int) -> AsyncGenerator[list[str]]:
    """A round is a case of the matrix: one effect, whatever the order, the copies and the times."""
    till = await Till.open(market)
    store = await market.open_store(units=2 * len(CASES))
    await till.open_account(store)
    cases = random.Random(5).sample(CASES, min(rounds, len(CASES)))  # the same ones every time, of all kinds from the start
    for some in (cases[n : n + AT_ONCE] for n in range(0, len(cases), AT_ONCE)):
        purchases = [await Purchase.begin(till, await market.open_sale(store, units=case.story.units)) for case in some]
        plays = [play(case, purchase) for case, purchase in zip(some, purchases, strict=True)]
        found = await asyncio.gather(*plays, return_exceptions=True)
        unrest = await till.rest(purchases)
        for case, purchase, failure in zip(some, purchases, found, strict=True):
            wrong = [f"failed: {failure!r}"] * bool(failure) + unrest
            ended = await purchase.outcome()
            market.seen[ended] += 1
            if ended != case.story.ends:
                wrong.append(f"ended {ended}; expected {case.story.ends}")
            yield [f"{case.name}: {sentence}" for sentence in wrong]


async def play(case: Case, purchase: Purchase) -> None:
    """Let it happen as far as needed for each notice, and tell of it as the case wants."""
    till, dice = purchase.till, random.Random(case.name)
    if case.story.faults:
        till.sandbox.faults(out_trade_no=purchase.attempt.out_trade_no, **case.story.faults)
    happened: list[Attempt] = []
    telling: list[asyncio.Task[None]] = []

    async def tell(happening: Happening, attempt: Attempt) -> None:
        if case.timing == "delayed":
            await asyncio.sleep(dice.uniform(0, DELAY_MAX_S))
        await till.receive(purchase.tenant_id, await till.caught(attempt.out_trade_no, happening.kind))

    async def happen(count: int) -> None:
        for happening in case.story.happenings[len(happened) : count]:
            happened.append(await happening.happens(purchase))  # noqa: PERF401 - one after the other

    if case.timing == "at once":
        await happen(len(case.order))
    for place in case.order:
        await happen(place + 1)
        for _ in range(case.copies):
            telling.append(asyncio.create_task(tell(case.story.happenings[place], happened[place])))
            if case.timing == "with a query":
                telling.append(asyncio.create_task(purchase.ask()))
            if case.timing == "in a row":
                await telling[-1]
    await asyncio.gather(*telling)
