"""Who may not reserve more for now: too many unpaid orders at once, or too many left to expire (features D4)."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from checkout_core.intents import Intent, Outcome
from tenants.orders.sale import Sale

UNPAID_MAX = 5  # reservations a shopper may hold unpaid, in all sales of a store
LAPSED_MAX = 3  # reservations left to expire within the window before he must wait
WINDOW = dt.timedelta(minutes=30)


# Who has unpaid or lapsed orders: $1 tenant, p the shoppers and s the sales they ask in, s.since from when orders count. A look-up for
# each shopper, spelt so that no planner can turn it round: joined freely it read all orders of the tenant, 150 ms a batch, not 0.2.
WAITS = """SELECT n, shopper_id, o.unpaid, o.lapsed FROM p JOIN s USING (n) CROSS JOIN LATERAL (
               SELECT count(*) FILTER (WHERE state IN ('awaiting', 'closing')) AS unpaid,
                      count(*) FILTER (WHERE state = 'expired') AS lapsed
               FROM orders WHERE tenant_id = $1 AND shopper_id = p.shopper_id AND created_at > s.since) AS o
           WHERE o.unpaid + o.lapsed > 0"""


def since(sale: Sale) -> dt.datetime:
    """From when orders count. It bounds what is read of a busy shopper; a hold longer than the window counts while it is this young."""
    return sale.now - max(WINDOW, dt.timedelta(seconds=sale.hold_s))


def sift(sale: Sale, intents: Sequence[Intent], waits: dict[UUID, tuple[int, int]]) -> tuple[list[Intent], dict[UUID, Outcome]]:
    """The intents that may go on, and why the others may not.

    Within a sale this is exact: its commits stand in line. Through two sales in the same instant a shopper may get one more than the
    cap; it is a courtesy to other shoppers, not a promise, and not worth a lock on him.
    """
    if not waits and len({i.shopper_id for i in intents}) == len(intents):
        return list(intents), {}  # a rush: nobody is known, and everybody comes once
    passed: list[Intent] = []
    sent_away: dict[UUID, Outcome] = {}
    ahead: dict[UUID, int] = {}  # wishes of a shopper in this batch
    for intent in intents:
        shopper = intent.shopper_id
        unpaid, lapsed = waits.get(shopper, (0, 0))
        # Of his wishes in this batch no more than the limit can be granted; beyond it "limit" is the truer answer than "cap".
        before = ahead.get(shopper, 0)
        unpaid += min(before, sale.limit_per_shopper) if sale.limit_per_shopper else before
        if lapsed >= LAPSED_MAX or unpaid >= UNPAID_MAX:
            # At the direct door no row is written: the reason passes, and the same key may then succeed.
            sent_away[intent.order_id] = Outcome.COOL_DOWN if lapsed >= LAPSED_MAX else Outcome.UNPAID_CAP
        else:
            passed.append(intent)
            ahead[shopper] = before + 1
    return passed, sent_away
