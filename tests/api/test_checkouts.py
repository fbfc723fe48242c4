"""The press of "buy": a 201 is a committed reservation, and the same press again is the same order."""

import asyncio
import datetime as dt
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from api import checkouts
from checkout_core.ids import decode, encode, new_id
from checkout_core.intents import Decision, Outcome
from tenants.db import tenant_tx
from tests.shop import Store


async def press(client: httpx.AsyncClient, who: dict[str, str], body: dict[str, Any], key: str | None = None) -> httpx.Response:
    return await client.post("/v1/checkouts", json=body, headers=who | {"Idempotency-Key": key or uuid4().hex})


class TestWritten:
    @pytest.mark.parametrize("quantity", [1, 100])
    @pytest.mark.parametrize(
        "until", [None, dt.datetime(2026, 11, 11, 12, 0, 30, 123456, dt.UTC), dt.datetime(2026, 11, 11, tzinfo=dt.UTC)]
    )
    def test_is_what_the_framework_writes(self, until: dt.datetime | None, quantity: int) -> None:
        now = dt.datetime.now(dt.UTC)
        decision = Decision(Outcome.RESERVED, new_id(), "awaiting", quantity, 9_900 * quantity, "CNY", now, until)
        sale = encode("sal", new_id())
        assert checkouts.written(decision, sale) == msgspec.json.encode(checkouts.checkout_of(decision, sale))


class TestCreate:
    async def test_without_a_token(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await press(client, acme.at, {"sale_id": await acme.sale(), "quantity": 1})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")

    async def test_another_stores_sale_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        foreign = await press(client, await acme.guest(), {"sale_id": await globex.sale(), "quantity": 1})
        missing = await press(client, await acme.guest(), {"sale_id": "sal_" + "0" * 32, "quantity": 1})
        assert foreign.status_code == missing.status_code == 404
        assert foreign.json() == missing.json()

    async def test_another_stores_shopper_is_refused(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        stranger = await globex.guest() | acme.at
        assert (await press(client, stranger, {"sale_id": await acme.sale(), "quantity": 1})).status_code == 401

    async def test_reserved_means_committed(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(3)
        answer = await press(client, await acme.guest(), {"sale_id": sale, "quantity": 2})
        assert answer.status_code == 201
        order = answer.json()
        assert order | {"id": "", "expires_at": ""} == {
            "id": "", "state": "awaiting", "sale_id": sale, "quantity": 2, "amount_minor": 19_800, "currency": "CNY", "expires_at": "",
        }  # fmt: skip
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT state FROM unit WHERE tenant_id = $1 AND order_id = $2"
            units = await tx.conn.fetch(sql, tx.tenant_id, decode("ord", order["id"]))
        assert [unit["state"] for unit in units] == ["held", "held"]

    async def test_a_key_is_required(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await client.post("/v1/checkouts", json={"sale_id": await acme.sale(), "quantity": 1}, headers=await acme.guest())
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")

    async def test_the_same_press_again_is_the_same_order(self, client: httpx.AsyncClient, acme: Store) -> None:
        who, body = await acme.guest(), {"sale_id": await acme.sale(5), "quantity": 1}
        answers = await asyncio.gather(*(press(client, who, body, "one-press") for _ in range(20)))
        assert {(a.status_code, a.text) for a in answers} == {(201, answers[0].text)}

    async def test_another_wish_under_the_same_key_is_a_conflict(self, client: httpx.AsyncClient, acme: Store) -> None:
        who, sale = await acme.guest(), await acme.sale(5)
        assert (await press(client, who, {"sale_id": sale, "quantity": 1}, "k")).status_code == 201
        other = {"quantity": 2}, {"sale_id": await acme.sale(5)}, {"contact": "a@example.org"}, {"lookup_password": "secret"}
        for change in other:
            answer = await press(client, who, {"sale_id": sale, "quantity": 1} | change, "k")
            assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")

    async def test_two_shoppers_may_choose_the_same_key(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"sale_id": await acme.sale(5), "quantity": 1}
        ids = [(await press(client, await acme.guest(), body, "k")).json()["id"] for _ in range(2)]
        assert ids[0] != ids[1]

    async def test_sold_out(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"sale_id": await acme.sale(1), "quantity": 1}
        assert (await press(client, await acme.guest(), body)).status_code == 201
        loser = await acme.guest()
        first, again = await press(client, loser, body, "k"), await press(client, loser, body, "k")
        assert (first.status_code, first.json()["code"]) == (409, "sold_out")
        assert again.json() == first.json()

    async def test_a_large_wish_leaves_what_is_left_to_small_ones(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(2)
        assert (await press(client, await acme.guest(), {"sale_id": sale, "quantity": 3})).json()["code"] == "sold_out"
        assert (await press(client, await acme.guest(), {"sale_id": sale, "quantity": 2})).status_code == 201

    async def test_the_limit_of_a_shopper(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, who = await acme.sale(9, limit_per_shopper=2), await acme.guest()
        answers = [await press(client, who, {"sale_id": sale, "quantity": n}) for n in (1, 2, 1, 1)]
        assert [a.status_code for a in answers] == [201, 409, 201, 409]
        assert answers[-1].json()["code"] == "limit"

    @pytest.mark.parametrize(
        ("changes", "act", "code"),
        [({"starts_at": "2099-01-01T00:00:00Z"}, "", "not_started"), ({}, "pause", "paused"), ({}, "end", "ended")],
    )
    async def test_a_sale_that_is_not_open(
        self, client: httpx.AsyncClient, acme: Store, changes: dict[str, Any], act: str, code: str
    ) -> None:
        sale, who = await acme.sale(2, **changes), await acme.guest()
        if act:
            await acme.ask("POST", f"/v1/sales/{sale}/{act}", acme.merchant)
        answer = await press(client, who, {"sale_id": sale, "quantity": 1}, "k")
        assert (answer.status_code, answer.json()["code"]) == (409, code)

    async def test_a_refusal_that_passes_is_not_kept(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, who = await acme.sale(2), await acme.guest()
        await acme.ask("POST", f"/v1/sales/{sale}/pause", acme.merchant)
        assert (await press(client, who, {"sale_id": sale, "quantity": 1}, "k")).json()["code"] == "paused"
        await acme.ask("POST", f"/v1/sales/{sale}/resume", acme.merchant)
        assert (await press(client, who, {"sale_id": sale, "quantity": 1}, "k")).status_code == 201

    async def test_unpaid_orders_are_capped_over_all_sales(self, client: httpx.AsyncClient, acme: Store) -> None:
        who = await acme.guest()
        answers = [await press(client, who, {"sale_id": await acme.sale(9), "quantity": 1}) for _ in range(6)]
        assert [a.status_code for a in answers] == [201] * 5 + [429]
        assert answers[-1].json()["code"] == "unpaid_cap"
        assert int(answers[-1].headers["retry-after"]) > 0

    async def test_who_lets_reservations_lapse_must_wait(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, who = await acme.sale(9), await acme.guest()
        for _ in range(3):
            order = await acme.order(who, sale)
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                sql = "UPDATE orders SET state = 'expired', next_try_at = NULL WHERE tenant_id = $1 AND id = $2"
                await tx.conn.execute(sql, tx.tenant_id, decode("ord", order))
        answer = await press(client, who, {"sale_id": sale, "quantity": 1})
        assert (answer.status_code, answer.json()["code"]) == (429, "cool_down")

    @pytest.mark.parametrize(
        "wrong",
        [{"quantity": "1"}, {"quantity": 1.0}, {"quantity": True}, {"quantity": None}, {"quantity": 0}, {"quantity": 101},
         {"quantity": -1}, {"quantity": 2**63},
         {"sale_id": 1}, {"sale_id": None}, {"x": 1}, {"contact": ""}, {"contact": "x" * 255}, {"lookup_password": "x"}],
    )  # fmt: skip
    async def test_a_malformed_wish_reserves_nothing(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, Any]) -> None:
        sale = await acme.sale(1)
        answer = await press(client, await acme.guest(), {"sale_id": sale, "quantity": 1} | wrong)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await press(client, await acme.guest(), {"sale_id": sale, "quantity": 1})).status_code == 201
