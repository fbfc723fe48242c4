"""What goes over the wire: requests as strict structs, refusals with a stable code, times as RFC 3339."""

import datetime as dt
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

T = TypeVar("T")
ID = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_\-|*@]{1,64}$")]
Fen = Annotated[int, Meta(ge=1, le=10**12)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
Url = Annotated[str, Meta(pattern=r"^https?://[^\s]{1,2000}$")]
Rate = Annotated[float, Meta(ge=0, le=1)]


class Refusal(Exception):
    """An answer that says no. `status` and `code` follow WeChat Pay's error table where it has one."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


class Amount(Struct, frozen=True, forbid_unknown_fields=True):
    total: Fen
    currency: Currency = "CNY"


class CreateOrder(Struct, frozen=True, forbid_unknown_fields=True):
    mchid: ID
    out_trade_no: Annotated[str, Meta(pattern=r"^[0-9A-Za-z_\-|*]{6,64}$")]
    description: Annotated[str, Meta(min_length=1, max_length=127)]
    amount: Amount
    time_expire: Annotated[dt.datetime, Meta(tz=True)]
    notify_url: Url
    return_url: Url | None = None
    attach: Annotated[str, Meta(max_length=128)] = ""


class CloseOrder(Struct, frozen=True, forbid_unknown_fields=True):
    mchid: ID


class RefundAmount(Struct, frozen=True, forbid_unknown_fields=True):
    refund: Fen
    total: Fen
    currency: Currency = "CNY"


class CreateRefund(Struct, frozen=True, forbid_unknown_fields=True):
    """One of `transaction_id` and `out_trade_no` names the payment; with both, both must fit."""

    out_refund_no: ID
    amount: RefundAmount
    transaction_id: ID | None = None
    out_trade_no: ID | None = None
    reason: Annotated[str, Meta(max_length=80)] = ""
    notify_url: Url | None = None


class RegisterMerchant(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(max_length=64)] = ""


class AdminPay(Struct, frozen=True, forbid_unknown_fields=True):
    """`amount` takes more or less than was asked; `late` takes money although the order is closed."""

    amount: Fen | None = None
    late: bool = False


def decode(body: bytes, type: type[T]) -> T:
    """Strict JSON. Raises `Refusal` 400 PARAM_ERROR; an empty body is an empty object."""
    try:
        return msgspec.json.decode(body or b"{}", type=type)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as e:
        raise Refusal(400, "PARAM_ERROR", str(e)) from None


class _Peek(Struct, frozen=True):
    out_trade_no: str | None = None


def peek_out_trade_no(body: bytes) -> str:
    """The `out_trade_no` of a request not yet checked; empty when it has none."""
    try:
        return msgspec.json.decode(body, type=_Peek).out_trade_no or ""
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def encode(value: Any) -> bytes:
    return msgspec.json.encode(value)


def rfc3339(at_ms: int) -> str:
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)
