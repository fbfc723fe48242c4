"""Payments. Written by `make client`; not to be edited."""

from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages, new_key
from loadtests.client.operations.codes import Nothing
from loadtests.client.operations.orders_at_work import Receipt, RefundView


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


class NewCredentials(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of them, for the merchant number that the account has."""

    mch_id: str
    serial_no: str
    private_key_pem: str
    api_v3_key: str
    provider_serial: str
    provider_public_key_pem: str


class AccountSwitch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether payments are begun at it."""

    active: bool


class Receipts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[Receipt]
    next_cursor: str | None


class Refunds(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[RefundView]
    next_cursor: str | None


class Balance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    account: str
    currency: str
    balance_minor: int


def list_provider_accounts() -> Call[AccountViews]:
    """The store's accounts at providers, oldest first."""
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


def rotate_provider_account(account_id: str, body: NewCredentials) -> Call[AccountView]:
    """Give an account other keys; every process uses them within half a minute."""
    return Call(method="PUT", path=f"/v1/provider-accounts/{account_id}/credentials", answers={200: AccountView}, body=body)


def switch_provider_account(account_id: str, body: AccountSwitch) -> Call[AccountView]:
    """Begin no more payments at an account, or begin them again; refunds go on."""
    return Call(method="POST", path=f"/v1/provider-accounts/{account_id}/state", answers={200: AccountView}, body=body)


def connect_test_account() -> Call[AccountView]:
    """In a sandbox: an account at the test provider, opened if there is none."""
    return Call(method="POST", path="/v1/provider-accounts/test", answers={200: AccountView}, body=Nothing())


def receive_payment_notice(provider: str, tenant: str, account: str) -> Call[None]:
    """For payment providers: a signed notice."""
    return Call(method="POST", path=f"/v1/payment-notices/{provider}/{tenant}/{account}", answers={204: None})


def list_payments(
    *, limit: int = 20, cursor: str | None = None, disposition: Literal["applied", "late", "double", "mismatch"] | None = None
) -> Pages[Receipts, Receipt]:
    """Money that came, newest first."""
    return Pages(
        method="GET",
        path="/v1/payments",
        answers={200: Receipts},
        query={"limit": limit, "cursor": cursor, "disposition": disposition},
        rows=lambda page: page.items,
    )


def list_refunds(
    *, limit: int = 20, cursor: str | None = None, state: Literal["requested", "succeeded", "failed"] | None = None
) -> Pages[Refunds, RefundView]:
    """Money that goes back, newest first."""
    return Pages(
        method="GET",
        path="/v1/refunds",
        answers={200: Refunds},
        query={"limit": limit, "cursor": cursor, "state": state},
        rows=lambda page: page.items,
    )


def list_balances() -> Call[list[Balance]]:
    """Balances of the store's ledger accounts."""
    return Call(method="GET", path="/v1/ledger/balances", answers={200: list[Balance]})
