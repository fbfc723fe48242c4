"""Mails are handed to an SMTP server: at least once, each with the same Message-ID every time."""

import logging
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
from aiosmtplib import SMTPDataError, SMTPException, SMTPRecipientRefused, SMTPRecipientsRefused

from checkout_core.config import Settings
from tenants import mails
from tenants.db import Pool
from tenants.mails.render import render

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0  # of each step; a bell's job may take 30
PORTS = {"smtp": 587, "smtps": 465}


class NotTaken(Exception):
    """The server did not take it, for now. The message holds no word of the server's, which often repeats the address."""


class Mailer:
    """Hands mails to the server at `SMTP_URL`. Without one they stay due."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._pool = pool
        self._sender = settings.mail_from
        self._base_url = settings.public_url.rstrip("/") or f"https://{settings.base_domain}"
        self._server = urlsplit(settings.smtp_url)
        self._told = False

    async def deliver(self, tenant_id: UUID, mail_id: UUID) -> None:
        """Hand one mail over, if it is still due. Refused for good it ends there.

        Raises `NotTaken` when it went wrong in another way: the server may have taken it all the same, and it is tried again.
        """
        mail = await mails.claim(self._pool, tenant_id, mail_id)
        if mail is None:
            return
        if not self._server.hostname:
            if not self._told:
                log.warning("SMTP_URL is not set: mails stay due until it is")
            self._told = True
            await mails.wait_for_a_server(self._pool, mail)
            return
        try:
            await self._hand_over(mail)
        except (SMTPRecipientsRefused, SMTPDataError) as error:
            # Only what was said of this recipient or of this mail is about them; a refused sign-in is about our settings.
            reply = said(error)
            if not 500 <= reply.code < 600:
                raise NotTaken(str(reply.code)) from None
            log.warning("mail %s of tenant %s was refused: %d", mail.id, tenant_id, reply.code)
            await mails.refused(self._pool, mail, f"{reply.code} {reply.message}")
            return
        except (SMTPException, OSError) as error:
            raise NotTaken(f"{type(error).__name__} {getattr(error, 'code', '')}".rstrip()) from None
        await mails.sent(self._pool, mail)

    async def _hand_over(self, mail: mails.Mail) -> None:
        server = self._server
        message = render(mail, sender=self._sender, base_url=self._base_url)
        await aiosmtplib.send(
            message,
            recipients=[mail.recipient],
            hostname=server.hostname,
            port=server.port or PORTS[server.scheme],
            username=unquote(server.username) if server.username else None,
            password=unquote(server.password) if server.password else None,
            use_tls=server.scheme == "smtps",
            # A password goes over no open line: with one STARTTLS is demanded, without one it is used where it is offered.
            start_tls=True if server.username and server.scheme == "smtp" else None,
            timeout=TIMEOUT_S,
        )


def said(error: SMTPRecipientsRefused | SMTPDataError) -> SMTPRecipientRefused | SMTPDataError:
    """The server's own reply to our one recipient or to the mail."""
    return error.recipients[0] if isinstance(error, SMTPRecipientsRefused) else error
