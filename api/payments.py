"""HTTP for payments: a merchant's provider accounts, and the providers' notices."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import anyone, needs
from api.idempotency import Once
from api.process import Process
from api.wire import END, NOTHING, Nothing
from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode
from tenants import capabilities, ledger, stores
from tenants.db import TenantTx, tenant_tx
from tenants.payments import accounts, inbox, office
from tenants.payments.adapters import adapter
from tenants.payments.sandbox import SandboxCredentials

Pem = Annotated[str, Meta(min_length=64, max_length=8192)]
Short = Annotated[str, Meta(min_length=1, max_length=128)]


class NewAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Credentials as the provider's own console shows them. They are sealed at once and never shown again."""

    provider: Annotated[str, Meta(pattern=f"^[a-z][a-z0-9_]{{1,31}}{END}")]
    mch_id: Short
    serial_no: Short
    private_key_pem: Pem
    api_v3_key: Short
    provider_serial: Short
    provider_public_key_pem: Pem


class AccountView(Struct, frozen=True):
    id: str
    provider: str
    mch_id: str
    state: str
    notify_url: str


class AccountViews(Struct, frozen=True):
    accounts: list[AccountView]


class ProviderAccountController(Controller):
    path = "/provider-accounts"
    tags = ("Payments",)

    @post("/", guards=[needs("payments:write")], operation_id="connectProviderAccount", summary="Connect an account at a provider")
    async def create(
        self,
        data: JSONBody[NewAccount],
        process: NamedDependency[Process],
        once: NamedDependency[Once],
        merchant: NamedDependency[Merchant],
    ) -> AccountView:
        credentials = msgspec.convert({k: getattr(data, k) for k in SandboxCredentials.__struct_fields__}, SandboxCredentials)
        await capabilities.need_provider(once.tx, data.provider)
        # Keys that do not parse are refused here, not at the first payment.
        adapter(data.provider, msgspec.json.encode(credentials), process.settings.provider_url, process.providers.client)

        async def create() -> AccountView:
            return _view(process, merchant, await accounts.create(once.tx, process.keyring, credentials, actor=merchant.actor))

        return await once(create())

    @get("/", guards=[needs("orders:read")], operation_id="listProviderAccounts", summary="The store's accounts at providers")
    async def all_of(
        self, tx: NamedDependency[TenantTx], process: NamedDependency[Process], merchant: NamedDependency[Merchant]
    ) -> AccountViews:
        return AccountViews([_view(process, merchant, account) for account in await accounts.all_of(tx)])

    # No Idempotency-Key here: asked again it answers with the account that is there.
    @post(
        "/test",
        guards=[needs("payments:write")],
        status_code=200,
        operation_id="connectTestAccount",
        summary="In a sandbox: an account at the test provider, opened if there is none",
    )
    async def test(
        self, process: NamedDependency[Process], merchant: NamedDependency[Merchant], data: JSONBody[Nothing] = NOTHING
    ) -> AccountView:
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            store, known = await stores.get(tx), await accounts.all_of(tx)
        if store.mode != "test":
            raise Conflict("Test accounts are for a sandbox: nothing that a store really sells is paid with them.", code="live_store")
        found = next((account for account in known if account.provider in accounts.TEST_PROVIDERS), None)
        if found is None:
            settings = process.settings
            credentials = await office.open_account(process.providers.client, settings.provider_url, settings.provider_token, store.slug)
            async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
                found = await accounts.create(tx, process.keyring, credentials, actor=merchant.actor)
        return _view(process, merchant, found)


def _view(process: Process, merchant: Merchant, account: accounts.Account) -> AccountView:
    url = accounts.notify_url(process.settings.public_url, account.provider, merchant.tenant_id, account.id)
    return AccountView(encode("acc", account.id), account.provider, account.mch_id, account.state, url)


class LedgerController(Controller):
    path = "/ledger"
    tags = ("Payments",)

    @get("/balances", guards=[needs("orders:read")], operation_id="listBalances", summary="Balances of the store's ledger accounts")
    async def balances(self, tx: NamedDependency[TenantTx]) -> list[ledger.Balance]:
        return await ledger.balances(tx)


class NoticeController(Controller):
    """A provider's webhooks: verified over the raw bytes, remembered, answered. Nothing else happens here."""

    path = "/payment-notices"
    tags = ("Payments",)

    @post(
        "/{provider:str}/{tenant:str}/{account:str}",
        guards=[anyone],
        status_code=204,
        problems=[401],  # a forged one
        operation_id="receivePaymentNotice",
        summary="For payment providers: a signed notice",
    )
    async def receive(
        self,
        provider: FromPath[str],
        tenant: FromPath[str],
        account: FromPath[str],
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
    ) -> Response[None]:
        raw = await request.body()
        tenant_id, account_id = _hex(tenant), _hex(account)
        inbox_id = await inbox.receive(process.app_pool, process.providers, tenant_id, account_id, request.scope["headers"], raw)
        if inbox_id is not None:
            process.bell.ring("payment_inbox", tenant_id, inbox_id)
        return Response(None, status_code=204)


def _hex(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError:
        raise NotFound("There is no such payment account.") from None
