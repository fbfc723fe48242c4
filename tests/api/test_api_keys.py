"""API keys: what a program may do, and the end of it."""

import asyncio

import httpx
import pytest

from api.callers import TTL_S
from tests.shop import Store

NEW = {"name": "reporting", "scopes": ["orders:read"]}


class TestCreate:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/api-keys", json=NEW)).status_code == 401

    async def test_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await client.post("/v1/api-keys", json=NEW, headers=await acme.key_with("orders:read"))
        assert (response.status_code, response.json()["code"]) == (403, "missing_permission")

    async def test_may_what_it_was_given_and_nothing_else(self, client: httpx.AsyncClient, acme: Store) -> None:
        key = await acme.key_with("catalog:read")
        assert (await client.get("/v1/products", headers=key)).status_code == 200
        refused = await client.post("/v1/products", json={"name": "x"}, headers=key)
        assert (refused.status_code, refused.json()["permission"]) == (403, "catalog:write")

    async def test_nobody_gives_what_he_has_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        key = await acme.key_with("api_keys:write", "catalog:read")
        response = await client.post("/v1/api-keys", json={"name": "more", "scopes": ["codes:reveal"]}, headers=key)
        assert (response.status_code, response.json()["permission"]) == (403, "codes:reveal")

    @pytest.mark.parametrize(("scopes", "status"), [([], 400), (["orders:read", 1], 400), ("orders:read", 400), (["root"], 422)])
    async def test_bad_permissions(self, client: httpx.AsyncClient, acme: Store, scopes: object, status: int) -> None:
        response = await client.post("/v1/api-keys", json={"name": "x", "scopes": scopes}, headers=acme.merchant)
        assert response.status_code == status


class TestRevoke:
    async def test_another_tenants_key_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        foreign = await client.delete(f"/v1/api-keys/{made['id']}", headers=globex.merchant)
        missing = await client.delete(f"/v1/api-keys/key_{'0' * 32}", headers=globex.merchant)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content

    async def test_takes_effect_within_two_seconds(self, client: httpx.AsyncClient, acme: Store) -> None:
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, {"name": "x", "scopes": ["catalog:read"]})
        headers = {"Authorization": f"Bearer {made['key']}"}
        assert (await client.get("/v1/products", headers=headers)).status_code == 200
        assert (await client.delete(f"/v1/api-keys/{made['id']}", headers=acme.merchant)).status_code == 204
        await asyncio.sleep(TTL_S)
        assert (await client.get("/v1/products", headers=headers)).status_code == 401
        keys = (await acme.ask("GET", "/v1/api-keys", acme.merchant))["api_keys"]
        assert [key["revoked_at"] is not None for key in keys] == [True, False]
        assert "key_hash" not in keys[0]
