"""Memberships: who works for a merchant, and in which role. A person may work for several; each merchant always has an owner."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.errors import Conflict, Forbidden, NotFound
from checkout_core.ids import encode
from tenants import mails, roles
from tenants.db import OLDEST, Connection, Pool, TenantTx, platform_tx, tenant_tx
from tenants.permissions import check_within
from tenants.roles import OWNER, Ref

# In one order, whoever asks: of two who take each other's ownership at once, the second finds what the first has left.
_LOCK = "ORDER BY user_id FOR UPDATE"


class LastOwner(Conflict):
    code = "last_owner"


class AlreadyStaff(Conflict):
    code = "already_staff"


class NoMerchant(Forbidden):
    code = "no_merchant"


class SeveralMerchants(Conflict):
    """`merchants` are those to choose from, each with `tenant_id` and `slug`."""

    code = "several_merchants"


class Staff(NamedTuple):
    user_id: UUID
    mail: str
    role: Ref
    created_at: dt.datetime


class Employer(NamedTuple):
    """A merchant that somebody works for."""

    tenant_id: UUID
    slug: str


async def staff(app: Pool, platform: Pool, tenant_id: UUID, *, limit: int, after: UUID | None = None) -> list[Staff]:
    """At most `limit` people of the merchant, by id, after `after`. Mails are the people's own, not the merchant's: a look-up by itself."""
    sql = "SELECT user_id, role, role_id, created_at FROM membership WHERE tenant_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3"
    async with tenant_tx(app, tenant_id) as tx:
        rows = await tx.conn.fetch(sql, tenant_id, after or OLDEST, limit)
    sql = "SELECT id, mail FROM merchant_user WHERE id = ANY($1)"
    async with platform_tx(platform) as conn:
        mails = dict(await conn.fetch(sql, [row["user_id"] for row in rows]))
    return [Staff(row["user_id"], mails[row["user_id"]], Ref(row["role"], row["role_id"]), row["created_at"]) for row in rows]


async def add(tx: TenantTx, user_id: UUID, role: Ref) -> None:
    """Raises `AlreadyStaff`, and `NotFound` when the role is gone."""
    sql = "INSERT INTO membership (tenant_id, user_id, role, role_id) VALUES ($1, $2, $3, $4)"
    try:
        await tx.conn.execute(sql, tx.tenant_id, user_id, *role)
    except asyncpg.UniqueViolationError:
        raise AlreadyStaff("You work for this merchant already. Ask an owner to change your role.") from None
    except asyncpg.ForeignKeyViolationError:
        raise roles.unknown() from None


async def change(tx: TenantTx, user_id: UUID, role: Ref, *, actor: str, own: frozenset[str]) -> None:
    """Give somebody another role, in force within two seconds. `own` is what `actor` may himself.

    Raises `NotFound` for an unknown person or role, `LastOwner`, and `Forbidden` when the new role or the old one permits what
    `actor` may not.
    """
    before = await _lock(tx, user_id, own, stays_owner=role.name == OWNER)
    check_within(await roles.permissions(tx, role), own)
    if role == before:
        return
    sql = "UPDATE membership SET role = $3, role_id = $4 WHERE tenant_id = $1 AND user_id = $2"
    try:
        await tx.conn.execute(sql, tx.tenant_id, user_id, *role)
    except asyncpg.ForeignKeyViolationError:
        raise roles.unknown() from None
    await tx.audit(actor, "staff.role_changed", encode("usr", user_id), role=role.text, before=before.text)


async def remove(tx: TenantTx, user_id: UUID, *, actor: str, own: frozenset[str]) -> None:
    """End somebody's work here: his sessions, keys and the invitations he sent are void with the commit, everywhere within two seconds.

    Raises `NotFound`, `LastOwner`, and `Forbidden` when he may what `actor` may not.
    """
    before = await _lock(tx, user_id, own, stays_owner=False)
    await tx.conn.execute("DELETE FROM membership WHERE tenant_id = $1 AND user_id = $2", tx.tenant_id, user_id)
    await tx.audit(actor, "staff.removed", encode("usr", user_id), role=before.text)


async def scopes(tx: TenantTx, user_id: UUID) -> frozenset[str]:
    """What a person may do here; nothing when he does not work here."""
    sql = """SELECT m.role, r.permissions FROM membership m
             LEFT JOIN staff_role r ON r.tenant_id = m.tenant_id AND r.id = m.role_id WHERE m.tenant_id = $1 AND m.user_id = $2"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, user_id)
    return roles.scopes(row["role"], row["permissions"]) if row else frozenset()


async def still(tx: TenantTx, user_id: UUID | None, scopes_: frozenset[str]) -> frozenset[str]:
    """Of `scopes_`, which a process may remember for two seconds, what the person may at this moment; all of it for nobody.

    For deeds that outlast those two seconds: who has just been removed gives no rights to somebody who stays.
    """
    return scopes_ if user_id is None else scopes_ & await scopes(tx, user_id)


async def employer(platform: Pool, app: Pool, user_id: UUID, *, opened: UUID | None, chosen: UUID | None) -> Employer:
    """The merchant at which a person signs in: his only one, or the one he chose. `opened` is the one he signed up, if he did.

    Raises `SeveralMerchants` when he chose none of several, `NoMerchant` when he works for none, or not for the one he chose.
    """
    sql = "SELECT t.id, t.slug FROM membership m JOIN tenant t ON t.id = m.tenant_id WHERE m.user_id = $1 ORDER BY t.slug"
    async with platform_tx(platform) as conn:
        employers = [Employer(*row) for row in await conn.fetch(sql, user_id)]
    if not employers and opened is not None and await _adopt(app, opened, user_id):
        return await employer(platform, app, user_id, opened=None, chosen=chosen)
    found = [each for each in employers if chosen in (None, each.tenant_id)]
    if not found:
        raise NoMerchant("You work for no such merchant, or no longer. Ask whoever runs the store to invite you.")
    if len(found) > 1:
        merchants = [{"tenant_id": encode("ten", each.tenant_id), "slug": each.slug} for each in found]
        raise SeveralMerchants("You work for several merchants. Say by `tenant_id` which one you mean.", merchants=merchants)
    return found[0]


async def home(conn: Connection, user_id: UUID) -> UUID:
    """In whose audit stands what a person does for himself: the merchant's he has worked for longest, else the platform's."""
    sql = "SELECT tenant_id FROM membership WHERE user_id = $1 ORDER BY created_at, tenant_id LIMIT 1"
    tenant_id: UUID = await conn.fetchval(sql, user_id) or mails.PLATFORM
    return tenant_id


async def _adopt(app: Pool, tenant_id: UUID, user_id: UUID) -> bool:
    """Make who signed up at a process of the release before, which knew no memberships, the owner of what he opened.

    A merchant that has anybody has had an owner ever since: nobody gets back by this what was taken from him.
    """
    sql = """INSERT INTO membership (tenant_id, user_id, role)
             SELECT $1, $2, 'owner' WHERE NOT EXISTS (SELECT FROM membership WHERE tenant_id = $1)
             ON CONFLICT DO NOTHING RETURNING user_id"""
    async with tenant_tx(app, tenant_id) as tx:
        return await tx.conn.fetchval(sql, tenant_id, user_id) is not None


async def _lock(tx: TenantTx, user_id: UUID, own: frozenset[str], *, stays_owner: bool) -> Ref:
    """The role of a person whose membership, with those of all owners, is this transaction's to change."""
    sql = f"""SELECT user_id, role, role_id FROM membership WHERE tenant_id = $1 AND (user_id = $2 OR role = 'owner') {_LOCK}"""
    rows = {row["user_id"]: Ref(row["role"], row["role_id"]) for row in await tx.conn.fetch(sql, tx.tenant_id, user_id)}
    if user_id not in rows:
        raise NotFound("Nobody with this id works here.")
    role = rows.pop(user_id)
    check_within(await roles.permissions(tx, role), own)
    if role.name == OWNER and not stays_owner and not any(other.name == OWNER for other in rows.values()):
        raise LastOwner("A merchant always has an owner, and this is the last one. Make somebody else an owner first.")
    return role


async def others_may(tx: TenantTx, user_id: UUID, permission: str) -> bool:
    """Whether anybody else of the store's people has a permission: what takes two can be done."""
    sql = """SELECT DISTINCT m.role, r.permissions FROM membership m
             LEFT JOIN staff_role r ON r.tenant_id = m.tenant_id AND r.id = m.role_id WHERE m.tenant_id = $1 AND m.user_id <> $2"""
    return any(permission in roles.scopes(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, user_id))
