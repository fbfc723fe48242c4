"""Who is asking: keys, sessions and tokens, as Bearer and as cookies; and what an address may ask."""

import asyncio

import httpx
import pytest

from api import csrf
from api.memory import Memory
from api.process import Process
from checkout_core.errors import TooMany
from tests.shop import Store


class TestBearer:
    @pytest.mark.parametrize(
        "value",
        [
            "", "Bearer", "Bearer ", "Basic YTpi", "bearer nonsense", "Bearer sk_", "Bearer sk_zz_yy", "Bearer se_x", "Bearer st_x",
            f"Bearer sk_{'0' * 32}_x", "Bearer " + "x" * 5000, f"Bearer sk_{'0' * 32}_" + "x" * 63, "Bearer sk_\x7f", "x",
        ],
    )  # fmt: skip
    async def test_nonsense_is_refused(self, client: httpx.AsyncClient, value: str) -> None:
        response = await client.get("/v1/products", headers={"Authorization": value})
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"

    async def test_two_headers_are_refused(self, client: httpx.AsyncClient, acme: Store) -> None:
        headers = [*acme.merchant.items(), *acme.merchant.items()]
        assert (await client.get("/v1/products", headers=headers)).status_code == 401

    async def test_one_changed_character_is_refused(self, client: httpx.AsyncClient, acme: Store) -> None:
        key = acme.key[:-1] + ("A" if acme.key[-1] != "A" else "B")
        assert (await client.get("/v1/products", headers={"Authorization": f"Bearer {key}"})).status_code == 401

    async def test_a_key_under_another_tenants_name_is_refused(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        key = acme.key.replace(acme.tenant_id.hex, globex.tenant_id.hex)
        assert (await client.get("/v1/products", headers={"Authorization": f"Bearer {key}"})).status_code == 401


class TestCookie:
    """A browser's cookie does what the header does, if our own page asks."""

    async def cookie(self, store: Store) -> str:
        return str((await store.ask("POST", "/v1/sessions", {}, {"mail": store.mail, "password": store.password}))["token"])

    async def test_reads_without_proof(self, client: httpx.AsyncClient, acme: Store) -> None:
        headers = {"Cookie": f"tessera_session={await self.cookie(acme)}"}
        assert (await client.get("/v1/products", headers=headers)).status_code == 200

    async def test_changes_nothing_without_proof(self, client: httpx.AsyncClient, acme: Store) -> None:
        headers = {"Cookie": f"tessera_session={await self.cookie(acme)}"}
        for proof in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 32}):
            response = await client.post("/v1/products", json={"name": "x"}, headers=headers | proof)
            assert (response.status_code, response.json()["code"]) == (403, "csrf")

    async def test_changes_with_proof_from_our_own_page(self, client: httpx.AsyncClient, acme: Store, process: Process) -> None:
        cookie = await self.cookie(acme)
        headers = {"Cookie": f"tessera_session={cookie}", "X-CSRF-Token": csrf.token(process.keys.csrf, cookie)}
        assert (await client.post("/v1/products", json={"name": "x"}, headers=headers)).status_code == 201
        ours, theirs = {"Origin": "http://localhost"}, {"Origin": "http://evil.example"}
        assert (await client.post("/v1/products", json={"name": "x"}, headers=headers | ours)).status_code == 201
        assert (await client.post("/v1/products", json={"name": "x"}, headers=headers | theirs)).status_code == 403

    async def test_what_shoppers_and_the_store_may_see(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        """A merchant's browser has one cookie, a shopper's another; with both it is a shopper's."""
        who = await acme.guest()
        path = f"/v1/orders/{await acme.order(who, await acme.sale())}"
        session, shopper = f"tessera_session={await self.cookie(acme)}", f"tessera_shopper={who['Authorization'].removeprefix('Bearer ')}"
        foreign = f"tessera_session={await self.cookie(globex)}"
        seen = ((session, {}, 200), (foreign, {}, 404), (shopper, acme.at, 200), (f"{foreign}; {shopper}", acme.at, 200))
        for cookie, at, status in (*seen, ("tessera_session=no", {}, 401)):
            assert (await client.get(path, headers={"Cookie": cookie, **at})).status_code == status

    async def test_the_proof_of_one_cookie_is_none_for_another(self, client: httpx.AsyncClient, acme: Store, process: Process) -> None:
        first, second = await self.cookie(acme), await self.cookie(acme)
        headers = {"Cookie": f"tessera_session={first}", "X-CSRF-Token": csrf.token(process.keys.csrf, second)}
        assert (await client.post("/v1/products", json={"name": "x"}, headers=headers)).status_code == 403


class TestMemory:
    async def test_asks_once_for_all_who_wait(self) -> None:
        asked = []

        async def look_up(key: str) -> str | None:
            asked.append(key)
            return key.upper() if key != "none" else None

        memory = Memory(look_up, ttl_s=60, size=2)
        assert await asyncio.gather(*(memory.get("a") for _ in range(100))) == ["A"] * 100
        assert await memory.get("none") is None
        assert await memory.get("none") is None
        assert asked == ["a", "none"]

    async def test_forgets_the_oldest_beyond_its_size(self) -> None:
        asked = []

        async def look_up(key: int) -> int:
            asked.append(key)
            return key

        memory = Memory(look_up, ttl_s=60, size=2)
        for key in (1, 2, 3, 1):
            await memory.get(key)
        assert asked == [1, 2, 3, 1]

    async def test_a_failure_is_not_remembered(self) -> None:
        fails = [True]

        async def look_up(_: int) -> int:
            if fails.pop():
                fails.append(False)
                raise TooMany("Not now.")
            return 1

        memory = Memory(look_up, ttl_s=60, size=2)
        with pytest.raises(TooMany):
            await memory.get(1)
        assert await memory.get(1) == 1
