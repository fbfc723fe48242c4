"""HTTP for roles. Each handler is one call into `tenants.roles`."""

import datetime as dt
from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from checkout_core.ids import decode, encode
from tenants import memberships, roles
from tenants.db import TenantTx
from tenants.permissions import PERMISSIONS, known

# What a body names a role by.
RoleRef = Annotated[
    str, Meta(min_length=1, max_length=36, description="A built-in role by its name, or one of your own by its id `rol_…`.")
]


class NewRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
    permissions: Annotated[list[str], Meta(min_length=1, max_length=len(PERMISSIONS))]


class Role(Struct, frozen=True):
    """`created_at` is null for a role that is built in."""

    id: str
    name: str
    built_in: bool
    permissions: list[str]
    created_at: dt.datetime | None

    @classmethod
    def of(cls, role: roles.Role) -> "Role":
        return cls(encode("rol", role.id), role.name, False, sorted(role.permissions), role.created_at)


class Roles(Struct, frozen=True):
    roles: list[Role]


BUILT_IN = [Role(name, name, True, sorted(permissions), None) for name, permissions in roles.BUILT_IN.items()]


class RoleController(Controller):
    path = "/roles"
    tags = ("Staff",)

    @get("/", guards=[needs("staff:read")], operation_id="listRoles", summary="List the roles: those built in, then your own by name")
    async def list(self, tx: NamedDependency[TenantTx]) -> Roles:
        return Roles([*BUILT_IN, *(Role.of(role) for role in await roles.custom(tx))])

    @post("/", guards=[needs("staff:write")], operation_id="createRole", summary="Make a role of permissions you have")
    async def create(self, data: JSONBody[NewRole], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> Role:
        async def create() -> Role:
            permits, own = known(data.permissions), await memberships.still(once.tx, merchant.user_id, merchant.scopes)
            return Role.of(await roles.create(once.tx, name=data.name, permits=permits, actor=merchant.actor, own=own))

        return await once(create())

    @put(
        "/{role_id:str}", guards=[needs("staff:write")], operation_id="changeRole", summary="Change a role of your own, within two seconds"
    )
    async def change(
        self, role_id: FromPath[str], data: JSONBody[NewRole], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> Role:
        permits, own = known(data.permissions), await memberships.still(tx, merchant.user_id, merchant.scopes)
        changed = await roles.change(tx, decode("rol", role_id), name=data.name, permits=permits, actor=merchant.actor, own=own)
        return Role.of(changed)

    @delete(
        "/{role_id:str}",
        guards=[needs("staff:write")],
        while_suspended=True,
        operation_id="deleteRole",
        summary="Delete a role that nobody has",
        problems=[409],
    )
    async def delete(self, role_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await roles.delete(tx, decode("rol", role_id), actor=merchant.actor)
