"""Rotations of a store's keys through the API."""

import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode
from tests.shop import Store
from tests.tenants.rotations.scenes import carry_out, key_ids

BOTH = {"purposes": ["seal", "fingerprint"]}
PATH = "/v1/vault/rotations"


class TestBegin:
    async def test_without_a_key(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.post(PATH, json=BOTH, headers=acme.at)).status_code == 401

    async def test_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await client.post(PATH, json=BOTH, headers=await acme.key_with("vault:read", "vault:write"))
        assert (response.status_code, response.json()["permission"]) == (403, "keys:write")

    @pytest.mark.parametrize("wrong", [[], ["master"], ["seal", "seal", "seal"], "seal"])
    async def test_of_what_there_is(self, client: httpx.AsyncClient, acme: Store, wrong: object) -> None:
        assert (await client.post(PATH, json={"purposes": wrong}, headers=acme.merchant)).status_code == 400

    async def test_newer_keys_at_once_and_the_rest_by_a_worker(self, acme: Store, process: Process) -> None:
        begun = await acme.ask("POST", PATH, acme.merchant, BOTH)
        assert (begun["state"], begun["codes_renewed"], begun["finished_at"]) == ("running", 0, None)
        assert await key_ids(acme) >= {("seal", 1), ("fingerprint", 1)}
        for _ in range(2):
            await carry_out(acme, decode("rot", begun["id"]))
        shown = await acme.ask("GET", f"{PATH}/{begun['id']}", acme.merchant)
        assert (shown["state"], shown["turn"]) == ("done", 2)

    async def test_while_another_runs(self, client: httpx.AsyncClient, acme: Store) -> None:
        begun = await acme.ask("POST", PATH, acme.merchant, BOTH)
        response = await client.post(PATH, json=BOTH, headers=acme.merchant)
        assert (response.status_code, response.json()["code"], response.json()["rotation_id"]) == (409, "rotation_running", begun["id"])

    async def test_asked_again_it_is_the_same(self, acme: Store) -> None:
        headers = acme.merchant | {"Idempotency-Key": "again"}
        assert await acme.ask("POST", PATH, headers, BOTH) == await acme.ask("POST", PATH, headers, BOTH)


class TestRead:
    async def test_of_another_store(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        begun = await globex.ask("POST", PATH, globex.merchant, BOTH)
        foreign = await client.get(f"{PATH}/{begun['id']}", headers=acme.merchant)
        missing = await client.get(f"{PATH}/rot_{'0' * 32}", headers=acme.merchant)
        assert (foreign.status_code, foreign.content) == (404, missing.content)
        assert (await acme.ask("GET", PATH, acme.merchant))["items"] == []

    async def test_the_list(self, acme: Store) -> None:
        begun = await acme.ask("POST", PATH, acme.merchant, {"purposes": ["seal"]})
        [shown] = (await acme.ask("GET", PATH, acme.merchant))["items"]
        assert shown == begun
