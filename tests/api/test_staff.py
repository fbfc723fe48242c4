"""Staff: who works where, in which role, and until when."""

import asyncio
from collections import Counter

import httpx
import pyotp
import pytest

from api.callers import TTL_S
from api.process import Process
from checkout_core.ids import encode, new_id
from tenants.db import platform_tx
from tenants.memberships import SeveralMerchants
from tests.api.test_sessions import sign_in
from tests.shop import PASSWORD, Person, Store

FOREIGN = "usr_" + "0" * 32


async def hired(store: Store, person: Person, role: str) -> dict[str, str]:
    """The person's session, made after he was hired in this role."""
    await store.employ(role, person)
    return await store.session(person)


class TestList:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/staff")).status_code == 401

    async def test_of_this_merchant_and_in_pages(self, acme: Store, globex: Store) -> None:
        people = [await acme.employ(role) for role in ("manager", "support")]
        await globex.employ("support", people[1])
        seen: dict[str, str] = {}
        path: str | None = "/v1/staff?limit=2"
        while path:
            page = await acme.ask("GET", path, acme.merchant)
            seen |= {each["mail"]: each["role"] for each in page["staff"]}
            path = f"/v1/staff?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else None
        assert seen == {acme.mail: "owner", people[0].mail: "manager", people[1].mail: "support"}
        others = (await globex.ask("GET", "/v1/staff", globex.merchant))["staff"]
        assert {each["mail"] for each in others} == {globex.mail, people[1].mail}


class TestChange:
    async def test_another_tenants_person_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        person = await acme.employ("support")
        foreign = await client.patch(f"/v1/staff/{person.id}", json={"role": "finance"}, headers=globex.merchant)
        missing = await client.patch(f"/v1/staff/{FOREIGN}", json={"role": "finance"}, headers=globex.merchant)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content

    async def test_within_two_seconds(self, client: httpx.AsyncClient, acme: Store) -> None:
        person = await acme.employ("operations")
        session = await acme.session(person)
        assert (await client.post("/v1/products", json={"name": "x"}, headers=session)).status_code == 201
        await acme.ask("PATCH", f"/v1/staff/{person.id}", acme.merchant, {"role": "support"})
        await asyncio.sleep(TTL_S)
        assert (await client.post("/v1/products", json={"name": "x"}, headers=session)).status_code == 403
        assert (await client.get("/v1/products", headers=session)).status_code == 200

    async def test_nobody_gives_what_he_has_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        manager = await acme.employ("manager")
        session = await acme.session(manager)
        refused = await client.patch(f"/v1/staff/{manager.id}", json={"role": "owner"}, headers=session)
        assert (refused.status_code, refused.json()["permission"]) == (403, "qualifications:write")

    async def test_who_just_lost_his_place_gives_nothing_that_lasts(self, client: httpx.AsyncClient, acme: Store) -> None:
        """For two seconds a process remembers what he might. A friend who stays must not have it from him for ever."""
        former, friend, victim = await acme.employ("owner"), await acme.employ("support"), await acme.employ("support")
        session = await acme.session(former)
        assert (await client.get("/v1/staff", headers=session)).status_code == 200
        await acme.ask("DELETE", f"/v1/staff/{former.id}", acme.merchant)
        role = {"name": "x", "permissions": ["codes:reveal"]}
        asked = [
            await client.patch(f"/v1/staff/{friend.id}", json={"role": "owner"}, headers=session),
            await client.delete(f"/v1/staff/{victim.id}", headers=session),
            await client.post("/v1/roles", json=role, headers=session),
        ]
        assert [(answer.status_code, answer.json().get("code")) for answer in asked] == [(403, "missing_permission")] * 3

    async def test_nobody_takes_what_he_has_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        owner, manager = await acme.owner(), await acme.staff("manager")
        for answer in (
            await client.patch(f"/v1/staff/{owner.id}", json={"role": "support"}, headers=manager),
            await client.delete(f"/v1/staff/{owner.id}", headers=manager),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "missing_permission")

    @pytest.mark.parametrize(("role", "status"), [("root", 404), (f"rol_{'0' * 32}", 404), ("custom", 404), ("", 400), (1, 400)])
    async def test_bad_roles(self, client: httpx.AsyncClient, acme: Store, role: object, status: int) -> None:
        person = await acme.employ("support")
        assert (await client.patch(f"/v1/staff/{person.id}", json={"role": role}, headers=acme.merchant)).status_code == status

    async def test_the_last_owner_stays_one(self, client: httpx.AsyncClient, acme: Store) -> None:
        owner = await acme.owner()
        session = await acme.session(owner)
        for answer in (
            await client.patch(f"/v1/staff/{owner.id}", json={"role": "manager"}, headers=session),
            await client.delete(f"/v1/staff/{owner.id}", headers=session),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
        await acme.employ("owner")
        assert (await client.delete(f"/v1/staff/{owner.id}", headers=session)).status_code == 204


class TestRemove:
    async def test_another_tenants_person_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        person = await acme.employ("support")
        foreign = await client.delete(f"/v1/staff/{person.id}", headers=globex.merchant)
        missing = await client.delete(f"/v1/staff/{FOREIGN}", headers=globex.merchant)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content

    async def test_his_sessions_here_and_his_keys_end_within_two_seconds(
        self, client: httpx.AsyncClient, acme: Store, globex: Store
    ) -> None:
        person = await acme.employ("manager")
        here, there = await acme.session(person), await hired(globex, person, "support")
        made = await acme.ask("POST", "/v1/api-keys", here, {"name": "his", "scopes": ["catalog:read"]})
        key = {"Authorization": f"Bearer {made['key']}"}
        for headers in (here, there, key):
            assert (await client.get("/v1/products", headers=headers)).status_code == 200
        await acme.ask("DELETE", f"/v1/staff/{person.id}", acme.merchant)
        await asyncio.sleep(TTL_S)
        assert (await client.get("/v1/products", headers=here)).status_code == 401
        assert (await client.get("/v1/products", headers=key)).status_code == 403
        assert (await client.get("/v1/products", headers=there)).status_code == 200
        # Whoever has its permissions takes the key over, and it works again.
        await acme.ask("POST", f"/v1/api-keys/{made['id']}/rotate", acme.merchant, {"overlap_s": 60})
        acme.asked_anew(key)
        assert (await client.get("/v1/products", headers=key)).status_code == 200

    async def test_coming_back_revives_no_session(self, client: httpx.AsyncClient, acme: Store) -> None:
        person = await acme.employ("support")
        before = await acme.session(person)
        await acme.ask("DELETE", f"/v1/staff/{person.id}", acme.merchant)
        after = await hired(acme, person, "support")
        acme.asked_anew(before, after)
        assert (await client.get("/v1/products", headers=before)).status_code == 401
        assert (await client.get("/v1/products", headers=after)).status_code == 200


class TestSignIn:
    async def test_of_several_merchants_one_is_chosen(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        person = await acme.employ("support")
        who = {"mail": person.mail, "password": person.password}
        assert (await acme.ask("POST", "/v1/sessions", {}, who))["tenant_id"] == encode("ten", acme.tenant_id)
        await globex.employ("finance", person)
        answer = await client.post("/v1/sessions", json=who)
        assert (answer.status_code, answer.json()["code"]) == (409, "several_merchants")
        listed = {each["slug"]: each["tenant_id"] for each in answer.json()["merchants"]}
        assert listed == {store.slug: encode("ten", store.tenant_id) for store in (acme, globex)}
        made = await acme.ask("POST", "/v1/sessions", {}, who | {"tenant_id": listed[globex.slug]})
        assert made["tenant_id"] == listed[globex.slug]
        seen = await client.get("/v1/vault/imports", headers={"Authorization": f"Bearer {made['token']}"})
        assert seen.json()["permission"] == "vault:read", "what he may is what he may there"

    async def test_no_code_is_spent_on_being_asked_which(self, process: Process, acme: Store, globex: Store) -> None:
        person = await acme.employ("support")
        await globex.employ("support", person)
        async with platform_tx(process.platform_pool) as conn:
            enrolment = await process.totp.enrol(conn, person.user_id)
            codes = await process.totp.confirm(conn, person.user_id, pyotp.TOTP(enrolment.secret).now())
        assert codes is not None
        with pytest.raises(SeveralMerchants):
            await sign_in(process, person.mail, PASSWORD, code=codes[0])
        assert (await sign_in(process, person.mail, PASSWORD, code=codes[0], tenant_id=acme.tenant_id)).tenant_id == acme.tenant_id

    async def test_the_list_is_told_to_nobody_without_the_password(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        person = await acme.employ("support")
        await globex.employ("support", person)
        answer = await client.post("/v1/sessions", json={"mail": person.mail, "password": "not the password"})
        assert answer.status_code == 401
        assert acme.slug not in answer.text

    async def test_where_he_does_not_work_is_like_nowhere(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        person = await acme.employ("support")
        who = {"mail": person.mail, "password": person.password}
        foreign = await client.post("/v1/sessions", json=who | {"tenant_id": encode("ten", globex.tenant_id)})
        missing = await client.post("/v1/sessions", json=who | {"tenant_id": encode("ten", new_id())})
        assert (foreign.status_code, foreign.json()["code"]) == (403, "no_merchant")
        assert foreign.content == missing.content
        await acme.ask("DELETE", f"/v1/staff/{person.id}", acme.merchant)
        assert (await client.post("/v1/sessions", json=who)).json()["code"] == "no_merchant"

    async def test_who_signed_up_at_a_process_of_the_release_before(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        """It wrote no membership: signing in here makes him the owner of what he opened, and brings back nobody who was removed."""
        person, tenant_id = await Person.new(process), new_id()
        async with platform_tx(process.platform_pool) as conn:
            await conn.execute("INSERT INTO tenant (id, slug) VALUES ($1, $2)", tenant_id, f"s-{tenant_id.hex[-12:]}")
            sql = """INSERT INTO merchant_user (id, tenant_id, mail, password_hash, scopes)
                     SELECT $1, $2, $3, password_hash, $4 FROM merchant_user WHERE id = $5"""
            await conn.execute(sql, new_id(), tenant_id, f"old{person.mail}", ["orders:read"], person.user_id)
        who = {"mail": f"old{person.mail}", "password": person.password}
        assert (await acme.ask("POST", "/v1/sessions", {}, who))["tenant_id"] == encode("ten", tenant_id)
        founder = await acme.owner()
        await acme.employ("owner")
        await acme.ask("DELETE", f"/v1/staff/{founder.id}", acme.merchant)
        answer = await client.post("/v1/sessions", json={"mail": founder.mail, "password": founder.password})
        assert answer.json()["code"] == "no_merchant"


async def test_each_act_is_audited_once(acme: Store) -> None:
    person = await acme.employ("support")
    before = Counter(await acme.audited())
    for role in ("finance", "finance"):  # the second changes nothing
        await acme.ask("PATCH", f"/v1/staff/{person.id}", acme.merchant, {"role": role})
    await acme.ask("DELETE", f"/v1/staff/{person.id}", acme.merchant)
    assert Counter(await acme.audited()) - before == Counter({"staff.role_changed": 1, "staff.removed": 1})
