"""Reading the books whole: a day's bill for one merchant, and everything for the invariant checker."""

import datetime as dt
import sqlite3
from typing import Any

from loadtests.counterparts.sandbox import wire

DAY_MS = 86_400_000


def bill(db: sqlite3.Connection, mch_id: str, day: dt.date) -> bytes:
    """JSON lines: each payment and each finished refund of the UTC day in the order of the journal, then one line of totals.

    The totals come last so that a bill that was cut off is seen to be.
    """
    start_ms = wire.ms(dt.datetime.combine(day, dt.time(), dt.UTC))
    sql = """SELECT journal.kind, journal.reference, journal.amount, journal.currency, journal.at_ms, out_trade_no, out_refund_no
             FROM journal
             LEFT JOIN refund ON journal.kind = 'refund' AND refund_id = reference
             JOIN payment ON payment.transaction_id = CASE journal.kind WHEN 'payment' THEN reference ELSE refund.transaction_id END
             JOIN trade USING (prepay_id)
             WHERE journal.mch_id = ? AND at_ms >= ? AND at_ms < ? ORDER BY seq"""
    total: dict[str, Any] = {"kind": "total", "date": day.isoformat(), "payments": 0, "refunds": 0, "net": {}}
    lines = []
    for kind, reference, amount, currency, at_ms, out_trade_no, out_refund_no in db.execute(sql, (mch_id, start_ms, start_ms + DAY_MS)):
        line = {"kind": kind, "id": reference, "out_trade_no": out_trade_no, "amount": abs(amount), "currency": currency}
        line["time"] = wire.rfc3339(at_ms)
        if kind == "refund":
            line["out_refund_no"] = out_refund_no
        lines.append(wire.encode(line))
        total[kind + "s"] += 1
        total["net"][currency] = total["net"].get(currency, 0) + amount
    lines.append(wire.encode(total))
    return b"\n".join(lines) + b"\n"


def books(db: sqlite3.Connection, mch_id: str | None = None) -> dict[str, Any]:
    """Everything, by merchant, at one instant. Keys and secrets are left out."""
    merchants: dict[str, dict[str, Any]] = {}
    for row in db.execute("SELECT mch_id, name, serial_no FROM merchant WHERE ? IS NULL OR mch_id = ?", (mch_id, mch_id)):
        merchants[row["mch_id"]] = {"name": row["name"], "serial_no": row["serial_no"]} | {table: [] for table in _TABLES}
    for table, sql in _TABLES.items():
        for row in db.execute(sql):
            if row["mch_id"] in merchants:
                merchants[row["mch_id"]][table].append(dict(row))
    return {"merchants": merchants, "self_check": self_check(db)}


def self_check(db: sqlite3.Connection) -> list[str]:
    """What the books' own three records (state, payments and refunds, journal) disagree about; empty when they agree."""
    return [f"{name}: {row[0]}" for name, sql in _CHECKS.items() for row in db.execute(sql)]


_TABLES = {
    "orders": """SELECT mch_id, prepay_id, out_trade_no, total, currency, state, expire_ms, created_ms, closed_ms FROM trade""",
    "payments": """SELECT mch_id, out_trade_no, transaction_id, amount, payment.currency, late, paid_ms
                   FROM payment JOIN trade USING (prepay_id)""",
    "refunds": """SELECT refund.mch_id, out_trade_no, refund.transaction_id, refund_id, out_refund_no, refund.amount, refund.currency,
                         status, refund.created_ms, done_ms
                  FROM refund JOIN payment USING (transaction_id) JOIN trade USING (prepay_id)""",
    "journal": "SELECT mch_id, seq, at_ms, kind, reference, amount, currency FROM journal ORDER BY seq",
    "notices": """SELECT mch_id, event_id, out_trade_no, event_type, state, attempts, last_answer, created_ms FROM notice""",
}

_CHECKS = {
    "a payment without its journal line": """SELECT transaction_id FROM payment LEFT JOIN journal ON kind = 'payment'
        AND reference = transaction_id AND journal.amount = payment.amount WHERE seq IS NULL""",
    "a finished refund without its journal line": """SELECT refund_id FROM refund LEFT JOIN journal ON kind = 'refund'
        AND reference = refund_id AND journal.amount = -refund.amount WHERE status = 'SUCCESS' AND seq IS NULL""",
    "a journal line without its payment or refund": """SELECT seq FROM journal WHERE reference NOT IN (SELECT transaction_id FROM payment
        UNION ALL SELECT refund_id FROM refund WHERE status = 'SUCCESS')""",
    "a state that does not fit the payment": """SELECT trade.prepay_id FROM trade LEFT JOIN payment USING (prepay_id)
        WHERE (state IN ('SUCCESS', 'REFUND')) <> (transaction_id IS NOT NULL)""",
    "more refunded than paid": """SELECT transaction_id FROM payment JOIN refund USING (transaction_id) WHERE status <> 'ABNORMAL'
        GROUP BY transaction_id HAVING sum(refund.amount) > max(payment.amount)""",
}
