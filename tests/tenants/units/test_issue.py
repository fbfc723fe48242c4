"""In which order stock is issued: what is allotted first, and what a sale gives first."""

import datetime as dt
import itertools
from uuid import UUID

import pytest

from checkout_core.ids import decode, encode
from checkout_core.intents import SaleKey
from tenants.db import Pool, tenant_tx
from tenants.orders import commit
from tenants.orders.at_once import reserve
from tenants.units import issue as issuing
from tests.plans import scans
from tests.shop import Store
from tests.tenants.orders.test_together import wish
from tests.tenants.units.stock import batch_of, ends, figures, order, rows

DAY = dt.timedelta(days=1)


async def issue(store: Store, sku: str, order_: str, days: int = 0) -> None:
    await store.ask("PUT", f"/v1/skus/{sku}/issue", store.merchant, {"issue_order": order_, "sell_until_days": days})


async def prefer(store: Store, unit: int, priority: int) -> None:
    batch = encode("bat", await batch_of(store, unit))
    await store.ask("PUT", f"/v1/vault/batches/{batch}", store.merchant, {"priority": priority})


async def of_sale(store: Store, sale: str) -> list[int]:
    """Its units as it will give them."""
    sql = "SELECT id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'available' ORDER BY rank"
    return [row[0] for row in await rows(store, sql, decode("sal", sale))]


class TestAllot:
    async def test_as_they_were_loaded(self, acme: Store) -> None:
        sku = await acme.sku()
        first, second = await acme.load(sku, 2), await acme.load(sku, 2)
        assert await of_sale(acme, await acme.sale(3, sku_id=sku)) == [*first, second[0]]

    async def test_by_priority(self, acme: Store) -> None:
        sku = await acme.sku()
        first, second, third = [await acme.load(sku, 2) for _ in range(3)]
        await issue(acme, sku, "priority")
        await prefer(acme, second[0], 7)
        await prefer(acme, third[0], 5)
        assert await of_sale(acme, await acme.sale(5, sku_id=sku)) == [*third, *second, first[0]]

    async def test_what_ends_first(self, acme: Store) -> None:
        sku = await acme.sku()
        endless, units = await acme.load(sku, 2), await acme.load(sku, 3)
        for unit, days in zip(units, (9, 3, 6), strict=True):
            await ends(acme, unit, days * DAY)
        await issue(acme, sku, "expiring")
        assert await of_sale(acme, await acme.sale(4, sku_id=sku)) == [units[1], units[2], units[0], endless[0]]

    async def test_of_a_batch_that_is_still_loading_nothing(self, acme: Store) -> None:
        sku = await acme.sku()
        await acme.load(sku, 2, state="loading")
        loaded = await acme.load(sku, 1)
        for order_ in ("fifo", "priority", "expiring"):
            await issue(acme, sku, order_)
            sale = await acme.sale("all", sku_id=sku)
            assert await of_sale(acme, sale) == loaded
            await acme.ask("POST", f"/v1/sales/{sale}/end", acme.merchant)

    @pytest.mark.parametrize("order_", ["fifo", "priority", "expiring"])
    async def test_only_between_its_dates_and_so_long_before_the_end(self, acme: Store, order_: str) -> None:
        sku = await acme.sku()
        units = await acme.load(sku, 4)
        for unit, days in zip(units[:3], (-1, 2, 30), strict=True):
            await ends(acme, unit, days * DAY)
        sql = "UPDATE unit SET valid_from = now() + interval '1 day' WHERE tenant_id = $1 AND id = $2 RETURNING id"
        await rows(acme, sql, units[3])
        await issue(acme, sku, order_, days=3)
        assert await of_sale(acme, await acme.sale("all", sku_id=sku)) == [units[2]]

    async def test_a_new_order_concerns_loose_stock_only(self, acme: Store) -> None:
        sku = await acme.sku()
        first, second = await acme.load(sku, 4), await acme.load(sku, 2)
        sale = await acme.sale(2, sku_id=sku)
        await prefer(acme, second[0], 1)
        await issue(acme, sku, "priority")
        assert await of_sale(acme, sale) == first[:2]
        await acme.ask("POST", f"/v1/sales/{sale}/stock", acme.merchant, {"add": 3})
        assert await of_sale(acme, sale) == [*first[:2], *second, first[2]]

    async def test_no_table_is_read_whole(self, acme: Store, young: Pool) -> None:
        """The plans of all three orders, made while there is next to nothing."""
        for order_, of in itertools.product(issuing.ORDERS, (issuing._ALL, issuing._ONE_BATCH)):
            sql = issuing._TAKE.format(shift=issuing._SHIFT, next=issuing._NEXT[order_].format(**of))
            assert await scans(young, acme.tenant_id, sql) == []


class TestSell:
    @pytest.mark.parametrize("at_once", [True, False], ids=["at once", "in steps"])
    async def test_by_rank_whatever_the_ids(self, acme: Store, at_once: bool) -> None:
        """Both ways of a commit give the same units to the same orders, though their ids run the other way."""
        sku = await acme.sku()
        units = [(await acme.load(sku, 1))[0] for _ in range(5)]
        await issue(acme, sku, "priority")
        for n, unit in enumerate(units):
            await prefer(acme, unit, 10 - n)
        sale = SaleKey(acme.tenant_id, decode("sal", await acme.sale(5, sku_id=sku)))
        wishes = sorted([wish(), wish(quantity=2)])
        if at_once:
            assert isinstance(await reserve(acme.process.app_pool, sale, wishes), list)
        else:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await commit.commit(tx, sale.sale_id, list(wishes))
        sql = "SELECT order_id FROM unit WHERE tenant_id = $1 AND state = 'held' ORDER BY rank"
        owners: list[UUID] = [row[0] for row in await rows(acme, sql)]
        assert owners == [w.order_id for w in wishes for _ in range(w.quantity)]
        sql = "SELECT id FROM unit WHERE tenant_id = $1 AND state = 'available' ORDER BY rank"
        assert await rows(acme, sql) == [(units[1],), (units[0],)]

    async def test_a_unit_that_comes_back_is_found_again(self, acme: Store) -> None:
        sku = await acme.sku()
        low, high = await acme.load(sku, 1), await acme.load(sku, 1)
        await issue(acme, sku, "priority")
        await prefer(acme, high[0], 1)
        sale = await acme.sale(2, sku_id=sku)
        made, held = await order(acme, sale)
        assert held == high
        await order(acme, sale)
        await acme.ask("POST", f"/v1/orders/{made}/cancel", acme.merchant)
        assert await of_sale(acme, sale) == high
        assert await figures(acme, sale) == (2, 1)
        assert (await order(acme, sale))[1] == high
        assert low != high
