"""What is answered when a mail is on its way: always the same, so that it tells nobody which mails are known."""

import datetime as dt
from uuid import UUID

from msgspec import Struct

from api.process import Process
from tenants import mails, proofs


class MailSent(Struct, frozen=True):
    """What the mail holds works until then, once."""

    expires_at: dt.datetime


def sent(process: Process, purpose: str, mail_id: UUID | None) -> MailSent:
    """The mail leaves now, not with the next sweep."""
    if mail_id is not None:
        process.bell.ring("mail", mails.PLATFORM, mail_id)
    return MailSent(dt.datetime.now(dt.UTC).replace(microsecond=0) + proofs.TTL[purpose])
