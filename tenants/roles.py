"""Roles: sets of permissions with a name. Six are built in, the same for all merchants (docs/staff.md); others a merchant makes himself."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import decode, encode, new_id
from tenants.db import TenantTx
from tenants.permissions import PERMISSIONS, check_within

OWNER = "owner"
CUSTOM = "custom"  # what a row says whose role is one of the merchant's own
CUSTOM_MAX = 50  # of one merchant

_SELLING = {"catalog:read", "prices:read", "coupons:read", "points:read", "sales:read", "orders:read", "store:read"}
BUILT_IN: dict[str, frozenset[str]] = {
    OWNER: PERMISSIONS,
    # All of the business but its legal standing; so a manager can neither make an owner nor remove one.
    "manager": PERMISSIONS - {"qualifications:write"},
    "operations": frozenset(
        _SELLING
        | {
            "catalog:write",
            "prices:write",
            "coupons:write",
            "points:write",
            "vault:read",
            "vault:write",
            "sales:write",
            "orders:write",
            "store:write",
            "webhooks:read",
        }
    ),
    "finance": frozenset(_SELLING | {"payments:write", "audit:read"}),
    "support": frozenset(_SELLING | {"orders:write", "customers:read", "codes:find"}),
    "read-only": frozenset(permission for permission in PERMISSIONS if permission.endswith(":read")),
}


class RoleTaken(Conflict):
    code = "role_taken"


class RoleInUse(Conflict):
    code = "role_in_use"


class Ref(NamedTuple):
    """Which role: a built-in one by its name, or `custom` by its id. As rows have it; people read and write `text`."""

    name: str
    id: UUID | None = None

    @property
    def text(self) -> str:
        return encode("rol", self.id) if self.id else self.name


class Role(NamedTuple):
    """A merchant's own."""

    id: UUID
    name: str
    permissions: frozenset[str]
    created_at: dt.datetime


def ref(text: str) -> Ref:
    """The role that `text` (`manager`, `rol_…`) names. Raises `NotFound`; whether a merchant has it, `permissions` tells."""
    return Ref(text) if text in BUILT_IN else Ref(CUSTOM, decode("rol", text))


def unknown() -> NotFound:
    return NotFound("There is no such role. GET /v1/roles lists those there are.")


def scopes(name: str, own: list[str] | None) -> frozenset[str]:
    """What a role permits by the two columns a row brings: its name, and the permissions of the merchant's own role if it is one."""
    return BUILT_IN[name] if own is None else frozenset(own) & PERMISSIONS


async def permissions(tx: TenantTx, role: Ref) -> frozenset[str]:
    """What `role` permits at this merchant. Raises `NotFound` when he has no such role."""
    if role.id is None:
        return BUILT_IN[role.name]
    own = await tx.conn.fetchval("SELECT permissions FROM staff_role WHERE tenant_id = $1 AND id = $2", tx.tenant_id, role.id)
    if own is None:
        raise unknown()
    return scopes(role.name, own)


async def custom(tx: TenantTx) -> list[Role]:
    """The merchant's own roles by name; there are at most 50."""
    sql = "SELECT id, name, permissions, created_at FROM staff_role WHERE tenant_id = $1 ORDER BY name"
    return [_role(row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def create(tx: TenantTx, *, name: str, permits: frozenset[str], actor: str, own: frozenset[str]) -> Role:
    """A role of the merchant's own. `own` is what `actor` may himself. Raises `Forbidden`, `RoleTaken`, and `Conflict` for too many."""
    check_within(permits, own)
    _check_name(name)
    await tx.in_line()
    if await tx.conn.fetchval("SELECT count(*) FROM staff_role WHERE tenant_id = $1", tx.tenant_id) >= CUSTOM_MAX:
        raise Conflict(f"A merchant has at most {CUSTOM_MAX} roles of his own. Delete one first.", code="too_many_roles")
    sql = """INSERT INTO staff_role (tenant_id, id, name, permissions) VALUES ($1, $2, $3, $4)
             RETURNING id, name, permissions, created_at"""
    try:
        role = _role(await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), name, sorted(permits)))
    except asyncpg.UniqueViolationError:
        raise RoleTaken(f"There is a role {name!r} already.") from None
    await tx.audit(actor, "role.created", encode("rol", role.id), name=name, permissions=sorted(permits))
    return role


async def change(tx: TenantTx, role_id: UUID, *, name: str, permits: frozenset[str], actor: str, own: frozenset[str]) -> Role:
    """What a role is called and permits from now on; within two seconds everybody who has it may that much.

    Raises `NotFound`; `Forbidden` when it permits, or permitted, what `actor` may not himself; `RoleTaken`, `Unprocessable`.
    """
    sql = "SELECT permissions FROM staff_role WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
    before = await tx.conn.fetchval(sql, tx.tenant_id, role_id)
    if before is None:
        raise unknown()
    check_within(permits | scopes(CUSTOM, before), own)
    _check_name(name)
    sql = """UPDATE staff_role SET name = $3, permissions = $4 WHERE tenant_id = $1 AND id = $2
             RETURNING id, name, permissions, created_at"""
    try:
        role = _role(await tx.conn.fetchrow(sql, tx.tenant_id, role_id, name, sorted(permits)))
    except asyncpg.UniqueViolationError:
        raise RoleTaken(f"There is a role {name!r} already.") from None
    await tx.audit(actor, "role.changed", encode("rol", role_id), name=name, permissions=sorted(permits), before=sorted(before))
    return role


async def delete(tx: TenantTx, role_id: UUID, *, actor: str) -> None:
    """Raises `NotFound`, and `RoleInUse` while somebody has the role or is invited to it."""
    await tx.conn.execute("DELETE FROM invitation WHERE tenant_id = $1 AND role_id = $2 AND expires_at <= now()", tx.tenant_id, role_id)
    try:
        sql = "DELETE FROM staff_role WHERE tenant_id = $1 AND id = $2 RETURNING name"
        name = await tx.conn.fetchval(sql, tx.tenant_id, role_id)
    except asyncpg.ForeignKeyViolationError:
        raise RoleInUse("Somebody has this role or is invited to it. Give them another one first.") from None
    if name is None:
        raise unknown()
    await tx.audit(actor, "role.deleted", encode("rol", role_id), name=name)


def _role(row: asyncpg.Record) -> Role:
    return Role(row["id"], row["name"], scopes(CUSTOM, row["permissions"]), row["created_at"])


def _check_name(name: str) -> None:
    if name.lower() in BUILT_IN:
        raise RoleTaken(f"{name!r} is a role that is built in. Choose another name.")
