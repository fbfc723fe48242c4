"""Tags: the store's list of them, and orders found by them."""

import asyncio

import httpx
import pytest

from checkout_core.errors import AppError
from checkout_core.ids import decode
from tenants.db import tenant_tx
from tenants.orders import index, tags
from tests.shop import Store


async def tag(store: Store, name: str) -> str:
    return str((await store.ask("POST", "/v1/order-tags", store.merchant, {"name": name}))["id"])


async def found(store: Store, **asked: str) -> list[str]:
    page = await store.client.get("/v1/orders", params=asked, headers=store.merchant)
    return [order["id"] for order in page.json()["items"]]


class TestStoresList:
    async def test_without_a_key(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get("/v1/order-tags", headers=acme.at)).status_code == 401

    async def test_by_name_and_nobody_elses(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        for name in ("vip", "Call back", "急"):
            await tag(acme, name)
        await tag(globex, "theirs")
        listed = await acme.ask("GET", "/v1/order-tags", acme.merchant)
        assert [each["name"] for each in listed["tags"]] == ["Call back", "vip", "急"]

    async def test_a_name_is_taken_in_any_capitals(self, client: httpx.AsyncClient, acme: Store) -> None:
        other = await tag(acme, "VIP")
        again = await client.post("/v1/order-tags", json={"name": " vip "}, headers=acme.merchant)
        assert (again.status_code, again.json()["code"]) == (409, "tag_taken")
        renamed = await client.put(f"/v1/order-tags/{await tag(acme, 'x')}", json={"name": "Vip"}, headers=acme.merchant)
        assert (renamed.status_code, renamed.json()["code"]) == (409, "tag_taken")
        assert (await acme.ask("PUT", f"/v1/order-tags/{other}", acme.merchant, {"name": "vip"}))["name"] == "vip"

    async def test_two_hundred_and_no_more_also_at_once(self, acme: Store) -> None:
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "INSERT INTO tag (tenant_id, id, name) SELECT $1, gen_random_uuid(), n::text FROM generate_series(1, $2) AS n"
            await tx.conn.execute(sql, tx.tenant_id, tags.STORE_MAX - 1)

        async def create(name: str) -> str:
            try:
                async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                    await tags.create(tx, name, actor="test")
            except AppError as error:
                return error.code
            return "made"

        assert sorted(await asyncio.gather(*(create(f"last {n}") for n in range(4)))) == ["made", *["too_many_tags"] * 3]

    async def test_one_in_use_stays(self, client: httpx.AsyncClient, acme: Store) -> None:
        vip, order = await tag(acme, "vip"), await acme.order(await acme.guest(), await acme.sale())
        await acme.ask("PUT", f"/v1/orders/{order}/tags", acme.merchant, {"tag_ids": [vip]})
        refused = await client.delete(f"/v1/order-tags/{vip}", headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (409, "tag_in_use")
        await acme.ask("PUT", f"/v1/orders/{order}/tags", acme.merchant, {"tag_ids": []})
        assert (await client.delete(f"/v1/order-tags/{vip}", headers=acme.merchant)).status_code == 204

    async def test_whoever_removes_one_waits_for_who_gives_it(self, acme: Store) -> None:
        """Otherwise an order could keep a tag that there is none of any more."""
        vip, order = decode("tag", await tag(acme, "vip")), decode("ord", await acme.order(await acme.guest(), await acme.sale()))
        pool, given = acme.process.app_pool, asyncio.Event()

        async def give() -> None:
            async with tenant_tx(pool, acme.tenant_id) as tx:
                await tags.add(tx, order, vip, actor="test")
                given.set()
                await asyncio.sleep(0.05)

        async def remove() -> str:
            await given.wait()
            try:
                async with tenant_tx(pool, acme.tenant_id) as tx:
                    await tags.remove(tx, vip, actor="test")
            except AppError as error:
                return error.code
            return "removed"

        assert (await asyncio.gather(give(), remove()))[1] == "tag_in_use"


class TestOfAnOrder:
    async def test_found_by_them_before_and_after_it_is_indexed(self, acme: Store) -> None:
        sale = await acme.sale(9)
        first, second, _ = [await acme.order(await acme.guest(), sale) for _ in range(3)]
        vip, late = await tag(acme, "vip"), await tag(acme, "late")
        for _ in range(2):
            await acme.ask("PUT", f"/v1/orders/{first}/tags", acme.merchant, {"tag_ids": [vip, late]})
            await acme.ask("PUT", f"/v1/orders/{second}/tags", acme.merchant, {"tag_ids": [vip]})
            assert await found(acme, tag_id=vip) == [second, first]
            assert await found(acme, tag_id=vip, state="awaiting", sale_id=sale, channel="api") == [second, first]
            assert await found(acme, tag_id=late, state="awaiting") == [first]
            assert await found(acme, tag_id=late, state="delivered") == []
            await acme.ask("PUT", f"/v1/orders/{first}/tags", acme.merchant, {"tag_ids": [late]})
            assert await found(acme, tag_id=vip) == [second]
            await index.work(acme.process.app_pool, acme.tenant_id)
        assert await found(acme, tag_id="tag_" + "0" * 32) == []

    async def test_staff_see_them_and_the_shopper_does_not(self, acme: Store) -> None:
        who, vip = await acme.guest(), await tag(acme, "vip")
        order = await acme.order(who, await acme.sale())
        await acme.ask("PUT", f"/v1/orders/{order}/tags", acme.merchant, {"tag_ids": [vip]})
        assert (await acme.ask("GET", f"/v1/orders/{order}", acme.merchant))["tag_ids"] == [vip]
        assert (await acme.ask("GET", "/v1/orders", acme.merchant))["items"][0]["tag_ids"] == [vip]
        assert (await acme.ask("GET", f"/v1/orders/{order}", who))["tag_ids"] == []
        assert (await acme.ask("GET", "/v1/my-orders", who))["items"][0]["tag_ids"] == []

    async def test_another_stores_tag_is_none(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        answers = [
            await client.put(f"/v1/orders/{order}/tags", json={"tag_ids": [each]}, headers=acme.merchant)
            for each in (await tag(globex, "theirs"), "tag_" + "0" * 32)
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content

    async def test_twenty_and_no_more(self, client: httpx.AsyncClient, acme: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        made = [await tag(acme, f"t{n}") for n in range(tags.ORDER_MAX + 1)]
        await acme.ask("PUT", f"/v1/orders/{order}/tags", acme.merchant, {"tag_ids": made[:-1]})
        act = {"act": "tag", "order_ids": [order], "tag_id": made[-1]}
        [result] = (await acme.ask("POST", "/v1/orders/acts", acme.merchant, act))["results"]
        assert (result["done"], result["code"]) == (False, "too_many_tags")
        assert len((await acme.ask("GET", f"/v1/orders/{order}", acme.merchant))["tag_ids"]) == tags.ORDER_MAX

    @pytest.mark.parametrize("wrong", [{"tag_ids": ["x"]}, {"tag_ids": [f"tag_{'0' * 32}"] * 21}, {}, {"tag_ids": None}])
    async def test_malformed(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, object]) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        assert (await client.put(f"/v1/orders/{order}/tags", json=wrong, headers=acme.merchant)).status_code == 400
