"""The provider's books: what may happen to an order, a payment and a refund, and the journal of the money that moved.

Every function that changes something runs inside `Store.write`. Times are unix milliseconds, amounts integer minor units.
"""

import secrets
import sqlite3
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from loadtests.counterparts.sandbox import wire
from loadtests.counterparts.sandbox.store import Store
from loadtests.counterparts.sandbox.wire import AdminPay, CreateOrder, CreateRefund, Refusal

REFUND_MS = 1000  # how long a refund is PROCESSING, before the time scale
AS_ASKED = AdminPay()
Row = sqlite3.Row


class Merchant(NamedTuple):
    mch_id: str
    name: str
    serial_no: str
    public_key_pem: str
    api_v3_key: str


class Notice(NamedTuple):
    """A webhook still owed. `resource` is the plain JSON that is encrypted anew for each attempt."""

    event_id: str
    mch_id: str
    out_trade_no: str
    event_type: str
    resource: bytes
    notify_url: str
    attempts: int
    next_ms: int
    created_ms: int


class Books:
    def __init__(self, store: Store, on_notice: Callable[[Notice], None], time_scale: float = 1.0) -> None:
        self.store, self.db = store, store.db
        self._on_notice = on_notice
        self._time_scale = time_scale
        self.merchants = {row["mch_id"]: _merchant(row) for row in self.db.execute("SELECT * FROM merchant")}

    # Merchants

    def register(self, merchant: Merchant) -> None:
        self.db.execute("INSERT INTO merchant VALUES (?, ?, ?, ?, ?, ?)", (*merchant, now_ms()))
        self.store.after_commit(lambda: self.merchants.update({merchant.mch_id: merchant}))

    # Orders

    def create(self, order: CreateOrder) -> str:
        """The order's prepay_id. The same request again gets the same answer, whatever became of the order meanwhile."""
        request = wire.encode(order)
        known = self.db.execute("SELECT * FROM trade WHERE mch_id = ? AND out_trade_no = ?", (order.mchid, order.out_trade_no)).fetchone()
        if known:
            if known["request"] != request:
                raise Refusal(403, "OUT_TRADE_NO_USED", "This out_trade_no was used for another request.")
            return str(known["prepay_id"])
        now, expire_ms = now_ms(), wire.ms(order.time_expire)
        if expire_ms <= now:
            raise Refusal(400, "PARAM_ERROR", "time_expire has passed.")
        prepay_id = "sp" + secrets.token_hex(16)
        self.db.execute(
            """INSERT INTO trade (prepay_id, mch_id, out_trade_no, request, description, attach, total, currency, expire_ms,
                                  notify_url, return_url, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (prepay_id, order.mchid, order.out_trade_no, request, order.description, order.attach, order.amount.total,
             order.amount.currency, expire_ms, order.notify_url, order.return_url, now),
        )  # fmt: skip
        return prepay_id

    def trade(self, *, prepay_id: str = "", mch_id: str = "", out_trade_no: str = "") -> Row:
        """An order with its payment, if any. Raises `Refusal` 404 ORDER_NOT_EXIST."""
        sql = """SELECT trade.*, transaction_id, amount AS paid, late, paid_ms FROM trade LEFT JOIN payment USING (prepay_id)
                 WHERE """
        if prepay_id:
            row = self.db.execute(sql + "trade.prepay_id = ?", (prepay_id,)).fetchone()
        else:
            row = self.db.execute(sql + "mch_id = ? AND out_trade_no = ?", (mch_id, out_trade_no)).fetchone()
        if row is None:
            raise Refusal(404, "ORDER_NOT_EXIST", "There is no such order.")
        return row  # type: ignore[no-any-return]

    def close(self, mch_id: str, out_trade_no: str) -> None:
        """Nothing can be paid afterwards (but see `AdminPay.late`). Closing a closed order changes nothing."""
        trade = self.trade(mch_id=mch_id, out_trade_no=out_trade_no)
        if trade["state"] in ("SUCCESS", "REFUND"):
            raise Refusal(400, "ORDERPAID", "The order is paid.")
        if trade["state"] == "NOTPAY":
            self._close(trade)

    def expire(self, limit: int = 500) -> int:
        """Close the orders whose time has come. The sweep calls this; `pay` does not rely on it."""
        due = self.db.execute("SELECT * FROM trade WHERE state = 'NOTPAY' AND expire_ms <= ? LIMIT ?", (now_ms(), limit)).fetchall()
        for trade in due:
            self._close(trade)
        return len(due)

    def _close(self, trade: Row) -> None:
        self.db.execute("UPDATE trade SET state = 'CLOSED', closed_ms = ? WHERE prepay_id = ?", (now_ms(), trade["prepay_id"]))
        self._notify(trade, "TRANSACTION.CLOSED", transaction_resource(trade, state="CLOSED"), trade["notify_url"])

    # Payments

    def pay(self, prepay_id: str, how: AdminPay = AS_ASKED) -> Row:
        """Take the money of one order, once. A paid order stays as it was paid."""
        trade = self.trade(prepay_id=prepay_id)
        if trade["state"] in ("SUCCESS", "REFUND"):
            return trade
        now = now_ms()
        if trade["state"] == "NOTPAY" and trade["expire_ms"] <= now:
            self._close(trade)
            trade = self.trade(prepay_id=prepay_id)
        closed = trade["state"] == "CLOSED"
        if closed and not how.late:
            return trade
        transaction_id, amount = "42" + str(now) + f"{secrets.randbelow(10**15):015}", how.amount or trade["total"]
        self.db.execute(
            "INSERT INTO payment VALUES (?, ?, ?, ?, ?, ?)", (transaction_id, prepay_id, amount, trade["currency"], closed, now)
        )
        self.db.execute("UPDATE trade SET state = 'SUCCESS' WHERE prepay_id = ?", (prepay_id,))
        self._journal(trade["mch_id"], "payment", transaction_id, amount, trade["currency"])
        trade = self.trade(prepay_id=prepay_id)
        self._notify(trade, "TRANSACTION.SUCCESS", transaction_resource(trade), trade["notify_url"])
        return trade

    # Refunds

    def create_refund(self, mch_id: str, ask: CreateRefund) -> Row:
        """A refund, PROCESSING at first. The same request again gets the refund as it is now."""
        request = wire.encode(ask)
        if known := self._refund(mch_id, ask.out_refund_no):
            if known["request"] != request:
                raise Refusal(400, "INVALID_REQUEST", "This out_refund_no was used for another request.")
            return known
        trade = self._trade_to_refund(mch_id, ask)
        if trade["transaction_id"] is None:
            raise Refusal(403, "TRADE_STATE_ERROR", "The order is not paid.")
        if (ask.amount.total, ask.amount.currency) != (trade["paid"], trade["currency"]):
            raise Refusal(400, "INVALID_REQUEST", "amount.total and amount.currency are not what was paid.")
        sql = "SELECT coalesce(sum(amount), 0) FROM refund WHERE transaction_id = ? AND status <> 'ABNORMAL'"
        (given,) = self.db.execute(sql, (trade["transaction_id"],)).fetchone()
        if given + ask.amount.refund > trade["paid"]:
            raise Refusal(403, "NOT_ENOUGH", "The refunds would exceed the payment.")
        now = now_ms()
        self.db.execute(
            """INSERT INTO refund (refund_id, mch_id, out_refund_no, transaction_id, request, amount, currency, reason, notify_url,
                                   settle_ms, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            ("50" + str(now) + f"{secrets.randbelow(10**15):015}", mch_id, ask.out_refund_no, trade["transaction_id"], request,
             ask.amount.refund, ask.amount.currency, ask.reason, ask.notify_url or trade["notify_url"],
             now + round(REFUND_MS * self._time_scale), now),
        )  # fmt: skip
        self.db.execute("UPDATE trade SET state = 'REFUND' WHERE prepay_id = ?", (trade["prepay_id"],))
        return self.refund(mch_id, ask.out_refund_no)

    def _trade_to_refund(self, mch_id: str, ask: CreateRefund) -> Row:
        out_trade_no = ask.out_trade_no
        if ask.transaction_id:
            sql = "SELECT out_trade_no FROM payment JOIN trade USING (prepay_id) WHERE transaction_id = ? AND mch_id = ?"
            row = self.db.execute(sql, (ask.transaction_id, mch_id)).fetchone()
            if row is None or out_trade_no not in (None, row["out_trade_no"]):
                raise Refusal(404, "RESOURCE_NOT_EXISTS", "There is no such payment.")
            out_trade_no = row["out_trade_no"]
        if out_trade_no is None:
            raise Refusal(400, "PARAM_ERROR", "Name the payment by transaction_id or out_trade_no.")
        return self.trade(mch_id=mch_id, out_trade_no=out_trade_no)

    def refund(self, mch_id: str, out_refund_no: str) -> Row:
        """Raises `Refusal` 404 RESOURCE_NOT_EXISTS."""
        if row := self._refund(mch_id, out_refund_no):
            return row
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "There is no such refund.")

    def _refund(self, mch_id: str, out_refund_no: str) -> Row | None:
        sql = """SELECT refund.*, prepay_id, out_trade_no, payment.amount AS paid FROM refund JOIN payment USING (transaction_id)
                 JOIN trade USING (prepay_id) WHERE refund.mch_id = ? AND out_refund_no = ?"""
        return self.db.execute(sql, (mch_id, out_refund_no)).fetchone()  # type: ignore[no-any-return]

    def settle_refunds(self, is_abnormal: Callable[[str], bool], limit: int = 500) -> int:
        """End the refunds whose time has come: the money goes back, or `is_abnormal(out_trade_no)` says the bank refused it."""
        sql = """SELECT refund.mch_id, out_refund_no, out_trade_no FROM refund JOIN payment USING (transaction_id)
                 JOIN trade USING (prepay_id) WHERE status = 'PROCESSING' AND settle_ms <= ? LIMIT ?"""
        due = self.db.execute(sql, (now_ms(), limit)).fetchall()
        for mch_id, out_refund_no, out_trade_no in due:
            status = "ABNORMAL" if is_abnormal(out_trade_no) else "SUCCESS"
            sql = "UPDATE refund SET status = ?, done_ms = ? WHERE mch_id = ? AND out_refund_no = ?"
            self.db.execute(sql, (status, now_ms(), mch_id, out_refund_no))
            refund = self.refund(mch_id, out_refund_no)
            if status == "SUCCESS":
                self._journal(mch_id, "refund", refund["refund_id"], -refund["amount"], refund["currency"])
            self._notify(refund, f"REFUND.{status}", refund_resource(refund), refund["notify_url"])
        return len(due)

    # Journal and notices

    def _journal(self, mch_id: str, kind: str, reference: str, amount: int, currency: str) -> None:
        sql = "INSERT INTO journal (at_ms, mch_id, kind, reference, amount, currency) VALUES (?, ?, ?, ?, ?, ?)"
        self.db.execute(sql, (now_ms(), mch_id, kind, reference, amount, currency))

    def _notify(self, of: Row, event_type: str, resource: dict[str, Any], notify_url: str) -> None:
        now = now_ms()
        notice = Notice(
            "EV-" + secrets.token_hex(16), of["mch_id"], of["out_trade_no"], event_type, wire.encode(resource), notify_url, 0, now, now
        )
        self._keep(notice)
        self.store.after_commit(lambda: self._on_notice(notice))

    def _keep(self, notice: Notice) -> None:
        sql = """INSERT INTO notice (event_id, mch_id, out_trade_no, event_type, resource, notify_url, attempts, next_ms, created_ms)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
        self.db.execute(sql, notice)

    def pending_notices(self) -> list[Notice]:
        sql = """SELECT event_id, mch_id, out_trade_no, event_type, resource, notify_url, attempts, next_ms, created_ms
                 FROM notice WHERE state = 'pending'"""
        return [Notice(*row) for row in self.db.execute(sql)]

    def note_attempt(self, notice: Notice, state: str, answer: str) -> None:
        sql = "UPDATE notice SET state = ?, attempts = ?, next_ms = ?, last_answer = ? WHERE event_id = ?"
        self.db.execute(sql, (state, notice.attempts, notice.next_ms, answer, notice.event_id))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _merchant(row: Row) -> Merchant:
    return Merchant(*(row[field] for field in Merchant._fields))


def transaction_resource(trade: Row, state: str = "") -> dict[str, Any]:
    """An order as a query answers it and a notice carries it. `payer_total` is what was really taken."""
    answer: dict[str, Any] = {
        "mchid": trade["mch_id"],
        "out_trade_no": trade["out_trade_no"],
        "trade_state": state or trade["state"],
        "trade_state_desc": _STATE_TEXT[state or trade["state"]],
        "attach": trade["attach"],
        "amount": {"total": trade["total"], "currency": trade["currency"]},
    }
    if not state and trade["transaction_id"] is not None:
        answer |= {"transaction_id": trade["transaction_id"], "success_time": wire.rfc3339(trade["paid_ms"])}
        answer["amount"] |= {"payer_total": trade["paid"], "payer_currency": trade["currency"]}
    return answer


def refund_resource(refund: Row) -> dict[str, Any]:
    answer = {
        "mchid": refund["mch_id"],
        "refund_id": refund["refund_id"],
        "out_refund_no": refund["out_refund_no"],
        "transaction_id": refund["transaction_id"],
        "out_trade_no": refund["out_trade_no"],
        "status": refund["status"],
        "create_time": wire.rfc3339(refund["created_ms"]),
        "amount": {"total": refund["paid"], "refund": refund["amount"], "currency": refund["currency"]},
    }
    if refund["done_ms"] is not None:
        answer["success_time"] = wire.rfc3339(refund["done_ms"])
    return answer


_STATE_TEXT = {"NOTPAY": "订单未支付", "SUCCESS": "支付成功", "REFUND": "转入退款", "CLOSED": "订单已关闭"}
