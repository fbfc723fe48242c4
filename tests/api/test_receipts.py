"""Looking through money: payments, refunds, how an order stands; and the accounts that it comes by."""

import asyncio

import httpx

from checkout_core.ids import decode
from tests.api.test_refunds import bought, sale_of
from tests.api.till import app, process, till
from tests.paying import pay
from tests.provider import Merchant, Sandbox, sandbox, sandbox_process
from tests.shop import Store

__all__ = ["app", "process", "sandbox", "sandbox_process", "till"]


class TestLists:
    async def test_anonymous_and_foreign_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await bought(acme)
        for path in ("/v1/payments", "/v1/refunds", "/v1/provider-accounts"):
            assert (await client.get(path, headers=acme.at)).status_code == 401
            assert (await client.get(path, headers=await acme.key_with("catalog:read"))).status_code == 403
            answer = await globex.ask("GET", path, globex.merchant)
            assert [] in answer.values()

    async def test_payments_by_what_became_of_them(self, acme: Store) -> None:
        made = await bought(acme)
        assert await pay(acme, made.order) == "double"
        listed = (await acme.ask("GET", "/v1/payments", acme.merchant))["items"]
        assert [each["disposition"] for each in listed] == ["double", "applied"]
        [double] = (await acme.ask("GET", "/v1/payments?disposition=double", acme.merchant))["items"]
        assert (double["order_id"], double["amount_minor"]) == (made.order, 19_800)
        assert (await acme.ask("GET", "/v1/payments?disposition=late", acme.merchant))["items"] == []

    async def test_refunds_by_state_and_in_pages(self, acme: Store) -> None:
        made = await bought(acme)
        for unit in made.lines[0]:
            await acme.ask("POST", f"/v1/orders/{made.order}/refund", acme.merchant, {"units": [unit]})
        first = await acme.ask("GET", "/v1/refunds?state=requested&limit=2", acme.merchant)
        rest = await acme.ask("GET", f"/v1/refunds?state=requested&limit=2&cursor={first['next_cursor']}", acme.merchant)
        assert [each["units"] for each in first["items"] + rest["items"]] == [[unit] for unit in reversed(made.lines[0])]
        assert (await acme.ask("GET", "/v1/refunds?state=failed", acme.merchant))["items"] == []


class TestStanding:
    async def test_before_and_after_a_refund(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        made = await bought(acme)
        path = f"/v1/orders/{made.order}/standing"
        for who, status in ((acme.at, 401), (made.who, 401), (await acme.key_with("catalog:read"), 403), (globex.merchant, 404)):
            assert (await client.get(path, headers=who)).status_code == status
        await acme.ask("POST", f"/v1/orders/{made.order}/refund", acme.merchant, {"units": made.lines[0][1:2]})
        found = await acme.ask("GET", path, acme.merchant)
        lines = {line["sale_id"]: line for line in found["lines"]}
        three = lines[await sale_of(acme, made, 0)]["units"]
        assert [(each["unit"], each["paid_minor"], each["state"]) for each in three] == [
            (unit, paid, state)
            for unit, paid, state in zip(made.lines[0], (5000, 3000, 1900), ("delivered", "refunded", "delivered"), strict=True)
        ]
        assert [each["amount_minor"] for each in found["payments"]] == [19_800]
        [refund] = found["refunds"]
        assert (refund["id"], refund["amount_minor"], refund["units"]) == (three[1]["refund_id"], 3000, made.lines[0][1:2])
        assert found["shopper_id"].startswith("shp_")

    async def test_an_order_that_is_not_paid(self, acme: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        found = await acme.ask("GET", f"/v1/orders/{order}/standing", acme.merchant)
        [line] = found["lines"]
        assert ([each["state"] for each in line["units"]], found["payments"], line["task"]) == (["held"], [], None)


class TestAccounts:
    async def test_other_keys_for_the_same_number(self, client: httpx.AsyncClient, acme: Store, till: Merchant, sandbox: Sandbox) -> None:
        [account] = (await acme.ask("GET", "/v1/provider-accounts", acme.merchant))["accounts"]
        assert (account["mch_id"], account["state"]) == (till.mch_id, "active")
        path = f"/v1/provider-accounts/{account['id']}/credentials"
        for who, status in ((acme.at, 401), (await acme.key_with("orders:read"), 403)):
            assert (await client.put(path, headers=who, json=till.credentials)).status_code == status
        assert (await acme.ask("PUT", path, acme.merchant, till.credentials))["mch_id"] == till.mch_id
        assert (await acme.audited())[-1] == "provider_account.rotated"
        foreign = (await asyncio.to_thread(sandbox.register)).credentials
        answer = await client.put(path, headers=acme.merchant, json=foreign)
        assert (answer.status_code, answer.json()["code"]) == (409, "other_merchant_number")
        broken = await client.put(path, headers=acme.merchant, json=till.credentials | {"private_key_pem": "x" * 100})
        assert broken.status_code == 400

    async def test_keys_that_are_changed_are_used(self, acme: Store, till: Merchant) -> None:
        """Twin: as long as they are the same the adapter stays, with its connections."""
        process, [account] = acme.process, (await acme.ask("GET", "/v1/provider-accounts", acme.merchant))["accounts"]
        key = acme.tenant_id, decode("acc", account["id"])
        before = await process.providers.get(*key)
        process.providers._open[key].good_until = 0
        assert await process.providers.get(*key) is before
        path = f"/v1/provider-accounts/{account['id']}/credentials"
        await acme.ask("PUT", path, acme.merchant, till.credentials | {"serial_no": "another"})
        assert await process.providers.get(*key) is before, "within half a minute it may be as it was"
        process.providers._open[key].good_until = 0
        assert await process.providers.get(*key) is not before

    async def test_switched_off_nothing_is_begun_at_it(self, client: httpx.AsyncClient, acme: Store, till: Merchant) -> None:
        [account] = (await acme.ask("GET", "/v1/provider-accounts", acme.merchant))["accounts"]
        path = f"/v1/provider-accounts/{account['id']}/state"
        assert (await acme.ask("POST", path, acme.merchant, {"active": False}))["state"] == "disabled"
        who = await acme.guest()
        order = await acme.order(who, await acme.sale())
        answer = await client.post(f"/v1/orders/{order}/payments", json={}, headers=who)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_payment_account")
        assert (await acme.ask("POST", path, acme.merchant, {"active": True}))["state"] == "active"
        assert (await client.post(f"/v1/orders/{order}/payments", json={}, headers=who)).status_code == 201
