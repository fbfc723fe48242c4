"""Invitations: from the mail that offers a role to the person who has it."""

import asyncio
import base64
import datetime as dt
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from checkout_core.ids import decode, encode
from tenants import invitations, mails
from tenants.db import platform_tx, tenant_tx
from tests.api.test_letters import press
from tests.mails import token
from tests.shop import PASSWORD, Person, Store


def new_mail() -> str:
    return f"{uuid4().hex[:12]}@example.org"


async def invited(store: Store, mail: str, role: str = "support", by: dict[str, str] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = await store.ask("POST", "/v1/invitations", by or store.merchant, {"mail": mail, "role": role})
    return made


async def mailed(store: Store, mail: str) -> list[str]:
    """The tokens in the mails to `mail` that wait to be handed over, in order."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = "SELECT content FROM mail WHERE tenant_id = $1 AND recipient = $2 AND template = 'invitation' ORDER BY id"
        return [msgspec.json.decode(row["content"])["token"] for row in await tx.conn.fetch(sql, tx.tenant_id, mail)]


async def accept(client: httpx.AsyncClient, token: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/v1/invitations/accept", json={"token": token, "password": password})


async def later(store: Store, invitation_id: str, by: dt.timedelta) -> None:
    """As if so much time had passed since it was sent."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """UPDATE invitation SET sent_at = sent_at - $3::interval, expires_at = expires_at - $3::interval
                 WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tx.tenant_id, decode("inv", invitation_id), by)


class TestInvite:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/invitations", json={"mail": new_mail(), "role": "support"})).status_code == 401

    async def test_rings_for_the_mail_once_it_is_committed(
        self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever is rung for finds the mail, as another transaction sees it; nothing rings for what was refused or is answered again."""
        rung: list[tuple[str, UUID]] = []
        monkeypatch.setattr(acme.process.bell, "ring", lambda table, _, row_id: rung.append((table, row_id)))
        mail, body = new_mail(), {"role": "support"}
        headers = acme.merchant | {"Idempotency-Key": "k"}
        made = await client.post("/v1/invitations", json=body | {"mail": mail}, headers=headers)
        assert (await client.post("/v1/invitations", json=body | {"mail": mail}, headers=headers)).json() == made.json()
        assert (await client.post("/v1/invitations", json=body | {"mail": mail}, headers=acme.merchant)).status_code == 409
        await later(acme, made.json()["id"], dt.timedelta(minutes=2))
        assert (await client.post(f"/v1/invitations/{made.json()['id']}/resend", headers=acme.merchant)).status_code == 200
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            owed = await tx.conn.fetch("SELECT id FROM mail WHERE tenant_id = $1 AND recipient = $2 ORDER BY id", acme.tenant_id, mail)
        assert rung == [("mail", row["id"]) for row in owed]
        assert len(rung) == 2

    async def test_is_rung_for_after_the_commit_and_not_before(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """The very moment it rings, the row is there for everybody."""
        found: list[asyncio.Task[object]] = []

        async def look(tenant_id: UUID, row_id: UUID) -> object:
            async with tenant_tx(acme.process.app_pool, tenant_id) as tx:
                return await tx.conn.fetchval("SELECT 1 FROM mail WHERE tenant_id = $1 AND id = $2", tenant_id, row_id)

        def ring(_: str, tenant_id: UUID, row_id: UUID) -> None:
            found.append(asyncio.create_task(look(tenant_id, row_id)))

        monkeypatch.setattr(acme.process.bell, "ring", ring)
        await invited(acme, new_mail())
        assert await asyncio.gather(*found) == [1]

    async def test_the_answer_tells_nothing_of_the_mail(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        """Owner elsewhere, staff of ours with an account, nobody at all: all read the same, but for what was said and when."""
        colleague = await acme.employ("support")
        answers = [await invited(acme, mail) for mail in (globex.mail, colleague.mail, new_mail())]
        assert len({frozenset(answer) for answer in answers}) == 1
        assert {answer["role"] for answer in answers} == {"support"}
        listed = (await acme.ask("GET", "/v1/invitations", acme.merchant))["invitations"]
        assert listed == answers[::-1]

    async def test_only_the_mail_has_the_token(self, acme: Store) -> None:
        mail = new_mail()
        made = await invited(acme, mail)
        [token] = await mailed(acme, mail)
        assert token not in str(made)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            rows = [
                await tx.conn.fetch(f"SELECT t::text FROM {table} t WHERE tenant_id = $1", tx.tenant_id)
                for table in ("invitation", "audit")
            ]
        assert token not in str(rows)

    async def test_nobody_gives_what_he_has_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        manager = await acme.staff("manager")
        refused = await client.post("/v1/invitations", json={"mail": new_mail(), "role": "owner"}, headers=manager)
        assert (refused.status_code, refused.json()["permission"]) == (403, "qualifications:write")

    async def test_one_at_a_time_for_a_mail(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        mail = new_mail()
        made = await invited(acme, mail)
        await invited(globex, mail)
        again = await client.post("/v1/invitations", json={"mail": mail.upper(), "role": "support"}, headers=acme.merchant)
        assert (again.status_code, again.json()["code"]) == (409, "already_invited")
        await later(acme, made["id"], invitations.TTL)
        await invited(acme, mail)

    async def test_once_per_idempotency_key(self, client: httpx.AsyncClient, acme: Store) -> None:
        mail, headers = new_mail(), acme.merchant | {"Idempotency-Key": "once"}
        answers = [await client.post("/v1/invitations", json={"mail": mail, "role": "support"}, headers=headers) for _ in range(2)]
        assert answers[0].content == answers[1].content
        assert len(await mailed(acme, mail)) == 1

    async def test_so_many_may_be_open(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(invitations, "OPEN_MAX", 1)
        await invited(acme, new_mail())
        answer = await client.post("/v1/invitations", json={"mail": new_mail(), "role": "support"}, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_invitations")

    @pytest.mark.parametrize(
        ("wrong", "status"),
        [({"mail": "ann"}, 400), ({"mail": "ann@example.org\nBcc: x@example.org"}, 400), ({"role": "root"}, 404), ({"locale": "fr"}, 400)],
    )
    async def test_bad_payload(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, object], status: int) -> None:
        new = {"mail": new_mail(), "role": "support"} | wrong
        assert (await client.post("/v1/invitations", json=new, headers=acme.merchant)).status_code == status


class TestResend:
    async def test_another_tenants_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        made = await invited(acme, new_mail())
        foreign = await client.post(f"/v1/invitations/{made['id']}/resend", headers=globex.merchant)
        missing = await client.post(f"/v1/invitations/inv_{'0' * 32}/resend", headers=globex.merchant)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content

    async def test_a_new_token_ends_the_one_before(self, client: httpx.AsyncClient, acme: Store) -> None:
        mail = new_mail()
        made = await invited(acme, mail)
        just_now = await client.post(f"/v1/invitations/{made['id']}/resend", headers=acme.merchant)
        assert (just_now.status_code, just_now.json()["code"]) == (429, "sent_just_now")
        assert 0 < int(just_now.headers["retry-after"]) <= invitations.SEND_AGAIN_AFTER_S + 1
        await later(acme, made["id"], invitations.TTL)
        assert (await client.post(f"/v1/invitations/{made['id']}/resend", headers=acme.merchant)).status_code == 200
        old, new = await mailed(acme, mail)
        assert (await accept(client, old)).status_code == 404
        assert (await accept(client, new)).status_code == 200

    async def test_five_mails_and_no_more(self, client: httpx.AsyncClient, acme: Store) -> None:
        made, statuses = await invited(acme, new_mail()), []
        for _ in range(invitations.SENDS_MAX):
            await later(acme, made["id"], dt.timedelta(minutes=1))
            statuses.append((await client.post(f"/v1/invitations/{made['id']}/resend", headers=acme.merchant)).status_code)
        assert statuses == [200, 200, 200, 200, 422]


class TestAccept:
    async def test_somebody_new_chooses_a_password(self, client: httpx.AsyncClient, acme: Store) -> None:
        mail = new_mail()
        await invited(acme, mail.upper(), "operations")
        [token] = await mailed(acme, mail)
        answer = await accept(client, token)
        assert (answer.status_code, answer.json()["role"]) == (200, "operations")
        assert answer.json()["tenant_id"] == encode("ten", acme.tenant_id)
        session = await acme.session(Person(answer.json()["user_id"], mail, PASSWORD))
        assert (await client.get("/v1/products", headers=session)).status_code == 200
        assert (await acme.ask("GET", "/v1/invitations", acme.merchant)) == {"invitations": []}

    async def test_somebody_with_an_account_keeps_his_password(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await invited(acme, globex.mail)
        [token] = await mailed(acme, globex.mail)
        wrong = await accept(client, token, "not the password")
        assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
        assert (await accept(client, token, globex.password)).status_code == 200
        both = await client.post("/v1/sessions", json={"mail": globex.mail, "password": globex.password})
        assert {each["slug"] for each in both.json()["merchants"]} == {acme.slug, globex.slug}

    async def test_once(self, client: httpx.AsyncClient, acme: Store) -> None:
        mail = new_mail()
        await invited(acme, mail)
        [token] = await mailed(acme, mail)
        answers = await asyncio.gather(*(accept(client, token, f"{PASSWORD} {number % 2}") for number in range(4)))
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses[200] == 1
        assert statuses[403] + statuses[404] == 3  # another password than the one that was chosen, or too late
        async with platform_tx(acme.process.platform_pool) as conn:
            assert await conn.fetchval("SELECT count(*) FROM merchant_user WHERE mail = $1", mail) == 1

    async def test_gone_is_gone_for_whatever_reason(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        """Unknown, no token at all, of another tenant, used, taken back, expired, by somebody who has left: one answer."""
        used, revoked, expired, orphaned = [new_mail() for _ in range(4)]
        sender = await acme.employ("manager")
        by = await acme.session(sender)
        made = {mail: await invited(acme, mail, by=by) for mail in (used, revoked, expired, orphaned)}
        tokens = {mail: (await mailed(acme, mail))[0] for mail in made}
        assert (await accept(client, tokens[used])).status_code == 200
        await acme.ask("DELETE", f"/v1/invitations/{made[revoked]['id']}", acme.merchant)
        await later(acme, made[expired]["id"], invitations.TTL)
        await acme.ask("DELETE", f"/v1/staff/{sender.id}", acme.merchant)
        raw = base64.urlsafe_b64decode(tokens[orphaned])
        foreign = base64.urlsafe_b64encode(globex.tenant_id.bytes + raw[16:]).decode()
        tried = [*tokens.values(), foreign, "A" * 64, "x", "é", "=" * 64, "A" * 63]
        answers = [await accept(client, token) for token in tried]
        assert [answer.status_code for answer in answers] == [404] * len(tried)
        assert len({answer.content for answer in answers}) == 1
        assert answers[0].json()["code"] == "invitation_gone"

    async def test_worth_what_its_sender_may_give_by_then(self, client: httpx.AsyncClient, acme: Store) -> None:
        sender, mail = await acme.employ("manager"), new_mail()
        made = await invited(acme, mail, "operations", by=await acme.session(sender))
        await acme.ask("PATCH", f"/v1/staff/{sender.id}", acme.merchant, {"role": "support"})
        [token] = await mailed(acme, mail)
        assert (await accept(client, token)).status_code == 404
        await later(acme, made["id"], dt.timedelta(minutes=1))
        await acme.ask("POST", f"/v1/invitations/{made['id']}/resend", acme.merchant)  # the owner vouches for it now
        assert (await accept(client, (await mailed(acme, mail))[-1])).status_code == 200

    async def test_staff_already(self, client: httpx.AsyncClient, acme: Store) -> None:
        """His role stays what it is: an owner cannot be demoted by an invitation he clicks."""
        await invited(acme, acme.mail)
        [token] = await mailed(acme, acme.mail)
        answer = await accept(client, token, acme.password)
        assert (answer.status_code, answer.json()["code"]) == (409, "already_staff")
        people = (await acme.ask("GET", "/v1/staff", acme.merchant))["staff"]
        assert [each["role"] for each in people] == ["owner"]


class TestPage:
    """Where the link of the mail leads."""

    async def test_a_look_does_nothing_and_the_button_joins(self, client: httpx.AsyncClient, acme: Store) -> None:
        mail = new_mail()
        await invited(acme, mail)
        path = f"/merchant/invitation?token={(await mailed(acme, mail))[0]}"
        assert (await client.get(path)).status_code == 200
        assert len((await acme.ask("GET", "/v1/staff", acme.merchant))["staff"]) == 1
        assert (await press(client, path, password="short")).status_code == 400
        assert (await press(client, path, password=PASSWORD)).status_code == 200
        people = (await acme.ask("GET", "/v1/staff", acme.merchant))["staff"]
        assert {each["mail"]: each["role"] for each in people} == {acme.mail: "owner", mail: "support"}
        assert (await press(client, path, password=PASSWORD)).status_code == 404

    async def test_another_password_than_his_own(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await invited(acme, globex.mail)
        path = f"/merchant/invitation?token={(await mailed(acme, globex.mail))[0]}"
        refused = await press(client, path, password="not the password")
        assert refused.status_code == 400
        assert 'role="alert"' in refused.text
        assert "not the password" not in refused.text
        assert (await press(client, path, password=globex.password)).status_code == 200


async def test_who_works_for_nobody_may_reset_his_password(client: httpx.AsyncClient, acme: Store) -> None:
    """He has no merchant of his own: what he does for himself is in the audit of the one he has worked for longest, or the platform's."""
    person = await acme.employ("support")
    for at in (acme.tenant_id, mails.PLATFORM):
        assert (await client.post("/v1/password-resets", json={"mail": person.mail})).status_code == 202
        async with tenant_tx(acme.process.app_pool, at) as tx:
            before = await tx.conn.fetchval("SELECT count(*) FROM audit WHERE tenant_id = $1 AND action = 'password.reset'", at)
        reset = {"token": await token(acme.process, person.mail), "password": PASSWORD}
        assert (await client.post("/v1/password-resets/confirm", json=reset)).status_code == 204
        async with tenant_tx(acme.process.app_pool, at) as tx:
            after = await tx.conn.fetchval("SELECT count(*) FROM audit WHERE tenant_id = $1 AND action = 'password.reset'", at)
        assert after == before + 1
        if at == acme.tenant_id:
            await acme.ask("DELETE", f"/v1/staff/{person.id}", acme.merchant)


async def test_each_act_is_audited_once(client: httpx.AsyncClient, acme: Store) -> None:
    before, mail = Counter(await acme.audited()), new_mail()
    made = await invited(acme, mail)
    await later(acme, made["id"], dt.timedelta(minutes=1))
    await acme.ask("POST", f"/v1/invitations/{made['id']}/resend", acme.merchant)
    assert (await accept(client, (await mailed(acme, mail))[-1])).status_code == 200
    await acme.ask("DELETE", f"/v1/invitations/{(await invited(acme, new_mail()))['id']}", acme.merchant)
    acts = Counter({"invitation.created": 2, "invitation.sent_again": 1, "invitation.accepted": 1, "invitation.revoked": 1})
    assert Counter(await acme.audited()) - before == acts
