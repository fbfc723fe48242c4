"""What a shopper pays: the cheapest that is for him, by statements that look up and never search."""

import asyncio
import datetime as dt
from uuid import uuid4

import pytest

from checkout_core.errors import NotFound
from checkout_core.ids import decode, encode
from tenants import prices
from tenants.db import Pool, tenant_tx
from tenants.orders import read, snapshots
from tenants.prices import entries, groups, lists
from tenants.privacy import shopper_export
from tests.plans import scans
from tests.shop import Store
from tests.tenants.prices.shelf import asked, group, listed, paid, put

HOUR = dt.timedelta(hours=1)


def in_(hours: int) -> str:
    return (dt.datetime.now(dt.UTC) + hours * HOUR).isoformat()


class TestOf:
    async def test_without_lists_it_is_the_skus_own(self, acme: Store) -> None:
        sku = await acme.sku()
        assert await asked(acme, (sku, 3)) == [prices.Price(9900, None, 9900, "CNY")]

    async def test_another_tenants_sku_is_none(self, acme: Store, globex: Store) -> None:
        theirs, ours = await globex.sku(), await acme.sku()
        with pytest.raises(NotFound) as raised:
            await asked(acme, (ours, 1), (theirs, 1))
        assert raised.value.extra == {"missing": [theirs]}

    async def test_another_tenants_list_is_none_here(self, acme: Store, globex: Store) -> None:
        await listed(globex, (await globex.sku(), 1, 1))
        assert await paid(acme, await acme.sku()) == 9900

    async def test_each_by_its_quantity_in_the_order_that_was_asked(self, acme: Store) -> None:
        one, other = await acme.sku(), await acme.sku(price_minor=500)
        await listed(acme, (one, 1, 9800), (one, 10, 9000), (one, 100, 8000), (other, 5, 400))
        found = await asked(acme, (one, 100), (other, 4), (one, 9), (other, 5), (one, 10))
        assert [each.unit_minor for each in found] == [8000, 500, 9800, 400, 9000]
        assert [each.price_id is None for each in found] == [False, True, False, False, False]

    async def test_the_cheapest_of_several_lists_and_the_older_of_two_alike(self, acme: Store) -> None:
        sku = await acme.sku()
        for minor in (9500, 9300, 9300, 9400):
            await listed(acme, (sku, 1, minor))
        [price] = await asked(acme, (sku, 1))
        page = await acme.ask("GET", f"/v1/skus/{sku}/prices", acme.merchant)
        alike = [each["id"] for each in page["prices"] if each["unit_minor"] == 9300]
        assert price.price_id is not None
        assert (price.unit_minor, encode("pri", price.price_id)) == (9300, min(alike))

    async def test_a_dearer_list_says_nothing_nor_does_one_at_the_same_price(self, acme: Store) -> None:
        sku = await acme.sku()
        await listed(acme, (sku, 1, 9900), (sku, 5, 12_000))
        assert await asked(acme, (sku, 5)) == [prices.Price(9900, None, 9900, "CNY")]

    async def test_a_group_pays_it_alone_from_joining_until_leaving(self, acme: Store) -> None:
        sku, ann, bob = await acme.sku(), uuid4(), uuid4()
        gold = await group(acme, ann)
        await listed(acme, (sku, 1, 9000), group_id=gold)
        assert [await paid(acme, sku, shopper=who) for who in (ann, bob, None)] == [9000, 9900, 9900]
        await acme.ask("DELETE", f"/v1/buyer-groups/{gold}/members/{encode('shp', ann)}", acme.merchant)
        assert await paid(acme, sku, shopper=ann) == 9900

    async def test_in_its_channel_alone(self, acme: Store) -> None:
        sku = await acme.sku()
        await listed(acme, (sku, 1, 9000), channel="douyin")
        assert [await paid(acme, sku, channel=each) for each in ("douyin", "web")] == [9000, 9900]

    @pytest.mark.parametrize(
        ("starts_at", "ends_at", "minor"), [(None, None, 9000), (-1, 1, 9000), (1, None, 9900), (None, -1, 9900), (-2, -1, 9900)]
    )
    async def test_in_its_window_alone(self, acme: Store, starts_at: int | None, ends_at: int | None, minor: int) -> None:
        sku = await acme.sku()
        window = {name: in_(at) for name, at in (("starts_at", starts_at), ("ends_at", ends_at)) if at is not None}
        await listed(acme, (sku, 1, 9000), **window)
        assert await paid(acme, sku) == minor

    async def test_not_of_a_list_that_is_off_or_removed(self, acme: Store) -> None:
        sku = await acme.sku()
        on = await listed(acme, (sku, 1, 9000))
        path, any_ = f"/v1/price-lists/{on}", acme.merchant | {"If-Match": "*"}
        await acme.ask("PATCH", path, any_, {"state": "off"})
        assert await paid(acme, sku) == 9900
        await acme.ask("PATCH", path, any_, {"state": "on"})
        assert await paid(acme, sku) == 9000
        await acme.ask("DELETE", path, acme.merchant)
        assert await paid(acme, sku) == 9900

    async def test_a_new_price_is_a_new_version_and_one_taken_off_is_none(self, acme: Store) -> None:
        sku = await acme.sku()
        on = await listed(acme, (sku, 1, 9000))
        [before] = await asked(acme, (sku, 1))
        await put(acme, on, (sku, 1, 9100))
        [after] = await asked(acme, (sku, 1))
        assert (after.unit_minor, after.price_id != before.price_id) == (9100, True)
        await put(acme, on, (sku, 1, None))
        assert await paid(acme, sku) == 9900

    async def test_a_thousand_skus_in_one_statement(self, acme: Store) -> None:
        product = decode("prd", await acme.product())
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = """INSERT INTO sku (tenant_id, id, product_id, name, price_minor, currency)
                     SELECT $1, gen_random_uuid(), $2, n::text, 100 + n, 'CNY' FROM generate_series(1, 1000) AS n RETURNING id"""
            skus = [row["id"] for row in await tx.conn.fetch(sql, tx.tenant_id, product)]
            made = await lists.create(tx, name="all", state="on", actor="test")
            wanted = [entries.Wanted(sku, 1, 100 - n % 50) for n, sku in enumerate(skus)]
            assert await entries.put(tx, made.id, wanted, actor="test") == entries.Put(1000, 0, 0)
            seen: list[str] = []
            with tx.conn.query_logger(lambda record: seen.append(record.query)):
                found = await prices.of(tx, uuid4(), "web", [prices.Ask(sku, 1) for sku in skus])
                await asyncio.sleep(0)  # the logger is told in the loop's next turn
        assert [each.unit_minor for each in found] == [100 - n % 50 for n in range(1000)]
        assert len(seen) == 1


class TestPlans:
    async def test_nothing_reads_all_that_a_tenant_has(self, acme: Store, young: Pool) -> None:
        sku, ann = await acme.sku(3), uuid4()
        sale = await acme.sale(sku_id=sku)
        order = decode("ord", await acme.order(await acme.guest(), sale))
        gold = decode("grp", await group(acme, ann))
        on = decode("prl", await listed(acme, (sku, 1, 9000)))
        seen: list[str] = []
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            with tx.conn.query_logger(lambda record: seen.append(record.query)):
                await prices.of(tx, ann, "web", [prices.Ask(decode("sku", sku), 1)])
                await entries.put(tx, on, [entries.Wanted(decode("sku", sku), 1, 8000)], actor="test")
                await entries.listed(tx, on, limit=20)
                await entries.history(tx, decode("sku", sku), limit=20)
                await lists.remove(tx, on, actor="test")
                await groups.members(tx, gold, limit=20)
                await groups.put_member(tx, gold, uuid4(), actor="test")
                await tx.conn.fetch(shopper_export.QUERIES["groups"], tx.tenant_id, ann)
                await snapshots.of(tx, await read.get(tx, order))
                await asyncio.sleep(0)
        read_ = {sql for sql in seen if sql.lstrip().startswith(("SELECT", "UPDATE", "INSERT"))}
        assert len(read_) > 15
        assert {sql: found for sql in read_ if (found := await scans(young, acme.tenant_id, sql))} == {}
