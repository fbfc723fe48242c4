"""What somebody changes about himself: password, mail, second factor. Each asks for the password again."""

from typing import NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.errors import Forbidden
from checkout_core.ids import encode
from tenants import mails, memberships, proofs, sessions, throttle
from tenants.accounts import Taken
from tenants.db import Connection, Pool, platform_tx, tenant_tx
from tenants.passwords import Passwords
from tenants.totp import Enrolment, Totp, wrong_code


class Profile(NamedTuple):
    id: UUID
    mail: str
    locale: str
    has_totp: bool
    recovery_codes_left: int


class Person(NamedTuple):
    """Who acts, and in which session."""

    id: UUID
    tenant_id: UUID
    session_id: UUID

    @property
    def actor(self) -> str:
        return encode("usr", self.id)


_ON = {"zh-CN": "开启", "en": "switched on"}
_OFF = {"zh-CN": "关闭", "en": "switched off"}


async def get(platform: Pool, user_id: UUID) -> Profile:
    sql = """SELECT u.id, u.mail, u.locale, t.confirmed_at IS NOT NULL,
                    (SELECT count(*) FROM merchant_recovery_code r WHERE r.user_id = u.id)
             FROM merchant_user u LEFT JOIN merchant_totp t ON t.user_id = u.id WHERE u.id = $1"""
    async with platform_tx(platform) as conn:
        return Profile(*await conn.fetchrow(sql, user_id))


async def change_password(platform: Pool, app: Pool, passwords: Passwords, person: Person, *, password: str, new: str) -> None:
    """Also ends his other sessions, and he is told by mail. Raises `Forbidden` for a wrong password."""
    proved = await prove(platform, passwords, person.id, password)
    password_hash = await passwords.hash(new)
    async with platform_tx(platform) as conn:
        sql = "UPDATE merchant_user SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id"
        if not await conn.fetchval(sql, person.id, proved, password_hash):  # a reset came first, and it stands
            raise wrong_password()
        ended = await sessions.end_all(conn, person.id, keep=person.session_id)
        await proofs.void(conn, person.id)
        await _tell(conn, app, person, "password.changed", "password_changed", sessions_ended=ended)


async def ask_new_mail(platform: Pool, app: Pool, passwords: Passwords, person: Person, *, password: str, mail: str) -> UUID | None:
    """Send the new address what makes it his. Whether it has an account already is told when it is confirmed, to its owner."""
    await prove(platform, passwords, person.id, password)
    async with platform_tx(platform) as conn:
        token = await proofs.make(conn, "new_mail", mail.lower(), user_id=person.id)
        if token is None:
            return None
        locale = await conn.fetchval("SELECT locale FROM merchant_user WHERE id = $1", person.id)
        async with tenant_tx(app, mails.PLATFORM) as tx:
            return await mails.send(tx, mail.lower(), "new_mail", locale=locale, token=token)


async def confirm_new_mail(platform: Pool, app: Pool, *, token: str) -> None:
    """The new address signs in from now on, and the old one is told. Raises `proofs.UnknownToken`, `Taken`."""
    async with platform_tx(platform) as conn:
        proof = await proofs.use(conn, "new_mail", token)
        assert proof.user_id is not None
        sql = "SELECT id, mail, locale FROM merchant_user WHERE id = $1 FOR UPDATE"
        user = await conn.fetchrow(sql, proof.user_id)
        try:
            await conn.execute("UPDATE merchant_user SET mail = $2 WHERE id = $1", user["id"], proof.mail)
        except asyncpg.UniqueViolationError:
            raise Taken("This mail address has an account of its own. Nothing was changed.") from None
        await proofs.void(conn, user["id"])
        async with tenant_tx(app, await memberships.home(conn, user["id"])) as tx:
            await tx.audit(encode("usr", user["id"]), "mail.changed", encode("usr", user["id"]))
            await mails.send(tx, user["mail"], "mail_changed", locale=user["locale"])


async def enrol_totp(platform: Pool, passwords: Passwords, totp: Totp, person: Person, *, password: str) -> Enrolment:
    await prove(platform, passwords, person.id, password)
    async with platform_tx(platform) as conn:
        return await totp.enrol(conn, person.id)


async def confirm_totp(platform: Pool, app: Pool, totp: Totp, person: Person, *, code: str) -> list[str]:
    """The recovery codes. Raises `Unprocessable` for a wrong code."""
    async with platform_tx(platform) as conn:
        await throttle.take(conn, throttle.CODE, person.id.hex)
        codes = await totp.confirm(conn, person.id, code)
        if codes is not None:
            await throttle.give_back(conn, throttle.CODE, person.id.hex)
            await _tell(conn, app, person, "totp.enabled", "totp_changed", change=_ON)
            return codes
    raise wrong_code()


async def disable_totp(platform: Pool, app: Pool, passwords: Passwords, totp: Totp, person: Person, *, password: str, code: str) -> None:
    """Needs both factors. Raises `Forbidden`, `Unprocessable`."""
    await prove(platform, passwords, person.id, password)
    async with platform_tx(platform) as conn:
        await throttle.take(conn, throttle.CODE, person.id.hex)
        if await totp.accepts(conn, person.id, code):
            await throttle.give_back(conn, throttle.CODE, person.id.hex)
            await totp.disable(conn, person.id)
            await _tell(conn, app, person, "totp.disabled", "totp_changed", change=_OFF)
            return
    raise wrong_code()


async def prove(platform: Pool, passwords: Passwords, user_id: UUID, password: str) -> str:
    """Whoever holds the session knows the password too: his hash. Raises `Forbidden`; `TooMany` after some wrong ones."""
    async with platform_tx(platform) as conn:
        await throttle.take(conn, throttle.PERSON, user_id.hex)
        stored: str = await conn.fetchval("SELECT password_hash FROM merchant_user WHERE id = $1", user_id)
    if not await passwords.verify(stored, password):
        raise wrong_password()
    async with platform_tx(platform) as conn:
        await throttle.give_back(conn, throttle.PERSON, user_id.hex)
    return stored


def wrong_password() -> Forbidden:
    return Forbidden("This is not your password. Nothing was changed.", code="wrong_password")


async def _tell(
    conn: Connection, app: Pool, person: Person, action: str, template: str, *, change: dict[str, str] | None = None, **detail: int
) -> None:
    """Write it down and tell him by mail, in one transaction."""
    user = await conn.fetchrow("SELECT mail, locale FROM merchant_user WHERE id = $1", person.id)
    async with tenant_tx(app, person.tenant_id) as tx:
        await tx.audit(person.actor, action, person.actor, **detail)
        values = {"change": change[user["locale"]]} if change else {}
        await mails.send(tx, user["mail"], template, locale=user["locale"], **values)
