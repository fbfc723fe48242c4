"""What somebody changes about himself: password, mail, second factor."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import httpx
import pyotp
import pytest

from api.process import Process
from tenants import throttle
from tenants.db import platform_tx, tenant_tx
from tenants.totp import RECOVERY_CODES, STEP_S, Totp
from tests.api.test_sessions import outcome
from tests.mails import letters, token
from tests.security.world import begun
from tests.shop import PASSWORD, Store

NEW = "a new battery of horses"


@pytest.fixture
async def mine(acme: Store) -> dict[str, str]:
    """Headers of the owner."""
    return (await begun(acme, "Firefox"))[0]


async def told(process: Process, store: Store) -> tuple[list[str], list[str]]:
    """Which mails its owner is owed, and what was audited, of what this module does."""
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        mails = await tx.conn.fetch("SELECT template FROM mail WHERE tenant_id = $1 ORDER BY id", store.tenant_id)
        sql = "SELECT action FROM audit WHERE tenant_id = $1 AND action ~ '^(password|mail|totp)' ORDER BY id"
        audited = await tx.conn.fetch(sql, store.tenant_id)
    return [row[0] for row in mails], [row[0] for row in audited]


class TestShow:
    async def test_who_i_am(self, client: httpx.AsyncClient, acme: Store, mine: dict[str, str]) -> None:
        shown = (await client.get("/v1/profile", headers=mine)).json()
        assert (shown["mail"], shown["totp"], shown["recovery_codes_left"]) == (acme.mail, False, 0)


class TestPassword:
    async def test_wrong_one(self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]) -> None:
        body = {"password": "not the password", "new_password": NEW}
        answers = [await client.post("/v1/profile/password", json=body, headers=mine) for _ in range(throttle.PERSON.burst + 1)]
        assert [answer.status_code for answer in answers] == [403] * throttle.PERSON.burst + [429]
        assert await outcome(process, acme.mail, PASSWORD) == "in"
        assert await told(process, acme) == ([], [])

    async def test_is_changed_and_ends_the_other_sessions(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]
    ) -> None:
        other, _ = await begun(acme, "Phone")
        body = {"password": PASSWORD, "new_password": NEW}
        assert (await client.post("/v1/profile/password", json=body, headers=mine)).status_code == 204
        assert await outcome(process, acme.mail, PASSWORD) == "wrong_credentials"
        assert await outcome(process, acme.mail, NEW) == "in"
        assert (await client.get("/v1/products", headers=other)).status_code == 401
        assert (await client.get("/v1/products", headers=mine)).status_code == 200
        assert await told(process, acme) == (["password_changed"], ["password.changed"])

    async def test_a_reset_that_was_asked_before_is_void(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]
    ) -> None:
        await client.post("/v1/password-resets", json={"mail": acme.mail})
        body = {"password": PASSWORD, "new_password": NEW}
        assert (await client.post("/v1/profile/password", json=body, headers=mine)).status_code == 204
        reset = {"token": await token(process, acme.mail), "password": "x" * 10}
        assert (await client.post("/v1/password-resets/confirm", json=reset)).status_code == 404


class TestMail:
    async def test_the_new_address_confirms_and_the_old_one_is_told(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]
    ) -> None:
        new = f"{uuid4().hex}@example.org"
        await client.post("/v1/password-resets", json={"mail": acme.mail})
        old_reset = await token(process, acme.mail)
        body = {"password": PASSWORD, "mail": new.upper()}
        assert (await client.post("/v1/profile/mail", json=body, headers=mine)).status_code == 202
        assert await outcome(process, acme.mail, PASSWORD) == "in"
        confirmation = {"token": await token(process, new)}
        assert (await client.post("/v1/profile/mail/confirm", json=confirmation)).status_code == 204
        assert (await client.post("/v1/profile/mail/confirm", json=confirmation)).status_code == 404
        assert await outcome(process, acme.mail, PASSWORD) == "wrong_credentials"
        assert await outcome(process, new, PASSWORD) == "in"
        assert await told(process, acme) == (["mail_changed"], ["mail.changed"])
        stale = await client.post("/v1/password-resets/confirm", json={"token": old_reset, "password": NEW})
        assert stale.status_code == 404, "what lies in the old letter box opens nothing"

    async def test_an_address_with_an_account_is_said_to_its_owner_only(
        self, client: httpx.AsyncClient, process: Process, acme: Store, globex: Store, mine: dict[str, str]
    ) -> None:
        body = {"password": PASSWORD, "mail": globex.mail}
        assert (await client.post("/v1/profile/mail", json=body, headers=mine)).status_code == 202
        answer = await client.post("/v1/profile/mail/confirm", json={"token": await token(process, globex.mail)})
        assert (answer.status_code, answer.json()["code"]) == (409, "taken")

    async def test_needs_the_password(self, client: httpx.AsyncClient, process: Process, mine: dict[str, str]) -> None:
        new = f"{uuid4().hex}@example.org"
        answer = await client.post("/v1/profile/mail", json={"password": "x", "mail": new}, headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
        assert await letters(process, new) == []


class App:
    """An authenticator app, at a time of its own choosing."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        """The code of so many steps from now: of this one and the next it is good, whenever in the step the test runs."""
        return self._totp.at(int(time.time()) + steps * STEP_S)


async def enrol(client: httpx.AsyncClient, mine: dict[str, str]) -> App:
    response = await client.post("/v1/profile/totp", json={"password": PASSWORD}, headers=mine)
    assert response.status_code == 201, response.text
    return App(response.json()["secret"])


async def switch_on(client: httpx.AsyncClient, mine: dict[str, str]) -> tuple[App, list[str]]:
    app = await enrol(client, mine)
    response = await client.post("/v1/profile/totp/confirm", json={"code": app.code()}, headers=mine)
    assert response.status_code == 201, response.text
    return app, response.json()["recovery_codes"]


class TestTotp:
    async def test_is_asked_for_once_it_is_confirmed(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]
    ) -> None:
        app = await enrol(client, mine)
        assert await outcome(process, acme.mail, PASSWORD) == "in"
        confirmed = await client.post("/v1/profile/totp/confirm", json={"code": app.code()}, headers=mine)
        assert len(set(confirmed.json()["recovery_codes"])) == RECOVERY_CODES
        assert await outcome(process, acme.mail, PASSWORD) == "totp_required"
        assert await outcome(process, acme.mail, PASSWORD, code=app.code(1)) == "in"
        assert await outcome(process, acme.mail, "wrong wrong", code=app.code(1)) == "wrong_credentials"
        assert await told(process, acme) == (["totp_changed"], ["totp.enabled"])

    async def test_over_the_wire(self, client: httpx.AsyncClient, acme: Store, mine: dict[str, str]) -> None:
        app, _ = await switch_on(client, mine)
        body = {"mail": acme.mail, "password": PASSWORD}
        first = await client.post("/v1/sessions", json=body)
        assert (first.status_code, first.json()["code"]) == (401, "totp_required")
        assert (await client.post("/v1/sessions", json=body | {"code": app.code(1)})).status_code == 201

    async def test_the_uri_is_for_an_app(self, client: httpx.AsyncClient, acme: Store, mine: dict[str, str]) -> None:
        made = (await client.post("/v1/profile/totp", json={"password": PASSWORD}, headers=mine)).json()
        parsed = pyotp.parse_uri(made["uri"])
        assert (parsed.name, parsed.issuer, parsed.secret) == (acme.mail, "Tessera", made["secret"])

    async def test_a_code_is_good_once(self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]) -> None:
        app, _ = await switch_on(client, mine)
        code = app.code(1)
        codes = await asyncio.gather(*(outcome(process, acme.mail, PASSWORD, code=code) for _ in range(4)))
        assert sorted(codes) == ["in", "wrong_code", "wrong_code", "wrong_code"]

    async def test_a_recovery_code_is_good_once(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]
    ) -> None:
        _, recovery = await switch_on(client, mine)
        spellings = [recovery[0], recovery[0].upper(), recovery[0].replace("-", ""), f" {recovery[0]} "]
        codes = await asyncio.gather(*(outcome(process, acme.mail, PASSWORD, code=each) for each in spellings))
        assert sorted(codes) == ["in", "wrong_code", "wrong_code", "wrong_code"]

    async def test_one_before_a_used_one_is_not_good_either(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]
    ) -> None:
        app, _ = await switch_on(client, mine)
        assert await outcome(process, acme.mail, PASSWORD, code=app.code(1)) == "in"
        assert await outcome(process, acme.mail, PASSWORD, code=app.code()) == "wrong_code"

    async def test_forgetting_the_step_would_let_a_code_in_twice(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]
    ) -> None:
        """The safety removed, the tests of one use fail."""
        app, _ = await switch_on(client, mine)
        code = app.code(1)
        for _ in range(2):
            assert await outcome(process, acme.mail, PASSWORD, code=code) == "in"
            async with platform_tx(process.platform_pool) as conn:
                await conn.execute("UPDATE merchant_totp SET last_step = 0")

    @pytest.mark.parametrize("steps", [-3, 3])
    async def test_a_code_of_another_time(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str], steps: int
    ) -> None:
        app, _ = await switch_on(client, mine)
        assert await outcome(process, acme.mail, PASSWORD, code=app.code(steps)) == "wrong_code"

    async def test_guessing_is_slowed_down(self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]) -> None:
        app, _ = await switch_on(client, mine)
        wrong = "000000" if app.code() != "000000" else "000001"
        codes = [await outcome(process, acme.mail, PASSWORD, code=wrong) for _ in range(throttle.CODE.burst + 1)]
        assert codes == ["wrong_code"] * throttle.CODE.burst + ["rate_limited"]

    async def test_a_recovery_code_is_good_once_in_any_spelling(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]
    ) -> None:
        _, codes = await switch_on(client, mine)
        assert await outcome(process, acme.mail, PASSWORD, code=codes[0].upper().replace("-", " ")) == "in"
        assert await outcome(process, acme.mail, PASSWORD, code=codes[0]) == "wrong_code"
        assert (await client.get("/v1/profile", headers=mine)).json()["recovery_codes_left"] == RECOVERY_CODES - 1

    async def test_anothers_recovery_code_is_none(
        self, client: httpx.AsyncClient, process: Process, acme: Store, globex: Store, mine: dict[str, str]
    ) -> None:
        await switch_on(client, mine)
        _, theirs = await switch_on(client, (await begun(globex, ""))[0])
        assert await outcome(process, acme.mail, PASSWORD, code=theirs[0]) == "wrong_code"

    async def test_a_reset_does_not_switch_it_off(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]
    ) -> None:
        await switch_on(client, mine)
        await client.post("/v1/password-resets", json={"mail": acme.mail})
        await client.post("/v1/password-resets/confirm", json={"token": await token(process, acme.mail), "password": NEW})
        assert await outcome(process, acme.mail, NEW) == "totp_required"

    async def test_is_not_replaced_while_it_is_on(self, client: httpx.AsyncClient, mine: dict[str, str]) -> None:
        await switch_on(client, mine)
        again = await client.post("/v1/profile/totp", json={"password": PASSWORD}, headers=mine)
        assert (again.status_code, again.json()["code"]) == (409, "totp_enabled")

    @pytest.mark.parametrize(("changes", "status"), [({"password": "wrong wrong"}, 403), ({"code": "000000"}, 422), ({}, 204)])
    async def test_switching_it_off_needs_both(
        self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str], changes: dict[str, Any], status: int
    ) -> None:
        app, codes = await switch_on(client, mine)
        body = {"password": PASSWORD, "code": app.code(1)} | changes
        assert (await client.post("/v1/profile/totp/disable", json=body, headers=mine)).status_code == status
        is_on = await outcome(process, acme.mail, PASSWORD) == "totp_required"
        assert is_on == (status != 204)
        assert (await told(process, acme))[1] == (["totp.enabled"] if is_on else ["totp.enabled", "totp.disabled"])
        assert await outcome(process, acme.mail, PASSWORD, code=codes[0]) == "in"

    async def test_wrong_guesses_at_confirming_are_counted(self, client: httpx.AsyncClient, mine: dict[str, str]) -> None:
        app = await enrol(client, mine)
        body = {"code": "000000" if app.code() != "000000" else "000001"}
        answers = [await client.post("/v1/profile/totp/confirm", json=body, headers=mine) for _ in range(throttle.CODE.burst + 1)]
        assert [answer.status_code for answer in answers] == [422] * throttle.CODE.burst + [429]


class TestAtRest:
    async def test_neither_secret_nor_codes_lie_in_the_clear(
        self, client: httpx.AsyncClient, process: Process, mine: dict[str, str]
    ) -> None:
        secret = (await client.post("/v1/profile/totp", json={"password": PASSWORD}, headers=mine)).json()["secret"]
        confirmed = await client.post("/v1/profile/totp/confirm", json={"code": App(secret).code()}, headers=mine)
        async with platform_tx(process.platform_pool) as conn:
            sealed = b"".join(row[0] for row in await conn.fetch("SELECT sealed FROM merchant_totp"))
            hashes = b"".join(row[0] for row in await conn.fetch("SELECT code_hash FROM merchant_recovery_code"))
        assert secret.encode() not in sealed
        assert not any(code.encode() in hashes for code in confirmed.json()["recovery_codes"])

    async def test_a_secret_moved_to_another_person_does_not_open(
        self, client: httpx.AsyncClient, process: Process, acme: Store, globex: Store, mine: dict[str, str]
    ) -> None:
        app, _ = await switch_on(client, mine)
        await switch_on(client, (await begun(globex, ""))[0])
        async with platform_tx(process.platform_pool) as conn:
            sql = """UPDATE merchant_totp SET sealed = (SELECT sealed FROM merchant_totp JOIN merchant_user ON id = user_id WHERE mail = $1)
                     WHERE user_id = (SELECT id FROM merchant_user WHERE mail = $2) RETURNING user_id"""
            user_id = await conn.fetchval(sql, acme.mail, globex.mail)
            with pytest.raises(Exception, match=r"^$"):  # InvalidTag says nothing
                await process.totp.accepts(conn, user_id, app.code())

    async def test_nor_under_another_secret(self, client: httpx.AsyncClient, process: Process, acme: Store, mine: dict[str, str]) -> None:
        app, codes = await switch_on(client, mine)
        other = Totp(bytes(32))
        async with platform_tx(process.platform_pool) as conn:
            user_id = await conn.fetchval("SELECT id FROM merchant_user WHERE mail = $1", acme.mail)
            assert not await other.accepts(conn, user_id, codes[0])
            with pytest.raises(Exception, match=r"^$"):
                await other.accepts(conn, user_id, app.code())
