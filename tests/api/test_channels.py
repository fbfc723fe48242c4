"""Channels: which a store has, where its sales are shown, and that every order carries its own."""

import asyncio
import os

import httpx
import pytest

from api.storefront import keeping
from checkout_core import tokens
from tenants import channels
from tests.api.test_storefront import buy
from tests.shop import Store

MOBILE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"


async def put(client: httpx.AsyncClient, store: Store, code: str, *, is_enabled: bool = True) -> httpx.Response:
    response = await client.put(f"/v1/channels/{code}", json={"name": code.title(), "is_enabled": is_enabled}, headers=store.merchant)
    store.process.channels.forget(store.tenant_id)
    return response


async def guest(client: httpx.AsyncClient, store: Store, channel: str) -> httpx.Response:
    return await client.post("/v1/shopper-tokens", json={"channel": channel}, headers=store.at)


async def channels_of_orders(store: Store, query: str = "") -> list[str]:
    return [order["channel"] for order in (await store.ask("GET", f"/v1/orders{query}", store.merchant))["items"]]


class TestList:
    async def test_what_every_store_has(self, client: httpx.AsyncClient, acme: Store) -> None:
        found = (await acme.ask("GET", "/v1/channels", acme.merchant))["channels"]
        assert [channel["code"] for channel in found] == list(channels.BUILT_IN)
        assert all(channel["is_enabled"] and channel["is_built_in"] for channel in found)

    async def test_its_own_are_its_own(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        assert (await put(client, acme, "tmall")).status_code == 200
        codes = [[c["code"] for c in (await s.ask("GET", "/v1/channels", s.merchant))["channels"]] for s in (acme, globex)]
        assert [("tmall" in each) for each in codes] == [True, False]

    @pytest.mark.parametrize("code", ["Tmall", "1st", "a" * 16, "a-b", "%C3%BC", "a%0A"])
    async def test_what_is_no_code(self, client: httpx.AsyncClient, acme: Store, code: str) -> None:
        assert (await put(client, acme, code)).status_code == 404

    @pytest.mark.parametrize("code", sorted(channels.ALWAYS))
    async def test_some_must_stay(self, client: httpx.AsyncClient, acme: Store, code: str) -> None:
        refused = await put(client, acme, code, is_enabled=False)
        assert (refused.status_code, refused.json()["code"]) == (422, "channel_is_needed")

    def test_every_code_fits_into_a_token(self) -> None:
        assert all(channels.is_code(code) and len(code) <= tokens.CHANNEL_MAX for code in channels.BUILT_IN)


class TestOrders:
    async def test_carry_their_tokens_channel(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(5)
        await put(client, acme, "tmall")
        for channel in ("douyin", "tmall"):
            token = (await guest(client, acme, channel)).json()["token"]
            await acme.order({"Authorization": f"Bearer {token}", **acme.at}, sale)
        await acme.order(await acme.guest(), sale)
        assert sorted(await channels_of_orders(acme)) == ["api", "douyin", "tmall"]
        assert await channels_of_orders(acme, "?channel=douyin") == ["douyin"]
        assert await channels_of_orders(acme, "?channel=nothing") == []

    async def test_no_token_for_a_channel_that_is_none(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await put(client, globex, "tmall")
        await put(client, acme, "kuaishou", is_enabled=False)
        for channel in ("tmall", "kuaishou"):
            refused = await guest(client, acme, channel)
            assert (refused.status_code, refused.json()["code"]) == (422, "unknown_channel")

    @pytest.mark.parametrize(
        ("link", "agent", "carried"),
        [("", "", "web"), ("", MOBILE, "h5"), ("douyin", MOBILE, "douyin"), ("nothing", "", "web"), ("<b>", MOBILE, "h5")],
    )
    async def test_of_pages_carry_what_the_visitor_came_by(
        self, client: httpx.AsyncClient, acme: Store, link: str, agent: str, carried: str
    ) -> None:
        client.headers["user-agent"] = agent
        await client.get("/", params={"channel": link}, headers=acme.at)
        assert (await buy(client, acme, await acme.sale(1))).status_code == 303
        assert await channels_of_orders(acme) == [carried]

    async def test_a_link_is_forgotten_with_its_channel(self, client: httpx.AsyncClient, acme: Store) -> None:
        await client.get("/?channel=douyin", headers=acme.at)
        await put(client, acme, "douyin", is_enabled=False)
        assert (await buy(client, acme, await acme.sale(1))).status_code == 303
        assert await channels_of_orders(acme) == ["web"]


class TestVisibility:
    async def show(self, store: Store, what: str, channels: list[str] | None) -> None:
        await store.ask("PUT", f"/v1/{what}/channels", store.merchant, {"channels": channels})

    async def seen(self, client: httpx.AsyncClient, store: Store, sale: str, channel: str) -> tuple[bool, int, bool, int]:
        """In the API's list, by its id, on the home page, on its own page."""
        listed = await client.get("/v1/storefront", params={"channel": channel}, headers=store.at)
        single = await client.get(f"/v1/storefront/sales/{sale}", params={"channel": channel}, headers=store.at)
        client.cookies.clear()
        home = await client.get(f"/?channel={channel}", headers=store.at)
        page = await client.get(f"/sales/{sale}?channel={channel}", headers=store.at)
        return sale in listed.text, single.status_code, sale in home.text, page.status_code

    @pytest.mark.parametrize("kind", ["sale", "product"])
    async def test_in_some_channels(self, client: httpx.AsyncClient, acme: Store, kind: str) -> None:
        product = await acme.product()
        sale = await acme.sale(1, sku_id=await acme.sku(1, product_id=product))
        what = f"sales/{sale}" if kind == "sale" else f"products/{product}"
        await self.show(acme, what, ["live_room", "douyin"])
        assert (await acme.ask("GET", f"/v1/{what}/channels", acme.merchant))["channels"] == ["douyin", "live_room"]
        assert await self.seen(client, acme, sale, "douyin") == (True, 200, True, 200)
        assert await self.seen(client, acme, sale, "web") == (False, 404, False, 404)
        await self.show(acme, what, [])
        await asyncio.sleep(keeping.FRESH_S)
        assert await self.seen(client, acme, sale, "douyin") == (False, 404, False, 404)
        await self.show(acme, what, None)
        await asyncio.sleep(keeping.FRESH_S)
        assert await self.seen(client, acme, sale, "web") == (True, 200, True, 200)

    async def test_channels_that_are_none(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(1)
        refused = await client.put(f"/v1/sales/{sale}/channels", json={"channels": ["tmall"]}, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_channel")


def test_a_tokens_channel_is_signed() -> None:
    key, tenant = os.urandom(32), tokens.new_id()
    token, shopper = tokens.issue(key, tenant, channel="mini_program")
    assert (len(token), tokens.verify(key, token)) == (95, shopper)
    assert shopper.channel == "mini_program"
    plain, _ = tokens.issue(key, tenant)
    assert tokens.verify(key, plain).channel == ""
    for at in range(3, len(token)):
        other = "A" if token[at] != "A" else "B"
        with pytest.raises(tokens.Unauthorized):
            tokens.verify(key, token[:at] + other + token[at + 1 :])
