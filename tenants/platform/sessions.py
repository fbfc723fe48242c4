"""Sessions of platform staff: password and one-time password together make one; it ends by itself, early when it is left alone."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from checkout_core.errors import Unauthorized
from checkout_core.ids import encode
from tenants import secret_tokens
from tenants.db import Pool, platform_tx
from tenants.passwords import Passwords
from tenants.platform import records
from tenants.platform.permissions import ROLES
from tenants.totp import Seals, step_of

TTL = dt.timedelta(hours=8)
IDLE = dt.timedelta(minutes=30)
SEEN_EVERY = dt.timedelta(minutes=1)  # so often a session's use is written down
TOTP_FAILURES_MAX = 5  # in a row; guessing at six digits takes a million
LOCK = dt.timedelta(minutes=15)
PREFIX = "ps_"


class Session(NamedTuple):
    token: str
    expires_at: dt.datetime


class Staff(NamedTuple):
    """Who holds a session. `actor` is who the records name."""

    id: UUID
    actor: str
    role: str
    permissions: frozenset[str]
    expires_at: dt.datetime


async def sign_in(platform: Pool, *, passwords: Passwords, seals: Seals, mail: str, password: str, code: str) -> Session:
    """A new session. `code` is of now, and was not taken before.

    Raises `Unauthorized`, alike for an unknown mail, a wrong password, a wrong code and a person locked out for a while.
    """
    wrong = Unauthorized("Mail, password and code do not go together.", code="wrong_credentials")
    sql = "SELECT id, password_hash FROM platform_staff WHERE mail = $1 AND removed_at IS NULL"
    async with platform_tx(platform) as conn:
        person = await conn.fetchrow(sql, mail.lower())
    # No connection is held while the password is hashed.
    if not await passwords.verify(person["password_hash"] if person else None, password):
        raise wrong
    session = await _second_step(platform, seals, person["id"], person["password_hash"], code)
    if session is None:
        raise wrong
    return session


async def _second_step(platform: Pool, seals: Seals, staff_id: UUID, password_hash: str, code: str) -> Session | None:
    """The password was right. None for a code that is not taken; that it was tried is committed all the same."""
    who = encode("pst", staff_id)
    async with platform_tx(platform) as conn:
        # Locked: of two sign-ins with the same code one wins, and no guess goes uncounted.
        sql = """SELECT totp_secret, totp_step, totp_failures FROM platform_staff
                 WHERE id = $1 AND password_hash = $2 AND locked_until < now() AND removed_at IS NULL FOR UPDATE"""
        row = await conn.fetchrow(sql, staff_id, password_hash)
        if row is None:
            return None
        step = step_of(seals.open_(staff_id, row["totp_secret"]), code, row["totp_step"])
        if step is None:
            locked = row["totp_failures"] + 1 >= TOTP_FAILURES_MAX
            sql = """UPDATE platform_staff SET totp_failures = $2, locked_until = CASE WHEN $3 THEN now() + $4 ELSE locked_until END
                     WHERE id = $1"""
            await conn.execute(sql, staff_id, 0 if locked else row["totp_failures"] + 1, locked, LOCK)
            await records.add(conn, who, "platform_session.refused", who, locked=locked)
            return None
        sql = """UPDATE platform_staff SET totp_step = $2, totp_failures = 0, enrolled_at = coalesce(enrolled_at, now()),
                        enrolment_hash = NULL, enrolment_ends = NULL WHERE id = $1"""
        await conn.execute(sql, staff_id, step)
        token = secret_tokens.new(PREFIX)
        sql = "INSERT INTO platform_session (token_hash, staff_id, expires_at) VALUES ($1, $2, now() + $3) RETURNING expires_at"
        expires_at = await conn.fetchval(sql, secret_tokens.hash_of(token), staff_id, TTL)
        await records.add(conn, who, "platform_session.begun", who)
    return Session(token, expires_at)


async def staff_of(platform: Pool, token: str) -> Staff | None:
    """Who holds this session, while it lasts and is used. Asked of Postgres each time: what was ended has ended everywhere."""
    sql = """SELECT p.id, p.role, s.expires_at, s.seen_at < now() - $2::interval AS unseen
             FROM platform_session s JOIN platform_staff p ON p.id = s.staff_id AND p.removed_at IS NULL
             WHERE s.token_hash = $1 AND s.expires_at > now() AND s.seen_at > now() - $3::interval"""
    async with platform_tx(platform) as conn:
        row = await conn.fetchrow(sql, secret_tokens.hash_of(token), SEEN_EVERY, IDLE)
        if row is None:
            return None
        if row["unseen"]:
            await conn.execute("UPDATE platform_session SET seen_at = now() WHERE token_hash = $1", secret_tokens.hash_of(token))
    return Staff(row["id"], encode("pst", row["id"]), row["role"], ROLES[row["role"]], row["expires_at"])


async def sign_out(platform: Pool, token: str, *, actor: str) -> None:
    async with platform_tx(platform) as conn:
        await conn.execute("DELETE FROM platform_session WHERE token_hash = $1", secret_tokens.hash_of(token))
        await records.add(conn, actor, "platform_session.ended", actor)
