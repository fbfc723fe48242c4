"""Who may not reserve more for now: too many unpaid orders at once, or too many left to expire (features D4)."""

import datetime as dt
from typing import Any
from uuid import UUID

from checkout_core.intents import Intent, Outcome
from tenants.db import TenantTx
from tenants.orders.sale import Sale

UNPAID_MAX = 5  # reservations a shopper may hold unpaid, in all sales of a store
LAPSED_MAX = 3  # reservations left to expire within the window before he must wait
WINDOW = dt.timedelta(minutes=30)


async def sift(tx: TenantTx, sale: Sale, intents: list[Intent]) -> tuple[list[Intent], dict[UUID, dict[str, Any]]]:
    """The intents that may go on, and answers for the others.

    Within a sale this is exact: its commits stand in line. Through two sales in the same instant a shopper may get one more than the
    cap; it is a courtesy to other shoppers, not a promise, and not worth a lock on him.
    """
    # A look-up for each shopper, spelt so that no planner can turn it round: joined freely it read all orders of the tenant,
    # 150 ms a batch; so it takes 0.2 ms.
    sql = """SELECT s.id, o.unpaid, o.lapsed FROM unnest($2::uuid[]) AS s(id) CROSS JOIN LATERAL (
                 SELECT count(*) FILTER (WHERE state IN ('awaiting', 'closing')) AS unpaid,
                        count(*) FILTER (WHERE state = 'expired') AS lapsed
                 FROM orders WHERE tenant_id = $1 AND shopper_id = s.id AND created_at > $3) AS o"""
    # The window also bounds what is read of a busy shopper; a hold longer than it counts as long as it is this young.
    since = sale.now - max(WINDOW, dt.timedelta(seconds=sale.hold_s))
    shoppers = list({i.shopper_id for i in intents})
    counts = {row[0]: (row[1], row[2]) for row in await tx.conn.fetch(sql, tx.tenant_id, shoppers, since)}
    passed: list[Intent] = []
    rows: dict[UUID, dict[str, Any]] = {}
    unpaid: dict[UUID, int] = {}
    for intent in intents:
        now_unpaid, lapsed = counts.get(intent.shopper_id, (0, 0))
        # Of his wishes in this batch no more than the limit can be granted; beyond it "limit" is the truer answer than "cap".
        ahead = unpaid.get(intent.shopper_id, 0)
        now_unpaid += min(ahead, sale.limit_per_shopper) if sale.limit_per_shopper else ahead
        if lapsed >= LAPSED_MAX or now_unpaid >= UNPAID_MAX:
            outcome = Outcome.COOL_DOWN if lapsed >= LAPSED_MAX else Outcome.UNPAID_CAP
            # At the direct door no row is written: the reason passes, and the same key may then succeed.
            rows[intent.order_id] = {
                "intent_id": intent.intent_id,
                "state": "refused", "refusal": int(outcome), "body_hash": intent.body_hash, "amount_minor": 0,
                "currency": sale.currency, "created_at": sale.now, "hold_until": None,
            }  # fmt: skip
        else:
            passed.append(intent)
            unpaid[intent.shopper_id] = ahead + 1
    return passed, rows
