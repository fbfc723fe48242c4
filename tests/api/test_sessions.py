"""Signing in and out, what slows guessing down, and the list of sessions."""

import asyncio
import datetime as dt
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.process import Process
from checkout_core.errors import TooMany, Unauthorized
from tenants import accounts, sessions, throttle
from tenants.db import platform_tx
from tenants.sessions import Visitor
from tests.security.world import begun
from tests.shop import PASSWORD, Store

HOME, ELSEWHERE = Visitor("198.51.100.1"), Visitor("203.0.113.9")


async def sign_in(process: Process, mail: str, password: str, visitor: Visitor = HOME, **how: Any) -> sessions.Session:
    return await sessions.sign_in(
        process.platform_pool, process.app_pool, passwords=process.passwords, totp=process.totp, mail=mail, password=password,
        visitor=visitor, **how,
    )  # fmt: skip


async def outcome(process: Process, mail: str, password: str, visitor: Visitor = HOME, **how: Any) -> str:
    try:
        await sign_in(process, mail, password, visitor, **how)
    except (Unauthorized, TooMany) as error:
        return error.code
    return "in"


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

    async def test_no_session_of_an_old_password_begins_after_it_was_changed(
        self, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The password is changed while the old one is being verified."""
        verify = process.passwords.verify

        async def slow(stored: str | None, password: str) -> bool:
            is_right = await verify(stored, password)
            async with platform_tx(process.platform_pool) as conn:
                await conn.execute("UPDATE merchant_user SET password_hash = 'another' WHERE mail = $1", acme.mail)
            return is_right

        monkeypatch.setattr(process.passwords, "verify", slow)
        assert await outcome(process, acme.mail, PASSWORD) == "wrong_credentials"


class TestThrottle:
    async def test_guessing_from_one_place_is_slowed_down_in_all_processes(self, process: Process, acme: Store) -> None:
        codes = [await outcome(process, acme.mail, "wrong wrong wrong") for _ in range(throttle.PAIR.burst + 1)]
        assert codes == ["wrong_credentials"] * throttle.PAIR.burst + ["rate_limited"]
        assert await outcome(process, acme.mail, PASSWORD) == "rate_limited"

    async def test_says_how_long_to_wait(self, process: Process) -> None:
        mail = f"{uuid4().hex}@example.org"
        for _ in range(throttle.PAIR.burst):
            await outcome(process, mail, "wrong")
        with pytest.raises(TooMany) as refused:
            await sign_in(process, mail, "wrong")
        assert 50 <= (refused.value.retry_after_s or 0) <= 60

    async def test_many_at_once_are_counted_too(self, process: Process, acme: Store) -> None:
        codes = await asyncio.gather(*(outcome(process, acme.mail, "wrong wrong") for _ in range(12)))
        assert codes.count("wrong_credentials") == throttle.PAIR.burst

    async def test_guessing_from_everywhere_is_slowed_down(self, process: Process, acme: Store) -> None:
        places = [Visitor(f"192.0.2.{n}") for n in range(throttle.MAIL.burst + 1)]
        codes = [await outcome(process, acme.mail, "wrong wrong", place) for place in places]
        assert codes == ["wrong_credentials"] * throttle.MAIL.burst + ["rate_limited"]

    async def test_it_locks_nobody_out_where_he_signed_in_before(self, process: Process, acme: Store) -> None:
        assert await outcome(process, acme.mail, PASSWORD) == "in"
        for n in range(throttle.MAIL.burst + 1):
            await outcome(process, acme.mail, "wrong wrong", Visitor(f"192.0.2.{n}"))
        assert await outcome(process, acme.mail, PASSWORD, ELSEWHERE) == "rate_limited"
        assert await outcome(process, acme.mail, PASSWORD) == "in"

    async def test_one_place_that_tries_many_mails_is_slowed_down(self, process: Process) -> None:
        place = Visitor(f"place-{uuid4().hex}")
        mails = [f"{uuid4().hex}@example.org" for _ in range(throttle.ADDRESS.burst + 1)]
        async with platform_tx(process.platform_pool) as conn:
            for _ in range(throttle.ADDRESS.burst - 1):  # spares the test so many hashes
                await throttle.take(conn, throttle.ADDRESS, place.address)
        assert [await outcome(process, mail, "wrong", place) for mail in mails[:2]] == ["wrong_credentials", "rate_limited"]

    async def test_right_ones_are_free(self, process: Process, acme: Store) -> None:
        assert {await outcome(process, acme.mail, PASSWORD) for _ in range(throttle.MAIL.burst + 2)} == {"in"}

    async def test_time_heals(self, process: Process, acme: Store) -> None:
        for _ in range(throttle.PAIR.burst):
            await outcome(process, acme.mail, "wrong wrong")
        async with platform_tx(process.platform_pool) as conn:
            await conn.execute("UPDATE throttle SET at = at - interval '61 s'")
        assert await outcome(process, acme.mail, PASSWORD) == "in"

    async def test_without_it_guessing_goes_on(self, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """The safety removed, the first test of this class fails."""

        async def nothing(*_: object, **__: object) -> None:
            return None

        monkeypatch.setattr(throttle, "take", nothing)
        codes = {await outcome(process, acme.mail, "wrong wrong") for _ in range(throttle.PAIR.burst + 1)}
        assert codes == {"wrong_credentials"}


class TestSignOut:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.delete("/v1/sessions/current")).status_code == 401

    async def test_ends_this_session_at_once_and_no_other(self, client: httpx.AsyncClient, acme: Store) -> None:
        (first, _), (second, _) = await begun(acme, ""), await begun(acme, "")
        assert (await client.delete("/v1/sessions/current", headers=first)).status_code == 204
        assert (await client.get("/v1/products", headers=first)).status_code == 401
        assert (await client.get("/v1/products", headers=second)).status_code == 200

    async def test_an_api_key_is_no_session(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.delete("/v1/sessions/current", headers=acme.merchant)).status_code == 400


class TestEnd:
    async def test_an_expired_session_is_none(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sessions, "TTL", dt.timedelta(0))
        assert (await client.get("/v1/products", headers=(await begun(acme, ""))[0])).status_code == 401

    async def test_a_session_nobody_uses_is_over(self, process: Process, client: httpx.AsyncClient, acme: Store) -> None:
        (used, _), (idle, idle_id) = await begun(acme, ""), await begun(acme, "")
        async with platform_tx(process.platform_pool) as conn:
            sql = "UPDATE merchant_session SET seen_at = now() - $2::interval WHERE id = $1"
            await conn.execute(sql, idle_id[4:], accounts.IDLE)
        assert (await client.get("/v1/products", headers=idle)).status_code == 401
        assert idle_id not in (await client.get("/v1/sessions", headers=used)).text

    async def test_use_is_noted_coarsely(self, process: Process, acme: Store) -> None:
        headers, id_ = await begun(acme, "")
        token = headers["Authorization"].removeprefix("Bearer ")

        async def seen(ago: dt.timedelta) -> bool:
            async with platform_tx(process.platform_pool) as conn:
                await conn.execute("UPDATE merchant_session SET seen_at = now() - $2::interval WHERE id = $1", id_[4:], ago)
            assert await accounts.user_of(process.platform_pool, token)
            async with platform_tx(process.platform_pool) as conn:
                sql = "SELECT seen_at > now() - interval '1 min' FROM merchant_session WHERE id = $1"
                return bool(await conn.fetchval(sql, id_[4:]))

        assert not await seen(dt.timedelta(minutes=4))
        assert await seen(dt.timedelta(minutes=6))


class TestList:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/sessions")).status_code == 401

    async def test_shows_mine_and_nobody_elses(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        (mine, my_id), (_, other_id) = await begun(acme, "Firefox\r\n on Linux"), await begun(acme, "Phone")
        _, foreign_id = await begun(globex, "Safari")
        listed = (await client.get("/v1/sessions", headers=mine)).json()["sessions"]
        assert {each["id"]: (each["user_agent"], each["address"], each["current"]) for each in listed} == {
            my_id: ("Firefox   on Linux", "203.0.113.1", True),
            other_id: ("Phone", "203.0.113.1", False),
        }
        assert foreign_id not in str(listed)

    async def test_page_by_page_newest_first(self, acme: Store) -> None:
        made = [await begun(acme, "") for _ in range(3)]
        mine = made[0][0]
        first = await acme.ask("GET", "/v1/sessions?limit=2", mine)
        rest = await acme.ask("GET", f"/v1/sessions?limit=2&cursor={first['next_cursor']}", mine)
        assert [each["id"] for each in first["sessions"] + rest["sessions"]] == [id_ for _, id_ in reversed(made)]
        assert rest["next_cursor"] is None

    async def test_shows_no_token(self, client: httpx.AsyncClient, acme: Store) -> None:
        mine, id_ = await begun(acme, "")
        text = (await client.get("/v1/sessions", headers=mine)).text
        token = mine["Authorization"].removeprefix("Bearer se_")
        assert token not in text
        assert id_[4:] not in token

    async def test_a_key_has_none(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await client.get("/v1/sessions", headers=acme.merchant)
        assert (response.status_code, response.json()["code"]) == (403, "needs_session")


class TestRevoke:
    async def works(self, client: httpx.AsyncClient, headers: dict[str, str]) -> bool:
        return (await client.get("/v1/products", headers=headers)).status_code == 200

    async def test_another_tenants_reads_like_a_missing_one(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        (mine, _), (theirs, foreign_id) = await begun(acme, ""), await begun(globex, "")
        foreign = await client.delete(f"/v1/sessions/{foreign_id}", headers=mine)
        missing = await client.delete(f"/v1/sessions/ses_{uuid4().hex}", headers=mine)
        assert (foreign.status_code, foreign.content) == (missing.status_code, missing.content)
        assert foreign.status_code == 404
        assert await self.works(client, theirs)

    async def test_ends_it_within_two_seconds_everywhere(self, client: httpx.AsyncClient, acme: Store) -> None:
        """Another process, which has just used it, remembers it for two seconds at most; here the memory is not told either."""
        (mine, _), (other, other_id) = await begun(acme, ""), await begun(acme, "")
        assert await self.works(client, other)
        assert (await client.delete(f"/v1/sessions/{other_id}", headers=mine)).status_code == 204
        await asyncio.sleep(2)
        assert not await self.works(client, other)
        assert await self.works(client, mine)

    async def test_all_others_at_once(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        mine, my_id = await begun(acme, "")
        for _ in range(2):
            await begun(acme, "")
        assert (await client.delete("/v1/sessions", headers=mine)).status_code == 204
        assert [each["id"] for each in (await client.get("/v1/sessions", headers=mine)).json()["sessions"]] == [my_id]
