"""Reusable codes: one code, many buyers; changed while it is sold, through the API."""

import asyncio
import datetime as dt
from typing import Any

import httpx
import pytest

from tests.paying import fulfil, pay
from tests.shop import Store

ACTS = "/v1/types/reusable"


async def sku_of(store: Store, units: int = 5, code: str | None = "https://example.com/course?key=K1") -> str:
    sku = await store.sku(type="reusable")
    await store.ask("POST", f"/v1/skus/{sku}/units", store.merchant, {"quantity": units})
    if code is not None:
        await change(store, sku, code)
    return sku


async def change(store: Store, sku: str, code: str, **more: str) -> Any:
    return (await store.ask("POST", f"{ACTS}/change", store.merchant, {"sku_id": sku, "code": code, **more}))["versions"]


async def bought(store: Store, sale: str, quantity: int = 1) -> tuple[dict[str, str], str]:
    who = await store.guest()
    order = await store.order(who, sale, quantity)
    assert await pay(store, order) == "applied"
    assert await fulfil(store, order) == ["done"]
    return who, order


async def codes(store: Store, who: dict[str, str], order: str) -> list[str]:
    return [each["code"] for each in (await store.ask("GET", f"/v1/orders/{order}/codes", who))["codes"]]


class TestChange:
    async def test_anonymous_foreign_and_without_the_right(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sku = await sku_of(acme)
        for name, right in (("change", "vault:write"), ("history", "vault:read")):
            body = {"sku_id": sku} | ({"code": "K2-0000"} if name == "change" else {})
            answers = [
                (await client.post(f"{ACTS}/{name}", headers=headers, json=body)).status_code
                for headers in (acme.at, await acme.guest(), await acme.key_with("catalog:write"), globex.merchant)
            ]
            assert answers == [401, 401, 403, 404]
            assert (await client.post(f"{ACTS}/{name}", headers=await acme.key_with(right), json=body)).status_code == 200

    async def test_who_bought_before_keeps_what_he_was_sold(self, acme: Store) -> None:
        sku = await sku_of(acme, code="K1-0000")
        sale = await acme.sale(5, sku_id=sku)
        ann = await bought(acme, sale, 2)
        assert len(await change(acme, sku, "K2-0000", secret="4711", valid_until="2030-12-31", note="The first one leaked.")) == 2
        bob = await bought(acme, sale)
        assert await codes(acme, *ann) == ["K1-0000", "K1-0000"]
        [shown] = (await acme.ask("GET", f"/v1/orders/{bob[1]}/codes", bob[0]))["codes"]
        assert (shown["code"], shown["secret"], shown["valid_until"]) == ("K2-0000", "4711", "2030-12-31")

    async def test_its_history_says_who_and_why_but_no_code(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await sku_of(acme, code="K1-0000")
        await change(acme, sku, "K2-0000", note="The first one leaked.")
        answer = await client.post(f"{ACTS}/history", headers=acme.merchant, json={"sku_id": sku})
        found = answer.json()["versions"]
        assert [each["note"] for each in found] == ["The first one leaked.", ""]
        assert all(each["operator"].startswith("key_") for each in found)
        assert found[0]["unit"] > found[1]["unit"]
        assert "K1-0000" not in answer.text
        assert (await acme.audited()).count("reusable.code_changed") == 2

    async def test_changed_to_what_it_is_nothing_changes(self, acme: Store) -> None:
        sku = await sku_of(acme, code="K1-0000")
        assert len(await change(acme, sku, " K1-0000 ")) == 1
        assert (await acme.audited()).count("reusable.code_changed") == 1

    async def test_at_the_same_time_one_comes_after_the_other(self, acme: Store) -> None:
        sku = await sku_of(acme, code=None)
        answers = await asyncio.gather(*(change(acme, sku, f"K{n}-0000", note=f"{n}") for n in range(6)))
        assert sorted(len(versions) for versions in answers) == [1, 2, 3, 4, 5, 6]
        await asyncio.gather(*(change(acme, sku, "K9-0000") for _ in range(4)))
        found = (await acme.ask("POST", f"{ACTS}/history", acme.merchant, {"sku_id": sku}))["versions"]
        assert len(found) == 7
        assert [each["unit"] for each in found] == sorted((each["unit"] for each in found), reverse=True)

    async def test_back_to_an_older_one_is_refused(self, client: httpx.AsyncClient, acme: Store) -> None:
        """A plaintext is in the vault once: it may have leaked, or be another product's."""
        sku = await sku_of(acme, code="K1-0000")
        await change(acme, sku, "K2-0000")
        answer = await client.post(f"{ACTS}/change", headers=acme.merchant, json={"sku_id": sku, "code": "K1-0000"})
        assert (answer.status_code, answer.json()["code"]) == (409, "same_in_vault")
        assert len((await acme.ask("POST", f"{ACTS}/history", acme.merchant, {"sku_id": sku}))["versions"]) == 2

    @pytest.mark.parametrize("code", ["abc", "=HYPERLINK(1)", "two words", "卡密一号", "x" * 513])
    async def test_what_is_no_code(self, client: httpx.AsyncClient, acme: Store, code: str) -> None:
        sku = await sku_of(acme, code="K1-0000")
        answer = await client.post(f"{ACTS}/change", headers=acme.merchant, json={"sku_id": sku, "code": code})
        assert answer.status_code in (400, 422)
        assert len((await acme.ask("POST", f"{ACTS}/history", acme.merchant, {"sku_id": sku}))["versions"]) == 1

    async def test_a_sku_of_another_type(self, client: httpx.AsyncClient, acme: Store) -> None:
        for name in ("change", "history"):
            body = {"sku_id": await acme.sku()} | ({"code": "K2-0000"} if name == "change" else {})
            answer = await client.post(f"{ACTS}/{name}", headers=acme.merchant, json=body)
            assert (answer.status_code, answer.json()["code"]) == (409, "not_reusable")


class TestStock:
    async def test_is_how_often_it_may_be_sold(self, client: httpx.AsyncClient, acme: Store) -> None:
        """The codes themselves lie in the vault as void units, which no sale gets."""
        sku = await sku_of(acme, 2, code="K1-0000")
        await change(acme, sku, "K2-0000")
        stock = (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]
        assert (stock["available"], stock["void"]) == (2, 2)
        sale = await acme.sale(units="all", sku_id=sku)
        for _ in range(2):
            assert await codes(acme, *await bought(acme, sale)) == ["K2-0000"]
        body, headers = {"sale_id": sale, "quantity": 1}, await acme.guest() | {"Idempotency-Key": "k"}
        assert (await client.post("/v1/checkouts", headers=headers, json=body)).json()["code"] == "sold_out"


class TestFulfil:
    async def test_without_a_code_it_waits_and_a_person_is_told(self, acme: Store) -> None:
        sku = await sku_of(acme, code=None)
        who, sale = await acme.guest(), await acme.sale(1, sku_id=sku)
        order = await acme.order(who, sale)
        await pay(acme, order)
        for _ in range(2):
            assert await fulfil(acme, order, at=dt.timedelta(minutes=2)) == ["pending"]
        [case] = (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"]
        assert (case["kind"], case["reference"]) == ("reusable_without_code", sku)
        await change(acme, sku, "K1-0000")
        assert await fulfil(acme, order, at=dt.timedelta(minutes=2)) == ["done"]
        assert await codes(acme, who, order) == ["K1-0000"]

    async def test_refunded_before_it_was_done(self, client: httpx.AsyncClient, acme: Store) -> None:
        who = await acme.guest()
        order = await acme.order(who, await acme.sale(1, sku_id=await sku_of(acme)))
        await pay(acme, order)
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        assert await fulfil(acme, order) == ["revoked"]
        assert (await client.get(f"/v1/orders/{order}/codes", headers=who)).json()["code"] == "not_delivered"

    async def test_refunded_afterwards_it_is_not_shown_any_more(self, client: httpx.AsyncClient, acme: Store) -> None:
        who, order = await bought(acme, await acme.sale(1, sku_id=await sku_of(acme)))
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        assert (await client.get(f"/v1/orders/{order}/codes", headers=who)).json()["code"] == "not_delivered"
