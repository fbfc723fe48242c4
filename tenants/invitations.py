"""Invitations: a role at a merchant, offered by mail to whoever reads it. The token is in the mail alone; kept is its hash.

An invitation is used once and lasts seven days. It is worth what its sender may give when it is accepted: with him it ends.
"""

import base64
import datetime as dt
import secrets
from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.errors import Conflict, NotFound, TooMany, Unprocessable
from checkout_core.ids import encode, new_id
from tenants import mails, memberships, profile, roles
from tenants.db import Pool, TenantTx, platform_tx, tenant_tx
from tenants.passwords import Passwords
from tenants.permissions import check_within
from tenants.roles import Ref
from tenants.secret_tokens import hash_of

TTL = dt.timedelta(days=7)  # the mail says so too
SENDS_MAX = 5  # mails for one invitation; the row's CHECK says the same
SEND_AGAIN_AFTER_S = 60
OPEN_MAX = 100  # of one merchant


class AlreadyInvited(Conflict):
    code = "already_invited"


class Invitation(NamedTuple):
    id: UUID
    mail: str
    role: Ref
    sent_at: dt.datetime
    expires_at: dt.datetime
    created_at: dt.datetime


class Sent(NamedTuple):
    """An invitation, and the mail that carries it."""

    invitation: Invitation
    mail_id: UUID


class Joined(NamedTuple):
    tenant_id: UUID
    user_id: UUID
    role: Ref


_COLUMNS = "id, mail, role, role_id, sent_at, expires_at, created_at"


async def create(tx: TenantTx, *, mail: str, role: Ref, locale: str, actor: str, sender: UUID | None, own: frozenset[str]) -> Sent:
    """Offer `role` to `mail`. Nothing is looked up of the mail: whether anybody here knows it, the answer cannot tell.

    `sender` is whom the offer depends on, None for a key that answers to nobody.
    Raises `AlreadyInvited`, `Forbidden` for a role that permits what `actor` (who may `own`) may not, `Conflict` for too many.
    """
    check_within(await roles.permissions(tx, role), own)
    mail = mail.lower()
    await tx.conn.execute("DELETE FROM invitation WHERE tenant_id = $1 AND mail = $2 AND expires_at <= now()", tx.tenant_id, mail)
    await tx.in_line()
    if await tx.conn.fetchval("SELECT count(*) FROM invitation WHERE tenant_id = $1", tx.tenant_id) >= OPEN_MAX:
        raise Conflict(f"A merchant has at most {OPEN_MAX} invitations open. Take one back first.", code="too_many_invitations")
    token = _token(tx.tenant_id)
    sql = f"""INSERT INTO invitation (tenant_id, id, mail, role, role_id, invited_by, locale, token_hash, expires_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9) RETURNING {_COLUMNS}"""
    try:
        row = await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), mail, *role, sender, locale, hash_of(token), TTL)
    except asyncpg.UniqueViolationError:
        raise AlreadyInvited("This mail is invited already. Send that invitation again, or take it back.") from None
    except asyncpg.ForeignKeyViolationError:
        raise roles.unknown() from None
    invitation = _invitation(row)
    mail_id = await _send(tx, mail, token, locale)
    await tx.audit(actor, "invitation.created", encode("inv", invitation.id), mail=mail, role=role.text)
    return Sent(invitation, mail_id)


async def resend(tx: TenantTx, invitation_id: UUID, *, actor: str, sender: UUID | None, own: frozenset[str]) -> Sent:
    """Send it again with another token, good for seven days from now; the one before no longer is. It depends on `sender` from now on.

    Raises `NotFound`, `Forbidden` as for a new one, `TooMany` within a minute, `Unprocessable` when five mails went out.
    """
    sql = f"""SELECT {_COLUMNS}, sends, extract(epoch FROM sent_at - now())::float8 + $3 AS wait_s FROM invitation
              WHERE tenant_id = $1 AND id = $2 FOR UPDATE"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, invitation_id, float(SEND_AGAIN_AFTER_S))
    if row is None:
        raise _no_invitation()
    check_within(await roles.permissions(tx, _invitation(row).role), own)
    if row["sends"] >= SENDS_MAX:
        raise Unprocessable(f"This invitation was sent {SENDS_MAX} times. Take it back and make another.", code="sent_too_often")
    if row["wait_s"] > 0:
        raise TooMany("This invitation was sent a moment ago.", code="sent_just_now", retry_after_s=int(row["wait_s"]) + 1)
    token = _token(tx.tenant_id)
    sql = f"""UPDATE invitation SET token_hash = $3, sends = sends + 1, sent_at = now(), expires_at = now() + $4,
                  invited_by = coalesce($5, invited_by) WHERE tenant_id = $1 AND id = $2 RETURNING {_COLUMNS}, locale"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, invitation_id, hash_of(token), TTL, sender)
    invitation = _invitation(row)
    mail_id = await _send(tx, invitation.mail, token, row["locale"])
    await tx.audit(actor, "invitation.sent_again", encode("inv", invitation_id))
    return Sent(invitation, mail_id)


async def waiting(tx: TenantTx) -> list[Invitation]:
    """Those not accepted, newest first, expired ones too; there are at most 100."""
    sql = f"SELECT {_COLUMNS} FROM invitation WHERE tenant_id = $1 ORDER BY id DESC"
    return [_invitation(row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def revoke(tx: TenantTx, invitation_id: UUID, *, actor: str) -> None:
    """Raises `NotFound`."""
    sql = "DELETE FROM invitation WHERE tenant_id = $1 AND id = $2 RETURNING mail"
    mail = await tx.conn.fetchval(sql, tx.tenant_id, invitation_id)
    if mail is None:
        raise _no_invitation()
    await tx.audit(actor, "invitation.revoked", encode("inv", invitation_id), mail=mail)


async def accept(app: Pool, platform: Pool, *, passwords: Passwords, token: str, password: str) -> Joined:
    """Whoever holds the token joins: by the password he chooses if nobody has the mail yet, else by the one he has. He signs in after that.

    Raises `NotFound`, with one answer for a token that is unknown, used, taken back, expired or worth nothing any more;
    `Forbidden` for another password than the person's; `TooMany` after some of them; `AlreadyStaff`.
    """
    tenant_id = _tenant_of(token)
    async with tenant_tx(app, tenant_id) as tx:
        sql = "SELECT mail, locale FROM invitation WHERE tenant_id = $1 AND token_hash = $2 AND expires_at > now()"
        offer = await tx.conn.fetchrow(sql, tenant_id, hash_of(token))
    if offer is None:
        raise _no_longer()
    # First the person, in a transaction of the platform's: should this process die before he joins, he does with the same password.
    user_id = await _person(platform, passwords, offer["mail"], password, offer["locale"])
    async with tenant_tx(app, tenant_id) as tx:
        sql = (
            "DELETE FROM invitation WHERE tenant_id = $1 AND token_hash = $2 AND expires_at > now() RETURNING id, role, role_id, invited_by"
        )
        row = await tx.conn.fetchrow(sql, tenant_id, hash_of(token))
        if row is None:
            raise _no_longer()
        role = Ref(row["role"], row["role_id"])
        if row["invited_by"] is not None and not await roles.permissions(tx, role) <= await memberships.scopes(tx, row["invited_by"]):
            raise _no_longer()
        await memberships.add(tx, user_id, role)
        await tx.audit(encode("usr", user_id), "invitation.accepted", encode("inv", row["id"]), role=role.text)
    return Joined(tenant_id, user_id, role)


async def _person(platform: Pool, passwords: Passwords, mail: str, password: str, locale: str) -> UUID:
    """The user of a mail that was proven to be his, made now if there is none. Raises `Forbidden`, `TooMany` as `profile.prove`."""
    known = "SELECT id FROM merchant_user WHERE mail = $1"
    async with platform_tx(platform) as conn:
        user_id: UUID | None = await conn.fetchval(known, mail)
    if user_id is None:
        password_hash = await passwords.hash(password)
        sql = """INSERT INTO merchant_user (id, mail, password_hash, locale) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (mail) DO NOTHING RETURNING id"""
        async with platform_tx(platform) as conn:
            made: UUID | None = await conn.fetchval(sql, new_id(), mail, password_hash, locale)
            if made is not None:
                return made
            user_id = await conn.fetchval(known, mail)  # somebody was quicker, with this mail
        assert user_id is not None, "nobody deletes an account"
    await profile.prove(platform, passwords, user_id, password)
    return user_id


async def _send(tx: TenantTx, mail: str, token: str, locale: str) -> UUID:
    store = await tx.conn.fetchval("SELECT name FROM store WHERE tenant_id = $1", tx.tenant_id)
    return await mails.send(tx, mail, "invitation", locale=locale, store=store, token=token)


def _token(tenant_id: UUID) -> str:
    """64 characters: whose it is, for row-level security, and 256 random bits."""
    return base64.urlsafe_b64encode(tenant_id.bytes + secrets.token_bytes(32)).decode()


def _tenant_of(token: str) -> UUID:
    """Raises `NotFound` for what is no token at all."""
    try:
        return UUID(bytes=base64.b64decode(token, altchars=b"-_", validate=True)[:16])
    except ValueError:
        raise _no_longer() from None


def _invitation(row: asyncpg.Record) -> Invitation:
    role = Ref(row["role"], row["role_id"])
    return Invitation(row["id"], row["mail"], role, row["sent_at"], row["expires_at"], row["created_at"])


def _no_invitation() -> NotFound:
    return NotFound("There is no such invitation.")


def _no_longer() -> NotFound:
    return NotFound(
        "This invitation is not good any more: it was used, taken back or sent anew, or it has expired. Sign in, or ask for another one.",
        code="invitation_gone",
    )
