"""Notices that reach an account they are not for: another merchant's, and the same merchant's account at another store."""

import random
from collections.abc import AsyncGenerator
from itertools import permutations

from tenants.payments.provider import ForgedNotice
from tests.drills.scenes.market import Market, Store
from tests.drills.scenes.notices import COPIES
from tests.drills.scenes.till import Purchase, Till

DOORS = ("its own", "another merchant's", "the same merchant's other store's")
CASES = [(doors, copies) for doors in permutations(DOORS) for copies in COPIES]
DELIVERED = "delivered, paid: applied, refunds: none, units: 1"


async def misdirected(market: Market, rounds: int) -> AsyncGenerator[list[str]]:
    """A round is a case: its own account delivers, another merchant's refuses it as forged, the other store asks a person."""
    till = await Till.open(market)
    stores = {door: await market.open_store(units=len(CASES)) for door in DOORS}
    for door, store in stores.items():
        await till.open_account(store, till.sandbox.register() if door == "another merchant's" else None)
    for doors, copies in random.Random(5).sample(CASES, min(rounds, len(CASES))):
        wrong = []
        purchase = await Purchase.begin(till, await market.open_sale(stores["its own"], units=1))
        await purchase.pay()
        notice = await till.caught(purchase.attempt.out_trade_no, "paid")
        for door in doors:
            for _ in range(copies):
                try:
                    await till.receive(stores[door].tenant_id, notice)
                    believed = True
                except ForgedNotice:
                    believed = False
                if believed == (door == "another merchant's"):
                    wrong.append(f"{doors}: {door} account {'believed' if believed else 'refused'} it")
        wrong += await till.rest([purchase])
        if (ended := await purchase.outcome()) != DELIVERED:
            wrong.append(f"{doors}: ended {ended}")
        if (cases := await _cases(market, stores["the same merchant's other store's"], purchase)) != 1:
            wrong.append(f"{doors}: {cases} cases for a person")
        yield wrong


async def _cases(market: Market, store: Store, purchase: Purchase) -> int:
    sql = "SELECT count(*) FROM exception_case WHERE tenant_id = $1 AND detail ->> 'out_trade_no' = $2"
    return int(await market.admin.fetchval(sql, store.tenant_id, purchase.attempt.out_trade_no))
