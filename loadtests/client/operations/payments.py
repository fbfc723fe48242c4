"""Payments. Written by `make client`; not to be edited."""

from msgspec import Struct

from loadtests.client.core import Call, new_key
from loadtests.client.operations.codes import Nothing


class AccountView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    provider: str
    mch_id: str
    state: str
    notify_url: str


class AccountViews(Struct, frozen=True, kw_only=True, omit_defaults=True):
    accounts: list[AccountView]


class NewAccount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Credentials as the provider's own console shows them. They are sealed at once and never shown again."""

    provider: str
    mch_id: str
    serial_no: str
    private_key_pem: str
    api_v3_key: str
    provider_serial: str
    provider_public_key_pem: str


class Balance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    account: str
    currency: str
    balance_minor: int


def list_provider_accounts() -> Call[AccountViews]:
    """The store's accounts at providers."""
    return Call(method="GET", path="/v1/provider-accounts", answers={200: AccountViews})


def connect_provider_account(body: NewAccount, *, idempotency_key: str | None = None) -> Call[AccountView]:
    """Connect an account at a provider."""
    return Call(
        method="POST",
        path="/v1/provider-accounts",
        answers={201: AccountView},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def connect_test_account() -> Call[AccountView]:
    """In a sandbox: an account at the test provider, opened if there is none."""
    return Call(method="POST", path="/v1/provider-accounts/test", answers={200: AccountView}, body=Nothing())


def receive_payment_notice(provider: str, tenant: str, account: str) -> Call[None]:
    """For payment providers: a signed notice."""
    return Call(method="POST", path=f"/v1/payment-notices/{provider}/{tenant}/{account}", answers={204: None})


def list_balances() -> Call[list[Balance]]:
    """Balances of the store's ledger accounts."""
    return Call(method="GET", path="/v1/ledger/balances", answers={200: list[Balance]})
