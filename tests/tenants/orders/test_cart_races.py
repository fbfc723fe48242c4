"""Carts against each other, and against everybody else who wants the same rows: nothing is sold twice, nothing is lost, nobody waits for
ever. What holds that is removed once, to see that these tests would tell."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from checkout_core.ids import decode, encode
from checkout_core.intents import Outcome, SaleKey
from tenants import prices
from tenants.db import TenantTx, tenant_tx
from tenants.orders import allot, cancel, commit_batch, survey
from tenants.prices import Ask, Price
from tests.paying import pay
from tests.shop import Store
from tests.tenants.orders.carts import Lines, Shelf
from tests.tenants.orders.test_together import wish

TOGETHER_S = 0.3  # so long one waits for another between reading and writing
STOCK = {"a": 3, "b": 3, "c": 3}
# Carts whose lines stand in every order.
CROSSING: Sequence[Lines] = (
    {"a": 1, "b": 1}, {"b": 1, "a": 1}, {"c": 1, "a": 1}, {"a": 1, "b": 1, "c": 1}, {"c": 1, "b": 1, "a": 1}, {"b": 2}, {"c": 2, "b": 1},
)  # fmt: skip


class Meeting:
    """Two who have both read before one of them writes, unless one has to wait for the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._there = 0
        self._both = asyncio.Event()
        self._priced = prices.of
        monkeypatch.setattr(prices, "of", self.of)

    async def of(self, tx: TenantTx, shopper_id: UUID | None, channel: str, asks: Sequence[Ask]) -> list[Price]:
        self._there += 1
        if self._there == 2:
            self._both.set()
        try:
            async with asyncio.timeout(TOGETHER_S):
                await self._both.wait()
        except TimeoutError:
            pass
        return await self._priced(tx, shopper_id, channel, asks)


def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As without the safety `row_lock`: statements that were put together with it are put together again."""
    monkeypatch.setattr(allot, "LOCK", "")
    monkeypatch.setattr(allot, "_LOCKED", allot._SALES)
    monkeypatch.setattr(survey, "_SURVEY", survey._SURVEY.replace("FOR UPDATE", ""))


async def both(shelf: Shelf, *lines: Lines) -> list[str]:
    return sorted(await asyncio.gather(*(shelf.told(shelf.wish(f"shopper {n}", each)) for n, each in enumerate(lines))))


class TestTheLastUnits:
    @pytest.mark.parametrize("lines", [({"a": 2}, {"a": 2}), ({"a": 1, "b": 1}, {"b": 1, "a": 2})])
    async def test_go_to_one_of_two(self, acme: Store, monkeypatch: pytest.MonkeyPatch, lines: tuple[Lines, Lines]) -> None:
        shelf = await Shelf.of(acme, {"a": 2, "b": 2})
        Meeting(monkeypatch)
        told = await both(shelf, *lines)
        assert told == ["reserved", "sold_out a"]
        await shelf.left()

    async def test_a_seat_is_one_shoppers(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        shelf = Shelf(acme)
        await shelf.hall("hall", {"gala.stalls": (1, 0), "gala.box": (1, 0)})
        Meeting(monkeypatch)
        assert await both(shelf, {"hall": ["gala.stalls"]}, {"hall": ["gala.stalls"]}) == ["reserved", "sold_out hall"]
        assert await shelf.left() == {"hall": 1}

    async def test_a_limit_holds_for_two_carts_of_one(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        shelf = await Shelf.of(acme, {"a": 5, "b": 5}, limit_per_shopper=1)
        Meeting(monkeypatch)
        wishes = [shelf.wish("ann", {"a": 1}), shelf.wish("ann", {"b": 1, "a": 1})]
        assert sorted(await asyncio.gather(*map(shelf.told, wishes))) == ["limit a", "reserved"]
        await shelf.left()

    @pytest.mark.parametrize("lines", [{"a": 2}, {"hall": ["gala.stalls"]}])
    async def test_without_locks_both_would_be_told_so(self, acme: Store, monkeypatch: pytest.MonkeyPatch, lines: Lines) -> None:
        shelf = await Shelf.of(acme, {"a": 5})  # of fewer the sale's own CHECK would refuse the second
        await shelf.hall("hall", {"gala.stalls": (1, 0), "gala.box": (1, 0)})
        unlocked(monkeypatch)
        Meeting(monkeypatch)
        assert await both(shelf, lines, lines) == ["reserved", "reserved"]
        with pytest.raises(AssertionError):
            await shelf.left()

    async def test_a_crowd_gets_what_there_is(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, STOCK)
        wishes = [shelf.wish(f"shopper {n}", lines) for n, lines in enumerate(CROSSING * 3)]
        told = await asyncio.gather(*map(shelf.told, wishes))
        left = await shelf.left()
        assert all(count >= 0 for count in left.values())
        assert "reserved" in told
        # Nothing comes back here, so who was refused would be refused now too: of what he was told, there is less than he asked for.
        for lines, answer in zip(CROSSING * 3, told, strict=True):
            if answer != "reserved":
                row = answer.removeprefix("sold_out ")
                assert left[row] < lines[row]


class TestOthers:
    async def test_direct_commits_of_other_sales_go_on(self, acme: Store) -> None:
        """Of a SKU that is on the shelf and in a flash of its own: the units are those of each sale."""
        shelf = await Shelf.of(acme, {"a": 5, "b": 5})
        rush = SaleKey(acme.tenant_id, decode("sal", await acme.sale(5)))
        presses = [commit_batch(acme.process.app_pool, rush, [wish()]) for _ in range(8)]
        told, *decided = await asyncio.gather(both(shelf, *[{"a": 1, "b": 1}] * 8), *presses)
        assert told == ["reserved"] * 5 + ["sold_out a"] * 3
        assert [d.outcome for [d] in decided].count(Outcome.RESERVED) == 5
        assert await shelf.left() == {"a": 0, "b": 0}

    async def test_whoever_orders_two_sales_waits_for_nobody_who_waits_for_him(self, acme: Store) -> None:
        """Carts in both directions, expiries and payments of orders over the same sales: all come to an end, none by a deadlock."""
        shelf = await Shelf.of(acme, {"a": 40, "b": 40})
        made = [await shelf.place(shelf.wish(f"early {n}", {"a": 1, "b": 1})) for n in range(8)]
        pool = acme.process.app_pool
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        before = await pool.fetchval(deadlocks)

        async def end(order_id: UUID) -> None:
            async with tenant_tx(pool, acme.tenant_id) as tx:
                await cancel(tx, order_id)

        ends = [end(order.id) for order in made[:4]]
        pays = [pay(acme, encode("ord", order.id)) for order in made[4:]]
        told, *_ = await asyncio.gather(both(shelf, *[{"a": 1, "b": 1}, {"b": 1, "a": 1}] * 8), *ends, *pays)
        assert told == ["reserved"] * 16
        assert await pool.fetchval(deadlocks) == before
        assert await shelf.left() == {"a": 20, "b": 20}

    @pytest.mark.parametrize("act", ["pause", "end", "withdraw", "add", "limit", "off"])
    async def test_the_merchants_acts(self, acme: Store, act: str) -> None:
        """While carts come in: whatever he does is done before one or after it, never in the middle."""
        shelf = await Shelf.of(acme, {"a": 6, "b": 20})
        await acme.load(shelf.skus["a"], 2)
        sale = f"/v1/sales/{shelf.sales['a']}"
        asked: dict[str, tuple[str, str, Any]] = {
            "pause": ("POST", f"{sale}/pause", {}), "end": ("POST", f"{sale}/end", {}),
            "withdraw": ("POST", f"{sale}/stock", {"withdraw": 2}), "add": ("POST", f"{sale}/stock", {"add": 2}),
            "limit": ("POST", f"{sale}/limit", {"limit_per_shopper": 1}), "off": ("DELETE", f"/v1/skus/{shelf.skus['a']}/shelf", None),
        }  # fmt: skip
        method, path, body = asked[act]

        async def do() -> int:
            await asyncio.sleep(0.01)
            return (await acme.client.request(method, path, headers=acme.merchant, json=body)).status_code

        told, status = await asyncio.gather(both(shelf, *[{"b": 1, "a": 1}] * 9), do())
        assert status in (200, 204, 409)
        assert set(told) <= {"reserved", "sold_out a", "paused a", "not_on_the_shelf a"}
        left = await shelf.left()
        assert left["b"] == 20 - told.count("reserved")

    async def test_taken_off_while_a_cart_waits_for_it(self, acme: Store) -> None:
        """It finds a sale that is over, looks again, and says what there is then."""
        shelf = await Shelf.of(acme, {"a": 3})
        order = shelf.wish("ann", {"a": 1})
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await allot.lock_sale(tx, decode("sal", shelf.sales["a"]))
            waiting = asyncio.create_task(shelf.told(order))
            await asyncio.sleep(0.1)
            sql = "UPDATE unit SET sale_id = NULL WHERE tenant_id = $1 AND sale_id = $2 AND state = 'available'"
            await tx.conn.execute(sql, tx.tenant_id, decode("sal", shelf.sales["a"]))
            sql = "UPDATE sale SET state = 'ended', allotted = 0 WHERE tenant_id = $1 AND id = $2"
            await tx.conn.execute(sql, tx.tenant_id, decode("sal", shelf.sales["a"]))
        assert await waiting == "not_on_the_shelf a"
