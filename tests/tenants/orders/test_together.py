"""Several sales of a store in one transaction: each decided as it would be alone, and none of them waited for."""

import asyncio
from uuid import UUID, uuid4

from api.committer import SMALL, Committer
from checkout_core.errors import NotFound
from checkout_core.ids import decode, new_id
from checkout_core.intents import Intent, Outcome, SaleKey
from tenants.db import tenant_tx
from tenants.orders import allot
from tenants.orders.commit import Wishes, commit_batch, commit_together
from tests.shop import Store


def wish(shopper: UUID | None = None, order: UUID | None = None, quantity: int = 1, said: bytes = bytes(16)) -> Intent:
    return Intent(order or new_id(), new_id(), shopper or new_id(), quantity, said, None)


async def sales(store: Store, *units: int, **changes: object) -> list[SaleKey]:
    return [SaleKey(store.tenant_id, decode("sal", await store.sale(n, **changes))) for n in units]


async def together(store: Store, *wishes: tuple[SaleKey, list[Intent]]) -> list[list[Outcome] | None]:
    decided = await commit_together(store.process.app_pool, store.tenant_id, [Wishes(s.sale_id, i) for s, i in wishes])
    return [None if each is None else [d.outcome for d in each] for each in decided]


async def rows(store: Store) -> list[tuple[str, int, int]]:
    """(sale, units held, sum of the lines) of every sale, as the rows say; by its counter too, which must agree."""
    sql = """SELECT s.id::text, s.committed, (SELECT count(*) FROM unit u WHERE u.sale_id = s.id AND u.state = 'held') AS held,
                    (SELECT coalesce(sum(quantity), 0) FROM order_line l WHERE l.sale_id = s.id) AS lines
             FROM sale s WHERE tenant_id = $1 ORDER BY s.id"""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        found = await tx.conn.fetch(sql, store.tenant_id)
    assert all(row["committed"] == row["held"] for row in found)
    return [(row["id"], row["held"], row["lines"]) for row in found]


class TestCommitTogether:
    async def test_each_sale_is_decided_by_its_own_stock_and_limit(self, acme: Store) -> None:
        many, one = await sales(acme, 5, 1, limit_per_shopper=1)
        shopper = new_id()
        of_many, of_one = await together(acme, (many, [wish(shopper), wish(shopper), wish()]), (one, [wish(shopper), wish()]))
        assert sorted(of_many or []) == [Outcome.RESERVED, Outcome.RESERVED, Outcome.LIMIT]
        assert sorted(of_one or []) == [Outcome.RESERVED, Outcome.SOLD_OUT]
        assert await rows(acme) == sorted([(str(many.sale_id), 2, 2), (str(one.sale_id), 1, 1)])

    async def test_what_was_decided_before_is_answered_from_its_row(self, acme: Store) -> None:
        first, second = await sales(acme, 3, 3)
        again = wish()
        await commit_batch(acme.process.app_pool, first, [again])
        assert await together(acme, (first, [again, wish()]), (second, [wish()])) == [[Outcome.RESERVED] * 2, [Outcome.RESERVED]]
        assert sum(held for _, held, _ in await rows(acme)) == 3

    async def test_a_sale_whose_row_is_held_waits_for_itself_only(self, acme: Store) -> None:
        held, free = await sales(acme, 3, 3)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await allot.lock_sale(tx, held.sale_id)
            assert await together(acme, (held, [wish()]), (free, [wish()])) == [None, [Outcome.RESERVED]]

    async def test_a_sale_that_does_not_exist_is_left(self, acme: Store) -> None:
        [real] = await sales(acme, 3)
        assert await together(acme, (SaleKey(acme.tenant_id, uuid4()), [wish()]), (real, [wish()])) == [None, [Outcome.RESERVED]]

    async def test_a_foreign_sale_does_not_exist(self, acme: Store, globex: Store) -> None:
        [theirs] = await sales(globex, 3)
        assert await together(acme, (theirs, [wish()])) == [None]
        assert [held for _, held, _ in await rows(globex)] == [0]

    async def test_a_sale_that_is_named_twice_is_decided_once(self, acme: Store) -> None:
        [sale] = await sales(acme, 3)
        assert await together(acme, (sale, [wish()]), (sale, [wish()])) == [[Outcome.RESERVED], None]
        assert [held for _, held, _ in await rows(acme)] == [1]

    async def test_one_key_for_two_sales_is_one_order(self, acme: Store) -> None:
        first, second = await sales(acme, 3, 3)
        shopper, order = new_id(), new_id()
        wishes = (first, [wish(shopper, order)]), (second, [wish(shopper, order, said=b"x" * 16)])
        assert await together(acme, *wishes) == [[Outcome.RESERVED], [Outcome.CONFLICT]]
        assert sum(lines for _, _, lines in await rows(acme)) == 1

    async def test_paused_and_open_side_by_side(self, acme: Store) -> None:
        paused, open_ = await sales(acme, 3, 3)
        await acme.ask("POST", f"/v1/sales/sal_{paused.sale_id.hex}/pause", acme.merchant)
        assert await together(acme, (paused, [wish()]), (open_, [wish()])) == [[Outcome.PAUSED], [Outcome.RESERVED]]


class TestCommitter:
    async def test_small_commits_of_a_store_share_transactions(self, acme: Store) -> None:
        many = await sales(acme, *[4] * 12)
        committer = Committer(acme.process.app_pool)
        decided = await asyncio.gather(*(committer.commit(sale, [wish()]) for sale in many for _ in range(3)))
        assert [d.outcome for [d] in decided] == [Outcome.RESERVED] * 36
        sql = "SELECT count(DISTINCT xmin::text) FROM order_line WHERE tenant_id = $1"
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            assert await tx.conn.fetchval(sql, acme.tenant_id) < 30

    async def test_who_waits_for_a_row_makes_nobody_else_wait(self, acme: Store) -> None:
        held, free = await sales(acme, 3, 3)
        committer = Committer(acme.process.app_pool)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await allot.lock_sale(tx, held.sale_id)
            waits = asyncio.create_task(committer.commit(held, [wish()]))
            async with asyncio.timeout(2):
                for _ in range(3):
                    [decision] = await committer.commit(free, [wish()])
                    assert decision.outcome == Outcome.RESERVED
            assert not waits.done()
        [decision] = await waits
        assert decision.outcome == Outcome.RESERVED

    async def test_an_unknown_sale_is_the_error_of_its_own(self, acme: Store) -> None:
        [real] = await sales(acme, 3)
        committer = Committer(acme.process.app_pool)
        unknown, fine = await asyncio.gather(
            committer.commit(SaleKey(acme.tenant_id, uuid4()), [wish()]), committer.commit(real, [wish()]), return_exceptions=True
        )
        assert isinstance(unknown, NotFound)
        assert isinstance(fine, list)

    async def test_a_large_batch_goes_alone(self, acme: Store) -> None:
        [sale] = await sales(acme, 2 * SMALL)
        decided = await Committer(acme.process.app_pool).commit(sale, [wish() for _ in range(SMALL)])
        assert {d.outcome for d in decided} == {Outcome.RESERVED}
