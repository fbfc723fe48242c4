"""Groups of buyers: a level of customers, or resellers, and who is in which. A shopper is the random id that his token carries."""

import datetime as dt
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound, PreconditionFailed
from checkout_core.ids import encode, new_id
from tenants.db import OLDEST, TenantTx

GROUPS_MAX: Final = 100  # of a store
MEMBERS_MAX: Final = 100_000  # of a group


class Group(msgspec.Struct, frozen=True):
    """`kind`: level or reseller."""

    id: UUID
    name: str
    kind: str
    version: int
    created_at: dt.datetime


class Member(msgspec.Struct, frozen=True):
    shopper_id: UUID
    since: dt.datetime


_COLUMNS = ", ".join(Group.__struct_fields__)
CHANGEABLE: Final = frozenset({"name", "kind"})


async def all_of(tx: TenantTx) -> list[Group]:
    """By name; there are at most `GROUPS_MAX`."""
    sql = f"SELECT {_COLUMNS} FROM buyer_group WHERE tenant_id = $1 ORDER BY lower(name)"
    return [Group(*row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def get(tx: TenantTx, group_id: UUID, *, lock: str = "") -> Group:
    """Raises `NotFound`."""
    sql = f"SELECT {_COLUMNS} FROM buyer_group WHERE tenant_id = $1 AND id = $2 {lock}"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, group_id):
        return Group(*row)
    raise NotFound("There is no such group of buyers. GET /v1/buyer-groups lists those there are.")


async def hold(tx: TenantTx, group_id: UUID) -> None:
    """Nobody removes it before this transaction ends. Raises `NotFound`."""
    await get(tx, group_id, lock="FOR KEY SHARE")


async def create(tx: TenantTx, *, name: str, kind: str, actor: str) -> Group:
    """Raises `Conflict`: `buyer_group_taken` for a name that another has in whatever capitals, `too_many_buyer_groups`."""
    await tx.in_line()
    if await tx.conn.fetchval("SELECT count(*) FROM buyer_group WHERE tenant_id = $1", tx.tenant_id) >= GROUPS_MAX:
        raise Conflict(f"A store has at most {GROUPS_MAX} groups of buyers. Remove one first.", code="too_many_buyer_groups")
    sql = f"INSERT INTO buyer_group (tenant_id, id, name, kind) VALUES ($1, $2, $3, $4) RETURNING {_COLUMNS}"
    try:
        made = Group(*await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), name, kind))
    except asyncpg.UniqueViolationError:
        raise _taken(name) from None
    await tx.audit(actor, "buyer_group.created", encode("grp", made.id), name=name, kind=kind)
    return made


async def change(tx: TenantTx, group_id: UUID, changes: dict[str, Any], *, version: int | None, actor: str) -> Group:
    """Set what `changes` names of `CHANGEABLE`; its members stay. Raises `NotFound`, `PreconditionFailed`, `Conflict`."""
    assert changes.keys() <= CHANGEABLE, changes.keys()
    before = await get(tx, group_id, lock="FOR NO KEY UPDATE")
    if version not in (None, before.version):
        raise PreconditionFailed("The group was changed since you read it. Nothing was overwritten; read it again.")
    after = msgspec.structs.replace(before, **changes)
    if after == before:
        return before
    sql = f"UPDATE buyer_group SET name = $3, kind = $4, version = version + 1 WHERE tenant_id = $1 AND id = $2 RETURNING {_COLUMNS}"
    try:
        row = await tx.conn.fetchrow(sql, tx.tenant_id, group_id, after.name, after.kind)
    except asyncpg.UniqueViolationError:
        raise _taken(after.name) from None
    await tx.audit(actor, "buyer_group.changed", encode("grp", group_id), fields=sorted(changes))
    return Group(*row)


async def remove(tx: TenantTx, group_id: UUID, *, actor: str) -> None:
    """And who was in it is no more. Raises `NotFound`, and `Conflict` (`buyer_group_in_use`) while a price list or a level is for it."""
    await get(tx, group_id, lock="FOR UPDATE")
    if await tx.conn.fetchval("SELECT 1 FROM price_list WHERE tenant_id = $1 AND group_id = $2 LIMIT 1", tx.tenant_id, group_id):
        raise Conflict(
            "A price list is for this group. Remove the list, or give it to others; nothing was removed.", code="buyer_group_in_use"
        )
    if await tx.conn.fetchval("SELECT 1 FROM points_level WHERE tenant_id = $1 AND group_id = $2 LIMIT 1", tx.tenant_id, group_id):
        raise Conflict("A level has the prices of this group. Change the level first; nothing was removed.", code="buyer_group_in_use")
    await tx.conn.execute("DELETE FROM group_member WHERE tenant_id = $1 AND group_id = $2", tx.tenant_id, group_id)
    await tx.conn.execute("DELETE FROM buyer_group WHERE tenant_id = $1 AND id = $2", tx.tenant_id, group_id)
    await tx.audit(actor, "buyer_group.removed", encode("grp", group_id))


async def put_member(tx: TenantTx, group_id: UUID, shopper_id: UUID, *, actor: str) -> Member:
    """He is in the group from now on, or since whenever he was. Whether he has bought anything yet is not asked.

    Raises `NotFound`, `Conflict` (`too_many_members`, `shopper_erased`).
    """
    await get(tx, group_id, lock="FOR NO KEY UPDATE")
    sql = "SELECT shopper_id, since FROM group_member WHERE tenant_id = $1 AND group_id = $2 AND shopper_id = $3"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, group_id, shopper_id):
        return Member(*row)
    if await tx.conn.fetchval("SELECT 1 FROM erased_shopper WHERE tenant_id = $1 AND shopper_id = $2", tx.tenant_id, shopper_id):
        raise Conflict("This shopper was erased: nothing more is kept of him.", code="shopper_erased")
    count = "SELECT count(*) FROM group_member WHERE tenant_id = $1 AND group_id = $2"
    if await tx.conn.fetchval(count, tx.tenant_id, group_id) >= MEMBERS_MAX:
        raise Conflict(f"A group has at most {MEMBERS_MAX:,} members. Make another group.", code="too_many_members")
    sql = "INSERT INTO group_member (tenant_id, group_id, shopper_id) VALUES ($1, $2, $3) RETURNING shopper_id, since"
    made = Member(*await tx.conn.fetchrow(sql, tx.tenant_id, group_id, shopper_id))
    await tx.audit(actor, "buyer_group.joined", encode("grp", group_id), shopper=encode("shp", shopper_id))
    return made


async def drop_member(tx: TenantTx, group_id: UUID, shopper_id: UUID, *, actor: str) -> None:
    """He is in it no more; what he has ordered keeps its price. Raises `NotFound`, also for who is not in it."""
    await get(tx, group_id)
    sql = "DELETE FROM group_member WHERE tenant_id = $1 AND group_id = $2 AND shopper_id = $3 RETURNING 1"
    if not await tx.conn.fetchval(sql, tx.tenant_id, group_id, shopper_id):
        raise NotFound("This shopper is not in the group.")
    await tx.audit(actor, "buyer_group.left", encode("grp", group_id), shopper=encode("shp", shopper_id))


async def members(tx: TenantTx, group_id: UUID, *, limit: int, after: UUID | None = None) -> list[Member]:
    """At most `limit`, by id, behind the shopper `after`. Raises `NotFound`."""
    await get(tx, group_id)
    sql = """SELECT shopper_id, since FROM group_member WHERE tenant_id = $1 AND group_id = $2 AND shopper_id > $3
             ORDER BY shopper_id LIMIT $4"""
    return [Member(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, group_id, after or OLDEST, limit)]


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a group {name!r} already. Nothing was changed.", code="buyer_group_taken")
