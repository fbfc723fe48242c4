"""The contract with a payment provider: what each adapter offers, whatever its wire format.

Amounts are integer minor units of an ISO 4217 currency, times are aware datetimes. A call ends in one of three ways, and the
caller must tell them apart: an answer whose signature was verified, `ProviderRefused` (a verified no: nothing happened), or
`ProviderUnavailable` (no verified answer: unless `maybe_done` is False the provider may have done it, so query before anything
else). Every call may be repeated with the same reference.
"""

import datetime as dt
from collections.abc import AsyncIterator, Iterable
from typing import Any, ClassVar, Literal, Protocol

from msgspec import Struct

from checkout_core.errors import AppError, BadRequest, Unauthorized, Unavailable

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Header fields as they came, in order, repeated ones repeated: only so can a doubled signature be seen."""

PaymentState = Literal["open", "paid", "closed", "not_found"]
RefundState = Literal["processing", "succeeded", "failed", "not_found"]
CloseOutcome = Literal["closed", "paid", "not_found"]
NoticeKind = Literal["payment.paid", "payment.closed", "refund.succeeded", "refund.failed", "other"]


class ForgedNotice(Unauthorized):
    """A notice that must not be believed. `reason` is for the log; the sender learns only that it was refused."""

    code = "forged_notice"

    def __init__(self, reason: str) -> None:
        super().__init__("The notice is not one this account's provider has signed.")
        self.reason = reason


class ProviderUnavailable(Unavailable):
    """No answer that can be believed. With `maybe_done` the outcome is unknown, without it nothing was sent or done."""

    code = "provider_unavailable"

    def __init__(self, reason: str, *, maybe_done: bool, retry_after_s: int | None = None) -> None:
        super().__init__("The payment provider does not answer. Nothing is lost; try again shortly.", retry_after_s=retry_after_s)
        self.reason, self.maybe_done = reason, maybe_done


class ProviderRefused(AppError):
    """The provider said no, under its signature. `provider_code` is its own word for why."""

    status: ClassVar[int] = 502
    code = "provider_refused"

    def __init__(self, provider_code: str, message: str) -> None:
        super().__init__("The payment provider refused.", provider_code=provider_code)
        self.provider_code, self.message = provider_code, message


class BadCredentials(BadRequest):
    """Keys that cannot be the credentials of an account at this provider."""

    code = "bad_credentials"


class PaymentAttempt(Struct, frozen=True, kw_only=True):
    """What is asked of the provider. After `expires_at` it takes no money for it."""

    out_trade_no: str
    description: str
    amount_minor: int
    currency: str
    expires_at: dt.datetime
    notify_url: str
    return_url: str | None = None


class CreatedPayment(Struct, frozen=True, kw_only=True):
    pay_url: str
    provider_ref: str


class ProviderPayment(Struct, frozen=True, kw_only=True):
    """A payment as the provider's books have it now. `amount_minor` is the money taken: 0 unless `paid`, and not always what
    was asked. A refunded payment is still `paid`."""

    state: PaymentState
    out_trade_no: str
    mch_id: str
    txn_id: str | None = None
    amount_minor: int = 0
    currency: str = ""
    paid_at: dt.datetime | None = None


class ProviderRefund(Struct, frozen=True, kw_only=True):
    state: RefundState
    out_refund_no: str
    refund_id: str | None = None
    out_trade_no: str | None = None
    txn_id: str | None = None
    amount_minor: int = 0
    currency: str = ""
    done_at: dt.datetime | None = None


class BillLine(Struct, frozen=True, kw_only=True):
    """One movement of money in a day's bill; `id` is the txn_id or refund_id, `amount_minor` is positive for both kinds."""

    kind: Literal["payment", "refund"]
    id: str
    out_trade_no: str
    out_refund_no: str | None = None
    amount_minor: int
    currency: str
    at: dt.datetime


class Notice(Struct, frozen=True, kw_only=True):
    """A verified webhook. Verified means who said it, not that it is new or fits our books: `event_id` is the same in each
    repetition, and account, currency and amount are the caller's to compare. `other` is an event we have no use for."""

    event_id: str
    kind: NoticeKind
    mch_id: str
    out_trade_no: str = ""
    txn_id: str | None = None
    out_refund_no: str | None = None
    refund_id: str | None = None
    amount_minor: int = 0
    currency: str = ""
    occurred_at: dt.datetime | None = None


class Provider(Protocol):
    """One account at one provider."""

    @property
    def mch_id(self) -> str: ...

    async def create(self, attempt: PaymentAttempt) -> CreatedPayment:
        """Repeatable with the same attempt; the same `out_trade_no` with anything else changed is refused."""

    async def query(self, out_trade_no: str) -> ProviderPayment: ...

    async def close(self, out_trade_no: str) -> CloseOutcome:
        """After `closed` nothing more is taken in the ordinary way; late money can still be announced and must be handled."""

    async def refund(
        self, *, out_trade_no: str, out_refund_no: str, amount_minor: int, total_minor: int, currency: str, reason: str,
        notify_url: str | None = None,
    ) -> ProviderRefund:  # fmt: skip
        """Give back a part or all of a payment. `total_minor` is the money that was taken, not what was asked."""

    async def query_refund(self, out_refund_no: str) -> ProviderRefund: ...

    def bill(self, day: dt.date) -> AsyncIterator[BillLine]:
        """The movements of one UTC day, oldest first. Raises `ProviderUnavailable` at the end if the bill was cut off."""

    def verify_notice(self, headers: RawHeaders, body: bytes, now: dt.datetime) -> Notice:
        """Who sent these raw bytes, and what they say. Raises `ForgedNotice`. Pure: no clock, no network, no database."""


def problem(error: AppError) -> dict[str, Any]:
    """What an operator's log may say of an error of this module."""
    return {"code": error.code} | {key: getattr(error, key) for key in ("reason", "provider_code", "maybe_done") if hasattr(error, key)}
