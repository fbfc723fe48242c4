"""Shoppers, and the notes they keep of what they were told."""

import asyncio
from typing import NamedTuple
from uuid import UUID

from checkout_core.errors import AppError
from checkout_core.intents import Decision
from tenants import orders
from tenants.db import tenant_tx
from tests.simulation import contract
from tests.simulation.plan import Wish
from tests.simulation.stock import TENANT
from tests.simulation.world import Api, Refused, World, order_id_of, short


class Told(NamedTuple):
    """One answer: a code, `reserved`, or `?` for none that says anything."""

    began: float
    at: float
    shopper: int
    sale: int
    key: str
    quantity: int
    marked: bool
    answer: str
    order_id: UUID
    decision: Decision | None = None


async def shop(world: World, wish: Wish, notes: list[Told]) -> None:
    """Press until told, then a few times more, then do what he came for."""
    await asyncio.sleep(wish.at_s)
    again, tries, retried = wish.again, wish.tries, False
    while tries > 0:
        told = await press(world, wish, notes, retried=retried and wish.marks)
        retried = True
        if told.answer == "?":
            tries -= 1
            await asyncio.sleep(wish.pause_s)
            continue
        if again == 0:
            if told.answer == "reserved":
                await _finish(world, wish, told.order_id)
            return
        again -= 1
        await asyncio.sleep(wish.pause_s)


async def press(world: World, wish: Wish, notes: list[Told], *, retried: bool) -> Told:
    began, decision = world.loop.time(), None
    name = f"shopper{wish.shopper}"
    order_id = order_id_of(wish.shopper, wish.key)
    api: Api = world.dice.choice(world.apis)
    world.note(
        name,
        f"presses {wish.key} of sale{wish.sale}×{wish.quantity} ({short(order_id)}) at {api.name}{', a retry' if retried else ''}",
        str(order_id),
    )
    try:
        decision = await api.press(
            wish.shopper, world.sales[wish.sale], wish.key, wish.quantity, retried=retried, patience_s=wish.patience_s
        )
        answer = "reserved"
    except AppError as error:
        answer = error.code if error.status in (404, 409) or error.code in ("unpaid_cap", "cool_down") else "?"
        world.note(name, f"{wish.key} ({short(order_id)}): {error.code} {error.detail[:60]}", str(order_id))
    except (Refused, TimeoutError) as error:
        answer = "?"
        world.note(name, f"{wish.key} ({short(order_id)}): {error!r}", str(order_id))
    else:
        world.note(name, f"{wish.key} ({short(order_id)}): reserved, {decision.state}", str(order_id))
    told = Told(began, world.loop.time(), wish.shopper, wish.sale, wish.key, wish.quantity, retried, answer, order_id, decision)
    notes.append(told)
    return told


async def _finish(world: World, wish: Wish, order_id: UUID) -> None:
    """Pay or cancel, again if need be; who leaves does neither."""
    if wish.then == "leave":
        return
    for _ in range(wish.tries):
        api = world.dice.choice(world.apis)

        async def work(api: Api = api) -> str:
            async with tenant_tx(api.pool, TENANT) as tx:
                return await contract.settle(tx, order_id) if wish.then == "pay" else await orders.cancel(tx, order_id)

        try:
            state = await api.ask(work, wish.patience_s)
            world.note(f"shopper{wish.shopper}", f"{wish.then}s {short(order_id)}: {state}", str(order_id))
            return
        except AppError as error:
            if error.status != 503:
                world.note(f"shopper{wish.shopper}", f"{wish.then}s {short(order_id)}: {error.code}", str(order_id))
                return
        except (Refused, TimeoutError):
            pass
        await asyncio.sleep(wish.pause_s)
