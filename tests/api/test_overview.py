"""The console's first page: figures that are exact, whatever is indexed yet."""

import datetime as dt
from typing import Any

import httpx

from checkout_core.ids import decode
from tenants.db import tenant_tx
from tenants.orders import index, tally
from tenants.payments import refunds
from tests.paying import pay
from tests.shop import Store
from workers.relay import Relay

URL = "/v1/overview"


async def indexed(store: Store) -> None:
    await index.work(store.process.app_pool, store.tenant_id)


async def asked(store: Store) -> Any:
    return await store.ask("GET", URL, store.merchant)


async def moved(store: Store, order: str, back: dt.timedelta) -> None:
    """As if the order had been made, paid and delivered earlier."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """UPDATE orders SET created_at = created_at - $3::interval, paid_at = paid_at - $3::interval,
                        delivered_at = delivered_at - $3::interval WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tx.tenant_id, decode("ord", order), back)


async def counted(store: Store) -> tuple[Any, Any]:
    """What is kept by the minute and by sale, and the same counted from orders."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = "SELECT sum(made), sum(paid), sum(paid_minor), sum(delivered) FROM order_minute WHERE tenant_id = $1"
        kept = tuple(await tx.conn.fetchrow(sql, tx.tenant_id))
        sql = """SELECT count(*) FILTER (WHERE state <> 'refused'), count(paid_at), sum(amount_minor) FILTER (WHERE paid_at IS NOT NULL),
                        count(delivered_at) FROM orders WHERE tenant_id = $1"""
        return kept, tuple(await tx.conn.fetchrow(sql, tx.tenant_id))


class TestOverview:
    async def test_without_a_key(self, client: httpx.AsyncClient) -> None:
        assert (await client.get(URL)).status_code == 401

    async def test_a_new_store(self, acme: Store) -> None:
        seen = await asked(acme)
        nothing = {"orders": 0, "paid": 0, "paid_minor": 0, "delivered": 0, "refunds": 0, "refunded_minor": 0}
        assert seen["day"]["today"] == seen["day"]["before"] == [{"currency": "CNY", **nothing}]
        assert len(seen["day"]["hours"]) == 24
        assert (seen["open_exceptions"], seen["low_stock"], seen["sales"]) == (0, 0, [])

    async def test_before_and_after_orders_are_indexed(self, acme: Store, globex: Store) -> None:
        sale = await acme.sale(9)
        orders = [await acme.order(await acme.guest(), sale) for _ in range(4)]
        await pay(acme, orders[0])
        await globex.order(await globex.guest(), await globex.sale(3))
        first = await asked(acme)
        assert first["day"]["today"][0] | {"currency": ""} == {
            "currency": "", "orders": 4, "paid": 1, "paid_minor": 9900, "delivered": 1, "refunds": 0, "refunded_minor": 0,
        }  # fmt: skip
        await indexed(acme)
        assert (await asked(acme))["day"]["today"] == first["day"]["today"]
        await pay(acme, orders[1])
        await acme.ask("POST", f"/v1/orders/{orders[2]}/cancel", acme.merchant)
        second = await asked(acme)
        assert (second["day"]["today"][0]["paid"], second["day"]["today"][0]["orders"]) == (2, 4)
        await indexed(acme)
        assert (await asked(acme))["day"]["today"] == second["day"]["today"]
        kept, true = await counted(acme)
        assert kept == true
        assert sum(hour["orders"] for hour in second["day"]["hours"]) == 4
        assert second["day"]["hours"][-1]["orders"] == 4
        [selling] = second["sales"]
        assert (selling["id"], selling["allotted"], selling["committed"]) == (sale, 9, 3)

    async def test_yesterday_up_to_the_same_time(self, acme: Store) -> None:
        sale = await acme.sale(9)
        orders = [await acme.order(await acme.guest(), sale) for _ in range(3)]
        for order in orders:
            await pay(acme, order)
        # At the first minute of the day, a little earlier is the day before: what is said then holds as well.
        await moved(acme, orders[0], dt.timedelta(days=1, minutes=2))
        await moved(acme, orders[1], dt.timedelta(hours=23, minutes=58))
        await indexed(acme)
        day = (await asked(acme))["day"]
        assert day["before"][0]["paid"] in (0, 1)
        local = dt.datetime.now(dt.timezone(dt.timedelta(hours=8)))
        if (local.hour, local.minute) > (0, 3) and (local.hour, local.minute) < (23, 55):
            assert day["before"][0]["paid"] == 1
            assert day["today"][0]["paid"] == 1

    async def test_refunds(self, acme: Store) -> None:
        sale = await acme.sale(3)
        order = await acme.order(await acme.guest(), sale)
        await pay(acme, order)
        await acme.ask(
            "POST",
            f"/v1/orders/{order}/refund",
            acme.merchant | {"Idempotency-Key": "r"},
        )
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            number = await tx.conn.fetchval("SELECT out_refund_no FROM refund WHERE tenant_id = $1", tx.tenant_id)
            await refunds.succeeded(tx, number)
        for _ in range(2):
            await Relay(acme.process.app_pool, acme.process.redis).send(acme.tenant_id)
        today = (await asked(acme))["day"]["today"][0]
        assert (today["refunds"], today["refunded_minor"], today["delivered"]) == (1, 9900, 1)
        await indexed(acme)
        kept, true = await counted(acme)
        assert kept == true

    async def test_only_what_one_may_see(self, acme: Store) -> None:
        key = await acme.key_with("sales:read")
        seen = await acme.ask("GET", URL, key)
        assert (seen["day"], seen["open_exceptions"], seen["low_stock"], seen["sales"]) == (None, None, None, [])

    async def test_in_a_rush_of_an_earlier_moment(self, acme: Store, monkeypatch: Any) -> None:
        """With more orders than are read for an answer it says up to when it has counted, and does not guess."""
        sale = await acme.sale(9)
        await acme.order(await acme.guest(), sale)
        await indexed(acme)
        [await acme.order(await acme.guest(), sale) for _ in range(2)]
        monkeypatch.setattr(tally, "TAIL_MAX", 1)
        day = (await asked(acme))["day"]
        assert day["today"][0]["orders"] == 1
        assert dt.datetime.fromisoformat(day["as_of"]) < dt.datetime.now(dt.UTC)


class TestFunnel:
    async def test_another_stores_sale(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sale = await globex.sale()
        for what in ("funnel", "seconds"):
            assert (await client.get(f"/v1/sales/{sale}/{what}", headers=acme.merchant)).status_code == 404
            assert (await client.get(f"/v1/sales/{sale}/{what}")).status_code == 401

    async def test_what_became_of_orders(self, acme: Store) -> None:
        sale, other = await acme.sale(20), await acme.sale(5)
        orders = [await acme.order(await acme.guest(), sale, 2) for _ in range(4)]
        await acme.order(await acme.guest(), other)

        async def funnel() -> dict[str, tuple[int, int]]:
            seen = await acme.ask("GET", f"/v1/sales/{sale}/funnel", acme.merchant)
            return {name: (step["orders"], step["units"]) for name, step in seen.items() if name != "as_of"}

        assert (await funnel())["waiting"] == (4, 8)
        await indexed(acme)
        await pay(acme, orders[0])
        await pay(acme, orders[1])
        await acme.ask("POST", f"/v1/orders/{orders[2]}/cancel", acme.merchant)
        await acme.ask(
            "POST",
            f"/v1/orders/{orders[1]}/refund",
            acme.merchant | {"Idempotency-Key": "r"},
        )
        expected = {"reserved": (4, 8), "waiting": (1, 2), "lapsed": (1, 2), "paid": (2, 4), "delivered": (1, 2), "refunded": (1, 2)}
        assert await funnel() == expected
        await indexed(acme)
        assert await funnel() == expected

    async def test_by_the_second(self, acme: Store) -> None:
        sale = await acme.sale(20)
        assert (await acme.ask("GET", f"/v1/sales/{sale}/seconds", acme.merchant))["seconds"] == []
        for _ in range(3):
            await acme.order(await acme.guest(), sale, 2)
        seen = await acme.ask("GET", f"/v1/sales/{sale}/seconds?last_s=60", acme.merchant)
        assert (sum(each["orders"] for each in seen["seconds"]), sum(each["units"] for each in seen["seconds"])) == (3, 6)

    async def test_by_the_second_no_more_than_it_reads(self, acme: Store, monkeypatch: Any) -> None:
        sale = await acme.sale(20)
        for _ in range(3):
            await acme.order(await acme.guest(), sale)
        # As if more had been read than there is room for: the oldest second, cut off in the middle, is left out.
        monkeypatch.setattr(tally, "SECONDS_ORDERS_MAX", 3)
        seen = await acme.ask("GET", f"/v1/sales/{sale}/seconds", acme.merchant)
        assert sum(each["orders"] for each in seen["seconds"]) < 3
