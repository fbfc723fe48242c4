"""Platform staff: enrolling, signing in with two factors, sessions that end by themselves, and the wall between them and merchants."""

import asyncio
import time
from uuid import uuid4

import httpx
import pyotp
import pytest

from api import auth
from api.process import Process
from checkout_core.ids import decode
from tenants.db import platform_tx
from tenants.platform import sessions, staff
from tenants.platform.sessions import Staff
from tenants.secret_tokens import hash_of
from tests.platform import PASSWORD, Enrolled, enrolled, signed_in
from tests.shop import Store


@pytest.fixture
async def ann(client: httpx.AsyncClient, process: Process) -> Enrolled:
    return await enrolled(client, process)


async def sign_in(client: httpx.AsyncClient, who: Enrolled, code: str | None = None, **changes: str) -> httpx.Response:
    body = {"mail": who.mail, "password": PASSWORD, "totp": code or who.authenticator.now()} | changes
    return await client.post("/v1/platform/sessions", json=body)


def wrong(who: Enrolled) -> str:
    """A code that is neither of now nor of the steps beside it."""
    near = {who.authenticator.generate_otp(int(time.time() // 30) + drift) for drift in (-2, -1, 0, 1, 2)}
    return next(code for code in (f"{n:06}" for n in range(6)) if code not in near)


class TestEnrolment:
    async def test_an_unknown_one(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/v1/platform/enrolments", json={"enrolment": "pe_x", "password": PASSWORD})
        assert (response.status_code, response.json()["code"]) == (401, "enrolment_over")

    async def test_the_first_sign_in_spends_it(self, client: httpx.AsyncClient, process: Process) -> None:
        async with platform_tx(process.platform_pool) as conn:
            made = await staff.add(conn, mail=f"{uuid4().hex}@tessera.test", role="support", actor=staff.COMMAND)
        new = {"enrolment": made.secret, "password": PASSWORD}
        first = await client.post("/v1/platform/enrolments", json=new)
        second = await client.post("/v1/platform/enrolments", json=new)  # the first answer was lost, say
        assert (first.status_code, second.status_code) == (201, 201)
        lost, kept = (pyotp.TOTP(each.json()["totp_secret"]) for each in (first, second))
        assert second.json()["totp_uri"].startswith("otpauth://totp/Tessera%20platform:")
        who = Enrolled(first.json()["mail"], kept)
        assert (await sign_in(client, who._replace(authenticator=lost))).status_code == 401
        assert (await sign_in(client, who)).status_code == 201
        assert (await client.post("/v1/platform/enrolments", json=new)).status_code == 401

    async def test_ends_after_an_hour(self, client: httpx.AsyncClient, process: Process) -> None:
        async with platform_tx(process.platform_pool) as conn:
            made = await staff.add(conn, mail=f"{uuid4().hex}@tessera.test", role="support", actor=staff.COMMAND)
            await conn.execute("UPDATE platform_staff SET enrolment_ends = now() WHERE id = $1", made.staff_id)
        response = await client.post("/v1/platform/enrolments", json={"enrolment": made.secret, "password": PASSWORD})
        assert response.status_code == 401

    async def test_a_short_password(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/v1/platform/enrolments", json={"enrolment": "pe_x", "password": "short"})
        assert response.status_code == 400

    async def test_the_second_factor_lies_sealed(self, process: Process, ann: Enrolled) -> None:
        async with platform_tx(process.platform_pool) as conn:
            row = await conn.fetchrow("SELECT id, totp_secret, password_hash FROM platform_staff WHERE mail = $1", ann.mail)
        assert ann.authenticator.secret.encode() not in row["totp_secret"]
        assert process.staff_seals.open_(row["id"], row["totp_secret"]) == ann.authenticator.secret
        assert row["password_hash"].startswith("$argon2id$")


class TestSignIn:
    async def test_all_three_or_nothing(self, client: httpx.AsyncClient, ann: Enrolled) -> None:
        refused = [
            await sign_in(client, ann, mail="nobody@tessera.test"), await sign_in(client, ann, password="x" * 12),
            await sign_in(client, ann, wrong(ann)),
        ]  # fmt: skip
        assert {each.status_code for each in refused} == {401}
        assert len({each.text for each in refused}) == 1, "nobody learns which of the three was wrong"
        assert (await sign_in(client, ann)).status_code == 201

    async def test_before_enrolling(self, client: httpx.AsyncClient, process: Process) -> None:
        mail = f"{uuid4().hex}@tessera.test"
        async with platform_tx(process.platform_pool) as conn:
            await staff.add(conn, mail=mail, role="admin", actor=staff.COMMAND)
        assert (await sign_in(client, Enrolled(mail, pyotp.TOTP(pyotp.random_base32())))).status_code == 401

    async def test_a_code_is_taken_once(self, client: httpx.AsyncClient, ann: Enrolled) -> None:
        code = ann.authenticator.now()
        answers = await asyncio.gather(*(sign_in(client, ann, code) for _ in range(3)))
        assert sorted(each.status_code for each in answers) == [201, 401, 401]

    async def test_without_the_memory_of_codes_it_would_be_taken_again(
        self, client: httpx.AsyncClient, ann: Enrolled, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The twin: what refuses the second one is the step that is kept."""
        step_of = sessions.step_of
        monkeypatch.setattr(sessions, "step_of", lambda secret, code, after_step: step_of(secret, code, 0))
        code = ann.authenticator.now()
        assert [(await sign_in(client, ann, code)).status_code for _ in range(2)] == [201, 201]

    async def test_five_wrong_codes_lock_the_right_one_out(self, client: httpx.AsyncClient, process: Process, ann: Enrolled) -> None:
        for _ in range(sessions.TOTP_FAILURES_MAX):
            assert (await sign_in(client, ann, wrong(ann))).status_code == 401
        assert (await sign_in(client, ann)).status_code == 401
        async with platform_tx(process.platform_pool) as conn:
            await conn.execute("UPDATE platform_staff SET locked_until = now() WHERE mail = $1", ann.mail)
        assert (await sign_in(client, ann)).status_code == 201

    async def test_four_do_not(self, client: httpx.AsyncClient, ann: Enrolled) -> None:
        for _ in range(sessions.TOTP_FAILURES_MAX - 1):
            assert (await sign_in(client, ann, wrong(ann))).status_code == 401
        assert (await sign_in(client, ann)).status_code == 201

    async def test_wrong_passwords_lock_nobody_out(self, client: httpx.AsyncClient, ann: Enrolled) -> None:
        """Or anybody who knows a mail could."""
        for _ in range(sessions.TOTP_FAILURES_MAX + 1):
            assert (await sign_in(client, ann, password="x" * 12)).status_code == 401
        assert (await sign_in(client, ann)).status_code == 201


class TestSession:
    @pytest.mark.parametrize(
        ("seen", "expires", "status"),
        [("29 min", "1 h", 200), ("31 min", "1 h", 401), ("0 min", "0 h", 401)],
        ids=["used", "left alone", "eight hours old"],
    )
    async def test_ends_by_itself(self, client: httpx.AsyncClient, process: Process, seen: str, expires: str, status: int) -> None:
        headers = await signed_in(process)
        async with platform_tx(process.platform_pool) as conn:
            sql = f"""UPDATE platform_session SET seen_at = now() - interval '{seen}', expires_at = now() + interval '{expires}'
                      WHERE token_hash = $1"""
            await conn.execute(sql, hash_of(headers["Authorization"][7:]))
        assert (await client.get("/v1/platform/staff", headers=headers)).status_code == status
        if status == 200:  # and was used just now
            async with platform_tx(process.platform_pool) as conn:
                sql = "SELECT now() - seen_at < interval '1 min' FROM platform_session WHERE token_hash = $1"
                assert await conn.fetchval(sql, hash_of(headers["Authorization"][7:]))

    async def test_lasts_eight_hours_at_most(self, client: httpx.AsyncClient, process: Process, ann: Enrolled) -> None:
        token = (await sign_in(client, ann)).json()["token"]
        assert token.startswith("ps_")
        async with platform_tx(process.platform_pool) as conn:
            sql = "SELECT expires_at - now() BETWEEN '7:59' AND '8:00' FROM platform_session WHERE token_hash = $1"
            assert await conn.fetchval(sql, hash_of(token))

    async def test_signing_out_ends_it_at_once(self, client: httpx.AsyncClient, process: Process) -> None:
        headers = await signed_in(process, "support")
        assert (await client.delete("/v1/platform/sessions/current", headers=headers)).status_code == 204
        assert (await client.get("/v1/platform/merchants", headers=headers)).status_code == 401

    async def test_is_not_kept_as_it_is(self, client: httpx.AsyncClient, process: Process, ann: Enrolled) -> None:
        token = (await sign_in(client, ann)).json()["token"]
        async with platform_tx(process.platform_pool) as conn:
            assert await conn.fetchval("SELECT count(*) FROM platform_session WHERE token_hash = $1", token.encode()) == 0


class TestTheWall:
    """Nothing of a merchant is good on the platform's routes, nor the other way round."""

    async def tokens(self, store: Store) -> list[str]:
        session = await store.ask("POST", "/v1/sessions", {}, {"mail": store.mail, "password": store.password})
        return [store.key, session["token"], (await store.guest())["Authorization"][7:]]

    async def test_a_merchants_token_is_nobody_at_the_platform(self, client: httpx.AsyncClient, acme: Store) -> None:
        for token in await self.tokens(acme):
            for prefix in ("", "ps_"):
                headers = {"Authorization": f"Bearer {prefix}{token}"}
                assert (await client.get("/v1/platform/merchants", headers=headers)).status_code == 401
        cookies = {"Cookie": f"tessera_session={(await self.tokens(acme))[1]}"}
        assert (await client.get("/v1/platform/merchants", headers=cookies)).status_code == 401

    async def test_a_staff_session_is_no_merchant_and_no_shopper(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        headers = await signed_in(process)
        assert (await client.get("/v1/platform/merchants", headers=headers)).status_code == 200
        for path in ("/v1/products", "/v1/orders", "/v1/qualifications", f"/v1/orders/ord_{'0' * 32}"):
            assert (await client.get(path, headers=headers | acme.at)).status_code == 401
        token = headers["Authorization"][7:]
        for other in ("se_", "sk_", "st_"):
            disguised = {"Authorization": f"Bearer {other}{token[3:]}"}
            assert (await client.get("/v1/products", headers=disguised | acme.at)).status_code == 401
        for cookie in ("session", "shopper"):
            assert (await client.get("/v1/products", headers={"Cookie": f"tessera_{cookie}={token}"})).status_code == 401
        assert (await client.get("/v1/platform/merchants", headers={"Cookie": f"tessera_session={token}"})).status_code == 401

    async def test_the_same_mail_and_password_are_two_people(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        async with platform_tx(process.platform_pool) as conn:
            made = await staff.add(conn, mail=acme.mail, role="admin", actor=staff.COMMAND)
        new = {"enrolment": made.secret, "password": acme.password}
        authenticator = pyotp.TOTP((await client.post("/v1/platform/enrolments", json=new)).json()["totp_secret"])
        theirs = await sign_in(client, Enrolled(acme.mail, authenticator), password=acme.password)
        ours = await client.post("/v1/sessions", json={"mail": acme.mail, "password": acme.password})
        assert (theirs.status_code, ours.status_code) == (201, 201)
        assert (await client.get("/v1/products", headers={"Authorization": f"Bearer {theirs.json()['token']}"})).status_code == 401
        headers = {"Authorization": f"Bearer {ours.json()['token']}"}
        assert (await client.get("/v1/platform/merchants", headers=headers)).status_code == 401

    async def test_with_one_door_for_both_it_would_not_hold(
        self, client: httpx.AsyncClient, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The twin: were whoever signs in anywhere taken for staff, the test above would see it."""
        admin = (await signed_in(process))["Authorization"][7:]
        somebody = await sessions.staff_of(process.platform_pool, admin)
        merchant_of = process.callers.merchant

        async def either(_: object, token: str) -> Staff | None:
            return somebody if await merchant_of(token.removeprefix("ps_")) else None

        monkeypatch.setattr(auth.sessions, "staff_of", either)
        with pytest.raises(AssertionError):
            await self.test_a_merchants_token_is_nobody_at_the_platform(client, acme)


class TestStaff:
    async def test_only_an_admin_adds_and_removes(self, client: httpx.AsyncClient, process: Process) -> None:
        new = {"mail": f"{uuid4().hex}@tessera.test", "role": "reviewer"}
        for role in ("reviewer", "support"):
            headers = await signed_in(process, role)
            assert (await client.post("/v1/platform/staff", json=new, headers=headers)).status_code == 403
            assert (await client.get("/v1/platform/staff", headers=headers)).status_code == 403
        admin = await signed_in(process)
        made = await client.post("/v1/platform/staff", json=new, headers=admin)
        assert made.status_code == 201
        assert made.json()["enrolment"].startswith("pe_")
        again = await client.post("/v1/platform/staff", json=new | {"mail": new["mail"].upper()}, headers=admin)
        assert (again.status_code, again.json()["code"]) == (409, "staff_exists")
        listed = (await client.get("/v1/platform/staff", headers=admin)).json()["staff"]
        assert (new["mail"], "reviewer", None) in [(each["mail"], each["role"], each["enrolled_at"]) for each in listed]

    async def test_who_is_removed_is_out_at_once_and_his_mail_is_free(self, client: httpx.AsyncClient, process: Process) -> None:
        admin, other = await signed_in(process), await signed_in(process, "support")
        staff_id = (await sessions.staff_of(process.platform_pool, other["Authorization"][7:])).id  # type: ignore[union-attr]
        mail = next(each["mail"] for each in (await client.get("/v1/platform/staff", headers=admin)).json()["staff"]
                    if decode("pst", each["id"]) == staff_id)  # fmt: skip
        assert (await client.delete(f"/v1/platform/staff/pst_{staff_id.hex}", headers=admin)).status_code == 204
        assert (await client.get("/v1/platform/merchants", headers=other)).status_code == 401
        assert (await client.delete(f"/v1/platform/staff/pst_{staff_id.hex}", headers=admin)).status_code == 404
        assert (await client.post("/v1/platform/staff", json={"mail": mail, "role": "support"}, headers=admin)).status_code == 201

    async def test_the_last_admin_stays(self, process: Process) -> None:
        """In a transaction that is undone: others of this database are admins too."""
        async with process.platform_pool.acquire() as conn:
            undone = conn.transaction()
            await undone.start()
            await conn.execute("UPDATE platform_staff SET removed_at = now() WHERE removed_at IS NULL")
            made = await staff.add(conn, mail=f"{uuid4().hex}@tessera.test", role="admin", actor=staff.COMMAND)
            await conn.execute("UPDATE platform_staff SET enrolled_at = now() WHERE id = $1", made.staff_id)
            with pytest.raises(staff.Conflict) as refused:
                await staff.remove(conn, made.staff_id, actor=staff.COMMAND)
            await undone.rollback()
        assert refused.value.code == "last_admin"

    async def test_renewing_ends_what_he_signed_in_with(self, client: httpx.AsyncClient, process: Process, ann: Enrolled) -> None:
        token = (await sign_in(client, ann)).json()["token"]
        async with platform_tx(process.platform_pool) as conn:
            made = await staff.renew(conn, mail=ann.mail, actor=staff.COMMAND)
        assert (await client.get("/v1/platform/staff", headers={"Authorization": f"Bearer {token}"})).status_code == 401
        assert (await sign_in(client, ann, ann.authenticator.at(0))).status_code == 401
        new = {"enrolment": made.secret, "password": PASSWORD}
        assert (await client.post("/v1/platform/enrolments", json=new)).status_code == 201


class TestRecords:
    async def test_each_act_once(self, client: httpx.AsyncClient, process: Process, ann: Enrolled) -> None:
        token = (await sign_in(client, ann)).json()["token"]
        await sign_in(client, ann, wrong(ann))
        await client.delete("/v1/platform/sessions/current", headers={"Authorization": f"Bearer {token}"})
        async with platform_tx(process.platform_pool) as conn:
            staff_id = await conn.fetchval("SELECT id FROM platform_staff WHERE mail = $1", ann.mail)
            sql = "SELECT action FROM platform_audit WHERE subject = $1 ORDER BY id"
            found = [row["action"] for row in await conn.fetch(sql, f"pst_{staff_id.hex}")]
        assert found == [
            "platform_staff.added", "platform_staff.enrolled", "platform_session.begun", "platform_session.refused",
            "platform_session.ended",
        ]  # fmt: skip

    async def test_nothing_is_changed_or_removed_there(self, process: Process) -> None:
        async with process.platform_pool.acquire() as conn:
            for right in ("UPDATE", "DELETE", "TRUNCATE"):
                assert not await conn.fetchval("SELECT has_table_privilege('tessera_platform', 'platform_audit', $1)", right)
