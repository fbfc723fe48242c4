"""Entitlements at work: found by what they are, prolonged by days, and ended."""

import datetime as dt
from typing import Any

import httpx

from tests.shop import Store
from tests.tenants.types.test_licence import bought
from tests.tenants.types.test_membership import aged, buy, member, status
from tests.tenants.types.test_membership import sold as sold_membership

DAY = dt.timedelta(days=1)
WHY = {"reason": "the service was down"}


async def listed(store: Store, query: str = "") -> list[Any]:
    return list((await store.ask("GET", f"/v1/entitlements{query}", store.merchant))["items"])


async def activated(store: Store, **config: object) -> tuple[dict[str, str], str, Any]:
    """A shopper, his key, and what it entitles to."""
    who, order, key = await bought(store, **config)
    await store.ask("POST", "/v1/types/licence/activate", store.at, {"key": key, "device": "laptop"})
    [found] = await listed(store, f"?order_id={order}")
    return who, key, found


class TestFind:
    async def test_anonymous_and_foreign_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        _, _, found = await activated(acme, days=30)
        one = f"/v1/entitlements/{found['id']}"
        asks = (("GET", one, None), ("POST", f"{one}/prolong", WHY | {"days": 1}), ("POST", f"{one}/revoke", WHY))
        for method, path, body in asks:
            for who, wanted in ((acme.at, 401), (await acme.key_with("catalog:read"), 403), (globex.merchant, 404)):
                assert (await client.request(method, path, headers=who, json=body)).status_code == wanted
        for query in ("", f"?order_id={found['order_id']}", f"?shopper_id={found['shopper_id']}", "?type=licence"):
            assert (await globex.ask("GET", f"/v1/entitlements{query}", globex.merchant))["items"] == []
        assert (await acme.ask("GET", one, acme.merchant))["entitlement"]["state"] == "active"

    async def test_by_type_state_and_page(self, client: httpx.AsyncClient, acme: Store) -> None:
        made = [(await activated(acme))[2] for _ in range(3)]
        await acme.ask("POST", f"/v1/entitlements/{made[1]['id']}/revoke", acme.merchant, WHY)
        ids = [each["id"] for each in reversed(made)]
        assert [each["id"] for each in await listed(acme, "?type=licence")] == ids == [each["id"] for each in await listed(acme)]
        assert [each["id"] for each in await listed(acme, "?type=licence&state=revoked")] == [made[1]["id"]]
        first = await acme.ask("GET", "/v1/entitlements?type=licence&limit=2", acme.merchant)
        rest = await acme.ask("GET", f"/v1/entitlements?type=licence&limit=2&cursor={first['next_cursor']}", acme.merchant)
        assert [each["id"] for each in first["items"] + rest["items"]] == ids
        assert await listed(acme, "?type=membership") == []
        assert (await client.get("/v1/entitlements?state=active", headers=acme.merchant)).status_code == 400

    async def test_the_uses_that_go_on(self, acme: Store) -> None:
        _, _, found = await activated(acme)
        shown = await acme.ask("GET", f"/v1/entitlements/{found['id']}", acme.merchant)
        assert [use["name"] for use in shown["uses"]] == ["laptop"]


class TestLicence:
    async def test_prolonged(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, _, found = await activated(acme, days=30)
        longer = await acme.ask("POST", f"/v1/entitlements/{found['id']}/prolong", acme.merchant, WHY | {"days": 10})
        until = [dt.datetime.fromisoformat(each["valid_until"]) for each in (found, longer)]
        assert until[1] - until[0] == 10 * DAY
        assert (await acme.audited())[-1] == "entitlement.prolonged"
        _, _, endless = await activated(acme)
        answer = await client.post(f"/v1/entitlements/{endless['id']}/prolong", headers=acme.merchant, json=WHY | {"days": 1})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_end")

    async def test_revoked_it_is_good_no_more(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, key, found = await activated(acme)
        assert (await acme.ask("POST", f"/v1/entitlements/{found['id']}/revoke", acme.merchant, WHY))["state"] == "revoked"
        asked = await acme.ask("POST", "/v1/types/licence/validate", acme.at, {"key": key})
        assert asked["code"] == "REVOKED"
        for act in ("revoke", "prolong"):
            body = WHY | ({"days": 1} if act == "prolong" else {})
            again = await client.post(f"/v1/entitlements/{found['id']}/{act}", headers=acme.merchant, json=body)
            assert (again.status_code, again.json()["code"]) == (409, "revoked")


class TestMembership:
    async def test_prolonged_at_the_end(self, acme: Store) -> None:
        who = await acme.guest()
        await buy(acme, who, await sold_membership(acme), 2)
        before = await status(acme, who)
        first = (await listed(acme))[-1]
        await acme.ask("POST", f"/v1/entitlements/{first['id']}/prolong", acme.merchant, WHY | {"days": 7})
        after = await status(acme, who)
        assert (after.until - before.until, after.periods) == (7 * DAY, 2)

    async def test_one_that_had_ended_goes_on(self, acme: Store) -> None:
        who = await acme.guest()
        await buy(acme, who, await sold_membership(acme))
        await aged(acme, 40 * DAY)
        assert not await member(acme, who)
        [ended] = await listed(acme, "?type=membership&state=expired")
        await acme.ask("POST", f"/v1/entitlements/{ended['id']}/prolong", acme.merchant, WHY | {"days": 30})
        assert await member(acme, who)
        assert [each["state"] for each in await listed(acme)] == ["active"]

    async def test_a_period_taken_moves_up_what_is_behind(self, acme: Store) -> None:
        who = await acme.guest()
        await buy(acme, who, await sold_membership(acme, period="day", remind_days=0), 3)
        before = await status(acme, who)
        middle = (await listed(acme))[1]
        await acme.ask("POST", f"/v1/entitlements/{middle['id']}/revoke", acme.merchant, WHY)
        after = await status(acme, who)
        assert (before.until - after.until, after.periods) == (DAY, 2)
