"""A merchant's accounts at payment providers: credentials sealed at rest, adapters kept in memory."""

from uuid import UUID

import msgspec

from checkout_core.config import Settings
from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import new_id
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.http import Client, Origin
from tenants.keys import Keyring, account_place
from tenants.payments.adapters import adapter
from tenants.payments.provider import Provider
from tenants.payments.sandbox import SandboxCredentials
from tenants.payments.watched import watched

TEST_PROVIDERS = frozenset({"sandbox"})  # whose money is none

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


async def all_of(tx: TenantTx) -> list[Account]:
    """The store's accounts, oldest first."""
    sql = "SELECT id, provider, mch_id, state FROM provider_account WHERE tenant_id = $1 ORDER BY id"
    return [Account(*row) for row in await tx.conn.fetch(sql, tx.tenant_id)]


def notify_url(base: str, provider: str, tenant_id: UUID, account_id: UUID) -> str:
    """Where a provider sends its notices of an account. It names the tenant, so that nothing has to be looked up before there is one."""
    return f"{base}/v1/payment-notices/{provider}/{tenant_id.hex}/{account_id.hex}"


class Providers:
    """Adapters by account, opened once in a process: each keeps its connections and its circuit breaker."""

    def __init__(self, settings: Settings, pool: Pool, keyring: Keyring) -> None:
        if settings.provider_url:
            Origin.parse(settings.provider_url)  # an address that is none is told when the process starts
        self._settings = settings
        self._pool = pool
        self._keyring = keyring
        self.client = Client()
        self._open: dict[tuple[UUID, UUID], Provider] = {}

    async def get(self, tenant_id: UUID, account_id: UUID) -> Provider:
        """The adapter of an account. Raises `NotFound`. Reads Postgres at the first call, outside any transaction of the caller's."""
        if found := self._open.get((tenant_id, account_id)):
            return found
        async with tenant_tx(self._pool, tenant_id) as tx:
            sql = "SELECT provider, credentials, key_id FROM provider_account WHERE tenant_id = $1 AND id = $2"
            row = await tx.conn.fetchrow(sql, tenant_id, account_id)
            if row is None:
                raise NotFound("There is no such payment account.")
            keys = await self._keyring.to_open(tx, row["key_id"])
        plain = keys.open_(row["key_id"], row["credentials"], account_place(tenant_id, account_id))
        opened = watched(adapter(row["provider"], plain, self._settings.provider_url, self.client))
        return self._open.setdefault((tenant_id, account_id), opened)

    async def aclose(self) -> None:
        await self.client.aclose()
