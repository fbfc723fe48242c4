"""What was taken, and how the catcher misbehaves on purpose."""

import asyncio
import itertools
from collections import deque
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Annotated, Any, Literal, cast

from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec import Meta, Struct

KEPT = 10_000  # the oldest is forgotten first


class Letter(Struct, frozen=True):
    """`to` is the envelope's recipient, `headers` the message's own, decoded."""

    number: int
    sender: str
    to: str
    subject: str
    text: str
    html: str
    headers: list[tuple[str, str]]


class Faults(Struct, frozen=True, forbid_unknown_fields=True):
    """All off by default."""

    refuse: Annotated[int, Meta(ge=400, le=599)] | None = None
    """mails are answered with this code: 4xx is for now, 5xx for good"""
    at: Literal["recipient", "data"] = "recipient"
    """when it is refused: as soon as the recipient is named, or after the whole mail"""
    delay_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0
    """each mail waits this long before it is answered"""
    drop: Literal["", "before", "after"] = ""
    """the connection is cut instead of an answer: before the mail was taken, or after"""
    times: Annotated[int, Meta(ge=1)] | None = None
    """so many mails are treated so; all unless given"""
    to: Annotated[str, Meta(max_length=254)] = ""
    """only mails to this recipient"""


class Box:
    """A handler of aiosmtpd: takes every mail, unless `faults` say otherwise."""

    def __init__(self) -> None:
        self.letters: deque[Letter] = deque(maxlen=KEPT)
        self._numbers = itertools.count(1)
        self._faults = Faults()
        self._left: int | None = None

    @property
    def faults(self) -> Faults:
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults, self._left = faults, faults.times

    def to(self, recipient: str) -> list[Letter]:
        """All that somebody was sent, oldest first; to anybody when `recipient` is empty."""
        return [letter for letter in self.letters if not recipient or letter.to == recipient.lower()]

    def server(self) -> SMTP:
        """One for each connection."""
        return SMTP(self, hostname="catcher.test", ident="catcher", enable_SMTPUTF8=False, loop=asyncio.get_running_loop())

    async def handle_RCPT(  # noqa: N802  the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        faults = self._faults
        if faults.refuse and faults.at == "recipient" and self._meant([address]):
            return f"{faults.refuse} told to refuse"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  the library's name
        faults = self._faults
        meant = (faults.delay_ms or faults.drop or (faults.refuse and faults.at == "data")) and self._meant(envelope.rcpt_tos)
        if not meant:
            self._take(envelope)
            return "250 OK"
        await asyncio.sleep(faults.delay_ms / 1000)
        if faults.refuse and faults.at == "data":
            return f"{faults.refuse} told to refuse"
        if faults.drop != "before":
            self._take(envelope)
        if faults.drop:
            cast(asyncio.WriteTransport, server.transport).abort()
            raise ConnectionResetError
        return "250 OK"

    def _meant(self, recipients: list[str]) -> bool:
        if self._left == 0 or (self._faults.to and self._faults.to not in recipients):
            return False
        if self._left is not None:
            self._left -= 1
        return True

    def _take(self, envelope: Envelope) -> None:
        assert isinstance(envelope.original_content, bytes)
        message: Any = message_from_bytes(envelope.original_content, policy=policy.default)
        headers = [(name, str(value)) for name, value in message.items()]
        for recipient in envelope.rcpt_tos:
            letter = Letter(
                next(self._numbers), envelope.mail_from or "", recipient.lower(), str(message["Subject"] or ""),
                _body(message, "plain"), _body(message, "html"), headers,
            )  # fmt: skip
            self.letters.append(letter)


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""
