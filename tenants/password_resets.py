"""A new password for who forgot his. That a mail is known is told to its owner only."""

from uuid import UUID

from checkout_core.ids import encode
from tenants import mails, memberships, proofs, sessions, throttle
from tenants.db import Pool, platform_tx, tenant_tx
from tenants.passwords import Passwords
from tenants.sessions import Visitor


async def ask(platform: Pool, app: Pool, *, mail: str, locale: str = "zh-CN") -> UUID | None:
    """Send `mail` what resets the password, or word that it has no account; the id of that mail, None when it was sent enough of them."""
    mail = mail.lower()
    async with platform_tx(platform) as conn:
        user = await conn.fetchrow("SELECT id, locale FROM merchant_user WHERE mail = $1", mail)
        token = await proofs.make(conn, "password_reset", mail, user_id=user["id"] if user else None)
        if token is None:
            return None
        async with tenant_tx(app, mails.PLATFORM) as tx:
            if user is None:  # the token leaves with nobody
                return await mails.send(tx, mail, "unknown", locale=locale)
            return await mails.send(tx, mail, "password_reset", locale=user["locale"], token=token)


async def confirm(platform: Pool, app: Pool, *, passwords: Passwords, token: str, password: str, visitor: Visitor) -> None:
    """Set the password, end every session, and tell him by mail. A second factor stays. Raises `proofs.UnknownToken`."""
    password_hash = await passwords.hash(password)
    async with platform_tx(platform) as conn:
        proof = await proofs.use(conn, "password_reset", token)
        assert proof.user_id is not None, "a token without a user was never sent"
        sql = "UPDATE merchant_user SET password_hash = $2 WHERE id = $1 RETURNING mail, locale"
        user = await conn.fetchrow(sql, proof.user_id, password_hash)
        ended = await sessions.end_all(conn, proof.user_id)
        await proofs.void(conn, proof.user_id)
        await sessions.know(conn, proof.user_id, visitor)
        await throttle.clear(conn, throttle.PAIR, user["mail"], visitor.address)
        async with tenant_tx(app, await memberships.home(conn, proof.user_id)) as tx:
            actor = encode("usr", proof.user_id)
            await tx.audit(actor, "password.reset", actor, sessions_ended=ended)
            await mails.send(tx, user["mail"], "password_changed", locale=user["locale"])
