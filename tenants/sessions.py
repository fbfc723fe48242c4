"""Sessions of people: begun by signing in, listed without their tokens, ended one by one or all at once."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from checkout_core.errors import NotFound, Unauthorized
from checkout_core.ids import encode, new_id
from tenants import memberships, secret_tokens, throttle
from tenants.accounts import IDLE, LIVE_SESSIONS
from tenants.db import LATEST, NEWEST, Connection, Pool, TenantTx, platform_tx
from tenants.passwords import Passwords
from tenants.totp import Totp

TTL = dt.timedelta(hours=12)  # whether used or not
USER_AGENT_MAX = 200


class Visitor(NamedTuple):
    """Where somebody comes from: `address` is an IPv4 address or an IPv6 /64."""

    address: str = ""
    user_agent: str = ""


NOWHERE = Visitor()


class Session(NamedTuple):
    token: str
    id: UUID
    tenant_id: UUID
    expires_at: dt.datetime


class Listed(NamedTuple):
    """`seen_at` is known to five minutes."""

    id: UUID
    tenant_id: UUID
    user_agent: str
    address: str
    created_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime


async def sign_in(
    platform: Pool, app: Pool, *, passwords: Passwords, totp: Totp, mail: str, password: str, code: str | None = None,
    tenant_id: UUID | None = None, visitor: Visitor = NOWHERE, address_factor: int = 1,
) -> Session:  # fmt: skip
    """A new session at a merchant the person works for: the only one, or the one he names by `tenant_id`.

    Raises `Unauthorized`, after the same time, for an unknown mail and for a wrong password; `TooMany`; to those who know the password
    `memberships.SeveralMerchants` and `memberships.NoMerchant`. With a second factor it raises `Unauthorized` (`totp_required`) until the
    same is asked with `code`, and (`wrong_code`) for a wrong one.
    """
    mail = mail.lower()
    async with platform_tx(platform) as conn:
        sql = """SELECT u.id, u.tenant_id, u.password_hash, t.confirmed_at IS NOT NULL AS has_totp,
                        EXISTS (SELECT FROM merchant_place p WHERE p.user_id = u.id AND p.address = $2) AS at_home
                 FROM merchant_user u LEFT JOIN merchant_totp t ON t.user_id = u.id WHERE u.mail = $1"""
        user = await conn.fetchrow(sql, mail, visitor.address)
        at_home = user is not None and user["at_home"]
        attempts: list[tuple[throttle.Bucket, tuple[str, ...]]] = [(throttle.ADDRESS, (visitor.address,))]
        attempts += [] if at_home else [(throttle.MAIL, (mail,))]
        attempts += [(throttle.PAIR, (mail, visitor.address))]
        for bucket, key in attempts:
            await throttle.take(conn, bucket, *key, factor=address_factor if bucket is throttle.ADDRESS else 1)
    # No connection is held while the password is hashed.
    if not await passwords.verify(user["password_hash"] if user else None, password):
        raise Unauthorized("Mail and password do not go together.", code="wrong_credentials")
    async with platform_tx(platform) as conn:
        for bucket, key in attempts:
            await throttle.give_back(conn, bucket, *key)
    # Before the second step: a code is good once, and whoever works for several merchants has to ask again.
    employer = await memberships.employer(platform, app, user["id"], opened=user["tenant_id"], chosen=tenant_id)
    if user["has_totp"]:
        await _second_step(platform, totp, user["id"], code)
    async with platform_tx(platform) as conn:
        # Whoever changes the password ends all sessions: one that was begun with the old one must not come after.
        sql = "SELECT true FROM merchant_user WHERE id = $1 AND password_hash = $2 FOR SHARE"
        if not await conn.fetchval(sql, user["id"], user["password_hash"]):
            raise Unauthorized("Mail and password do not go together.", code="wrong_credentials")
        return await begin(conn, user["id"], employer.tenant_id, visitor)


async def _second_step(platform: Pool, totp: Totp, user_id: UUID, code: str | None) -> None:
    if code is None:
        raise Unauthorized("This account asks for a second step: send the same again with `code`.", code="totp_required")
    # The attempt stays counted and the code stays used, whatever comes of it.
    async with platform_tx(platform) as conn:
        await throttle.take(conn, throttle.CODE, user_id.hex)
        is_right = await totp.accepts(conn, user_id, code)
        if is_right:
            await throttle.give_back(conn, throttle.CODE, user_id.hex)
    if not is_right:
        raise Unauthorized("This code is wrong, or was used already. Wait for the next one.", code="wrong_code")


async def begin(conn: Connection, user_id: UUID, tenant_id: UUID, visitor: Visitor = NOWHERE) -> Session:
    """A session at a merchant for somebody who has proved who he is. His address is known from now on."""
    token, session_id = secret_tokens.new("se_"), new_id()
    sql = """INSERT INTO merchant_session (token_hash, id, user_id, tenant_id, user_agent, address, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, now() + $7) RETURNING expires_at"""
    agent = "".join(character if character.isprintable() else " " for character in visitor.user_agent[:USER_AGENT_MAX])
    expires_at = await conn.fetchval(sql, secret_tokens.hash_of(token), session_id, user_id, tenant_id, agent, visitor.address, TTL)
    await know(conn, user_id, visitor)
    return Session(token, session_id, tenant_id, expires_at)


async def know(conn: Connection, user_id: UUID, visitor: Visitor) -> None:
    """He was here: guesses from elsewhere do not keep him from signing in here again."""
    sql = "INSERT INTO merchant_place (user_id, address) VALUES ($1, $2) ON CONFLICT (user_id, address) DO UPDATE SET seen_at = now()"
    await conn.execute(sql, user_id, visitor.address)


async def sign_out(platform: Pool, token: str) -> None:
    async with platform_tx(platform) as conn:
        await conn.execute("DELETE FROM merchant_session WHERE token_hash = $1", secret_tokens.hash_of(token))


async def latest(platform: Pool, user_id: UUID, *, limit: int, before: tuple[dt.datetime, UUID] | None = None) -> list[Listed]:
    """At most `limit` of those in force, at all merchants he works for, newest first, older than the one `before` (created_at and id)."""
    sql = f"""SELECT s.id, m.tenant_id, s.user_agent, s.address, s.created_at, s.seen_at, s.expires_at FROM {LIVE_SESSIONS}
              WHERE s.user_id = $1 AND s.expires_at > now() AND s.seen_at > now() - $2::interval
                AND (s.created_at, s.id) < ($3::timestamptz, $4::uuid) ORDER BY s.created_at DESC, s.id DESC LIMIT $5"""
    async with platform_tx(platform) as conn:
        return [Listed(*row) for row in await conn.fetch(sql, user_id, IDLE, *(before or (LATEST, NEWEST)), limit)]


async def revoke(conn: Connection, tx: TenantTx, user_id: UUID, session_id: UUID, *, actor: str) -> None:
    """End one of his, within two seconds everywhere. Raises `NotFound`, for another's too."""
    sql = "DELETE FROM merchant_session WHERE user_id = $1 AND id = $2 RETURNING id"
    if await conn.fetchval(sql, user_id, session_id) is None:
        raise NotFound("There is no such session.")
    await tx.audit(actor, "session.revoked", encode("ses", session_id))


async def revoke_others(conn: Connection, tx: TenantTx, user_id: UUID, keep: UUID, *, actor: str) -> int:
    """End all but one; how many."""
    ended = await end_all(conn, user_id, keep=keep)
    await tx.audit(actor, "sessions.revoked", actor, ended=ended)
    return ended


async def end_all(conn: Connection, user_id: UUID, *, keep: UUID | None = None) -> int:
    sql = "DELETE FROM merchant_session WHERE user_id = $1 AND id IS DISTINCT FROM $2 RETURNING id"
    return len(await conn.fetch(sql, user_id, keep))
