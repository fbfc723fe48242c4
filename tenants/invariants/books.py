"""The sandbox provider's own books, fetched over HTTP. They are the other side's word, outside our truth."""

import httpx
import msgspec
from msgspec import Struct

TIMEOUT_S = 60.0  # the books of a load test are long


class ProviderOrder(Struct, frozen=True):
    out_trade_no: str
    total: int
    currency: str
    state: str


class ProviderPayment(Struct, frozen=True):
    out_trade_no: str
    transaction_id: str
    amount: int
    currency: str


class ProviderRefund(Struct, frozen=True):
    out_trade_no: str
    transaction_id: str
    out_refund_no: str
    amount: int
    currency: str
    status: str  # PROCESSING, SUCCESS, ABNORMAL


class Merchant(Struct, frozen=True):
    orders: list[ProviderOrder]
    payments: list[ProviderPayment]
    refunds: list[ProviderRefund]


class Books(Struct, frozen=True):
    """`merchants` by the provider's merchant number; `self_check` is what the books disagree about among themselves."""

    merchants: dict[str, Merchant]
    self_check: list[str] = []


class NoBooks(Exception):
    """The books could not be read; the message says why."""


async def fetch(url: str, token: str) -> Books:
    """Raises `NoBooks`."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            response = await client.get(f"{url.rstrip('/')}/admin/books", headers={"authorization": f"Bearer {token}"})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoBooks(f"{url} does not answer: {type(error).__name__} {error}") from None
    if response.status_code != httpx.codes.OK:
        raise NoBooks(f"{url}/admin/books answers {response.status_code}")
    try:
        return msgspec.json.decode(response.content, type=Books)
    except msgspec.DecodeError as error:
        raise NoBooks(f"{url}/admin/books is not in the form we know: {error}") from None
