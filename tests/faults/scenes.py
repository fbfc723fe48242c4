"""What may happen to a flash sale, in small and quick. Each scene yields, round by round, what was not as promised."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

from checkout_core.intents import Decision, Intent, Outcome
from tests.faults.gates import PROCESSES, Gates
from tests.safety.stage import told
from workers import gatekeeping

Scene = AsyncGenerator[list[str]]


def reserved(answer: Decision | str) -> bool:
    return isinstance(answer, Decision) and answer.outcome == Outcome.RESERVED


async def asked_again(gates: Gates, rounds: int) -> Scene:
    """60 shoppers, 20 units, one each: all press at every process at once, with one key and with another; winners lose their answer."""
    for _ in range(rounds):
        sale = await gates.open_sale(20, limit=1)
        wishes = [gates.stage.wish(sale, shopper, key) for shopper in [uuid4() for _ in range(60)] for key in ("a", "b")]
        crowd = [wish._replace(intent_id=uuid4()) for wish in wishes for _ in range(PROCESSES)]
        answers = list(zip(crowd, await gates.press(sale, crowd), strict=True))
        orders = {wish.order_id: answer for wish, answer in answers if reserved(answer)}
        winners = [wish for wish in wishes if wish.order_id in orders]
        wrong: list[str] = []
        if len({wish.shopper_id for wish in winners}) != len(winners) or len(winners) != 20:
            wrong.append(f"20 units, one each: {len(winners)} orders of {len({wish.shopper_id for wish in winners})} shoppers")
        await gates.crowd(sale, 2 * PROCESSES)  # now every process knows by heart that it is sold out
        await asyncio.sleep(0.1)
        for door in range(PROCESSES):
            asked = [gates.doors[door].sold_out.says(sale, wish.shopper_id) for wish in winners]
            again = [gates.batchers[door].submit(sale, wish._replace(intent_id=uuid4())) for wish in winners]
            for wish, turned_away, answer in zip(winners, asked, await asyncio.gather(*again, return_exceptions=True), strict=True):
                if turned_away or answer != orders[wish.order_id]:
                    wrong.append(f"a winner is told {'SOLD_OUT' if turned_away else answer}")
        yield wrong + await gates.sell_the_rest(sale)


async def late_commit(gates: Gates, rounds: int) -> Scene:
    """A process stands still between gate and commit, while the sale is changed and counted anew; then it goes on."""
    for _ in range(rounds):
        sale = await gates.open_sale(10)
        admitted = await gates.admit(sale, gates.stage.wish(sale, uuid4()))
        await gates.pause_and_resume(sale)
        await gates.tend(sale)
        told_late = await gates.commit(sale, admitted)
        wrong = [] if told_late == "STALE" else [f"a stale commit is told {told_late}"]
        counted = await gates.gatekeeper.view(sale)
        left = await gates.stage.admin.fetchval("SELECT allotted - committed FROM sale WHERE tenant_id = $1 AND id = $2", *sale)
        if counted is None or counted.avail != left:
            wrong.append(f"{left} units are left, and the gate counts {counted and counted.avail}")
        yield wrong + (await gates.sell_the_rest(sale) if not wrong else [])


async def given_back_twice(gates: Gates, rounds: int) -> Scene:
    """A worker stands still between reading returns and giving them back; another does it meanwhile."""
    for _ in range(rounds):
        sale = await gates.open_sale(10)
        wish = gates.stage.wish(sale, uuid4())
        await gates.press(sale, [wish])
        await gates.settle(sale)
        view = await gates.gatekeeper.view(sale)
        assert view is not None
        await gates.cancel(sale, wish.order_id)
        await asyncio.gather(*(gatekeeping._give_back(gates.stage.pool, each, sale, view) for each in gates.gatekeepers))
        counted = await gates.gatekeeper.view(sale)
        wrong = [] if counted is not None and counted.avail == 10 else [f"10 units are left, and the gate counts {counted}"]
        yield wrong + (await gates.sell_the_rest(sale) if not wrong else [])


async def admitted_twice(gates: Gates, rounds: int) -> Scene:
    """Redis forgets an order that is committed but not cleared; it is admitted again; then the first process clears the journal, late."""
    for _ in range(rounds):
        sale = await gates.open_sale(10)
        first = await gates.admit(sale, gates.stage.wish(sale, uuid4()))
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
        late = [await gates.admit(sale, gates.stage.wish(sale, uuid4())) for _ in range(3)]
        rush = [asyncio.create_task(gates.crowd(sale, 100)) for _ in range(3)]
        await asyncio.sleep(0.01)
        await gates.gatekeeper._partitions.link(0).call("FLUSHALL")
        answers = [answer for each in await asyncio.gather(*rush) for answer in each]
        wrong = [] if set(answers) <= {"RESERVED", "SOLD_OUT", "Unavailable"} else [f"told {Counter(answers)}"]
        await gates.settle(sale)
        wrong += [f"a stale commit is told {said}" for wish in late if (said := await gates.commit(sale, wish)) != "STALE"]
        yield wrong + await gates.sell_the_rest(sale)


async def restored(gates: Gates, rounds: int) -> Scene:
    """An older file of Redis is put back: it counts units that are sold, and intents that are decided."""
    for _ in range(rounds):
        sale = await gates.open_sale(60)
        await gates.crowd(sale, 10)
        waiting = await gates.admit(sale, gates.stage.wish(sale, uuid4()))
        with tempfile.TemporaryDirectory(prefix="tessera-aof-") as folder:
            await gates.keep_aof(Path(folder))
            await gates.settle(sale)
            sold: list[Intent] = [gates.stage.wish(sale, uuid4()) for _ in range(20)]
            answers = await gates.press(sale, sold)
            await gates.settle(sale)
            await gates.restore_aof(Path(folder))
        wrong = [] if all(map(reserved, answers)) else [f"told {Counter(map(told, answers))}"]
        before = await gates.crowd(sale, 1)
        if before != ["Unavailable"]:
            wrong.append(f"a gate that went back in time is open: {before}")
        await gates.settle(sale)
        again = await gates.press(sale, [wish._replace(intent_id=uuid4()) for wish in sold])
        if again != answers:
            wrong.append(f"winners are told {Counter(map(told, again))}")
        sql = "SELECT count(*) FROM orders WHERE tenant_id = $1 AND id = $2"
        if not await gates.stage.admin.fetchval(sql, sale.tenant_id, waiting.order_id):
            wrong.append("an intent that waited was lost without a change of epoch")
        yield wrong + await gates.sell_the_rest(sale)
