"""Webhook endpoints: where a merchant wants to be told of what. The secret is shown when it is made, and lies sealed."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import encode, new_id
from tenants.db import TenantTx
from tenants.keys import Keyring, TenantKeys, webhook_place
from tenants.webhooks import addresses, reservations, signing
from tenants.webhooks.catalogue import ALL, KINDS, RESERVED

ENDPOINTS_MAX: Final = 20
ROTATION: Final = dt.timedelta(hours=24)  # so long the old secret signs too


class Endpoint(msgspec.Struct, frozen=True):
    """`disabled_because`: `merchant` (wanted), `gone` (it answered 410), `failing` (for days nothing was delivered)."""

    id: UUID
    url: str
    description: str
    event_types: list[str]
    enabled: bool
    disabled_because: str | None
    failing_since: dt.datetime | None
    next_try_at: dt.datetime | None
    created_at: dt.datetime


class TooManyEndpoints(Conflict):
    code = "too_many_webhook_endpoints"


_COLUMNS = ", ".join(Endpoint.__struct_fields__)


async def create(
    tx: TenantTx, keyring: Keyring, *, url: str, description: str, event_types: Iterable[str], loopback: bool, actor: str
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which nobody can read again.

    Raises `AddressRefused`, `Unprocessable` (`unknown_event_type`) and, beyond 20 of them, `TooManyEndpoints`.
    """
    addresses.parse(url, loopback=loopback)
    types = _known(event_types)
    await tx.in_line()
    if await tx.conn.fetchval("SELECT count(*) FROM webhook_endpoint WHERE tenant_id = $1", tx.tenant_id) >= ENDPOINTS_MAX:
        raise TooManyEndpoints(f"A store has at most {ENDPOINTS_MAX} webhook endpoints. Delete one first.")
    endpoint_id, secret, keys = new_id(), signing.new_secret(), await keyring.of(tx)
    sql = f"""INSERT INTO webhook_endpoint (tenant_id, id, url, description, event_types, secret, key_id)
              VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_COLUMNS}"""
    sealed = keys.seal(secret, webhook_place(tx.tenant_id, endpoint_id))
    row = await tx.conn.fetchrow(sql, tx.tenant_id, endpoint_id, url, description, types, sealed, keys.key_id)
    if RESERVED in types:
        await reservations.watch(tx)
    await tx.audit(actor, "webhook_endpoint.created", encode("whe", endpoint_id), url=_shown(url), event_types=types)
    return Endpoint(*row), signing.shown(secret)


async def all_of(tx: TenantTx) -> list[Endpoint]:
    """The newest first; there are at most 20."""
    sql = f"SELECT {_COLUMNS} FROM webhook_endpoint WHERE tenant_id = $1 ORDER BY id DESC"
    return [Endpoint(*row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def get(tx: TenantTx, endpoint_id: UUID) -> Endpoint:
    """Raises `NotFound`."""
    sql = f"SELECT {_COLUMNS} FROM webhook_endpoint WHERE tenant_id = $1 AND id = $2"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, endpoint_id):
        return Endpoint(*row)
    raise _missing()


async def change(
    tx: TenantTx,
    endpoint_id: UUID,
    *,
    url: str | None = None,
    description: str | None = None,
    event_types: Iterable[str] | None = None,
    enabled: bool | None = None,
    loopback: bool,
    actor: str,
) -> Endpoint:
    """Change what is not None. What waits is tried at once, and what failed before does not count any more. Raises as `create`, `NotFound`.

    Disabled, it hears of nothing new; what waited goes on when it is enabled again.
    """
    if url is not None:
        addresses.parse(url, loopback=loopback)
    new: dict[str, Any] = {"url": url, "description": description, "event_types": None if event_types is None else _known(event_types)}
    new = {name: value for name, value in new.items() if value is not None}
    if enabled is not None:
        new |= {"enabled": enabled, "disabled_because": None if enabled else "merchant"}
    if not new:
        return await get(tx, endpoint_id)
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(new, start=3))
    if enabled is False:
        sets += ", next_try_at = NULL, lease = NULL"
    if await tx.conn.fetchval(
        f"UPDATE webhook_endpoint SET {sets}, failing_since = NULL, tries = 0 WHERE tenant_id = $1 AND id = $2 RETURNING true",
        tx.tenant_id, endpoint_id, *new.values(),
    ) is None:  # fmt: skip
        raise _missing()
    if enabled is not False:
        sql = """UPDATE webhook_delivery SET attempts = 0
                 WHERE tenant_id = $1 AND endpoint_id = $2 AND state = 'waiting' AND attempts > 0"""
        await tx.conn.execute(sql, tx.tenant_id, endpoint_id)
    await wake(tx, endpoint_id)
    endpoint = await get(tx, endpoint_id)
    if endpoint.enabled and RESERVED in endpoint.event_types:
        await reservations.watch(tx)
    await tx.audit(actor, "webhook_endpoint.changed", encode("whe", endpoint_id), **new | ({"url": _shown(url)} if url is not None else {}))
    return endpoint


async def wake(tx: TenantTx, endpoint_id: UUID) -> None:
    """Have what waits tried now. Who delivers just now goes on by himself, and must not find another at the same queue."""
    sql = """UPDATE webhook_endpoint SET next_try_at = CASE WHEN EXISTS (
                 SELECT FROM webhook_delivery WHERE tenant_id = $1 AND endpoint_id = $2 AND state = 'waiting') THEN now() END
             WHERE tenant_id = $1 AND id = $2 AND enabled AND lease IS NULL"""
    await tx.conn.execute(sql, tx.tenant_id, endpoint_id)


async def delete(tx: TenantTx, endpoint_id: UUID, *, actor: str) -> None:
    """End it; what waits is cancelled, and the log of what was sent stays for its 30 days. Raises `NotFound`."""
    sql = "DELETE FROM webhook_endpoint WHERE tenant_id = $1 AND id = $2 RETURNING url"
    url = await tx.conn.fetchval(sql, tx.tenant_id, endpoint_id)
    if url is None:
        raise _missing()
    sql = """UPDATE webhook_delivery SET state = 'cancelled', finished_at = now()
             WHERE tenant_id = $1 AND endpoint_id = $2 AND state = 'waiting'"""
    await tx.conn.execute(sql, tx.tenant_id, endpoint_id)
    await tx.audit(actor, "webhook_endpoint.deleted", encode("whe", endpoint_id), url=_shown(url))


async def rotate_secret(tx: TenantTx, keyring: Keyring, endpoint_id: UUID, *, actor: str) -> tuple[str, dt.datetime]:
    """A new secret, and until when the one before signs too. An older one still ends at once. Raises `NotFound`."""
    secret, keys = signing.new_secret(), await keyring.of(tx)
    sql = """UPDATE webhook_endpoint SET old_secret = secret, old_key_id = key_id, old_until = now() + $5, secret = $3, key_id = $4
             WHERE tenant_id = $1 AND id = $2 RETURNING old_until"""
    sealed = keys.seal(secret, webhook_place(tx.tenant_id, endpoint_id))
    old_until = await tx.conn.fetchval(sql, tx.tenant_id, endpoint_id, sealed, keys.key_id, ROTATION)
    if old_until is None:
        raise _missing()
    await tx.audit(actor, "webhook_endpoint.secret_rotated", encode("whe", endpoint_id))
    return signing.shown(secret), old_until


SECRETS: Final = "secret, key_id, CASE WHEN old_until > now() THEN old_secret END AS old_secret, old_key_id"


def key_ids(row: asyncpg.Record) -> list[int]:
    """What opens the secrets of a row of `SECRETS`."""
    sealed = [(row["key_id"], row["secret"]), (row["old_key_id"], row["old_secret"])]
    return [key_id for key_id, secret in sealed if secret is not None]


def secrets(keys: TenantKeys, endpoint_id: UUID, row: asyncpg.Record) -> list[bytes]:
    """Those that sign now, of a row of `SECRETS`; the newest first. Raises `SealBroken`."""
    place = webhook_place(keys.tenant_id, endpoint_id)
    sealed = [(row["key_id"], row["secret"]), (row["old_key_id"], row["old_secret"])]
    return [keys.open_(key_id, secret, place) for key_id, secret in sealed if secret is not None]


def _shown(url: str) -> str:
    """A URL as the audit, which more people read and nobody can take back, may keep it: its path may be what a receiver knows us by."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _known(event_types: Iterable[str]) -> list[str]:
    types = sorted(set(event_types))
    if unknown := set(types) - {ALL, *KINDS}:
        known = [ALL, *KINDS]
        raise Unprocessable(f"There is no event type {min(unknown)[:64]!r}.", code="unknown_event_type", event_types=known)
    return types


def _missing() -> NotFound:
    return NotFound("There is no such webhook endpoint.")
