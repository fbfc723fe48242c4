"""The same creating POST again: the first answer, and nothing made twice."""

import asyncio

import httpx
import pytest

from tests.shop import Store


def key(value: str = "k-1") -> dict[str, str]:
    return {"Idempotency-Key": value}


async def count(store: Store) -> int:
    return len((await store.ask("GET", "/v1/products", store.merchant))["products"])


class TestOnce:
    async def test_the_same_again_is_answered_byte_for_byte(self, client: httpx.AsyncClient, acme: Store) -> None:
        first = await client.post("/v1/products", json={"name": "x"}, headers=acme.merchant | key())
        again = await client.post("/v1/products", json={"name": "x"}, headers=acme.merchant | key())
        assert (first.status_code, first.content) == (again.status_code, again.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert await count(acme) == 1

    async def test_another_body_is_a_conflict(self, client: httpx.AsyncClient, acme: Store) -> None:
        await client.post("/v1/products", json={"name": "x"}, headers=acme.merchant | key())
        other = await client.post("/v1/products", json={"name": "y"}, headers=acme.merchant | key())
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")

    async def test_another_route_is_a_conflict(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale()
        change = {"withdraw": 1}
        assert (await client.post(f"/v1/sales/{sale}/stock", json=change, headers=acme.merchant | key())).status_code == 200
        other = await client.post(f"/v1/sales/{await acme.sale()}/stock", json=change, headers=acme.merchant | key())
        assert other.status_code == 409

    async def test_a_hundred_at_once_make_one(self, client: httpx.AsyncClient, acme: Store) -> None:
        answers = await asyncio.gather(
            *(client.post("/v1/products", json={"name": "x"}, headers=acme.merchant | key()) for _ in range(100))
        )
        assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
        assert await count(acme) == 1

    async def test_a_refusal_is_not_kept(self, client: httpx.AsyncClient, acme: Store) -> None:
        """Too little stock now is no reason to refuse after the next import."""
        sku = await acme.sku(units=1)
        body = {"sku_id": sku, "name": "x", "units": 2, "limit_per_shopper": 0}
        assert (await client.post("/v1/sales", json=body, headers=acme.merchant | key())).status_code == 409
        await acme.load(sku, 1)
        assert (await client.post("/v1/sales", json=body, headers=acme.merchant | key())).status_code == 201

    async def test_keys_of_other_tenants_and_of_other_programs_are_their_own(
        self, client: httpx.AsyncClient, acme: Store, globex: Store
    ) -> None:
        first = await client.post("/v1/products", json={"name": "x"}, headers=acme.merchant | key())
        for headers in (globex.merchant, await acme.key_with("catalog:write")):
            other = await client.post("/v1/products", json={"name": "x"}, headers=headers | key())
            assert other.status_code == 201
            assert other.json()["id"] != first.json()["id"]

    @pytest.mark.parametrize("bad", ["", " ", "a b", "x" * 256, "ключ".encode(), "a\tb"])
    async def test_a_malformed_key_is_refused(self, client: httpx.AsyncClient, acme: Store, bad: str | bytes) -> None:
        value = bad if isinstance(bad, bytes) else bad.encode()
        headers = [(k.encode(), v.encode()) for k, v in acme.merchant.items()] + [(b"Idempotency-Key", value)]
        response = await client.post("/v1/products", json={"name": "x"}, headers=headers)
        assert (response.status_code, response.json()["code"]) == (400, "bad_idempotency_key")

    async def test_a_double_key_is_refused(self, client: httpx.AsyncClient, acme: Store) -> None:
        headers = [*acme.merchant.items(), *key("a").items(), *key("b").items()]
        assert (await client.post("/v1/products", json={"name": "x"}, headers=headers)).status_code == 400
