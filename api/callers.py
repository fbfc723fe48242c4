"""Merchants by what they show: an API key or a session token, verified against Postgres and remembered for a moment."""

import datetime as dt
from uuid import UUID

import msgspec

from api.memory import Memory
from checkout_core.ids import encode
from tenants import accounts, api_keys, sandboxes
from tenants.db import Pool, tenant_tx
from tenants.profile import Person

TTL_S = 2.0  # so long a revoked key may still work, and a person what his role no longer permits
CALLERS_MAX = 10_000
TOKEN_MAX = 256  # characters; ours have at most 120


class Merchant(msgspec.Struct, frozen=True):
    """`actor` is who the audit names: `usr_…` or `key_…`. `user_id` is that person, or whom the key answers to."""

    tenant_id: UUID
    actor: str
    user_id: UUID | None
    scopes: frozenset[str]
    expires_at: dt.datetime | None = None
    person: Person | None = None  # None for a key


class Callers:
    def __init__(self, app: Pool, platform: Pool, pepper: bytes) -> None:
        self._app = app
        self._platform = platform
        self._pepper = pepper
        self._known: Memory[str, Merchant] = Memory(self._find, ttl_s=TTL_S, size=CALLERS_MAX)

        async def sandbox(tenant_id: UUID) -> UUID | None:
            return await sandboxes.of(platform, tenant_id)

        self._sandboxes = Memory(sandbox, ttl_s=TTL_S, size=CALLERS_MAX)

    async def merchant(self, token: str) -> Merchant | None:
        """Who holds `token`, or None for anything unknown, revoked or expired."""
        if len(token) > TOKEN_MAX or not token.isascii() or not token.startswith(("sk_", "se_")):
            return None
        return await self._known.get(token)

    def forget(self, token: str) -> None:
        """Ask Postgres again the next time: after signing out, in this process at once."""
        self._known.forget(token)

    async def sandbox_of(self, tenant_id: UUID) -> UUID | None:
        """The sandbox of a store, if it has one."""
        return await self._sandboxes.get(tenant_id)

    def forget_sandbox(self, tenant_id: UUID) -> None:
        self._sandboxes.forget(tenant_id)

    async def _find(self, token: str) -> Merchant | None:
        if token.startswith("se_"):
            user = await accounts.user_of(self._platform, token)
            if user is None:
                return None
            person = Person(user.id, user.tenant_id, user.session_id)
            return Merchant(user.tenant_id, person.actor, user.id, user.scopes, user.expires_at, person)
        tenant_id = api_keys.tenant_of(token)
        if tenant_id is None:
            return None
        async with tenant_tx(self._app, tenant_id) as tx:
            key = await api_keys.find(tx, self._pepper, token)
        return Merchant(tenant_id, encode("key", key.id), key.made_by, key.scopes, key.expires_at) if key else None
