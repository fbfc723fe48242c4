"""Money: accounts, attempts, notices, codes, refunds; the API and the real provider, with the worker's duties done by hand."""

import asyncio
import datetime as dt
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from api.process import Process
from checkout_core.ids import decode, new_id
from tenants.db import tenant_tx
from tenants.keys import unit_place
from tenants.payments import attempts, expire, inbox, office, refunds
from tests.api.till import app, process, till
from tests.provider import Merchant, Sandbox, Sink, sandbox, sandbox_process, sink
from tests.shop import Store

__all__ = ["app", "process", "sandbox", "sandbox_process", "sink", "till"]
ENCODE = msgspec.msgpack.Encoder().encode


async def sealed_sale(store: Store, units: int = 2, **changes: Any) -> str:
    """A sale whose units hold real sealed codes C-1, C-2 …."""
    sku = await store.sku()
    ids = await store.load(sku, units)
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        keys, sku_id = await store.process.keyring.of(tx), decode("sku", sku)
        for n, unit in enumerate(ids, 1):
            sealed = keys.seal(ENCODE((f"C-{n}", f"pin{n}")), unit_place(tx.tenant_id, sku_id, unit))
            sql = """INSERT INTO code (tenant_id, unit_id, sku_id, batch_id, line_no, fingerprint, key_id, sealed)
                     SELECT $1, $2, $3, batch_id, $4, $5, $6, $7 FROM unit WHERE tenant_id = $1 AND id = $2"""
            await tx.conn.execute(sql, tx.tenant_id, unit, sku_id, n, keys.fingerprint(f"C-{n}"), keys.key_id, sealed)
    return await store.sale(units, sku_id=sku, **changes)


async def pay_url(store: Store, shopper: dict[str, str], order: str) -> str:
    return str((await store.ask("POST", f"/v1/orders/{order}/payments", shopper, {}))["pay_url"])


async def ask_provider(store: Store) -> None:
    """What the sweep does of attempts, now."""
    process = store.process
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        sql = "UPDATE payment_attempt SET next_try_at = now() - interval '1 second' WHERE tenant_id = $1 AND state <> 'failed' RETURNING id"
        rows = await tx.conn.fetch(sql, tx.tenant_id)
    for row in rows:
        await attempts.inquire(process.app_pool, process.providers, store.tenant_id, row["id"])


async def asked_in_s(store: Store) -> int:
    """When the sweep next asks about the store's one attempt, to the nearest ten seconds."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = "SELECT extract(epoch FROM next_try_at - now()) FROM payment_attempt WHERE tenant_id = $1"
        return int(round(await tx.conn.fetchval(sql, tx.tenant_id), -1))


async def pay_back(store: Store) -> None:
    """What the sweep does of refunds, until the provider has done them."""
    process = store.process
    for _ in range(100):
        async with tenant_tx(process.app_pool, store.tenant_id) as tx:
            sql = "UPDATE refund SET next_try_at = now() - interval '1 second' WHERE tenant_id = $1 AND state = 'requested' RETURNING id"
            rows = await tx.conn.fetch(sql, tx.tenant_id)
        for row in rows:
            await refunds.pay_back(process.app_pool, process.providers, store.tenant_id, row["id"])
        if not rows:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("a refund was not done within two seconds")


async def state(store: Store, order: str) -> str:
    return str((await store.ask("GET", f"/v1/orders/{order}", store.merchant))["state"])


async def balances(store: Store) -> dict[str, int]:
    return {b["account"]: b["balance_minor"] for b in await store.ask("GET", "/v1/ledger/balances", store.merchant)}


class TestConnect:
    async def test_without_a_key(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/provider-accounts", json={})).status_code == 401

    async def test_key_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.post("/v1/provider-accounts", json={}, headers=await acme.key_with("orders:read"))).status_code == 403

    async def test_the_same_merchant_number_twice(self, client: httpx.AsyncClient, acme: Store, till: Merchant) -> None:
        body = {"provider": "sandbox"} | till.credentials
        answer = await client.post("/v1/provider-accounts", json=body, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (409, "account_exists")

    @pytest.mark.parametrize("field", ["private_key_pem", "provider_public_key_pem"])
    async def test_keys_that_are_none(self, client: httpx.AsyncClient, acme: Store, sandbox: Sandbox, field: str) -> None:
        credentials = (await asyncio.to_thread(sandbox.register)).credentials
        body = {"provider": "sandbox"} | credentials | {field: "x" * 100}
        assert (await client.post("/v1/provider-accounts", json=body, headers=acme.merchant)).status_code == 400

    async def test_credentials_are_sealed_and_never_shown(self, acme: Store, till: Merchant) -> None:
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            row = await tx.conn.fetchrow("SELECT credentials FROM provider_account WHERE tenant_id = $1", tx.tenant_id)
        assert till.credentials["api_v3_key"].encode() not in row["credentials"]


class TestPay:
    async def test_a_foreign_order(self, client: httpx.AsyncClient, acme: Store, globex: Store, till: Merchant) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        for who, status in ((await acme.guest(), 404), (await globex.guest(), 404), (acme.at, 401)):
            assert (await client.post(f"/v1/orders/{order}/payments", json={}, headers=who)).status_code == status

    async def test_a_store_without_an_account_keeps_the_reservation(self, client: httpx.AsyncClient, acme: Store) -> None:
        who = await acme.guest()
        order = await acme.order(who, await acme.sale())
        answer = await client.post(f"/v1/orders/{order}/payments", json={}, headers=who)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_payment_account")
        assert await state(acme, order) == "awaiting"

    async def test_pressed_again_it_is_the_same_payment(self, acme: Store, till: Merchant) -> None:
        who = await acme.guest()
        order = await acme.order(who, await acme.sale())
        assert await pay_url(acme, who, order) == await pay_url(acme, who, order)

    async def test_the_provider_closes_before_the_hold_ends(self, acme: Store, till: Merchant) -> None:
        who = await acme.guest()
        order = await acme.order(who, await acme.sale(hold_s=100))
        payment = await acme.ask("POST", f"/v1/orders/{order}/payments", who, {})
        seen = await acme.ask("GET", f"/v1/orders/{order}", who)
        ends, closes = (dt.datetime.fromisoformat(at["expires_at"]) for at in (seen, payment))
        assert (ends - closes).total_seconds() == 25

    async def test_a_provider_that_is_away_loses_nothing(
        self, client: httpx.AsyncClient, acme: Store, till: Merchant, sandbox: Sandbox
    ) -> None:
        who = await acme.guest()
        order = await acme.order(who, await sealed_sale(acme))
        await asyncio.to_thread(sandbox.faults, http_5xx=1.0)
        answer = await client.post(f"/v1/orders/{order}/payments", json={}, headers=who)
        assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
        await asyncio.to_thread(sandbox.clear_faults)
        await ask_provider(acme)  # the attempt was committed first, so the sweep finishes it
        sandbox.pay(await pay_url(acme, who, order))
        await ask_provider(acme)
        assert await state(acme, order) == "delivered"

    async def test_what_no_notice_tells_of_is_asked_for_within_90_s_again_and_again(self, acme: Store, till: Merchant) -> None:
        who = await acme.guest()
        await pay_url(acme, who, await acme.order(who, await acme.sale()))
        waits = [await asked_in_s(acme)]
        for _ in range(4):
            await ask_provider(acme)
            waits.append(await asked_in_s(acme))
        assert waits == [30, 60, 80, 80, 80]


class TestDeliver:
    async def test_paid_is_delivered_and_revealed_to_its_owner_alone(
        self, client: httpx.AsyncClient, acme: Store, globex: Store, till: Merchant, sandbox: Sandbox
    ) -> None:
        who = await acme.guest()
        order = await acme.order(who, await sealed_sale(acme), 2)
        early = await client.get(f"/v1/orders/{order}/codes", headers=who)
        assert (early.status_code, early.json()["code"]) == (409, "not_delivered")
        sandbox.pay(await pay_url(acme, who, order))
        await ask_provider(acme)
        for other, status in ((await acme.guest(), 404), (await globex.guest(), 404), (globex.merchant, 404), (acme.at, 401)):
            assert (await client.get(f"/v1/orders/{order}/codes", headers=other)).status_code == status
        shown = await client.get(f"/v1/orders/{order}/codes", headers=who)
        assert shown.headers["cache-control"] == "no-store"
        assert [(c["code"], c["secret"]) for c in shown.json()["codes"]] == [("C-1", "pin1"), ("C-2", "pin2")]
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            audit = await tx.conn.fetch("SELECT actor, subject FROM audit WHERE tenant_id = $1 AND action = 'codes.revealed'", tx.tenant_id)
        assert [row["subject"] for row in audit] == [order]
        assert audit[0]["actor"].startswith("shp_")
        assert await balances(acme) == {"clearing": 19_800, "revenue": -19_800}

    @pytest.mark.parametrize("amount", [1, 9899, 9901, 990_000])
    async def test_another_amount_is_recorded_and_paid_back(self, acme: Store, till: Merchant, sandbox: Sandbox, amount: int) -> None:
        who = await acme.guest()
        order = await acme.order(who, await sealed_sale(acme))
        sandbox.pay(await pay_url(acme, who, order), amount=amount)
        await ask_provider(acme)
        assert await state(acme, order) == "awaiting"
        await pay_back(acme)
        assert await balances(acme) == {"clearing": 0, "unapplied": 0}
        sandbox.pay(await pay_url(acme, who, order))  # and may still be paid as it should
        await ask_provider(acme)
        assert await state(acme, order) == "delivered"

    async def test_paid_after_the_hold_is_allotted_again_or_paid_back(self, acme: Store, till: Merchant, sandbox: Sandbox) -> None:
        sale = await sealed_sale(acme, 1)
        first, second = await acme.guest(), await acme.guest()
        orders = []
        for who in (first, second):
            order = await acme.order(who, sale)
            url = await pay_url(acme, who, order)
            await acme.ask("POST", f"/v1/orders/{order}/cancel", who)
            await expire.expire(acme.process.app_pool, acme.process.providers, acme.tenant_id, decode("ord", order))
            assert await state(acme, order) == "cancelled"
            orders.append((order, url))
        for _, url in orders:
            sandbox.pay(url, late=True)
        await ask_provider(acme)
        await pay_back(acme)
        assert sorted([await state(acme, order) for order, _ in orders]) == ["cancelled", "delivered"]
        assert await balances(acme) == {"clearing": 9_900, "revenue": -9_900, "unapplied": 0}


class TestNotice:
    async def test_for_an_account_that_is_none(self, client: httpx.AsyncClient, acme: Store) -> None:
        for account in (new_id().hex, "x"):
            assert (await client.post(f"/v1/payment-notices/sandbox/{acme.tenant_id.hex}/{account}")).status_code == 404

    async def test_signed_it_is_remembered_once_and_delivers_once(
        self, client: httpx.AsyncClient, acme: Store, till: Merchant, sandbox: Sandbox, sink: Sink
    ) -> None:
        who = await acme.guest()
        order = await acme.order(who, await sealed_sale(acme))
        process = acme.process
        attempt = await attempts.start(
            process.app_pool, process.providers, acme.tenant_id, decode("ord", order), notify_base=sink.url, return_url=""
        )
        assert attempt.pay_url is not None
        sandbox.pay(attempt.pay_url)
        [notice] = await sink.wait(1)
        path = f"/v1/payment-notices/sandbox/{acme.tenant_id.hex}/{attempt.account_id.hex}"
        signed = [(name, value) for name, value in notice.headers if name not in (b"host", b"content-length")]
        for changed in (notice.body + b" ", notice.body.swapcase(), b""):
            assert (await client.post(path, content=changed, headers=signed)).status_code == 401
        answers = await asyncio.gather(*(client.post(path, content=notice.body, headers=signed) for _ in range(5)))
        assert [a.status_code for a in answers] == [204] * 5
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            rows = await tx.conn.fetch("SELECT id FROM payment_inbox WHERE tenant_id = $1", tx.tenant_id)
        assert len(rows) == 1
        await asyncio.gather(*(inbox.digest(process.app_pool, acme.tenant_id, rows[0]["id"]) for _ in range(3)))
        assert await state(acme, order) == "delivered"

    async def test_another_tenants_account(self, client: httpx.AsyncClient, acme: Store, globex: Store, till: Merchant) -> None:
        """Its id under my tenant is no account at all."""
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            account = await tx.conn.fetchval("SELECT id FROM provider_account WHERE tenant_id = $1", tx.tenant_id)
        answer = await client.post(f"/v1/payment-notices/sandbox/{globex.tenant_id.hex}/{account.hex}", content=b"{}")
        assert answer.status_code == 404


class TestRefund:
    async def test_by_whom(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        wanted = ((acme.at, 401), (await acme.key_with("orders:read"), 403), (globex.merchant, 404), (acme.merchant, 409))
        for who, status in wanted:
            assert (await client.post(f"/v1/orders/{order}/refund", headers=who)).status_code == status

    async def test_the_money_returns_and_the_codes_never_do(self, acme: Store, till: Merchant, sandbox: Sandbox) -> None:
        who, sale = await acme.guest(), await sealed_sale(acme, 1)
        order = await acme.order(who, sale)
        sandbox.pay(await pay_url(acme, who, order))
        await ask_provider(acme)
        for _ in range(2):
            await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        await pay_back(acme)
        assert await state(acme, order) == "refunded"
        assert await balances(acme) == {"clearing": 0, "revenue": 0}
        late = await acme.client.post(
            "/v1/checkouts", json={"sale_id": sale, "quantity": 1}, headers=await acme.guest() | {"Idempotency-Key": uuid4().hex}
        )
        assert late.json()["code"] == "sold_out"
        assert (await acme.ask("GET", f"/v1/sales/{sale}", acme.merchant))["allotted"] == 0


class TestExceptions:
    async def test_by_whom(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get("/v1/exceptions", headers=acme.at)).status_code == 401
        assert (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"] == []


class TestTestAccounts:
    @pytest.fixture
    async def in_sandbox(self, client: httpx.AsyncClient, acme: Store) -> dict[str, str]:
        """Headers of the key to acme's sandbox."""
        made = await client.post("/v1/sandbox", headers=acme.merchant)
        return {"Authorization": f"Bearer {made.json()['api_key']}"}

    async def test_one_is_opened_and_asked_again_it_is_the_same(self, client: httpx.AsyncClient, in_sandbox: dict[str, str]) -> None:
        made = await client.post("/v1/provider-accounts/test", headers=in_sandbox)
        assert made.status_code == 200, made.text
        again = await client.post("/v1/provider-accounts/test", headers=in_sandbox)
        assert again.json() == made.json()
        assert (await client.get("/v1/provider-accounts", headers=in_sandbox)).json() == {"accounts": [made.json()]}

    async def test_not_for_a_store_that_really_sells(self, client: httpx.AsyncClient, acme: Store) -> None:
        refused = await client.post("/v1/provider-accounts/test", headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (409, "live_store")
        assert (await client.get("/v1/provider-accounts", headers=acme.merchant)).json() == {"accounts": []}

    async def test_where_the_platform_opens_none(
        self, client: httpx.AsyncClient, process: Process, in_sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(office, "TOTAL_S", 0)
        refused = await client.post("/v1/provider-accounts/test", headers=in_sandbox)
        assert (refused.status_code, refused.json()["code"]) == (503, "provider_away")
