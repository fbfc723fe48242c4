"""A suspended store: within two seconds nothing is sold anywhere, its people read on, and whoever has paid gets what he paid for."""

import asyncio
import time
from types import SimpleNamespace

import httpx
import pytest
from litestar import Litestar

from api.gate import gate_of
from api.process import Process
from tenants.db import tenant_tx
from tests.api.later import WITHIN_S, later
from tests.api.test_gate import answers, post, served
from tests.api.test_payments import ask_provider, pay_back, pay_url, sealed_sale, state
from tests.api.till import app, process, till
from tests.platform import signed_in
from tests.provider import Merchant, Sandbox, sandbox, sandbox_process
from tests.shop import Store

__all__ = ["app", "later", "process", "sandbox", "sandbox_process", "till"]


async def suspend(store: Store, *, lift: bool = False) -> dict[str, object]:
    act, admin = "lift-suspension" if lift else "suspend", await signed_in(store.process)
    answer: dict[str, object] = await store.ask(
        "POST", f"/v1/platform/merchants/ten_{store.tenant_id.hex}/{act}", admin, {"reason": "Codes that were used before."}
    )
    return answer


async def warm(store: Store) -> tuple[dict[str, str], str]:
    """A shopper and a sale of the store, which is in every memory now."""
    shopper, sale = await store.guest(), await store.sale(5)
    await store.ask("GET", "/v1/storefront", store.at)
    await store.ask("POST", "/v1/products", store.merchant, {"name": "x"})
    return shopper, sale


async def sells(client: httpx.AsyncClient, store: Store, shopper: dict[str, str], sale: str) -> set[tuple[int, str]]:
    """How each way to what is on sale is answered."""
    wish = {"sale_id": sale, "quantity": 1}
    asked = [
        await client.get("/v1/storefront", headers=store.at),
        await client.get(f"/v1/storefront/sales/{sale}", headers=store.at),
        await client.post("/v1/shopper-tokens", json={}, headers=store.at),
        await client.post("/v1/checkouts", json=wish, headers=shopper | {"Idempotency-Key": "k"}),
        await client.post("/v1/products", json={"name": "x"}, headers=store.merchant),
    ]
    return {(each.status_code, str(each.json().get("code", ""))) for each in asked}


CLOSED = {(403, "store_suspended")}


class TestSuspend:
    async def test_only_an_admin(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        for role in ("reviewer", "support"):
            for act in ("suspend", "lift-suspension"):
                path = f"/v1/platform/merchants/ten_{acme.tenant_id.hex}/{act}"
                response = await client.post(path, json={"reason": "x"}, headers=await signed_in(process, role))
                assert response.status_code == 403

    async def test_closes_the_store_and_no_other(
        self, client: httpx.AsyncClient, acme: Store, globex: Store, later: SimpleNamespace
    ) -> None:
        ours, theirs = await warm(acme), await warm(globex)
        told = await suspend(acme)
        assert (told["suspended_for"], told["slug"]) == ("Codes that were used before.", acme.slug)
        later.ahead_s = WITHIN_S
        assert await sells(client, acme, *ours) == CLOSED
        assert {status for status, _ in await sells(client, globex, *theirs)} == {200, 201}
        await suspend(acme, lift=True)
        later.ahead_s = 2 * WITHIN_S
        assert {status for status, _ in await sells(client, acme, *ours)} == {200, 201}

    async def test_a_longer_memory_would_keep_it_open(
        self, client: httpx.AsyncClient, process: Process, acme: Store, later: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The twin: the two seconds are those of the directory's memories."""
        for remembered in (process.directory._by_host, process.directory._by_slug, process.directory._suspended):
            monkeypatch.setattr(remembered, "_ttl_s", 60.0)
        ours = await warm(acme)
        await suspend(acme)
        later.ahead_s = WITHIN_S
        assert not await sells(client, acme, *ours) & CLOSED

    async def test_its_pages_say_so_too(self, client: httpx.AsyncClient, acme: Store) -> None:
        await suspend(acme)
        shop = await client.get("/", headers=acme.at | {"Accept-Language": "en"})
        assert shop.status_code == 403
        assert "This store is closed" in shop.text
        assert 'href="/orders"' in shop.text
        assert (await client.get("/orders", headers=acme.at)).status_code == 200

    async def test_the_hot_route_is_closed_within_two_seconds(self, app: Litestar, acme: Store) -> None:
        """By the clock on the wall, through the gate that answers before there is a framework."""
        shopper, sale = await warm(acme)
        body = f'{{"sale_id":"{sale}","quantity":1}}'.encode()
        async with served(app, gate_of(app, https=False)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)

            async def press() -> bytes:
                writer.write(post(shopper, body))
                head = await reader.readuntil(b"\r\n\r\n")
                [length] = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                [(status, _, said)] = answers(head + await reader.readexactly(length))
                return status[9:12] + b" " + said

            assert (await press()).startswith(b"201")
            await suspend(acme)
            begun = time.monotonic()
            while (said := await press()).startswith(b"201"):
                assert time.monotonic() - begun < WITHIN_S
                await asyncio.sleep(0.02)
            assert said.startswith(b"403")
            assert b'"store_suspended"' in said
            writer.close()

    async def test_is_recorded_once_with_both(self, process: Process, acme: Store) -> None:
        for _ in range(2):
            await suspend(acme)
        await suspend(acme, lift=True)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT action FROM audit WHERE tenant_id = $1 AND actor LIKE 'pst%' ORDER BY id"
            found = [row["action"] for row in await tx.conn.fetch(sql, tx.tenant_id)]
        async with process.platform_pool.acquire() as conn:
            sql = "SELECT action FROM platform_audit WHERE tenant_id = $1 ORDER BY id"
            theirs = [row["action"] for row in await conn.fetch(sql, acme.tenant_id)]
        assert found == theirs == ["merchant.suspended", "merchant.suspension_lifted"]


class TestItsPeople:
    async def test_read_on_and_change_nothing_that_sells(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, sale = await warm(acme)
        await suspend(acme)
        acme.process.directory._suspended.forget(acme.tenant_id)
        for path in ("/v1/products", "/v1/orders", f"/v1/sales/{sale}", "/v1/ledger/balances", "/v1/qualifications"):
            response = await client.get(path, headers=acme.merchant)
            assert response.status_code == 200, response.text
        resumed = await client.post(f"/v1/sales/{sale}/resume", json={}, headers=acme.merchant)
        assert (resumed.status_code, resumed.json()["code"]) == (403, "store_suspended")
        assert (await client.post(f"/v1/sales/{sale}/end", json={}, headers=acme.merchant)).status_code == 200

    async def test_sign_in_and_show_who_they_are(self, client: httpx.AsyncClient, acme: Store) -> None:
        await suspend(acme)
        session = await client.post("/v1/sessions", json={"mail": acme.mail, "password": acme.password})
        assert session.status_code == 201
        new = {"kind": "company", "legal_name": "x", "registration_number": "1"}
        assert (await client.post("/v1/qualifications", json=new, headers=acme.merchant)).status_code == 201


class TestWhoHasPaid:
    async def test_gets_his_codes_or_his_money(self, client: httpx.AsyncClient, acme: Store, till: Merchant, sandbox: Sandbox) -> None:
        who = await acme.guest()
        sale = await sealed_sale(acme, 3)
        paid, begun, refunded = [await acme.order(who, sale) for _ in range(3)]
        for order in (paid, refunded):
            await asyncio.to_thread(sandbox.pay, await pay_url(acme, who, order))
        await suspend(acme)
        acme.process.directory._by_slug.forget(acme.slug)
        # The notice comes now: it is delivered all the same.
        await ask_provider(acme)
        assert await state(acme, paid) == "delivered"
        assert len((await acme.ask("GET", f"/v1/orders/{paid}/codes", who))["codes"]) == 1
        await acme.ask("POST", f"/v1/orders/{refunded}/refund", acme.merchant)
        await pay_back(acme)
        assert await state(acme, refunded) == "refunded"
        # And nobody is let begin to pay.
        refused = await client.post(f"/v1/orders/{begun}/payments", json={}, headers=who)
        assert (refused.status_code, refused.json()["code"]) == (403, "store_suspended")
