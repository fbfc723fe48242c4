"""Platform staff: added by a command or by an admin, enrolled by themselves, removed. None of them is anybody at a merchant's."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.errors import Conflict, NotFound, Unauthorized
from checkout_core.ids import encode, new_id
from tenants import secret_tokens, totp
from tenants.db import NEWEST, Connection, Pool, platform_tx
from tenants.passwords import Passwords
from tenants.platform import records
from tenants.platform.permissions import ROLES
from tenants.totp import Seals

ENROLMENT_TTL = dt.timedelta(hours=1)
TOTP_ISSUER = "Tessera platform"
COMMAND = "command"  # who acted when nobody was signed in: an operator at the machine


class Person(NamedTuple):
    id: UUID
    mail: str
    role: str
    enrolled_at: dt.datetime | None
    created_at: dt.datetime


class Enrolment(NamedTuple):
    """`secret` is shown once; whoever holds it until `ends_at` sets the password and the second factor."""

    staff_id: UUID
    secret: str
    ends_at: dt.datetime


class SecondFactor(NamedTuple):
    """For an authenticator. Shown once."""

    mail: str
    totp_secret: str
    uri: str


async def add(conn: Connection, *, mail: str, role: str, actor: str) -> Enrolment:
    """A new person who may enrol for an hour. Raises `Conflict` when the mail is somebody's already."""
    assert role in ROLES
    try:
        sql = "INSERT INTO platform_staff (id, mail, role) VALUES ($1, $2, $3) RETURNING id"
        staff_id = await conn.fetchval(sql, new_id(), mail.lower(), role)
    except asyncpg.UniqueViolationError:
        raise Conflict("Somebody of the platform's staff has this mail.", code="staff_exists") from None
    await records.add(conn, actor, "platform_staff.added", encode("pst", staff_id), mail=mail.lower(), role=role)
    return await _enrolment(conn, staff_id)


async def renew(conn: Connection, *, mail: str, actor: str) -> Enrolment:
    """A new enrolment for somebody who lost what he signs in with: his sessions end, and so does what he signed in with so far.

    Raises `NotFound`.
    """
    sql = """UPDATE platform_staff SET password_hash = NULL, totp_secret = NULL, enrolled_at = NULL
             WHERE mail = $1 AND removed_at IS NULL RETURNING id"""
    staff_id = await conn.fetchval(sql, mail.lower())
    if staff_id is None:
        raise NotFound("Nobody of the platform's staff has this mail.")
    await conn.execute("DELETE FROM platform_session WHERE staff_id = $1", staff_id)
    await records.add(conn, actor, "platform_staff.renewed", encode("pst", staff_id), mail=mail.lower())
    return await _enrolment(conn, staff_id)


async def enrol(platform: Pool, *, passwords: Passwords, seals: Seals, secret: str, password: str) -> SecondFactor:
    """Set the password and a new second factor. May be done again until the first sign-in, which spends the enrolment.

    Raises `Unauthorized` when there is no such enrolment any more.
    """
    spent = Unauthorized("The enrolment is unknown, over or spent. Ask for a new one.", code="enrolment_over")
    sql = "SELECT id, mail FROM platform_staff WHERE enrolment_hash = $1 AND enrolment_ends > now() AND removed_at IS NULL"
    async with platform_tx(platform) as conn:
        person = await conn.fetchrow(sql, secret_tokens.hash_of(secret))
    if person is None:
        raise spent
    # No connection is held while the password is hashed.
    password_hash = await passwords.hash(password)
    totp_secret = totp.new_secret()
    sql = """UPDATE platform_staff SET password_hash = $2, totp_secret = $3, totp_step = 0, totp_failures = 0, locked_until = '-infinity'
             WHERE enrolment_hash = $1 AND enrolment_ends > now() AND removed_at IS NULL RETURNING id"""
    async with platform_tx(platform) as conn:
        if await conn.fetchval(sql, secret_tokens.hash_of(secret), password_hash, seals.seal(person["id"], totp_secret)) is None:
            raise spent
        who = encode("pst", person["id"])
        await records.add(conn, who, "platform_staff.enrolled", who)
    return SecondFactor(person["mail"], totp_secret, totp.uri(totp_secret, person["mail"], TOTP_ISSUER))


async def everybody(conn: Connection, *, limit: int, before: UUID | None = None) -> list[Person]:
    """At most `limit` who were not removed, newest first, older than the person `before`."""
    sql = """SELECT id, mail, role, enrolled_at, created_at FROM platform_staff
             WHERE removed_at IS NULL AND id < $1 ORDER BY id DESC LIMIT $2"""
    return [Person(*row) for row in await conn.fetch(sql, before or NEWEST, limit)]


async def remove(conn: Connection, staff_id: UUID, *, actor: str) -> None:
    """End somebody's access, at once. Raises `NotFound`, and `Conflict` for the last admin who can sign in."""
    sql = "SELECT id FROM platform_staff WHERE role = 'admin' AND enrolled_at IS NOT NULL AND removed_at IS NULL ORDER BY id FOR UPDATE"
    # Locked first: of two admins who remove each other at once, one stays.
    admins = [row["id"] for row in await conn.fetch(sql)]
    if admins == [staff_id]:
        raise Conflict("This is the last admin. Add another one first.", code="last_admin")
    sql = "UPDATE platform_staff SET removed_at = now() WHERE id = $1 AND removed_at IS NULL RETURNING mail"
    mail = await conn.fetchval(sql, staff_id)
    if mail is None:
        raise NotFound("There is nobody with this id.")
    await conn.execute("DELETE FROM platform_session WHERE staff_id = $1", staff_id)
    await records.add(conn, actor, "platform_staff.removed", encode("pst", staff_id), mail=mail)


async def _enrolment(conn: Connection, staff_id: UUID) -> Enrolment:
    secret = secret_tokens.new("pe_")
    sql = "UPDATE platform_staff SET enrolment_hash = $2, enrolment_ends = now() + $3 WHERE id = $1 RETURNING enrolment_ends"
    return Enrolment(staff_id, secret, await conn.fetchval(sql, staff_id, secret_tokens.hash_of(secret), ENROLMENT_TTL))
