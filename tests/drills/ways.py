"""The ways an order, an import or a sale may go. Each returns "" at its end, or what ended otherwise than it should."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.drills.journeys import PRICE_MINOR, Journeys

Way = Callable[[Journeys, str], Awaitable[str]]
"""A way through the sale that is named; "" when it ended as it should."""


async def buy(j: Journeys, sale: str) -> str:
    """Press, pay, be told by the provider's notice, look at the codes twice."""
    asked = await j.press(sale)
    await j.pay(await j.start(asked))
    wrong = await j.until(asked, "delivered")
    looks = [await j.ask("GET", f"/v1/orders/{asked.order}/codes", asked.shopper) for _ in range(2)]
    return wrong or ("" if looks[0] == looks[1] and len(looks[0]["codes"]) == 1 else f"was shown {looks}")


async def buy_without_a_notice(j: Journeys, sale: str) -> str:
    """The provider's notices are lost: the active query finds the money."""
    asked = await j.press(sale)
    attempt = await j.start(asked)
    await j.back_office("faults", {"out_trade_no": attempt["out_trade_no"], "drop": 1.0})
    await j.pay(attempt)
    wrong = await j.until(asked, "delivered", hurry="payment_attempt")
    # Somebody asks once more, as if he had not heard of it: it is known.
    await j.look("UPDATE payment_attempt SET next_try_at = now() WHERE order_id = $1", asked.order)
    return wrong


async def buy_after_a_lost_start(j: Journeys, sale: str) -> str:
    """The shopper goes away before he sees his payment page, and returns: if it is not there, the duty of the attempt makes it."""
    asked = await j.press(sale)
    try:
        async with asyncio.timeout(0.01):
            await j.once("POST", f"/v1/orders/{asked.order}/payments", asked.shopper, {})
    except TimeoutError:
        pass
    for _ in range(5):
        await j.hurry("payment_attempt", asked.order)
        await asyncio.sleep(0.1)
    await j.pay(await j.start(asked))
    return await j.until(asked, "delivered")


async def let_go(j: Journeys, sale: str) -> str:
    """A payment is begun and never made: the hold ends, the unit returns."""
    asked = await j.press(sale)
    await j.start(asked)
    await j.lapse(asked)
    return await j.until(asked, "expired", hurry="orders")


async def let_go_while_the_provider_is_ill(j: Journeys, sale: str) -> str:
    """The provider cannot be asked to close: the unit stays with the order until it can."""
    asked = await j.press(sale)
    about = {"out_trade_no": (await j.start(asked))["out_trade_no"]}
    await j.back_office("faults", about | {"http_5xx": 1.0})
    await j.lapse(asked)
    await asyncio.sleep(1)
    wrong = await j.until(asked, "closing")
    await j.back_office("faults", about)
    return wrong or await j.until(asked, "expired", hurry="orders")


async def cancel(j: Journeys, sale: str) -> str:
    """The shopper lets go, once before he began to pay and once after."""
    wrong = ""
    for begun in (False, True):
        asked = await j.press(sale)
        if begun:
            await j.start(asked)
        await j.ask("POST", f"/v1/orders/{asked.order}/cancel", asked.shopper, {})
        wrong = wrong or await j.until(asked, "cancelled", hurry="orders")
    return wrong


async def buy_and_return(j: Journeys, sale: str) -> str:
    """Delivered, then refunded by the merchant."""
    asked = await j.press(sale)
    await j.pay(await j.start(asked))
    wrong = await j.until(asked, "delivered")
    await j.ask("POST", f"/v1/orders/{asked.order}/refund", j.merchant)
    return wrong or await j.until(asked, "refunded", hurry="refund")


async def pay_late(j: Journeys, sale: str) -> str:
    """The hold is over when the provider takes the money all the same: there are units left, so it buys one."""
    asked = await j.press(sale)
    attempt = await j.start(asked)
    await j.lapse(asked)
    wrong = await j.until(asked, "expired", hurry="orders")
    await j.pay(attempt, late=True)
    return wrong or await j.until(asked, "delivered")


async def pay_too_little(j: Journeys, sale: str) -> str:
    """A minor unit is missing: the money goes back, the hold goes on and is let go."""
    asked = await j.press(sale)
    await j.pay(await j.start(asked), amount=PRICE_MINOR - 1)
    wrong = await j.paid_back(asked)
    await j.lapse(asked)
    return wrong or await j.until(asked, "expired", hurry="orders")


async def pay_too_little_and_be_refused(j: Journeys, sale: str) -> str:
    """The payer's bank will not take the money back: a person decides."""
    asked = await j.press(sale)
    attempt = await j.start(asked)
    await j.back_office("faults", {"out_trade_no": attempt["out_trade_no"], "refund_abnormal": 1.0})
    await j.pay(attempt, amount=PRICE_MINOR - 1)
    wrong = await j.paid_back(asked, "failed")
    await j.lapse(asked)
    return wrong or await j.until(asked, "expired", hurry="orders")


async def the_last_unit(j: Journeys, sale: str) -> str:
    """One unit: the first has it, the second is told that nothing is left, until the first lets go; then the third is told so."""
    own = await j.publish(await j.new_sku(1), j.door(sale), 1)
    first, second, third = [await j.guest() for _ in range(3)]
    held = await j.press(own, first)
    told = [(await j.wish(own, second))[0]]
    await j.ask("POST", f"/v1/orders/{held.order}/cancel", first, {})
    wrong = await j.until(held, "cancelled")
    held = await j.until_there_is_one(own, second)
    for _ in range(3):
        told.append((await j.wish(own, third))[0])
        await asyncio.sleep(0.5)
    wrong = wrong or ("" if set(told) == {"sold_out"} else f"when nothing was left, was told {told}")
    await j.ask("POST", f"/v1/orders/{held.order}/cancel", second, {})
    wrong = wrong or await j.until(held, "cancelled")
    await j.change(own, "end")
    return wrong


async def a_sale_of_its_own(j: Journeys, sale: str) -> str:
    """Codes are imported and published, the sale is changed and paused, the last unit is sold, one comes back, the sale is ended.

    A payment comes when it has ended and its unit is gone: that goes back.
    """
    own = await j.publish(await j.new_sku(4), j.door(sale), 2)
    await j.change(own, "stock", {"add": 2})
    await j.change(own, "stock", {"withdraw": 1})
    shopper = await j.guest()
    held = [await j.press(own, shopper), await j.press(own, shopper)]
    await j.change(own, "limit", {"limit_per_shopper": 3})  # what he holds gets its slots now
    await j.change(own, "pause")
    await j.change(own, "resume")
    held.append(await j.press(own, shopper))
    kept, lost, late = held
    await j.ask("POST", f"/v1/orders/{lost.order}/cancel", shopper, {})
    attempt = await j.start(late)
    await j.pay(await j.start(kept))
    wrong = await j.until(kept, "delivered")
    await j.lapse(late)
    wrong = wrong or await j.until(late, "expired", hurry="orders")
    await j.change(own, "end")
    await j.pay(attempt, late=True)
    return wrong or await j.paid_back(late)


WAYS: tuple[Way, ...] = (
    buy, buy_without_a_notice, buy_after_a_lost_start, let_go, let_go_while_the_provider_is_ill, cancel, buy_and_return, pay_late,
    pay_too_little, pay_too_little_and_be_refused, the_last_unit, a_sale_of_its_own,
)  # fmt: skip
