"""Proofs of a mail address: a token that only its owner can send back. Kept as a hash, good once and for a while."""

import datetime as dt
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants import secret_tokens
from tenants.db import Connection

TTL: Final = {
    "sign_up": dt.timedelta(hours=24),
    "password_reset": dt.timedelta(minutes=30),
    "new_mail": dt.timedelta(hours=24),
}
PER_HOUR = 5  # of one purpose to one address: nobody's letter box is filled by ours

_encode = msgspec.json.Encoder().encode


class UnknownToken(NotFound):
    """Unknown, used or expired: one answer for all."""

    code = "unknown_token"


class Proof(NamedTuple):
    mail: str
    user_id: UUID | None
    content: dict[str, str]


async def make(conn: Connection, purpose: str, mail: str, *, user_id: UUID | None = None, **content: str) -> str | None:
    """A new token for `mail`; None when it was sent `PER_HOUR` within the hour. Earlier ones stay good: mails overtake each other."""
    # One after the other for each address, so that many at once are counted too.
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{purpose} {mail}")
    sql = "SELECT count(*) FROM proof WHERE mail = $1 AND purpose = $2 AND created_at > now() - interval '1 hour'"
    if await conn.fetchval(sql, mail, purpose) >= PER_HOUR:
        return None
    token = secret_tokens.new()
    sql = """INSERT INTO proof (token_hash, purpose, mail, user_id, content, expires_at) VALUES ($1, $2, $3, $4, $5, now() + $6)"""
    await conn.execute(sql, secret_tokens.hash_of(token), purpose, mail, user_id, _encode(content).decode(), TTL[purpose])
    return token


async def use(conn: Connection, purpose: str, token: str) -> Proof:
    """What the token proves; it proves nothing again once this is committed. Raises `UnknownToken`."""
    sql = "DELETE FROM proof WHERE token_hash = $1 AND purpose = $2 AND expires_at > now() RETURNING mail, user_id, content"
    row = await conn.fetchrow(sql, secret_tokens.hash_of(token), purpose)
    if row is None:
        raise UnknownToken("This link or code is unknown, used or expired. Nothing was changed; ask for a new one.")
    return Proof(row["mail"], row["user_id"], msgspec.json.decode(row["content"]))


async def forget(conn: Connection, purpose: str, mail: str) -> None:
    """What was sent to `mail` for this proves nothing any more."""
    await conn.execute("DELETE FROM proof WHERE mail = $1 AND purpose = $2", mail, purpose)


async def void(conn: Connection, user_id: UUID) -> None:
    """Whatever was asked in somebody's name before his password or mail changed proves nothing any more, wherever it was sent."""
    await conn.execute("DELETE FROM proof WHERE user_id = $1", user_id)
