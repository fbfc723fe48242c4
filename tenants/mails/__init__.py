"""Mails: recorded in the transaction of the deed they tell of, and handed over after its commit by a duty (`workers.mails`).

await mails.send(tx, "ann@example.org", "password_reset", locale="en", token=token)
"""

import datetime as dt
import re
import time
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.ids import new_id
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.mails.words import LOCALES, TEMPLATES, fields

# The tenant of mails to people who have none (yet): the platform itself.
PLATFORM = UUID(int=0)
# What an address may look like: the pattern of HTML's own mail field, without the names of hosts that have no dot. Nothing in it can
# end a header or add a second recipient. Letters beyond ASCII need SMTPUTF8, which many servers lack.
ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
ADDRESS_MAX = 254
_address = re.compile(ADDRESS).fullmatch
CLAIM = dt.timedelta(minutes=2)  # so long a worker has to hand a mail over before another one tries
KEPT_MS = 30 * 24 * 3600 * 1000  # so long it is known that a mail was sent
RETRY = dt.timedelta(seconds=30)  # when there is no server to hand it to
REPLY_MAX = 200

_encode = msgspec.json.Encoder().encode


class Mail(NamedTuple):
    """A mail to be handed over. `id` is its Message-ID too, so that a repetition can be known for one."""

    tenant_id: UUID
    id: UUID
    recipient: str
    template: str
    locale: str
    values: dict[str, str]
    created_at: dt.datetime


def is_address(text: str) -> bool:
    """Whether we could send a mail there."""
    return len(text) <= ADDRESS_MAX and _address(text) is not None


async def send(tx: TenantTx, to: str, template: str, *, locale: str = "zh-CN", **values: str) -> UUID:
    """Owe `to` a mail; it leaves with the commit or not at all. The id of its row.

    `template` is one of `words.TEMPLATES` and `values` are all that it speaks of; anything else is a mistake of the caller's.
    """
    assert locale in LOCALES, locale
    assert fields(TEMPLATES[template][locale]) == values.keys(), f"{template} speaks of {sorted(fields(TEMPLATES[template][locale]))}"
    mail_id = new_id()
    sql = "INSERT INTO mail (tenant_id, id, recipient, template, locale, content) VALUES ($1, $2, $3, $4, $5, $6)"
    await tx.conn.execute(sql, tx.tenant_id, mail_id, to, template, locale, _encode(values).decode())
    return mail_id


async def claim(pool: Pool, tenant_id: UUID, mail_id: UUID) -> Mail | None:
    """The mail, if it is due and nobody else is at it. Whoever dies with it has it tried again when `CLAIM` is over."""
    sql = """UPDATE mail SET next_try_at = now() + $3 WHERE tenant_id = $1 AND id = $2 AND next_try_at <= now()
             RETURNING recipient, template, locale, content, created_at"""
    async with tenant_tx(pool, tenant_id) as tx:
        row = await tx.conn.fetchrow(sql, tenant_id, mail_id, CLAIM)
    if row is None:
        return None
    values: dict[str, str] = msgspec.json.decode(row["content"])
    return Mail(tenant_id, mail_id, row["recipient"], row["template"], row["locale"], values, row["created_at"])


async def sent(pool: Pool, mail: Mail) -> None:
    """It was handed over. What it said is forgotten, and so are mails of long ago."""
    await _end(pool, mail, "sent_at = now()")


async def refused(pool: Pool, mail: Mail, reply: str) -> None:
    """The server will never take it; `reply` is what it said."""
    await _end(pool, mail, "refused = $3", reply[:REPLY_MAX])


async def _end(pool: Pool, mail: Mail, how: str, *values: Any) -> None:
    async with tenant_tx(pool, mail.tenant_id) as tx:
        sql = f"UPDATE mail SET {how}, content = '{{}}', next_try_at = NULL WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, mail.tenant_id, mail.id, *values)
        # Ids begin with the time they were made at, so that only the old ones are looked at.
        sql = "DELETE FROM mail WHERE tenant_id = $1 AND id < $2 AND next_try_at IS NULL"
        await tx.conn.execute(sql, mail.tenant_id, UUID(int=(time.time_ns() // 1_000_000 - KEPT_MS) << 80))


async def wait_for_a_server(pool: Pool, mail: Mail) -> None:
    """Due again in a while: that no server is configured is no failure of the mail's."""
    async with tenant_tx(pool, mail.tenant_id) as tx:
        sql = "UPDATE mail SET next_try_at = now() + $3 WHERE tenant_id = $1 AND id = $2 AND next_try_at IS NOT NULL"
        await tx.conn.execute(sql, mail.tenant_id, mail.id, RETRY)
