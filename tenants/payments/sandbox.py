"""The adapter to the sandbox provider, whose wire format is modelled on WeChat Pay v3 (docs/sandbox-provider.md).

Nothing is believed without the provider's signature: not a notice, not an answer, not a refusal. WeChat's scheme does not bind
an answer to its request, so an answer must also speak of the payment that was asked about.
"""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tenants.http import Answer, Client
from tenants.payments import sandbox_wire as wire
from tenants.payments.outbound import ANSWER_MAX, BILL_MAX, BILL_TOTAL_S, TOTAL_S, Outbound
from tenants.payments.provider import (
    BadCredentials,
    BillLine,
    CloseOutcome,
    CreatedPayment,
    ForgedNotice,
    Notice,
    PaymentAttempt,
    PaymentState,
    ProviderPayment,
    ProviderRefund,
    ProviderRefused,
    ProviderUnavailable,
    RawHeaders,
    RefundState,
)

T = TypeVar("T")
NOTICE_MAX = 64 * 1024

PAYMENT_STATES: dict[str, PaymentState] = {"NOTPAY": "open", "SUCCESS": "paid", "REFUND": "paid", "CLOSED": "closed"}
REFUND_STATES: dict[str, RefundState] = {"PROCESSING": "processing", "SUCCESS": "succeeded", "ABNORMAL": "failed", "CLOSED": "failed"}


class SandboxCredentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What registering at the provider gave. `private_key_pem` and `api_v3_key` are secret; the rest is not."""

    mch_id: str
    serial_no: str
    private_key_pem: str
    provider_serial: str
    provider_public_key_pem: str
    api_v3_key: str

    def __repr__(self) -> str:
        return f"SandboxCredentials(mch_id={self.mch_id!r}, serial_no={self.serial_no!r})"


class SandboxProvider:
    """One merchant's account. Keep it: it holds the parsed keys and the breaker. It is safe to share within a loop.

    `check_keys` is for credentials that come from outside: 45 ms of CPU, so in a thread. What comes back from our own sealed
    store was checked. Raises `BadCredentials`.
    """

    def __init__(
        self,
        credentials: SandboxCredentials,
        base_url: str,
        client: Client,
        *,
        check_keys: bool = False,
        total_s: float = TOTAL_S,
    ) -> None:
        if len(credentials.api_v3_key.encode()) != 32:
            raise BadCredentials("api_v3_key is not 32 characters.")
        for name in ("mch_id", "serial_no", "provider_serial"):
            value = getattr(credentials, name)
            if not (value.isascii() and value.isalnum() and len(value) <= 64):
                raise BadCredentials(f"{name} is not up to 64 letters and digits.")
        self._credentials = credentials
        self._key = wire.load_private_key(credentials.private_key_pem, check_keys)
        self._provider_key = wire.load_public_key(credentials.provider_public_key_pem)
        self._outbound = Outbound(client, base_url)
        self._total_s = total_s

    @property
    def mch_id(self) -> str:
        return self._credentials.mch_id

    async def create(self, attempt: PaymentAttempt) -> CreatedPayment:
        body = {
            "mchid": self.mch_id,
            "out_trade_no": attempt.out_trade_no,
            "description": attempt.description[:127],
            "amount": {"total": attempt.amount_minor, "currency": attempt.currency},
            "time_expire": attempt.expires_at,
            "notify_url": attempt.notify_url,
        } | ({"return_url": attempt.return_url} if attempt.return_url else {})
        answer = await self._call("POST", "/v3/pay/transactions", body)
        created = self._read(answer, wire.Created)
        return CreatedPayment(pay_url=created.pay_url, provider_ref=created.prepay_id)

    async def query(self, out_trade_no: str) -> ProviderPayment:
        target = f"/v3/pay/transactions/out-trade-no/{quote(out_trade_no, safe='')}?mchid={self.mch_id}"
        try:
            answer = await self._call("GET", target)
        except ProviderRefused as e:
            if e.provider_code == "ORDER_NOT_EXIST":
                return ProviderPayment(state="not_found", out_trade_no=out_trade_no, mch_id=self.mch_id)
            raise
        found = self._read(answer, wire.Transaction)
        if (found.mchid, found.out_trade_no) != (self.mch_id, out_trade_no):
            raise self._outbound.not_believed("the answer is about another payment")
        state = PAYMENT_STATES[found.trade_state]
        if state != "paid":
            return ProviderPayment(state=state, out_trade_no=out_trade_no, mch_id=self.mch_id)
        txn_id, amount_minor, currency, paid_at = self._taken(found)
        return ProviderPayment(
            state="paid", out_trade_no=out_trade_no, mch_id=self.mch_id, txn_id=txn_id, amount_minor=amount_minor, currency=currency,
            paid_at=paid_at,
        )  # fmt: skip

    def _taken(self, found: wire.Transaction) -> tuple[str, int, str, dt.datetime]:
        amount = found.amount
        if found.transaction_id is None or found.success_time is None or amount.payer_total is None or amount.payer_currency is None:
            raise self._outbound.not_believed("a paid payment without its transaction")
        return found.transaction_id, amount.payer_total, amount.payer_currency, found.success_time

    async def close(self, out_trade_no: str) -> CloseOutcome:
        target = f"/v3/pay/transactions/out-trade-no/{quote(out_trade_no, safe='')}/close"
        try:
            await self._call("POST", target, {"mchid": self.mch_id})
        except ProviderRefused as e:
            if e.provider_code == "ORDERPAID":
                return "paid"
            if e.provider_code == "ORDER_NOT_EXIST":
                return "not_found"
            raise
        return "closed"

    async def refund(
        self, *, out_trade_no: str, out_refund_no: str, amount_minor: int, total_minor: int, currency: str, reason: str,
        notify_url: str | None = None,
    ) -> ProviderRefund:  # fmt: skip
        body = {
            "out_trade_no": out_trade_no,
            "out_refund_no": out_refund_no,
            "amount": {"refund": amount_minor, "total": total_minor, "currency": currency},
            "reason": reason[:80],
        } | ({"notify_url": notify_url} if notify_url else {})
        return self._refund(await self._call("POST", "/v3/refund/domestic/refunds", body), out_refund_no)

    async def query_refund(self, out_refund_no: str) -> ProviderRefund:
        try:
            answer = await self._call("GET", f"/v3/refund/domestic/refunds/{quote(out_refund_no, safe='')}")
        except ProviderRefused as e:
            if e.provider_code == "RESOURCE_NOT_EXISTS":
                return ProviderRefund(state="not_found", out_refund_no=out_refund_no)
            raise
        return self._refund(answer, out_refund_no)

    def _refund(self, answer: Answer, out_refund_no: str) -> ProviderRefund:
        found = self._read(answer, wire.Refund)
        if (found.mchid, found.out_refund_no) != (self.mch_id, out_refund_no):
            raise self._outbound.not_believed("the answer is about another refund")
        return ProviderRefund(
            state=REFUND_STATES[found.status], out_refund_no=out_refund_no, refund_id=found.refund_id, out_trade_no=found.out_trade_no,
            txn_id=found.transaction_id, amount_minor=found.amount.refund, currency=found.amount.currency, done_at=found.success_time,
        )  # fmt: skip

    async def bill(self, day: dt.date) -> AsyncIterator[BillLine]:
        answer = await self._call("GET", f"/v3/bill?date={day.isoformat()}", total_s=BILL_TOTAL_S, answer_max=BILL_MAX)
        counts = {"payment": 0, "refund": 0}
        net: dict[str, int] = {}
        for text in answer.body.splitlines():
            try:
                line = wire.decode_bill_line(text)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                raise self._outbound.not_believed("a malformed bill") from None
            if isinstance(line, wire.BillTotal):
                if (line.date, line.payments, line.refunds, line.net) != (day, counts["payment"], counts["refund"], net):
                    raise self._outbound.not_believed("a bill whose totals do not fit")
                return
            is_refund = isinstance(line, wire.BillRefund)
            counts["refund" if is_refund else "payment"] += 1
            net[line.currency] = net.get(line.currency, 0) + (-line.amount if is_refund else line.amount)
            yield BillLine(
                kind="refund" if is_refund else "payment", id=line.id, out_trade_no=line.out_trade_no,
                out_refund_no=line.out_refund_no if isinstance(line, wire.BillRefund) else None, amount_minor=line.amount,
                currency=line.currency, at=line.time,
            )  # fmt: skip
        raise self._outbound.not_believed("a bill without its totals")

    def verify_notice(self, headers: RawHeaders, body: bytes, now: dt.datetime) -> Notice:
        if len(body) > NOTICE_MAX:
            raise ForgedNotice("the body is too long")
        try:
            wire.check_signature(self._provider_key, self._credentials.provider_serial, headers, body, now)
            envelope = msgspec.json.decode(body, type=wire.Envelope)
            plain = wire.unseal(self._credentials.api_v3_key, envelope.resource)
            if msgspec.json.decode(plain, type=wire.Owned).mchid != self.mch_id:
                raise ForgedNotice("about another merchant")
            return _notice(envelope, plain)
        except wire.NotSigned as e:
            raise ForgedNotice(str(e)) from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as e:
            raise ForgedNotice(f"malformed: {e}") from None

    async def _call(
        self, method: str, target: str, body: dict[str, Any] | None = None, *, total_s: float | None = None, answer_max: int = ANSWER_MAX
    ) -> Answer:
        """A verified answer that says yes. Raises `ProviderRefused` for a verified no, else `ProviderUnavailable`."""
        content = msgspec.json.encode(body) if body is not None else b""
        now = dt.datetime.now(dt.UTC)
        headers = {
            "Authorization": wire.authorization(self._key, self.mch_id, self._credentials.serial_no, now, method, target, content),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        } | ({"Content-Type": "application/json"} if content else {})
        answer = await self._outbound.send(method, target, headers, content, total_s=total_s or self._total_s, answer_max=answer_max)
        try:
            now = dt.datetime.now(dt.UTC)
            wire.check_signature(self._provider_key, self._credentials.provider_serial, answer.headers, answer.body, now)
        except wire.NotSigned as e:
            raise self._outbound.not_believed(str(e)) from None
        if answer.status == 429:
            raise ProviderUnavailable("too many requests", maybe_done=False, retry_after_s=1)
        self._outbound.believed()
        if answer.status >= 400:
            problem = self._read(answer, wire.Problem)
            raise ProviderRefused(problem.code, problem.message)
        return answer

    def _read(self, answer: Answer, type: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.body, type=type)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise self._outbound.not_believed("a malformed answer") from None


def _notice(envelope: wire.Envelope, plain: bytes) -> Notice:
    """What a verified notice says. An event and a state that contradict each other are refused like a forgery."""
    match envelope.event_type:
        case "TRANSACTION.SUCCESS" | "TRANSACTION.CLOSED":
            return _payment_notice(envelope, msgspec.json.decode(plain, type=wire.Transaction))
        case "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED":
            return _refund_notice(envelope, msgspec.json.decode(plain, type=wire.Refund))
        case _:
            return Notice(event_id=envelope.id, kind="other", mch_id=msgspec.json.decode(plain, type=wire.Owned).mchid)


def _payment_notice(envelope: wire.Envelope, told: wire.Transaction) -> Notice:
    if envelope.event_type != f"TRANSACTION.{told.trade_state}" or envelope.resource.original_type != "transaction":
        raise ForgedNotice("event and state contradict each other")
    if told.trade_state == "CLOSED":
        return Notice(event_id=envelope.id, kind="payment.closed", mch_id=told.mchid, out_trade_no=told.out_trade_no)
    amount = told.amount
    if told.transaction_id is None or told.success_time is None or amount.payer_total is None or amount.payer_currency is None:
        raise ForgedNotice("paid without a transaction")
    return Notice(
        event_id=envelope.id, kind="payment.paid", mch_id=told.mchid, out_trade_no=told.out_trade_no, txn_id=told.transaction_id,
        amount_minor=amount.payer_total, currency=amount.payer_currency, occurred_at=told.success_time,
    )  # fmt: skip


def _refund_notice(envelope: wire.Envelope, told: wire.Refund) -> Notice:
    if envelope.event_type != f"REFUND.{told.status}" or envelope.resource.original_type != "refund":
        raise ForgedNotice("event and state contradict each other")
    return Notice(
        event_id=envelope.id, kind="refund.succeeded" if told.status == "SUCCESS" else "refund.failed", mch_id=told.mchid,
        out_trade_no=told.out_trade_no, txn_id=told.transaction_id, out_refund_no=told.out_refund_no, refund_id=told.refund_id,
        amount_minor=told.amount.refund, currency=told.amount.currency, occurred_at=told.success_time,
    )  # fmt: skip
