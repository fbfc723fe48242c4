"""Who works where, when two ask at once: the last owner stays, and no bound is passed."""

import asyncio

import pytest

from api.process import Process
from checkout_core.errors import Conflict, Forbidden
from tenants import invitations, memberships, roles
from tenants.db import tenant_tx
from tenants.memberships import LastOwner
from tenants.permissions import PERMISSIONS
from tenants.roles import Ref
from tests.shop import Store

MANY = 8


async def race(store: Store, process: Process) -> int:
    """Two owners remove or demote each other at once. How many owners are left."""
    first, second = await store.owner(), await store.employ("owner")
    read = asyncio.Barrier(2)

    async def against(victim: str, *, demote: bool) -> None:
        person = {first.id: first, second.id: second}[victim]
        async with tenant_tx(process.app_pool, store.tenant_id) as tx:
            await read.wait()  # both have begun
            if demote:
                await memberships.change(tx, person.user_id, Ref("support"), actor="test", own=PERMISSIONS)
            else:
                await memberships.remove(tx, person.user_id, actor="test", own=PERMISSIONS)
            await asyncio.sleep(0.02)  # and none ends before the other has looked

    results = await asyncio.gather(against(first.id, demote=True), against(second.id, demote=False), return_exceptions=True)
    assert [result for result in results if result is not None and not isinstance(result, LastOwner)] == []
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        sql = "SELECT count(*) FROM membership WHERE tenant_id = $1 AND role = 'owner'"
        left: int = await tx.conn.fetchval(sql, store.tenant_id)
    return left


class TestTheLastOwner:
    async def test_is_not_lost_between_two(self, acme: Store, process: Process) -> None:
        assert await race(acme, process) == 1

    async def test_would_be_without_the_lock(self, acme: Store, process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memberships, "_LOCK", "")
        assert await race(acme, process) == 0

    async def test_of_many_at_once_one_is_left(self, acme: Store, process: Process) -> None:
        people = [await acme.owner(), *[await acme.employ("owner") for _ in range(MANY)]]

        async def remove(user_id: object) -> None:
            async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
                await memberships.remove(tx, user_id, actor="test", own=PERMISSIONS)  # type: ignore[arg-type]

        results = await asyncio.gather(*(remove(person.user_id) for person in people), return_exceptions=True)
        assert [type(result) for result in results if result is not None] == [LastOwner]


@pytest.mark.parametrize("of", ["roles", "invitations"])
async def test_two_at_once_are_not_one_too_many(acme: Store, process: Process, monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    monkeypatch.setattr(roles, "CUSTOM_MAX", 1)
    monkeypatch.setattr(invitations, "OPEN_MAX", 1)
    begun = asyncio.Barrier(2)

    async def add(number: int) -> None:
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            await begun.wait()
            if of == "roles":
                await roles.create(tx, name=f"r{number}", permits=frozenset({"orders:read"}), actor="test", own=PERMISSIONS)
            else:
                mail = f"{number}@example.org"
                await invitations.create(tx, mail=mail, role=Ref("support"), locale="en", actor="test", sender=None, own=PERMISSIONS)
            await asyncio.sleep(0.02)  # none ends before the other has counted

    results = await asyncio.gather(*(add(number) for number in range(2)), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [Conflict]


async def test_who_left_may_nothing(acme: Store, process: Process) -> None:
    person = await acme.employ("manager")
    async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
        assert await memberships.scopes(tx, person.user_id) == PERMISSIONS - {"qualifications:write"}
        with pytest.raises(Forbidden):
            await memberships.remove(tx, person.user_id, actor="test", own=frozenset({"staff:write"}))
        await memberships.remove(tx, person.user_id, actor="test", own=PERMISSIONS)
        assert await memberships.scopes(tx, person.user_id) == frozenset()
