"""The line before a sale's row: who comes while the row is somebody else's goes with the one who waits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from api.lines import TOGETHER_MAX, Lines, Waiting
from checkout_core.errors import NotFound
from checkout_core.ids import decode, new_id
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tenants.db import tenant_tx
from tenants.orders import allot
from tests.shop import Store
from tests.tenants.orders.test_together import wish

WAITS_S = 0.2  # until the first of a line waits for the row


async def sale_of(store: Store, units: int, **changes: object) -> SaleKey:
    return SaleKey(store.tenant_id, decode("sal", await store.sale(units, **changes)))


@asynccontextmanager
async def row_taken(store: Store, sale: SaleKey) -> AsyncIterator[None]:
    """Another process commits, in the block."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        await allot.lock_sale(tx, sale.sale_id)
        yield


def enter(lines: Lines, sale: SaleKey, *batches: Sequence[Intent]) -> list["asyncio.Future[list[Decision]]"]:
    decided = []
    for batch in batches:
        one = Waiting.of(sale, batch)
        lines.enter(one)
        decided.append(one.decided)
    return decided


async def outcomes(decided: Sequence["asyncio.Future[list[Decision]]"]) -> list[list[Outcome]]:
    return [[d.outcome for d in decisions] for decisions in await asyncio.gather(*decided)]


async def transactions(store: Store) -> int:
    sql = "SELECT count(DISTINCT xmin::text) FROM orders WHERE tenant_id = $1"
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return int(await tx.conn.fetchval(sql, store.tenant_id))


class TestEnter:
    async def test_who_comes_while_the_row_is_taken_goes_with_the_first(self, acme: Store) -> None:
        sale, lines = await sale_of(acme, 9), Lines(acme.process.app_pool)
        async with row_taken(acme, sale):
            first = enter(lines, sale, [wish()])
            await asyncio.sleep(WAITS_S)
            later = enter(lines, sale, [wish(), wish()], [wish()])
        assert await outcomes(first + later) == [[Outcome.RESERVED], [Outcome.RESERVED] * 2, [Outcome.RESERVED]]
        assert await transactions(acme) == 1
        await asyncio.sleep(0)
        assert sale not in lines

    async def test_each_gets_the_decisions_of_his_own(self, acme: Store) -> None:
        sale, lines = await sale_of(acme, 9, limit_per_shopper=1), Lines(acme.process.app_pool)
        shopper, twice = new_id(), wish()
        async with row_taken(acme, sale):
            decided = enter(lines, sale, [wish(shopper)], [wish(shopper, new_id(), 2), twice], [twice])
            await asyncio.sleep(WAITS_S)
        assert await outcomes(decided) == [[Outcome.RESERVED], [Outcome.LIMIT, Outcome.RESERVED], [Outcome.RESERVED]]
        assert (await decided[1])[1].order_id == twice.order_id

    async def test_no_more_than_a_transaction_takes(self, acme: Store) -> None:
        sale, lines = await sale_of(acme, 1), Lines(acme.process.app_pool)
        async with row_taken(acme, sale):
            decided = enter(lines, sale, *([wish() for _ in range(TOGETHER_MAX // 2)] for _ in range(3)))
            await asyncio.sleep(WAITS_S)
        assert sum(outcome == Outcome.RESERVED for batch in await outcomes(decided) for outcome in batch) == 1
        assert await transactions(acme) == 2

    async def test_one_that_spoils_it_spoils_it_for_himself(self, acme: Store) -> None:
        sale, lines = await sale_of(acme, 9), Lines(acme.process.app_pool)
        async with row_taken(acme, sale):
            good, bad = enter(lines, sale, [wish()], [wish()._replace(contact="x" * 300)])
            await asyncio.sleep(WAITS_S)
        assert await outcomes([good]) == [[Outcome.RESERVED]]
        assert "orders_contact_check" in str(await asyncio.gather(bad, return_exceptions=True))

    async def test_a_sale_that_does_not_exist(self, acme: Store) -> None:
        decided = enter(Lines(acme.process.app_pool), SaleKey(acme.tenant_id, uuid4()), [wish()], [wish()])
        assert [type(error) for error in await asyncio.gather(*decided, return_exceptions=True)] == [NotFound, NotFound]

    async def test_of_the_other_store(self, acme: Store, globex: Store) -> None:
        theirs = await sale_of(globex, 3)
        decided = enter(Lines(acme.process.app_pool), SaleKey(acme.tenant_id, theirs.sale_id), [wish()])
        assert [type(error) for error in await asyncio.gather(*decided, return_exceptions=True)] == [NotFound]
