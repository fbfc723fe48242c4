"""A mail as it goes over the wire: plain text and simple HTML of the same words (RFC 5322, RFC 2046 §5.1.4)."""

import unicodedata
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from markupsafe import escape

from tenants.mails import Mail
from tenants.mails.words import TEMPLATES

_PAGE = (
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title></head>'
    '<body style="font:16px/1.5 sans-serif;color:#1c1c1e;max-width:34em;margin:2em auto;padding:0 1em">{body}</body></html>\n'
)


def render(mail: Mail, *, sender: str, base_url: str) -> EmailMessage:
    """`sender` is `Name <mail>` or a bare address; links lead below `base_url`.

    Values come from people. In headers a line break would begin a header of theirs: none of the control characters are kept. In HTML
    they are text. The header names one recipient, who was held against `mails.ADDRESS`.
    """
    words = TEMPLATES[mail.template][mail.locale]
    values = {name: plain(value) for name, value in mail.values.items()}
    name, address = parseaddr(sender)
    subject = words.subject.format_map(values)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Subject"] = subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id.hex}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    lines = [(line[:1], line.lstrip(">#").format_map(values)) for line in words.lines]
    text = ["\n".join(_links(line, base_url)) if kind == ">" else line for kind, line in lines]
    message.set_content("\n\n".join(text) + "\n", cte="quoted-printable")
    body = "".join(_html(kind, line, base_url) for kind, line in lines)
    message.add_alternative(_PAGE.format(lang=mail.locale, title=escape(subject), body=body), subtype="html", cte="quoted-printable")
    return message


def plain(value: str) -> str:
    """Text without control characters: each becomes a space."""
    return "".join(" " if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") else character for character in value)


def _html(kind: str, line: str, base_url: str) -> str:
    if kind == ">":
        links = [escape(link) for link in _links(line, base_url)]
        return "".join(f'<p><a href="{link}">{link}</a></p>' for link in links)
    if kind == "#":
        return f"<p><code>{escape(line)}</code></p>"
    return f"<p>{escape(line)}</p>"


def _links(line: str, base_url: str) -> list[str]:
    return [link if link.startswith(("https://", "http://")) else f"{base_url}{link}" for link in line.split()]
