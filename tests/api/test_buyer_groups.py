"""Groups of buyers: who is in which, and what becomes of it when somebody is erased."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from checkout_core import tokens
from checkout_core.ids import decode, encode
from tenants.db import tenant_tx
from tenants.privacy import erase, requests, shopper_export
from tests.security.world import bearer
from tests.shop import Store
from tests.tenants.prices.shelf import group, listed

PATH = "/v1/buyer-groups"
ANY = {"If-Match": "*"}


async def members(store: Store, group_id: str) -> list[str]:
    page = await store.ask("GET", f"{PATH}/{group_id}/members?limit=100", store.merchant)
    return [each["shopper_id"] for each in page["members"]]


class TestGroups:
    async def test_anonymous_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get(PATH, headers=acme.at)).status_code == 401
        refused = await client.post(PATH, json={"name": "x", "kind": "level"}, headers=await acme.key_with("prices:read"))
        assert (refused.status_code, refused.json()["permission"]) == (403, "prices:write")

    async def test_another_merchants_are_not_there(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        theirs, ann = await group(globex, uuid4()), encode("shp", uuid4())
        assert (await acme.ask("GET", PATH, acme.merchant))["buyer_groups"] == []
        for method, path in (
            ("GET", theirs), ("DELETE", theirs), ("GET", f"{theirs}/members"), ("PUT", f"{theirs}/members/{ann}"),
            ("DELETE", f"{theirs}/members/{ann}"),
        ):  # fmt: skip
            assert (await client.request(method, f"{PATH}/{path}", headers=acme.merchant)).status_code == 404, (method, path)
        assert len(await members(globex, theirs)) == 1

    async def test_named_changed_and_removed(self, client: httpx.AsyncClient, acme: Store) -> None:
        made = await acme.ask("POST", PATH, acme.merchant, {"name": "Gold", "kind": "level"})
        path = f"{PATH}/{made['id']}"
        tag = (await client.get(path, headers=acme.merchant)).headers["etag"]
        changed = await client.patch(path, json={"kind": "reseller"}, headers=acme.merchant | {"If-Match": tag})
        assert (changed.json()["name"], changed.json()["kind"]) == ("Gold", "reseller")
        assert (await client.patch(path, json={"kind": "level"}, headers=acme.merchant | {"If-Match": tag})).status_code == 412
        taken = await client.post(PATH, json={"name": "gold", "kind": "level"}, headers=acme.merchant)
        assert (taken.status_code, taken.json()["code"]) == (409, "buyer_group_taken")
        await acme.ask("PUT", f"{path}/members/{encode('shp', uuid4())}", acme.merchant)
        assert (await client.delete(path, headers=acme.merchant)).status_code == 204
        assert (await client.get(path, headers=acme.merchant)).status_code == 404

    async def test_one_that_a_list_is_for_stays_until_the_list_goes(self, client: httpx.AsyncClient, acme: Store) -> None:
        gold = await group(acme)
        on = await listed(acme, group_id=gold)
        refused = await client.delete(f"{PATH}/{gold}", headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (409, "buyer_group_in_use")
        await acme.ask("DELETE", f"/v1/price-lists/{on}", acme.merchant)
        assert (await client.delete(f"{PATH}/{gold}", headers=acme.merchant)).status_code == 204


class TestMembers:
    async def test_in_once_and_out_once_each_on_record(self, client: httpx.AsyncClient, acme: Store) -> None:
        gold, ann = await group(acme), encode("shp", uuid4())
        path = f"{PATH}/{gold}/members/{ann}"
        first = await acme.ask("PUT", path, acme.merchant)
        assert await acme.ask("PUT", path, acme.merchant) == first
        assert await members(acme, gold) == [ann]
        assert (await client.delete(path, headers=acme.merchant)).status_code == 204
        assert (await client.delete(path, headers=acme.merchant)).status_code == 404
        told = [each for each in await acme.audited() if each.startswith("buyer_group.")]
        assert told == ["buyer_group.created", "buyer_group.joined", "buyer_group.left"]

    async def test_pages(self, acme: Store) -> None:
        who = sorted(uuid4() for _ in range(5))
        gold = await group(acme, *who)
        seen, cursor = [], ""
        while cursor is not None:
            page = await acme.ask("GET", f"{PATH}/{gold}/members?limit=2" + (f"&cursor={cursor}" if cursor else ""), acme.merchant)
            seen += [each["shopper_id"] for each in page["members"]]
            cursor = page["next_cursor"]
        assert seen == [encode("shp", each) for each in who]

    @pytest.mark.parametrize("wrong", ["shp_x", f"ord_{'0' * 32}", "x"])
    async def test_what_is_no_shopper_is_not_found(self, client: httpx.AsyncClient, acme: Store, wrong: str) -> None:
        assert (await client.put(f"{PATH}/{await group(acme)}/members/{wrong}", headers=acme.merchant)).status_code == 404

    async def test_who_joins_and_a_group_that_goes_take_turns(self, acme: Store, client: httpx.AsyncClient) -> None:
        gold = await group(acme)
        asked = [client.put(f"{PATH}/{gold}/members/{encode('shp', uuid4())}", headers=acme.merchant) for _ in range(3)]
        statuses = [each.status_code for each in await asyncio.gather(client.delete(f"{PATH}/{gold}", headers=acme.merchant), *asked)]
        assert statuses[0] == 204
        assert set(statuses[1:]) <= {200, 404}


class TestErased:
    async def test_is_handed_out_and_goes_with_him(self, client: httpx.AsyncClient, acme: Store) -> None:
        who = await acme.guest()
        shopper = tokens.verify(acme.process.keys.shoppers, bearer(who)).id
        gold = await group(acme, shopper)
        order = await acme.order(who, await acme.sale())
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            [row] = await tx.conn.fetch(shopper_export.QUERIES["groups"], tx.tenant_id, shopper)
            assert (row["name"], row["kind"]) == ("Gold", "level")
        await acme.ask("POST", f"/v1/orders/{order}/cancel", acme.merchant)
        asked = (await acme.ask("POST", f"/v1/shoppers/{encode('shp', shopper)}/erasure", acme.merchant))["id"]
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            request = await requests.get(tx, decode("dat", asked))
        await erase.carry_out(acme.process.app_pool, acme.process.keyring, acme.tenant_id, request)
        assert await members(acme, gold) == []
        again = await client.put(f"{PATH}/{gold}/members/{encode('shp', shopper)}", headers=acme.merchant)
        assert (again.status_code, again.json()["code"]) == (409, "shopper_erased")
