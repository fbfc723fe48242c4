"""Refunds over HTTP: who may, what may be named, what is answered, and what is answered again."""

from typing import Any

import httpx
import pytest

from tests.paying import pay
from tests.shop import Store
from tests.tenants.payments.lines import Bought, Want, order
from tests.tenants.units.stock import rows

PAID = (5000, 3000, 1900)


async def bought(store: Store) -> Bought:
    """A paid order with a line of three units and one of a single one."""
    made = await order(store, Want(await store.sale(3), 3, PAID), Want(await store.sale(1)))
    await pay(store, made.order)
    return made


async def sale_of(store: Store, made: Bought, line: int) -> str:
    [(sale_id,)] = await rows(store, "SELECT sale_id FROM delivery WHERE tenant_id = $1 AND unit_id = $2", made.lines[line][0])
    return f"sal_{sale_id.hex}"


class TestRefund:
    async def test_anonymous_and_foreign_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        made = await bought(acme)
        wanted = ((acme.at, 401), (made.who, 401), (await acme.key_with("orders:write"), 403), (globex.merchant, 404))
        for body in ({}, {"units": made.lines[0][:1]}, {"sale_ids": [await sale_of(acme, made, 0)]}):
            for who, status in wanted:
                assert (await client.post(f"/v1/orders/{made.order}/refund", json=body, headers=who)).status_code == status
        assert (await acme.ask("GET", f"/v1/orders/{made.order}", made.who))["refunded_minor"] == 0

    async def test_units(self, acme: Store) -> None:
        made = await bought(acme)
        answer = await acme.ask("POST", f"/v1/orders/{made.order}/refund", acme.merchant, {"units": made.lines[0][1:]})
        assert (answer["state"], answer["amount_minor"], answer["refunded_minor"]) == ("delivered", 19_800, 4900)
        seen = await acme.ask("GET", f"/v1/orders/{made.order}", made.who)
        assert seen["refunded_minor"] == 4900, "the shopper sees it too"
        [listed] = (await acme.ask("GET", "/v1/orders", acme.merchant))["items"]
        assert listed["refunded_minor"] == 4900

    async def test_lines(self, acme: Store) -> None:
        made = await bought(acme)
        path, first, second = f"/v1/orders/{made.order}/refund", await sale_of(acme, made, 0), await sale_of(acme, made, 1)
        assert (await acme.ask("POST", path, acme.merchant, {"units": made.lines[0][:1]}))["refunded_minor"] == 5000
        assert (await acme.ask("POST", path, acme.merchant, {"sale_ids": [first]}))["refunded_minor"] == 9900
        last = await acme.ask("POST", path, acme.merchant, {"sale_ids": [second]})
        assert (last["state"], last["refunded_minor"]) == ("refunding", 19_800)

    async def test_all_that_is_left_and_again(self, acme: Store) -> None:
        made = await bought(acme)
        path = f"/v1/orders/{made.order}/refund"
        await acme.ask("POST", path, acme.merchant, {"units": made.lines[0][:1]})
        for _ in range(2):
            answer = await acme.ask("POST", path, acme.merchant)
            assert (answer["state"], answer["refunded_minor"]) == ("refunding", 19_800)
        assert sorted(await rows(acme, "SELECT amount_minor FROM refund WHERE tenant_id = $1")) == [(5000,), (14_800,)]

    async def test_sent_again_with_its_key_it_is_one_refund_with_one_answer(self, client: httpx.AsyncClient, acme: Store) -> None:
        made = await bought(acme)
        path, key = f"/v1/orders/{made.order}/refund", acme.merchant | {"Idempotency-Key": "part-1"}
        first, again = [await client.post(path, headers=key, json={"units": made.lines[1]}) for _ in range(2)]
        assert (first.status_code, again.status_code, first.content) == (202, 202, again.content)
        assert again.headers["Idempotency-Replayed"] == "true"
        other = await client.post(path, headers=key, json={"units": made.lines[0]})
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
        without = await client.post(path, headers=acme.merchant, json={"units": made.lines[1]})
        assert (without.status_code, without.json()["code"], without.json()["units"]) == (409, "already_refunded", made.lines[1])

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"units": [1 << 60]}, 404, "not_found"),
            ({"sale_ids": ["sal_" + "0" * 32]}, 404, "not_found"),
            ({"units": [1], "sale_ids": ["sal_" + "0" * 32]}, 422, "one_of_units_sale_ids"),
            ({"units": []}, 400, "bad_request"),
            ({"units": [0]}, 400, "bad_request"),
            ({"units": [1 << 63]}, 400, "bad_request"),
            ({"sale_ids": []}, 400, "bad_request"),
            ({"sale_ids": ["x"]}, 400, "bad_request"),
            ({"amount_minor": 1}, 400, "bad_request"),
        ],
    )
    async def test_what_it_is_not(self, client: httpx.AsyncClient, acme: Store, body: Any, status: int, code: str) -> None:
        made = await bought(acme)
        answer = await client.post(f"/v1/orders/{made.order}/refund", headers=acme.merchant, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await rows(acme, "SELECT id FROM refund WHERE tenant_id = $1") == []

    async def test_units_of_another_order_and_of_another_store(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        made, other, foreign = await bought(acme), await bought(acme), await bought(globex)
        for units in (other.lines[1], foreign.lines[1], [*made.lines[1], *other.lines[1]]):
            answer = await client.post(f"/v1/orders/{made.order}/refund", headers=acme.merchant, json={"units": units})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert (await acme.ask("GET", f"/v1/orders/{made.order}", made.who))["refunded_minor"] == 0
