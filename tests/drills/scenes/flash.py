"""What may happen to a flash sale, in small and quick. Each scene yields, round by round, what was not as promised."""

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tenants.db import tenant_tx
from tenants.orders import allot
from tests.drills.scenes import crowds
from tests.drills.scenes.gates import PATIENCE_S, PROCESSES, Gates
from tests.drills.scenes.market import told
from workers import gatekeeping

Scene = AsyncGenerator[list[str]]

LIMIT = 2
EAGER = 60  # shoppers who want more than they may have
PRESSES = 6  # of each


def reserved(answer: Decision | str) -> bool:
    return isinstance(answer, Decision) and answer.outcome == Outcome.RESERVED


async def asked_again(gates: Gates, rounds: int) -> Scene:
    """60 shoppers, 20 units, one each: all press at every process at once, with one key and with another; winners lose their answer."""
    for _ in range(rounds):
        sale = await gates.open_sale(20, limit=1)
        wishes = [gates.market.wish(sale, shopper, key) for shopper in [uuid4() for _ in range(60)] for key in ("a", "b")]
        crowd = [wish._replace(intent_id=uuid4()) for wish in wishes for _ in range(PROCESSES)]
        answers = list(zip(crowd, await gates.press(sale, crowd), strict=True))
        orders = {wish.order_id: answer for wish, answer in answers if reserved(answer)}
        winners = [wish for wish in wishes if wish.order_id in orders]
        wrong: list[str] = []
        if len({wish.shopper_id for wish in winners}) != len(winners) or len(winners) != 20:
            wrong.append(f"20 units, one each: {len(winners)} orders of {len({wish.shopper_id for wish in winners})} shoppers")
        await gates.crowd(sale, 2 * PROCESSES)  # now every process knows by heart that it is sold out
        await asyncio.sleep(0.1)
        for process in range(PROCESSES):
            again = await asyncio.gather(*(gates.ask(process, sale, wish._replace(intent_id=uuid4())) for wish in winners))
            wrong += [f"a winner is told {told(said)}" for wish, said in zip(winners, again, strict=True) if said != orders[wish.order_id]]
        yield wrong + await gates.sell_the_rest(sale)


async def late_commit(gates: Gates, rounds: int) -> Scene:
    """A process stands still between gate and commit, while the sale is changed and counted anew; then it goes on."""
    for _ in range(rounds):
        sale = await gates.open_sale(10)
        admitted = await gates.admit(sale, gates.market.wish(sale, uuid4()))
        await gates.pause_and_resume(sale)
        await gates.tend(sale)
        await gates.press(sale, [gates.market.wish(sale, uuid4())])  # the sale has gone on
        told_late = await gates.commit(sale, admitted)
        wrong = [] if told_late == "STALE" else [f"a stale commit is told {told_late}"]
        counted = await gates.gatekeeper.view(sale)
        left = await gates.market.admin.fetchval("SELECT allotted - committed FROM sale WHERE tenant_id = $1 AND id = $2", *sale)
        if counted is None or counted.avail != left:
            wrong.append(f"{left} units are left, and the gate counts {counted and counted.avail}")
        yield wrong + (await gates.sell_the_rest(sale) if not wrong else [])


async def given_back_twice(gates: Gates, rounds: int) -> Scene:
    """A worker stands still between reading returns and giving them back; another does it meanwhile."""
    for _ in range(rounds):
        sale = await gates.open_sale(10)
        wish = gates.market.wish(sale, uuid4())
        await gates.press(sale, [wish])
        await gates.settle(sale)
        view = await gates.gatekeeper.view(sale)
        assert view is not None
        await gates.cancel(sale, wish.order_id)
        await asyncio.gather(*(gatekeeping._give_back(gates.market.pool, each, sale, view) for each in gates.gatekeepers))
        counted = await gates.gatekeeper.view(sale)
        wrong = [] if counted is not None and counted.avail == 10 else [f"10 units are left, and the gate counts {counted}"]
        yield wrong + (await gates.sell_the_rest(sale) if not wrong else [])


async def admitted_twice(gates: Gates, rounds: int) -> Scene:
    """Redis forgets an order that is committed but not cleared; it is admitted again; then the first process clears the journal, late."""
    for _ in range(rounds):
        sale = await gates.open_sale(10)
        first = await gates.admit(sale, gates.market.wish(sale, uuid4()))
        committed = await gates.commit(sale, first)
        await gates.pause_and_resume(sale)
        await gates.tend(sale)
        again = await gates.admit(sale, first._replace(intent_id=uuid4()))  # and the process that asked is gone
        await gates.gatekeeper.ack(sale, [(first.order_id, first.intent_id)])
        wrong = [] if committed == "RESERVED" else [f"told {committed}"]
        await gates.settle(sale)
        counted = await gates.gatekeeper.view(sale)
        if counted is None or counted.avail != 9:
            wrong.append(f"9 units are left, and the gate counts {counted} after {again.intent_id}")
        yield wrong + (await gates.sell_the_rest(sale) if not wrong else [])


async def emptied(gates: Gates, rounds: int) -> Scene:
    """Redis is emptied in the middle of a rush, with intents between gate and commit."""
    for _ in range(rounds):
        sale = await gates.open_sale(200)
        late = [await gates.admit(sale, gates.market.wish(sale, uuid4())) for _ in range(3)]
        rush = [asyncio.create_task(gates.crowd(sale, 100)) for _ in range(3)]
        await asyncio.sleep(0.01)
        await gates.empty_redis()
        answers = [answer for each in await asyncio.gather(*rush) for answer in each]
        wrong = [] if set(answers) <= {"RESERVED", "SOLD_OUT", "Unavailable"} else [f"told {Counter(answers)}"]
        await gates.settle(sale)
        wrong += [f"a stale commit is told {said}" for wish in late if (said := await gates.commit(sale, wish)) != "STALE"]
        wrong += await gates.sell_the_rest(sale)
        await gates.tend_all()
        yield wrong


async def restored(gates: Gates, rounds: int) -> Scene:
    """An older file of Redis is put back: it counts units that are sold, and intents that are decided."""
    for _ in range(rounds):
        sale = await gates.open_sale(60)
        await gates.crowd(sale, 10)
        waiting = await gates.admit(sale, gates.market.wish(sale, uuid4()))
        with tempfile.TemporaryDirectory(prefix="tessera-aof-") as folder:
            await gates.keep_aof(Path(folder))
            await gates.settle(sale)
            sold: list[Intent] = [gates.market.wish(sale, uuid4()) for _ in range(20)]
            answers = await gates.press(sale, sold)
            await gates.settle(sale)
            await gates.restore_aof(Path(folder))
        wrong = [] if all(map(reserved, answers)) else [f"told {Counter(map(told, answers))}"]
        before = await gates.crowd(sale, 1)
        if before != ["Unavailable"]:
            yield [*wrong, f"a gate that went back in time is open: {before}"]
            continue
        await gates.settle(sale)
        again = await gates.press(sale, [wish._replace(intent_id=uuid4()) for wish in sold])
        if again != answers:
            wrong.append(f"winners are told {Counter(map(told, again))}")
        sql = "SELECT count(*) FROM orders WHERE tenant_id = $1 AND id = $2"
        if not await gates.market.admin.fetchval(sql, sale.tenant_id, waiting.order_id):
            wrong.append("an intent that waited was lost without a change of epoch")
        wrong += await gates.sell_the_rest(sale)
        await gates.tend_all()
        yield wrong


async def last_unit(gates: Gates, rounds: int) -> Scene:
    """200 shoppers, one unit, through the gate of four processes: one wins, 199 are told that it is sold out."""
    store = await gates.market.open_store(units=rounds)
    for _ in range(rounds):
        sale = await gates.open_sale(1, store=store)
        answers = await gates.press(sale, [gates.market.wish(sale, uuid4()) for _ in range(crowds.CROWD)])
        yield crowds.differs(answers, RESERVED=1, SOLD_OUT=crowds.CROWD - 1)


async def sell_out(gates: Gates, rounds: int, units: int = 1000) -> Scene:
    """Five shoppers for each unit, thousands at the same instant: exactly the units are sold. As the API does, memory answers first."""

    async def crowd(sale: SaleKey, size: int) -> list[str]:
        turned_away = sum(gates.doors[n % PROCESSES].sold_out.says(sale, uuid4()) for n in range(size))
        return ["SOLD_OUT"] * turned_away + await gates.crowd(sale, size - turned_away)

    for _ in range(rounds):
        sale = await gates.open_sale(units)
        yield await crowds.flood(gates.market, sale, units, crowd)


async def changed(gates: Gates, rounds: int) -> Scene:
    """The merchant changes the sale while crowds press; in the end all there is has been sold, once."""
    for _ in range(rounds):
        sale = await gates.open_sale(200, limit=1, spare=200)
        yield await crowds.sell_while_changing(gates.market, sale, gates.crowd, gates.tend)


async def limits(gates: Gates, rounds: int) -> Scene:
    """Shoppers press three times as often as they may buy, while Redis is emptied again and again: each gets two, nobody three."""
    for _ in range(rounds):
        sale = await gates.open_sale(LIMIT * EAGER + 50, limit=LIMIT)
        wishes = [gates.market.wish(sale, shopper) for shopper in [uuid4() for _ in range(EAGER)] for _ in range(PRESSES)]
        random.shuffle(wishes)
        size = len(wishes) // 6
        for start in range(0, len(wishes), size):
            rush = asyncio.create_task(gates.press(sale, wishes[start : start + size]))
            await asyncio.sleep(random.uniform(0, 0.02))
            await gates.empty_redis()
            await gates.tend(sale)
            await rush
        wrong: list[str] = []
        sql = "SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND order_id IS NOT NULL GROUP BY shopper_id"
        held: list[int] = []
        for _ in range(20):
            # An order that Redis forgot counts twice from its retry until that is given back: a wish behind it is told to ask again.
            # So they ask in another order each time, until nobody was behind his own retry every time.
            random.shuffle(wishes)
            await gates.settle(sale)
            again = {told(answer) for answer in await gates.press(sale, [wish._replace(intent_id=uuid4()) for wish in wishes])}
            if not {"RESERVED", "LIMIT"} <= again <= {"RESERVED", "LIMIT", "Unavailable"}:
                wrong.append(f"told {again}")
            held = [row[0] for row in await gates.market.admin.fetch(sql, *sale)]
            if held == [LIMIT] * EAGER:
                break
        else:
            wrong.append(f"{EAGER} shoppers may have {LIMIT} each: {len(held)} hold {Counter(held)}")
        await gates.settle(sale)
        await gates.tend_all()
        yield wrong


async def left_behind(gates: Gates, rounds: int) -> Scene:
    """A process dies between gate and commit; its shoppers do not come back. A worker commits what they were admitted for."""
    for _ in range(rounds):
        sale = await gates.open_sale(10)
        wishes = [gates.market.wish(sale, uuid4()) for _ in range(3)]
        async with tenant_tx(gates.market.pool, sale.tenant_id) as tx:
            await allot.lock_sale(tx, sale.sale_id)  # so that the commit waits
            waiting = [gates.market.ask(gates.batchers[1], sale, wish) for wish in wishes]
            async with asyncio.timeout(PATIENCE_S):
                while not gates.doors[1].admitted:  # noqa: ASYNC110  there is no event to wait for
                    await asyncio.sleep(0.001)
            gates.kill(1)
            wrong = [f"told {wish.result()}" for wish in waiting if wish.done()]
            for wish in waiting:
                wish.cancel()
        await gates.settle(sale)
        sql = "SELECT count(*) FROM orders WHERE tenant_id = $1 AND id = ANY ($2) AND state = 'awaiting'"
        if (made := await gates.market.admin.fetchval(sql, sale.tenant_id, [wish.order_id for wish in wishes])) != len(wishes):
            wrong.append(f"{len(wishes)} wishes were left behind, {made} became orders")
        yield wrong + (await gates.sell_the_rest(sale) if not wrong else [])
