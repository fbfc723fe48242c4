"""Roles: those built in, and a merchant's own."""

from collections import Counter

import httpx
import pytest

from tenants import roles
from tests.shop import Store

NEW = {"name": "Night shift", "permissions": ["orders:read", "orders:write"]}


async def new_role(store: Store, *permissions: str, name: str = "Night shift") -> str:
    return str((await store.ask("POST", "/v1/roles", store.merchant, {"name": name, "permissions": list(permissions)}))["id"])


class TestList:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/roles")).status_code == 401

    async def test_another_tenant_sees_the_built_in_ones_only(self, acme: Store, globex: Store) -> None:
        mine = await new_role(acme, "orders:read")
        ours, theirs = [(await store.ask("GET", "/v1/roles", store.merchant))["roles"] for store in (acme, globex)]
        assert [role["id"] for role in theirs] == list(roles.BUILT_IN)
        assert [role["id"] for role in ours] == [*roles.BUILT_IN, mine]
        assert all(set(role["permissions"]) == roles.BUILT_IN[role["id"]] for role in theirs)


class TestCreate:
    async def test_gives_what_it_says_and_nothing_else(self, client: httpx.AsyncClient, acme: Store) -> None:
        session = await acme.staff(await new_role(acme, "catalog:read"))
        assert (await client.get("/v1/products", headers=session)).status_code == 200
        refused = await client.post("/v1/products", json={"name": "x"}, headers=session)
        assert (refused.status_code, refused.json()["permission"]) == (403, "catalog:write")

    async def test_nobody_gives_what_he_has_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        manager = await acme.staff("manager")
        asked = {"name": "x", "permissions": ["orders:read", "qualifications:write"]}
        refused = await client.post("/v1/roles", json=asked, headers=manager)
        assert (refused.status_code, refused.json()["permission"]) == (403, "qualifications:write")

    @pytest.mark.parametrize("name", ["Night shift", "owner", "Read-Only"])
    async def test_a_name_is_one_roles(self, client: httpx.AsyncClient, acme: Store, globex: Store, name: str) -> None:
        await new_role(acme, "orders:read")
        answer = await client.post("/v1/roles", json=NEW | {"name": name}, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (409, "role_taken")
        if name == "Night shift":
            await new_role(globex, "orders:read")

    @pytest.mark.parametrize(
        ("wrong", "status"),
        [({"permissions": []}, 400), ({"permissions": ["root"]}, 422), ({"name": " "}, 400), ({"name": "x" * 81}, 400), ({"x": 1}, 400)],
    )
    async def test_bad_payload(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, object], status: int) -> None:
        assert (await client.post("/v1/roles", json=NEW | wrong, headers=acme.merchant)).status_code == status

    async def test_there_are_so_many(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(roles, "CUSTOM_MAX", 1)
        await new_role(acme, "orders:read")
        answer = await client.post("/v1/roles", json=NEW | {"name": "another"}, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_roles")


class TestChange:
    async def test_by_who_just_lost_his_place(self, client: httpx.AsyncClient, acme: Store) -> None:
        role = await new_role(acme, "orders:read")
        former = await acme.employ("owner")
        session = await acme.session(former)
        assert (await client.get("/v1/roles", headers=session)).status_code == 200
        await acme.ask("PATCH", f"/v1/staff/{former.id}", acme.merchant, {"role": "support"})
        wider = {"name": "Night shift", "permissions": ["orders:read", "codes:reveal"]}
        answer = await client.put(f"/v1/roles/{role}", json=wider, headers=session)
        assert (answer.status_code, answer.json().get("permission")) == (403, "codes:reveal")

    async def test_everybody_who_has_it_may_that_much(self, client: httpx.AsyncClient, acme: Store) -> None:
        role = await new_role(acme, "catalog:read")
        session = await acme.staff(role)
        assert (await client.get("/v1/products", headers=session)).status_code == 200
        await acme.ask("PUT", f"/v1/roles/{role}", acme.merchant, {"name": "Others", "permissions": ["orders:read"]})
        acme.asked_anew(session)
        assert (await client.get("/v1/products", headers=session)).status_code == 403
        assert (await client.get("/v1/orders", headers=session)).status_code == 200

    @pytest.mark.parametrize("permissions", [["orders:read"], ["qualifications:write"]])
    async def test_neither_up_nor_down_beyond_ones_own(self, client: httpx.AsyncClient, acme: Store, permissions: list[str]) -> None:
        """A manager may not touch a role that permits more than he may, be it to narrow it."""
        role = await new_role(acme, "qualifications:write") if permissions == ["orders:read"] else await new_role(acme, "orders:read")
        manager = await acme.staff("manager")
        refused = await client.put(f"/v1/roles/{role}", json={"name": "x", "permissions": permissions}, headers=manager)
        assert (refused.status_code, refused.json()["permission"]) == (403, "qualifications:write")

    async def test_a_built_in_role_stays_as_it_is(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.put("/v1/roles/support", json=NEW, headers=acme.merchant)).status_code == 404


class TestDelete:
    async def test_not_while_somebody_has_it_or_is_invited_to_it(self, client: httpx.AsyncClient, acme: Store) -> None:
        role = await new_role(acme, "orders:read")
        person = await acme.employ(role)
        refused = await client.delete(f"/v1/roles/{role}", headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (409, "role_in_use")
        await acme.ask("PATCH", f"/v1/staff/{person.id}", acme.merchant, {"role": "support"})
        invited = await acme.ask("POST", "/v1/invitations", acme.merchant, {"mail": "new@example.org", "role": role})
        assert (await client.delete(f"/v1/roles/{role}", headers=acme.merchant)).status_code == 409
        await acme.ask("DELETE", f"/v1/invitations/{invited['id']}", acme.merchant)
        assert (await client.delete(f"/v1/roles/{role}", headers=acme.merchant)).status_code == 204
        assert (await client.delete(f"/v1/roles/{role}", headers=acme.merchant)).status_code == 404


async def test_each_act_is_audited_once(acme: Store) -> None:
    before = Counter(await acme.audited())
    role = await new_role(acme, "orders:read")
    await acme.ask("PUT", f"/v1/roles/{role}", acme.merchant, NEW)
    await acme.ask("DELETE", f"/v1/roles/{role}", acme.merchant)
    assert Counter(await acme.audited()) - before == Counter({"role.created": 1, "role.changed": 1, "role.deleted": 1})
