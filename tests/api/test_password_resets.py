"""Forgotten passwords: nothing is told, one token works once, and every session ends."""

import asyncio
import datetime as dt
from uuid import uuid4

import httpx
import pytest

from api.process import Process
from tenants import proofs, throttle
from tenants.db import platform_tx, tenant_tx
from tests.api.test_sessions import outcome
from tests.mails import letters, token
from tests.security.world import begun
from tests.shop import PASSWORD, Store

NEW = "a new battery of horses"


async def ask(client: httpx.AsyncClient, mail: str) -> httpx.Response:
    response = await client.post("/v1/password-resets", json={"mail": mail})
    assert response.status_code == 202
    return response


async def reset(client: httpx.AsyncClient, token_: str, password: str = NEW) -> httpx.Response:
    return await client.post("/v1/password-resets/confirm", json={"token": token_, "password": password})


class TestAsk:
    async def test_a_known_mail_is_answered_like_an_unknown_one(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        unknown = f"{uuid4().hex}@example.org"
        answers = [await ask(client, acme.mail.upper()), await ask(client, unknown)]
        assert len({answer.text[:28] for answer in answers}) == 1
        assert len({frozenset(answer.headers) for answer in answers}) == 1
        assert [letter.template for letter in await letters(process, acme.mail)] == ["password_reset"]
        assert [(letter.template, letter.values) for letter in await letters(process, unknown)] == [("unknown", {})]

    async def test_not_more_than_a_few_an_hour(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        for _ in range(proofs.PER_HOUR + 2):
            await ask(client, acme.mail)
        assert len(await letters(process, acme.mail)) == proofs.PER_HOUR


class TestConfirm:
    async def test_sets_the_password_and_tells_of_it(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        await ask(client, acme.mail)
        assert (await reset(client, await token(process, acme.mail))).status_code == 204
        assert await outcome(process, acme.mail, PASSWORD) == "wrong_credentials"
        assert await outcome(process, acme.mail, NEW) == "in"
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            rows = await tx.conn.fetch("SELECT template FROM mail WHERE tenant_id = $1", acme.tenant_id)
            sql = "SELECT count(*) FROM audit WHERE tenant_id = $1 AND action = 'password.reset'"
            audited = await tx.conn.fetchval(sql, acme.tenant_id)
        assert ([row[0] for row in rows], audited) == (["password_changed"], 1)

    async def test_ends_every_session(self, client: httpx.AsyncClient, process: Process, acme: Store, globex: Store) -> None:
        (mine, _), (theirs, _) = await begun(acme, ""), await begun(globex, "")
        await ask(client, acme.mail)
        assert (await reset(client, await token(process, acme.mail))).status_code == 204
        assert (await client.get("/v1/products", headers=mine)).status_code == 401
        assert (await client.get("/v1/products", headers=theirs)).status_code == 200

    async def test_a_token_is_good_once(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        await ask(client, acme.mail)
        same = await token(process, acme.mail)
        answers = await asyncio.gather(*(reset(client, same) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]

    async def test_the_other_ones_end_with_it(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        await ask(client, acme.mail)
        first = await token(process, acme.mail)
        await ask(client, acme.mail)
        assert (await reset(client, await token(process, acme.mail))).status_code == 204
        assert (await reset(client, first)).status_code == 404

    async def test_a_thief_who_asked_for_another_mail_before_gets_nothing(
        self, client: httpx.AsyncClient, process: Process, acme: Store
    ) -> None:
        thief, his = (await begun(acme, ""))[0], f"{uuid4().hex}@example.org"
        await client.post("/v1/profile/mail", json={"password": PASSWORD, "mail": his}, headers=thief)
        await ask(client, acme.mail)
        assert (await reset(client, await token(process, acme.mail))).status_code == 204
        stolen = await client.post("/v1/profile/mail/confirm", json={"token": await token(process, his)})
        assert stolen.status_code == 404
        assert await outcome(process, acme.mail, NEW) == "in"

    async def test_a_change_that_was_under_way_does_not_undo_it(
        self, client: httpx.AsyncClient, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The reset comes between the thief's proof of the old password and his change of it."""
        thief = (await begun(acme, ""))[0]
        await ask(client, acme.mail)
        mailed, hash_ = await token(process, acme.mail), process.passwords.hash

        async def slow(password: str) -> str:
            if password == "the thief's own":
                assert (await reset(client, mailed)).status_code == 204
            return await hash_(password)

        monkeypatch.setattr(process.passwords, "hash", slow)
        body = {"password": PASSWORD, "new_password": "the thief's own"}
        assert (await client.post("/v1/profile/password", json=body, headers=thief)).status_code == 403
        assert await outcome(process, acme.mail, NEW) == "in"

    async def test_an_expired_token(
        self, client: httpx.AsyncClient, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(proofs.TTL, "password_reset", dt.timedelta(0))
        await ask(client, acme.mail)
        assert (await reset(client, await token(process, acme.mail))).status_code == 404

    async def test_a_token_kept_after_use_would_be_taken_twice(
        self, client: httpx.AsyncClient, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The safety removed, the test of one use fails."""
        use = proofs.use

        async def kept(conn: object, purpose: str, token_: str) -> proofs.Proof:
            async with platform_tx(process.platform_pool) as other:
                attempt = other.transaction()
                await attempt.start()
                proof = await use(other, purpose, token_)
                await attempt.rollback()
            return proof

        async def nothing(*_: object) -> None:
            return None

        monkeypatch.setattr(proofs, "use", kept)
        monkeypatch.setattr(proofs, "void", nothing)
        await ask(client, acme.mail)
        same = await token(process, acme.mail)
        assert [(await reset(client, same)).status_code for _ in range(2)] == [204, 204]

    async def test_opens_the_door_that_guesses_from_elsewhere_closed(
        self, client: httpx.AsyncClient, process: Process, acme: Store
    ) -> None:
        async with platform_tx(process.platform_pool) as conn:
            for _ in range(throttle.MAIL.burst):
                await throttle.take(conn, throttle.MAIL, acme.mail)
        body = {"mail": acme.mail, "password": PASSWORD}
        assert (await client.post("/v1/sessions", json=body)).status_code == 429
        await ask(client, acme.mail)
        await reset(client, await token(process, acme.mail))
        assert (await client.post("/v1/sessions", json=body | {"password": NEW})).status_code == 201
