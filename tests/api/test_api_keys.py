"""API keys: what a program may do, and the end of it."""

import asyncio
import datetime as dt
from collections import Counter
from typing import Any

import httpx
import pytest

from api.callers import TTL_S
from checkout_core.ids import decode
from tenants import api_keys
from tenants.db import tenant_tx
from tests.shop import Store

NEW = {"name": "reporting", "scopes": ["orders:read"]}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def listed(store: Store, key_id: str) -> dict[str, Any]:
    keys = (await store.ask("GET", "/v1/api-keys", store.merchant))["api_keys"]
    found: dict[str, Any] = next(key for key in keys if key["id"] == key_id)
    return found


async def later(store: Store, key_id: str, by: dt.timedelta) -> None:
    """As if so much time had passed since it was made, used and rotated."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """UPDATE api_key SET expires_at = expires_at - $3::interval, old_until = old_until - $3::interval,
                        last_used_at = last_used_at - $3::interval WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tx.tenant_id, decode("key", key_id), by)


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

    async def test_a_key_that_ends_makes_none_that_stays(self, client: httpx.AsyncClient, acme: Store) -> None:
        """Nor has one that stays, or its secret."""
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
        scopes = ["api_keys:write", "orders:read"]
        brief = await acme.ask("POST", "/v1/api-keys", acme.merchant, {"name": "brief", "scopes": scopes, "expires_at": ends.isoformat()})
        lasting = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        by_it = bearer(brief["key"])
        later_ = (ends + dt.timedelta(seconds=1)).isoformat()
        for answer in (
            await client.post("/v1/api-keys", json=NEW, headers=by_it),
            await client.post("/v1/api-keys", json=NEW | {"expires_at": later_}, headers=by_it),
            await client.post(f"/v1/api-keys/{lasting['id']}/rotate", json={"overlap_s": 60}, headers=by_it),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "outlives_its_maker")
        assert (await client.post("/v1/api-keys", json=NEW | {"expires_at": ends.isoformat()}, headers=by_it)).status_code == 201
        assert (await client.post(f"/v1/api-keys/{brief['id']}/rotate", json={"overlap_s": 0}, headers=by_it)).status_code == 200

    async def test_a_person_does_not_end_with_his_session(self, client: httpx.AsyncClient, acme: Store) -> None:
        session = await acme.session(await acme.owner())
        assert (await client.post("/v1/api-keys", json=NEW, headers=session)).status_code == 201

    @pytest.mark.parametrize(("scopes", "status"), [([], 400), (["orders:read", 1], 400), ("orders:read", 400), (["root"], 422)])
    async def test_bad_permissions(self, client: httpx.AsyncClient, acme: Store, scopes: object, status: int) -> None:
        response = await client.post("/v1/api-keys", json={"name": "x", "scopes": scopes}, headers=acme.merchant)
        assert response.status_code == status

    async def test_is_known_by_its_beginning_and_its_maker(self, acme: Store) -> None:
        owner = await acme.owner()
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        shown = await listed(acme, made["id"])
        assert made["key"].startswith(shown["prefix"])
        assert len(made["key"]) - len(shown["prefix"]) >= 37, "222 bits of it are told to nobody"
        assert shown["made_by"] == owner.id

    async def test_may_no_more_than_its_maker_may_now(self, client: httpx.AsyncClient, acme: Store) -> None:
        maker = await acme.employ("manager")
        made = await acme.ask("POST", "/v1/api-keys", await acme.session(maker), {"name": "x", "scopes": ["vault:read", "orders:read"]})
        key = bearer(made["key"])
        assert (await client.get("/v1/vault/imports", headers=key)).status_code == 200
        await acme.ask("PATCH", f"/v1/staff/{maker.id}", acme.merchant, {"role": "support"})
        acme.asked_anew(key)
        assert (await client.get("/v1/vault/imports", headers=key)).status_code == 403
        assert (await client.get("/v1/orders", headers=key)).status_code == 200

    async def test_a_key_that_a_key_made_answers_to_the_same_person(self, client: httpx.AsyncClient, acme: Store) -> None:
        maker = await acme.employ("manager")
        first = await acme.ask(
            "POST", "/v1/api-keys", await acme.session(maker), {"name": "1", "scopes": ["api_keys:write", "orders:read"]}
        )
        second = await acme.ask("POST", "/v1/api-keys", bearer(first["key"]), {"name": "2", "scopes": ["orders:read"]})
        await acme.ask("DELETE", f"/v1/staff/{maker.id}", acme.merchant)
        assert (await client.get("/v1/orders", headers=bearer(second["key"]))).status_code == 403

    async def test_ends_by_itself(self, client: httpx.AsyncClient, acme: Store) -> None:
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW | {"expires_at": ends.isoformat()})
        assert dt.datetime.fromisoformat((await listed(acme, made["id"]))["expires_at"]) == ends
        key = bearer(made["key"])
        assert (await client.get("/v1/orders", headers=key)).status_code == 200
        await later(acme, made["id"], dt.timedelta(hours=1))
        acme.asked_anew(key)
        assert (await client.get("/v1/orders", headers=key)).status_code == 401
        past = NEW | {"expires_at": "2020-01-01T00:00:00Z"}
        assert (await client.post("/v1/api-keys", json=past, headers=acme.merchant)).json()["code"] == "expires_in_the_past"


class TestRotate:
    async def test_another_tenants_key_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        foreign = await client.post(f"/v1/api-keys/{made['id']}/rotate", json={"overlap_s": 0}, headers=globex.merchant)
        missing = await client.post(f"/v1/api-keys/key_{'0' * 32}/rotate", json={"overlap_s": 0}, headers=globex.merchant)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content

    async def test_the_old_secret_works_on_for_as_long_as_was_said(self, client: httpx.AsyncClient, acme: Store) -> None:
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        keys = [bearer(made["key"])]
        for _ in range(2):
            rotated = await acme.ask("POST", f"/v1/api-keys/{made['id']}/rotate", acme.merchant, {"overlap_s": 3600})
            keys.append(bearer(rotated["key"]))
        assert (await listed(acme, made["id"]))["old_until"] == rotated["old_until"]
        assert rotated["key"].startswith((await listed(acme, made["id"]))["prefix"])
        assert [(await client.get("/v1/orders", headers=key)).status_code for key in keys] == [401, 200, 200]
        await later(acme, made["id"], dt.timedelta(hours=1))
        acme.asked_anew(*keys)
        assert [(await client.get("/v1/orders", headers=key)).status_code for key in keys] == [401, 401, 200]
        assert (await listed(acme, made["id"]))["old_until"] is None

    async def test_without_overlap_the_old_one_ends(self, client: httpx.AsyncClient, acme: Store) -> None:
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        await acme.ask("POST", f"/v1/api-keys/{made['id']}/rotate", acme.merchant, {"overlap_s": 0})
        assert (await client.get("/v1/orders", headers=bearer(made["key"]))).status_code == 401

    async def test_nobody_gets_a_secret_that_may_more_than_he(self, client: httpx.AsyncClient, acme: Store) -> None:
        limited = await acme.key_with("api_keys:write")
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        refused = await client.post(f"/v1/api-keys/{made['id']}/rotate", json={"overlap_s": 0}, headers=limited)
        assert (refused.status_code, refused.json()["permission"]) == (403, "orders:read")

    async def test_a_revoked_key_comes_back_by_neither_secret(self, client: httpx.AsyncClient, acme: Store) -> None:
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        rotated = await acme.ask("POST", f"/v1/api-keys/{made['id']}/rotate", acme.merchant, {"overlap_s": 60})
        await acme.ask("DELETE", f"/v1/api-keys/{made['id']}", acme.merchant)
        for key in (made["key"], rotated["key"]):
            assert (await client.get("/v1/orders", headers=bearer(key))).status_code == 401
        again = await client.post(f"/v1/api-keys/{made['id']}/rotate", json={"overlap_s": 0}, headers=acme.merchant)
        assert (again.status_code, again.json()["code"]) == (409, "api_key_ended")

    @pytest.mark.parametrize("overlap_s", [-1, 7 * 24 * 3600 + 1, 1.5, "60", None])
    async def test_bad_overlap(self, client: httpx.AsyncClient, acme: Store, overlap_s: object) -> None:
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        answer = await client.post(f"/v1/api-keys/{made['id']}/rotate", json={"overlap_s": overlap_s}, headers=acme.merchant)
        assert answer.status_code == 400


class TestLastUse:
    async def test_is_written_once_a_minute_however_many_ask(self, acme: Store) -> None:
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        assert (await listed(acme, made["id"]))["last_used_at"] is None

        async def find() -> int:
            """As by the memory of one of many processes. How often it wrote."""
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                counted = "SELECT n_tup_upd FROM pg_stat_xact_user_tables WHERE relname = 'api_key'"
                before: int = await tx.conn.fetchval(counted)
                assert await api_keys.find(tx, acme.process.keys.api_keys, made["key"]) is not None
                after: int = await tx.conn.fetchval(counted)
            return after - before

        assert sum(await asyncio.gather(*(find() for _ in range(8)))) == 1
        assert (await listed(acme, made["id"]))["last_used_at"] is not None
        assert sum(await asyncio.gather(*(find() for _ in range(8)))) == 0
        await later(acme, made["id"], api_keys.USED_EVERY)
        assert sum(await asyncio.gather(*(find() for _ in range(8)))) == 1

    async def test_a_wrong_secret_is_no_use(self, client: httpx.AsyncClient, acme: Store) -> None:
        made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
        assert (await client.get("/v1/orders", headers=bearer(made["key"][:-1] + "~"))).status_code == 401
        assert (await listed(acme, made["id"]))["last_used_at"] is None


async def test_each_act_is_audited_once(acme: Store) -> None:
    before = Counter(await acme.audited())
    made = await acme.ask("POST", "/v1/api-keys", acme.merchant, NEW)
    await acme.ask("POST", f"/v1/api-keys/{made['id']}/rotate", acme.merchant, {"overlap_s": 0})
    await acme.ask("DELETE", f"/v1/api-keys/{made['id']}", acme.merchant)
    assert Counter(await acme.audited()) - before == Counter({"api_key.created": 1, "api_key.rotated": 1, "api_key.revoked": 1})


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
