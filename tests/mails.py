"""Mails as the tests read them: from the rows that the worker would hand over."""

import msgspec

from api.process import Process
from tenants.db import tenant_tx
from tenants.mails import PLATFORM, Mail


async def letters(process: Process, to: str) -> list[Mail]:
    """All that the platform owes or sent to `to`, oldest first."""
    sql = """SELECT tenant_id, id, recipient, template, locale, content, created_at FROM mail
             WHERE tenant_id = $1 AND recipient = $2 ORDER BY id"""
    async with tenant_tx(process.app_pool, PLATFORM) as tx:
        rows = await tx.conn.fetch(sql, PLATFORM, to.lower())
    return [Mail(*row[:5], msgspec.json.decode(row["content"]), row["created_at"]) for row in rows]


async def token(process: Process, to: str) -> str:
    """What the newest mail to `to` holds."""
    return (await letters(process, to))[-1].values["token"]
