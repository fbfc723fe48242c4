"""A merchant's accounts at payment providers: credentials sealed at rest, adapters kept in memory."""

import time
from typing import Final
from uuid import UUID

import msgspec

from checkout_core.config import Settings
from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode, new_id
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.http import Client, Origin
from tenants.keys import Keyring, account_place
from tenants.payments.adapters import adapter
from tenants.payments.provider import Provider
from tenants.payments.sandbox import SandboxCredentials
from tenants.payments.watched import watched

TEST_PROVIDERS = frozenset({"sandbox"})  # whose money is none

REREAD_S: Final = 30.0  # so long a process may use credentials that were changed elsewhere

_encode = msgspec.json.Encoder().encode


class Account(msgspec.Struct, frozen=True):
    id: UUID
    provider: str
    mch_id: str
    state: str


async def create(tx: TenantTx, keyring: Keyring, credentials: SandboxCredentials, *, actor: str) -> Account:
    """Add an account at the sandbox provider. Raises `Conflict` if the merchant number is there, or would take real money in a sandbox."""
    account = Account(new_id(), "sandbox", credentials.mch_id, "active")
    mode = await tx.conn.fetchval("SELECT mode FROM store WHERE tenant_id = $1", tx.tenant_id)
    if mode == "test" and account.provider not in TEST_PROVIDERS:
        raise Conflict(
            f"{account.provider} takes real money, and this store is a sandbox. Connect it to the store itself.", code="is_sandbox"
        )
    keys = await keyring.of(tx)
    sealed = keys.seal(_encode(credentials), account_place(tx.tenant_id, account.id))
    sql = """INSERT INTO provider_account (tenant_id, id, provider, mch_id, credentials, key_id)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING 1"""
    if not await tx.conn.fetchval(sql, tx.tenant_id, account.id, account.provider, account.mch_id, sealed, keys.key_id):
        raise Conflict(f"The merchant number {credentials.mch_id} is connected already.", code="account_exists")
    await tx.audit(actor, "provider_account.created", str(account.id), provider=account.provider, mch_id=account.mch_id)
    return account


async def ways(tx: TenantTx) -> list[str]:
    """The providers that the store's shoppers may pay with."""
    sql = "SELECT DISTINCT provider FROM provider_account WHERE tenant_id = $1 AND state = 'active' ORDER BY provider"
    return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def all_of(tx: TenantTx) -> list[Account]:
    """The store's accounts, oldest first."""
    sql = "SELECT id, provider, mch_id, state FROM provider_account WHERE tenant_id = $1 ORDER BY id"
    return [Account(*row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def rotate(tx: TenantTx, keyring: Keyring, account_id: UUID, credentials: SandboxCredentials, *, actor: str) -> Account:
    """Other keys for the same merchant number. What is under way goes on with them, in every process within `REREAD_S`.

    Raises `NotFound`, `Conflict` (`other_merchant_number`).
    """
    account = await _lock(tx, account_id)
    if account.mch_id != credentials.mch_id:
        raise Conflict(
            f"These are credentials of {credentials.mch_id}; this account is {account.mch_id}. Connect another one. Nothing was changed.",
            code="other_merchant_number",
        )
    keys = await keyring.of(tx)
    sealed = keys.seal(_encode(credentials), account_place(tx.tenant_id, account.id))
    sql = "UPDATE provider_account SET credentials = $3, key_id = $4, changed_at = now() WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, account.id, sealed, keys.key_id)
    await tx.audit(actor, "provider_account.rotated", encode("acc", account.id), provider=account.provider, mch_id=account.mch_id)
    return account


async def switch(tx: TenantTx, account_id: UUID, *, on: bool, actor: str) -> Account:
    """Whether payments are begun at it. Those that were go on, and so do refunds. Raises `NotFound`."""
    account = await _lock(tx, account_id)
    state = "active" if on else "disabled"
    if account.state == state:
        return account
    await tx.conn.execute("UPDATE provider_account SET state = $3 WHERE tenant_id = $1 AND id = $2", tx.tenant_id, account.id, state)
    await tx.audit(actor, f"provider_account.{state}", encode("acc", account.id), provider=account.provider, mch_id=account.mch_id)
    return msgspec.structs.replace(account, state=state)


async def _lock(tx: TenantTx, account_id: UUID) -> Account:
    sql = "SELECT id, provider, mch_id, state FROM provider_account WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, account_id):
        return Account(*row)
    raise NotFound("There is no such payment account.")


def notify_url(base: str, provider: str, tenant_id: UUID, account_id: UUID) -> str:
    """Where a provider sends its notices of an account. It names the tenant, so that nothing has to be looked up before there is one."""
    return f"{base}/v1/payment-notices/{provider}/{tenant_id.hex}/{account_id.hex}"


class _Opened:
    """An adapter keeps its connections and its circuit breaker for as long as its credentials are the same."""

    def __init__(self, provider: Provider, credentials: bytes) -> None:
        self.provider = provider
        self.credentials = credentials
        self.good_until = 0.0


class Providers:
    """Adapters by account, opened once in a process: each keeps its connections and its circuit breaker."""

    def __init__(self, settings: Settings, pool: Pool, keyring: Keyring) -> None:
        if settings.provider_url:
            Origin.parse(settings.provider_url)  # an address that is none is told when the process starts
        self._settings = settings
        self._pool = pool
        self._keyring = keyring
        self.client = Client()
        self._open: dict[tuple[UUID, UUID], _Opened] = {}

    async def get(self, tenant_id: UUID, account_id: UUID) -> Provider:
        """The adapter of an account. Raises `NotFound`. Reads Postgres at the first call and when it is some time since, outside any
        transaction of the caller's."""
        found = self._open.get((tenant_id, account_id))
        if found and time.monotonic() < found.good_until:
            return found.provider
        async with tenant_tx(self._pool, tenant_id) as tx:
            sql = "SELECT provider, credentials, key_id FROM provider_account WHERE tenant_id = $1 AND id = $2"
            row = await tx.conn.fetchrow(sql, tenant_id, account_id)
            if row is None:
                raise NotFound("There is no such payment account.")
            keys = await self._keyring.to_open(tx, row["key_id"])
        plain = keys.open_(row["key_id"], row["credentials"], account_place(tenant_id, account_id))
        if found is None or found.credentials != plain:
            opened = watched(adapter(row["provider"], plain, self._settings.provider_url, self.client))
            found = _Opened(opened, plain)
        found.good_until = time.monotonic() + REREAD_S
        self._open[tenant_id, account_id] = found
        return found.provider

    async def aclose(self) -> None:
        await self.client.aclose()
