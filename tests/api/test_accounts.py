"""Signing up, signing in and out."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from api.process import Process
from checkout_core.errors import Unavailable
from tenants import accounts, api_keys
from tests.shop import Store


def new_merchant(**changes: object) -> dict[str, object]:
    name = uuid4().hex[:12]
    return {"store": "Corner shop", "slug": f"s-{name}", "mail": f"{name}@example.org", "password": "correct horse battery"} | changes


class TestSignUp:
    async def test_opens_a_store_and_shows_a_key_that_works(self, client: httpx.AsyncClient) -> None:
        new = new_merchant()
        response = await client.post("/v1/merchants", json=new)
        assert response.status_code == 201
        made = response.json()
        assert made["slug"] == new["slug"]
        assert made["store_host"] == f"{new['slug']}.localhost"
        assert (await client.get("/v1/products", headers={"Authorization": f"Bearer {made['api_key']}"})).status_code == 200
        shop = await client.get("/v1/storefront", headers={"Host": made["store_host"]})
        assert shop.json()["store"] == {"slug": new["slug"], "name": "Corner shop"}

    @pytest.mark.parametrize("same", ["slug", "mail"])
    async def test_taken(self, client: httpx.AsyncClient, same: str) -> None:
        first = new_merchant()
        assert (await client.post("/v1/merchants", json=first)).status_code == 201
        second = await client.post("/v1/merchants", json=new_merchant(**{same: first[same]}))
        assert (second.status_code, second.json()["code"]) == (409, "taken")

    async def test_a_mail_is_the_same_in_any_case(self, client: httpx.AsyncClient) -> None:
        first = new_merchant(mail=f"Ann-{uuid4().hex}@Example.org")
        assert (await client.post("/v1/merchants", json=first)).status_code == 201
        again = new_merchant(mail=str(first["mail"]).upper())
        assert (await client.post("/v1/merchants", json=again)).status_code == 409

    async def test_of_two_at_once_one_wins(self, client: httpx.AsyncClient) -> None:
        slug = str(new_merchant()["slug"])
        answers = await asyncio.gather(*(client.post("/v1/merchants", json=new_merchant(slug=slug)) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]

    async def test_the_platforms_own_names_are_reserved(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/merchants", json=new_merchant(slug="admin"))).status_code == 409

    @pytest.mark.parametrize(
        "wrong",
        [
            {"slug": "Ann"}, {"slug": "-ann"}, {"slug": "a"}, {"slug": "a" * 33}, {"slug": "a.b"}, {"slug": "ann\n"},
            {"mail": "ann"}, {"mail": "ann@example.org\n"}, {"mail": "a b@example.org"}, {"password": "short"}, {"password": "x" * 257},
            {"store": ""}, {"store": "  "}, {"store": "x" * 81}, {"scopes": ["orders:read"]},
        ],
    )  # fmt: skip
    async def test_bad_input(self, client: httpx.AsyncClient, wrong: dict[str, object]) -> None:
        response = await client.post("/v1/merchants", json=new_merchant(**wrong))
        assert (response.status_code, response.json()["code"]) == (400, "bad_request")

    async def test_leaves_nothing_behind_when_it_fails_half_way(
        self, client: httpx.AsyncClient, process: Process, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The tenant's part fails after the platform's rows are written: slug and mail are free again."""
        new = new_merchant()

        async def away(*_: object, **__: object) -> None:
            raise Unavailable("Gone.")

        with monkeypatch.context() as patched:
            patched.setattr(api_keys, "create", away)
            assert (await client.post("/v1/merchants", json=new)).status_code == 503
        assert (await client.post("/v1/merchants", json=new)).status_code == 201


class TestSignIn:
    async def test_gives_a_session_that_works_as_a_key_does(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await client.post("/v1/sessions", json={"mail": acme.mail.upper(), "password": acme.password})
        assert response.status_code == 201
        token = response.json()["token"]
        assert (await client.get("/v1/products", headers={"Authorization": f"Bearer {token}"})).status_code == 200

    async def test_tells_nobody_which_mails_exist(self, client: httpx.AsyncClient, acme: Store) -> None:
        wrong = await client.post("/v1/sessions", json={"mail": acme.mail, "password": "not the password"})
        unknown = await client.post("/v1/sessions", json={"mail": f"x{acme.mail}", "password": "not the password"})
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.content == unknown.content

    async def test_an_unknown_mail_costs_as_much_as_a_wrong_password(self, process: Process) -> None:
        hashed = await process.passwords.hash("a password")
        loop = asyncio.get_running_loop()

        async def took(stored: str | None) -> float:
            start = loop.time()
            for _ in range(5):
                assert not await process.passwords.verify(stored, "another password")
            return loop.time() - start

        wrong, unknown = await took(hashed), await took(None)
        assert 0.3 < wrong / unknown < 3

    async def test_guessing_at_one_mail_is_slowed_down_wherever_it_comes_from(self, process: Process) -> None:
        from api.limits import Limits
        from checkout_core.errors import TooMany

        limits = Limits(1)
        for _ in range(10):
            limits.check("sign-ins of one mail", "ann@example.org", per_minute=5, burst=10)
        with pytest.raises(TooMany) as refused:
            limits.check("sign-ins of one mail", "ann@example.org", per_minute=5, burst=10)
        assert refused.value.retry_after_s == 12


class TestSignOut:
    async def session(self, client: httpx.AsyncClient, store: Store) -> dict[str, str]:
        made = await store.ask("POST", "/v1/sessions", {}, {"mail": store.mail, "password": store.password})
        return {"Authorization": f"Bearer {made['token']}"}

    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.delete("/v1/sessions/current")).status_code == 401

    async def test_ends_this_session_at_once_and_no_other(self, client: httpx.AsyncClient, acme: Store) -> None:
        first, second = await self.session(client, acme), await self.session(client, acme)
        assert (await client.delete("/v1/sessions/current", headers=first)).status_code == 204
        assert (await client.get("/v1/products", headers=first)).status_code == 401
        assert (await client.get("/v1/products", headers=second)).status_code == 200

    async def test_an_api_key_is_no_session(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.delete("/v1/sessions/current", headers=acme.merchant)).status_code == 400

    async def test_an_expired_session_is_none(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        import datetime as dt

        monkeypatch.setattr(accounts, "SESSION_TTL", dt.timedelta(0))
        assert (await client.get("/v1/products", headers=await self.session(client, acme))).status_code == 401
