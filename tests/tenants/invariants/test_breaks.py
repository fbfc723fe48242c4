"""Each promise, broken in each way the checker looks for: a check that cannot fail proves nothing.

Exactly one thing is broken by SQL, exactly the promises named must read violated, and the report must name the row.
"""

from typing import Any, NamedTuple

import pytest

from tests.tenants.invariants.conftest import Bench, Undone, rows, violated


class Break(NamedTuple):
    """`loosen`: tables whose constraints, and rules that an index holds, forbid it. `names`: what the report shows of the offender, by the
    name of its id."""

    what: str
    violates: str
    names: str
    sql: list[str]
    loosen: tuple[str, ...] = ()
    at_rest: bool = False


RETURNED = "UPDATE unit SET state = 'available', order_id = NULL, shopper_id = NULL, slot = NULL, sale_id = NULL"
HELD_BACK = "committed = committed - 1, allotted = allotted - 1"

STOCK = [
    Break("a batch counts a unit too many", "I1", "batch", ["UPDATE vault_batch SET loaded = loaded + 1 WHERE id = {batch}"]),
    Break("a unit was deleted", "I1", "loose", ["DELETE FROM unit WHERE id = {loose}"]),
    Break("a code was deleted", "I1", "loose", ["DELETE FROM code WHERE unit_id = {loose}"]),
    Break("a unit is there twice", "I1", "loose", ["INSERT INTO unit SELECT * FROM unit WHERE id = {loose}"], ("unit",)),
    Break("a unit's state does not exist", "I1", "loose", ["UPDATE unit SET state = 'lost' WHERE id = {loose}"], ("unit",)),
    Break("a unit is not as its history says", "I1", "faulty", ["UPDATE unit SET state = 'void' WHERE id = {faulty}"]),
    Break("a batch is of another SKU", "I1", "batch", [
        "UPDATE vault_batch SET sku_id = {other_sku} WHERE id = {batch}"], ("vault_batch", "unit")),
    Break("a sale counts a unit too many", "I1", "sale", ["UPDATE sale SET committed = committed + 1 WHERE id = {sale}"]),
    Break("a sale was allotted what it has not got", "I1", "sale", ["UPDATE sale SET allotted = allotted + 1 WHERE id = {sale}"]),
    Break("a unit was slipped into a sale", "I1", "sale", ["UPDATE unit SET sale_id = {sale} WHERE id = {loose}"]),
    Break("an available unit has an order", "I2", "loose", [
        "UPDATE unit SET order_id = {cancelled}, shopper_id = {shopper_cancelled} WHERE id = {loose}"], ("unit",)),
    Break("a unit is sold before it is paid", "I2", "awaiting", ["UPDATE unit SET state = 'sold' WHERE id = {unit_awaiting}"]),
    Break("a cancelled order keeps its unit", "I2 I25", "awaiting", [
        "UPDATE orders SET state = 'cancelled', next_try_at = NULL WHERE id = {awaiting}"]),
    Break("a unit is another shopper's", "I2", "unit_awaiting", [
        "UPDATE unit SET shopper_id = {shopper_cancelled} WHERE id = {unit_awaiting}"]),
    Break("a unit is with an order that never asked for it", "I2", "unit_awaiting", [
        "UPDATE unit SET order_id = {refused}, shopper_id = {shopper_refused} WHERE id = {unit_awaiting}"]),
    Break("an order lost its unit", "I2", "awaiting", [
        f"{RETURNED} WHERE id = {{unit_awaiting}}",
        f"UPDATE sale SET {HELD_BACK} WHERE id = {{sale}}"]),
    Break("a unit was delivered twice", "I3", "unit_doubled", [
        "INSERT INTO delivery SELECT * FROM delivery WHERE unit_id = {unit_doubled}"], ("delivery",)),
    Break("what replaced a unit went to another order", "I3", "faulty", [
        "UPDATE delivery SET order_id = {delivered} WHERE unit_id = {faulty}"]),
    Break("a delivery is missing", "I3", "doubled", ["DELETE FROM delivery WHERE unit_id = {unit_doubled}"]),
    Break("a unit was delivered to another than its owner", "I3", "unit_doubled", [
        "UPDATE delivery SET order_id = {delivered} WHERE unit_id = {unit_doubled}"]),
    Break("a unit was delivered that nobody paid for", "I3", "awaiting", [
        "INSERT INTO delivery (tenant_id, unit_id, order_id, sale_id) VALUES ({tenant}, {loose}, {awaiting}, {sale})",
        "UPDATE unit SET state = 'void' WHERE id = {loose}"]),
    Break("a delivered unit has no code", "I1 I3", "unit_doubled", ["DELETE FROM code WHERE unit_id = {unit_doubled}"]),
    Break("a delivered unit is back in stock", "I4 I14", "refunded", [
        "UPDATE unit SET state = 'available' WHERE id = (SELECT unit_id FROM delivery WHERE order_id = {refunded})"]),
    Break("a revealed unit is sold again", "I1 I2 I4", "unit_delivered", [
        f"{RETURNED} WHERE id = {{unit_delivered}}"]),
    Break("two units have one fingerprint", "I5 I22", "loose", [
        "UPDATE code SET fingerprint = (SELECT fingerprint FROM code WHERE unit_id = {other_loose}) WHERE unit_id = {loose}"], ("code",)),
    Break("a shopper has more than the limit", "I8", "shopper_delivered", ["UPDATE sale SET limit_per_shopper = 1 WHERE id = {sale}"]),
    Break("a slot is filled twice", "I8", "shopper_delivered", ["UPDATE unit SET slot = 1 WHERE order_id = {delivered}"], ("unit",)),
    Break("a unit fills no slot", "I8", "unit_awaiting", ["UPDATE unit SET slot = NULL WHERE id = {unit_awaiting}"]),
    Break("a unit lies below the low-water mark", "I9", "free", ["UPDATE sale SET last_unit = {free} WHERE id = {sale}"]),
    Break("an ended sale keeps units", "I9", "sale", ["UPDATE sale SET state = 'ended' WHERE id = {sale}"]),
]  # fmt: skip

TWICE_WANTED = """INSERT INTO payment_attempt (tenant_id, id, order_id, account_id, out_trade_no, state, amount_minor, currency, notify_url,
                                               return_url, expires_at)
                  VALUES ({tenant}, {event}, {cancelled}, {account}, 'x', 'paid', 990, 'CNY', '', '', now())"""
TWICE_PAID = """INSERT INTO payment (tenant_id, id, account_id, attempt_id, order_id, txn_id, amount_minor, currency, disposition, paid_at)
                VALUES ({tenant}, {event}, {account}, {event}, {cancelled}, 'x', 990, 'CNY', 'applied', now())"""
TWICE_BOOKED = "INSERT INTO ledger_tx (tenant_id, id, kind, reference, currency) VALUES ({tenant}, {event}, 'sale', {event}, 'CNY')"
TWICE_ENTERED = """INSERT INTO ledger_entry (tenant_id, tx_id, account, amount_minor)
                   VALUES ({tenant}, {event}, 'clearing', 990), ({tenant}, {event}, 'revenue', -990)"""

ORDERS = [
    Break("an order's amount is not its lines'", "I13", "cancelled", ["UPDATE orders SET amount_minor = 1 WHERE id = {cancelled}"]),
    Break("a line is not at the sale's price", "I13", "cancelled", [
        "UPDATE orders SET amount_minor = 1 WHERE id = {cancelled}",
        "UPDATE order_line SET unit_price_minor = 1 WHERE order_id = {cancelled}"]),
    Break("a line's units cost more than the line", "I13", "parted", [
        "UPDATE unit SET paid_minor = paid_minor + 1 WHERE id = {unit_parted}"]),
    Break("a line's units cost less than the line", "I13 I25", "delivered", [
        "UPDATE order_line SET amount_minor = 2000 WHERE order_id = {delivered}",
        "UPDATE orders SET amount_minor = 2000 WHERE id = {delivered}",
        "UPDATE payment_attempt SET amount_minor = 2000 WHERE order_id = {delivered}",
        "UPDATE payment SET amount_minor = 2000 WHERE order_id = {delivered}",
        "UPDATE ledger_entry SET amount_minor = sign(amount_minor) * 2000 WHERE tx_id = {tx_delivered}",
        "UPDATE points_order SET amount_minor = 2000 WHERE id = {delivered}"]),
    Break("a unit that is for sale cost somebody something", "I13", "free", ["UPDATE unit SET paid_minor = 1 WHERE id = {free}"]),
    Break("an order is in another currency", "I13", "cancelled", ["UPDATE orders SET currency = 'USD' WHERE id = {cancelled}"]),
    Break("an order has no lines", "I13", "cancelled", [
        "DELETE FROM order_line WHERE order_id = {cancelled}", "UPDATE orders SET amount_minor = 0 WHERE id = {cancelled}"]),
    Break("a line is of no order", "I13", "sale", [
        """INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor)
           VALUES ({tenant}, {sku}, {sale}, {sku}, 1, 1)"""]),
    Break("a line is of another SKU", "I13", "cancelled", ["UPDATE order_line SET sku_id = {other_sku} WHERE order_id = {cancelled}"]),
    Break("too little was asked for", "I13", "attempt_awaiting", [
        "UPDATE payment_attempt SET amount_minor = 1 WHERE id = {attempt_awaiting}"]),
    Break("too little was accepted", "I11 I13", "payment_doubled", ["UPDATE payment SET amount_minor = 1 WHERE id = {payment_doubled}"]),
    Break("the payment came to another account", "I13", "payment_doubled", [
        "UPDATE payment SET account_id = {other_account} WHERE id = {payment_doubled}"]),
    Break("an order was delivered for nothing", "I11 I13", "doubled", [
        "DELETE FROM payment WHERE id = {payment_doubled}"]),
    Break("an order was paid twice and both were accepted", "I11 I13 I14", "doubled", [
        "UPDATE payment SET disposition = 'applied' WHERE id = {payment_double}"]),
    Break("a hold is long over", "I16", "awaiting", [
        "UPDATE orders SET hold_until = now() - interval '2 min' WHERE id = {awaiting}"], at_rest=True),
    Break("closing takes too long", "I16", "closing", [
        "UPDATE orders SET hold_until = now() - interval '2 min' WHERE id = {closing}"], at_rest=True),
    Break("a hold has no end", "I16", "awaiting", ["UPDATE orders SET hold_until = NULL WHERE id = {awaiting}"]),
    Break("nobody looks at the end of a hold", "I16 I17", "awaiting", [
        "UPDATE orders SET next_try_at = NULL WHERE id = {awaiting}"], ("orders",)),
    Break("one intent became two orders", "I18", "cancelled", [
        "UPDATE orders SET intent_id = {event} WHERE id IN ({cancelled}, {expired})"]),
]  # fmt: skip

MONEY = [
    Break("a ledger transaction does not sum to zero", "I10 I11", "tx_doubled", [
        "UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE tx_id = {tx_doubled} AND account = 'clearing'"]),
    Break("a ledger transaction is empty", "I10", "event", [TWICE_BOOKED]),
    Break("an entry belongs nowhere", "I10", "event", [
        "INSERT INTO ledger_entry (tenant_id, tx_id, account, amount_minor) VALUES ({tenant}, {event}, 'clearing', 1)"], ("ledger_entry",)),
    Break("the application may change the ledger", "I10", "", ["GRANT UPDATE (amount_minor) ON ledger_entry TO tessera_app"]),
    Break("the application may remove a delivery", "I10", "", ["GRANT DELETE ON delivery TO tessera_app"]),
    Break("a payment was not booked", "I11", "payment_doubled", [
        "DELETE FROM ledger_entry WHERE tx_id = {tx_doubled}", "DELETE FROM ledger_tx WHERE id = {tx_doubled}"]),
    Break("a payment was booked at another amount", "I11", "payment_doubled", [
        "UPDATE ledger_entry SET amount_minor = amount_minor * 2 WHERE tx_id = {tx_doubled}"]),
    Break("a payment was booked to another account", "I11", "payment_doubled", [
        "UPDATE ledger_entry SET account = 'unapplied' WHERE tx_id = {tx_doubled} AND account = 'revenue'"]),
    Break("a refund was booked that never was", "I11", "event", [TWICE_BOOKED, TWICE_ENTERED]),
    Break("more was refunded than paid", "I14", "refund_late", [
        "UPDATE refund SET amount_minor = amount_minor + 1 WHERE id = {refund_late}"]),
    Break("a refund is in another currency", "I14", "refund_late", ["UPDATE refund SET currency = 'USD' WHERE id = {refund_late}"]),
    Break("a refund is of another order's payment", "I14", "refund_late", [
        "UPDATE refund SET order_id = {cancelled} WHERE id = {refund_late}"]),
    Break("money that came late stays", "I14", "payment_late", ["DELETE FROM refund WHERE id = {refund_late}"]),
    Break("a late payment is refunded in part", "I14", "payment_late", ["UPDATE refund SET amount_minor = 1 WHERE id = {refund_late}"]),
    Break("a delivered order is refunded behind its back", "I14", "refund_refunding", [
        "UPDATE refund SET payment_id = {payment_doubled}, order_id = {doubled} WHERE id = {refund_refunding}",
        "UPDATE refund SET payment_id = {payment_refunding}, order_id = {refunding}, reason = 'requested' WHERE id = {refund_late}"]),
    Break("a part refund names no unit", "I2 I14", "refund_parted", ["DELETE FROM refund_unit WHERE refund_id = {refund_parted}"]),
    Break("a part refund is of more than its units", "I11 I14 I27", "refund_parted", [
        "UPDATE refund SET amount_minor = amount_minor + 1 WHERE id = {refund_parted}"]),
    Break("a refund names units of another order", "I2 I14", "gone_parted", [
        "UPDATE refund_unit SET order_id = {delivered} WHERE unit_id = {gone_parted}"]),
    Break("a refunded unit stays the shopper's", "I14", "unit_parted", [
        "UPDATE refund_unit SET unit_id = {unit_parted} WHERE refund_id = {refund_parted}"]),
    Break("a unit is refunded twice", "I2 I14", "gone_parted", [
        "INSERT INTO refund_unit SELECT * FROM refund_unit WHERE unit_id = {gone_parted}"], ("refund_unit",)),
    Break("all of an order is refunded and it stays delivered", "I14", "refunding", [
        "UPDATE orders SET state = 'delivered' WHERE id = {refunding}"]),
    Break("an order is being refunded of which something is left", "I2 I14 I15", "parted", [
        "UPDATE orders SET state = 'refunding' WHERE id = {parted}"]),
    Break("an order was paid for and is dead", "I15", "cancelled", [TWICE_WANTED, TWICE_PAID, TWICE_BOOKED, TWICE_ENTERED]),
    Break("money in time came too late", "I15", "payment_late", [
        "UPDATE payment SET paid_at = paid_at - interval '1 day' WHERE id = {payment_late}"]),
    Break("an order is refunded and the money is not back", "I15", "refunding", [
        "UPDATE orders SET state = 'refunded' WHERE id = {refunding}"]),
    Break("nobody is at the refund of an order", "I15", "refunding", [
        "DELETE FROM refund_unit WHERE refund_id = {refund_refunding}", "DELETE FROM refund WHERE id = {refund_refunding}"]),
    Break("a paid order waits at rest", "I15", "doubled", [
        "DELETE FROM delivery WHERE order_id = {doubled}", "UPDATE orders SET state = 'paid' WHERE id = {doubled}"], at_rest=True),
    Break("a paid order waits for too long", "I15", "doubled", [
        "DELETE FROM delivery WHERE order_id = {doubled}",
        "UPDATE orders SET state = 'paid', paid_at = now() - interval '16 min' WHERE id = {doubled}"]),
    Break("a refund takes more than a day", "I15", "refunding", [
        "UPDATE orders SET paid_at = now() - interval '25 hours' WHERE id = {refunding}"]),
]  # fmt: skip

DUTIES = [
    Break("nobody looks after a batch when its units end", "I17", "batch", [
        "UPDATE vault_batch SET next_try_at = NULL WHERE id = {batch}"]),
    Break("a notice is forgotten", "I17", "notice", ["UPDATE payment_inbox SET state = 'new' WHERE id = {notice}"]),
    Break("a payment is not asked for", "I17", "attempt_awaiting", [
        "UPDATE payment_attempt SET next_try_at = NULL WHERE id = {attempt_awaiting}"]),
    Break("a refund is not asked for", "I17", "refund_late", ["UPDATE refund SET next_try_at = NULL WHERE id = {refund_late}"]),
    Break("a licence would never end", "I17", "licence", ["UPDATE qualification SET next_try_at = NULL WHERE id = {licence}"]),
    Break("an event is overdue", "I17", "later_event", [
        "UPDATE outbox SET next_try_at = now() - interval '2 min' WHERE id = {later_event}"], at_rest=True),
    Break("a webhook waits and nobody is to send it", "I17", "endpoint", [
        "UPDATE webhook_endpoint SET next_try_at = NULL WHERE id = {endpoint}"]),
    Break("a webhook waits for an endpoint that was deleted", "I17", "endpoint", ["DELETE FROM webhook_endpoint WHERE id = {endpoint}"]),
    Break("a domain is not looked for again", "I17", "domain", ["UPDATE store_domain SET next_try_at = NULL WHERE id = {domain}"]),
    Break("a kind of duty the checker does not know", "I17", "", [
        "CREATE TABLE chore (tenant_id uuid NOT NULL, id uuid NOT NULL, next_try_at timestamptz)"]),
    Break("one transaction of the provider is two payments", "I19", "payment_doubled", [
        "UPDATE payment SET txn_id = 'same' WHERE id IN ({payment_doubled}, {payment_delivered})"], ("payment",)),
    Break("one notice is there twice", "I19", "account", [
        "UPDATE payment_inbox SET event_id = 'EV-1'"], ("payment_inbox",)),
    Break("a notice was done and nothing came of it", "I19", "notice", ["UPDATE payment_inbox SET outcome = NULL WHERE id = {notice}"]),
    Break("the application may change the audit", "I23", "", ["GRANT UPDATE (detail) ON audit TO tessera_app"]),
    Break("a reveal left no evidence", "I23", "delivered", ["DELETE FROM audit WHERE id = {reveal}"]),
    Break("the application may change links", "I23", "", ["GRANT UPDATE (hash) ON audit_link TO tessera_app"]),
    Break("an entry says something else", "I23", "reveal", ["UPDATE audit SET actor = 'nobody' WHERE id = {reveal}"]),
    Break("a link is gone", "I23", "tenant", ["DELETE FROM audit_link"]),
    Break("an entry was never linked", "I23", "unlinked", [
        "UPDATE audit SET at = now() - interval '1 hour' WHERE id = {unlinked}"], at_rest=True),
]  # fmt: skip

GATES = [
    Break("a return is of an epoch that never was", "I24", "flash", ["UPDATE give_back SET epoch = 3 WHERE seq = 2"]),
    Break("a return is not counted", "I6 I24", "flash", ["UPDATE sale SET give_seq = 1 WHERE id = {flash}"], at_rest=True),
    Break("a return was lost", "I24", "flash", ["DELETE FROM give_back WHERE seq = 1"]),
    Break("a number was left out", "I24", "flash", ["UPDATE give_back SET seq = 3 WHERE seq = 2"]),
    Break("returns are numbered against time", "I24", "flash", ["UPDATE give_back SET epoch = 3 - epoch"]),
    Break("a sale without a gate gives back to it", "I24", "ended_sale", [
        "UPDATE give_back SET sale_id = {ended_sale}", "UPDATE sale SET give_seq = 0 WHERE id = {flash}"]),
    Break("a commit came too late", "I24", "flashed", ["UPDATE orders SET epoch = 1 WHERE id = {flashed}"]),
    Break("a commit is of an epoch that never was", "I24", "flashed", ["UPDATE orders SET epoch = 3 WHERE id = {flashed}"]),
    Break("an order of a sale without a gate has an epoch", "I24", "awaiting", ["UPDATE orders SET epoch = 1 WHERE id = {awaiting}"]),
]  # fmt: skip

COUPONS = [
    Break("a piece is not counted", "I25", "coupon", ["UPDATE coupon SET claimed = claimed - 1"], ("coupon",)),
    Break("a use is not counted", "I25", "coupon", ["UPDATE coupon SET used = used - 1"]),
    Break("what was spent is not counted", "I25", "coupon", ["UPDATE coupon SET spent_minor = spent_minor - 1"]),
    Break("more was claimed than there are", "I25", "coupon", ["UPDATE coupon SET claims_max = 1"], ("coupon",)),
    Break("more was used than there are", "I25", "coupon", ["UPDATE coupon SET uses_max = 1"], ("coupon",)),
    Break("more was spent than the budget", "I25", "coupon", ["UPDATE coupon SET budget_minor = 19"], ("coupon",)),
    Break("a piece was got twice", "I25", "coupon", ["UPDATE coupon_grant SET n = 2 WHERE id = {grant_expired}"]),
    Break("a piece came back without its order's end", "I25", "grant_awaiting", [
        "UPDATE coupon_grant SET state = 'held', order_id = NULL WHERE id = {grant_awaiting}"]),
    Break("a piece that was used is held again", "I25", "grant_delivered", [
        "UPDATE coupon_grant SET state = 'held', order_id = NULL WHERE id = {grant_delivered}"]),
    Break("a piece is locked by another order than its own", "I25", "grant_awaiting", [
        "UPDATE coupon_grant SET order_id = {closing} WHERE id = {grant_awaiting}"]),
    Break("two orders use one piece", "I25", "grant_delivered", [
        "UPDATE coupon_use SET state = 'released' WHERE grant_id = {grant_awaiting}",
        "UPDATE coupon_use SET grant_id = {grant_delivered} WHERE grant_id = {grant_awaiting}"], ("coupon_use", "coupon_line")),
    Break("a lock did not end with its order", "I25", "expired", [
        "UPDATE coupon_use SET state = 'locked' WHERE order_id = {expired}",
        "UPDATE coupon_grant SET state = 'locked', order_id = {expired} WHERE id = {grant_expired}",
        "UPDATE coupon SET locked = locked + 1, spent_minor = spent_minor + 10"]),
    Break("a paid order gave its piece back", "I25", "delivered", [
        "UPDATE coupon_use SET state = 'released' WHERE order_id = {delivered}",
        "UPDATE coupon_grant SET state = 'held', order_id = NULL WHERE id = {grant_delivered}",
        "UPDATE coupon SET used = used - 1, spent_minor = spent_minor - 10"]),
    Break("a piece of another shopper was used", "I25", "grant_delivered", [
        "UPDATE coupon_grant SET shopper_id = {shopper_awaiting}, n = 2 WHERE id = {grant_delivered}"]),
    Break("a use takes off more than its lines", "I25", "grant_delivered", [
        "UPDATE coupon_use SET discount_minor = 11 WHERE grant_id = {grant_delivered}", "UPDATE coupon SET spent_minor = spent_minor + 1"]),
    Break("a line pays what was taken off", "I25", "delivered", [
        "UPDATE coupon_line SET whole_minor = whole_minor - 10 WHERE order_id = {delivered}"]),
    Break("nobody looks when a piece ends", "I17", "coupon", ["UPDATE coupon SET next_try_at = NULL"]),
]  # fmt: skip

SECRETS = [
    Break("a sealed code was changed", "I22", "loose", [
        "UPDATE code SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE unit_id = {loose}"]),
    Break("a sealed code was moved", "I22", "loose", [
        "UPDATE code SET sealed = (SELECT sealed FROM code WHERE unit_id = {other_loose}) WHERE unit_id = {loose}"]),
    Break("a fingerprint is of another code", "I22", "loose", ["UPDATE code SET fingerprint = sha256('x') WHERE unit_id = {loose}"]),
    Break("a code lies in an event", "I22", "", ["""UPDATE outbox SET payload = '{{"code": "CARD-one-0003-WXYZ"}}' WHERE id = {event}"""]),
    Break("a secret lies in the audit", "I22 I23", "", ["""UPDATE audit SET detail = '{{"x": ["secret-of-CARD-one-0003-WXYZ"]}}'"""]),
    Break("a code lies in a report of an import", "I22", "", [
        "INSERT INTO vault_line VALUES ({tenant}, {batch}, 99, 'malformed', 'not a code: CARD-one-0003-WXYZ.')"]),
    Break("a code lies in bytes as received", "I22", "", ["UPDATE payment_inbox SET raw = '\\x0a434152442d6f6e652d303030332d5758595a'"]),
    Break("a code lies in an order", "I22", "", ["UPDATE orders SET contact = 'CARD-one-0003-WXYZ@example.com' WHERE id = {cancelled}"]),
]  # fmt: skip

POINTS = [
    Break("a balance is a point too high", "I26", "shopper_delivered", [
        "UPDATE points_account SET balance = balance + 1 WHERE id = {shopper_delivered}"]),
    Break("somebody owes and has points", "I26 I27", "shopper_delivered", [
        "UPDATE points_account SET owed = 1 WHERE id = {shopper_delivered}"], ("points_account",)),
    Break("a balance is below zero", "I26", "shopper_refunded", [
        "UPDATE points_account SET balance = -1 WHERE id = {shopper_refunded}"], ("points_account",)),
    Break("an entry is gone", "I26", "shopper_delivered", [
        "DELETE FROM points_entry WHERE shopper_id = {shopper_delivered} AND seq = 2"], ("points_entry",)),
    Break("an entry says another balance", "I26", "shopper_delivered", [
        "UPDATE points_entry SET balance = balance + 1 WHERE shopper_id = {shopper_delivered} AND seq = 2"]),
    Break("an account counts an entry too many", "I26", "shopper_delivered", [
        "UPDATE points_account SET entries = 3 WHERE id = {shopper_delivered}"]),
    Break("a lot has a point too many", "I26", "shopper_delivered", [
        "UPDATE points_lot SET remaining = remaining + 1 WHERE shopper_id = {shopper_delivered}"]),
    Break("a lot is below zero", "I26", "shopper_refunded", [
        "UPDATE points_lot SET remaining = -1 WHERE shopper_id = {shopper_refunded}"], ("points_lot",)),
    Break("a lot says that some expired", "I26", "shopper_delivered", [
        "UPDATE points_lot SET expired = 1 WHERE shopper_id = {shopper_delivered}"]),
    Break("points were taken from nowhere", "I26", "shopper_delivered", [
        "DELETE FROM points_consumption WHERE shopper_id = {shopper_delivered}"]),
    Break("an order earned twice", "I26 I27", "shopper_parted", [
        """INSERT INTO points_entry SELECT tenant_id, shopper_id, 3, amount, 'order', balance + amount, order_id, once, note, at
           FROM points_entry WHERE shopper_id = {shopper_parted} AND seq = 1""",
        "UPDATE points_entry SET balance = 30 WHERE shopper_id = {shopper_parted} AND seq = 3",
        """INSERT INTO points_lot SELECT tenant_id, shopper_id, 3, 19, 19, 0, ready_at, expires_at FROM points_lot
           WHERE shopper_id = {shopper_parted}""",
        "UPDATE points_account SET balance = 30, entries = 3 WHERE id = {shopper_parted}"], ("points_entry",)),
    Break("the application may change entries", "I26", "", ["GRANT UPDATE (amount) ON points_entry TO tessera_app"]),
    Break("the application may remove lots", "I26", "", ["GRANT DELETE ON points_lot TO tessera_app"]),
    Break("an order gave back more than its share", "I27", "parted", ["UPDATE points_order SET lapsed = 1 WHERE id = {parted}"]),
    Break("an order gave back more than it earned", "I27", "refunded", [
        "UPDATE points_order SET lapsed = 1 WHERE id = {refunded}"], ("points_order",)),
    Break("an order says that it earned more", "I27", "delivered", ["UPDATE points_order SET earned = 20 WHERE id = {delivered}"]),
    Break("points are of an order that nobody looked at", "I27", "shopper_delivered", [
        "DELETE FROM points_order WHERE id = {delivered}"]),
    Break("points went to another shopper", "I27", "delivered", [
        "UPDATE points_order SET shopper_id = {shopper_parted} WHERE id = {delivered}"]),
    Break("a debt was forgotten", "I27", "shopper_refunded", ["UPDATE points_account SET owed = 0 WHERE id = {shopper_refunded}"]),
    Break("growth stayed with what was refunded", "I27", "refunded", ["UPDATE points_order SET growth_back = 0 WHERE id = {refunded}"]),
    Break("a refund is not what there was refunded", "I27", "parted", [
        "UPDATE points_order SET refunded_minor = refunded_minor + 1 WHERE id = {parted}"]),
]  # fmt: skip
EVERYTHING = STOCK + ORDERS + MONEY + DUTIES + GATES + COUPONS + SECRETS + POINTS


def named(case: Break) -> str:
    return f"{case.violates}: {case.what}"


@pytest.mark.parametrize("case", [case for case in EVERYTHING if not case.loosen], ids=named)
async def test_broken_and_seen(case: Break, undone: Undone) -> None:
    assert await told(case, undone) == (set(case.violates.split()), True, [], 1)


@pytest.mark.parametrize("case", [case for case in EVERYTHING if case.loosen], ids=named)
async def test_what_a_constraint_forbids_is_seen_without_it(case: Break, bench: Bench) -> None:
    await bench.loosen(*case.loosen)
    assert await told(case, bench) == (set(case.violates.split()), True, [], 1)


async def told(case: Break, bench: Bench) -> tuple[set[str], bool, list[str], int]:
    """What is violated once it is broken, whether the offender is named, what could not be checked, and the exit code."""
    await bench.execute(*case.sql)
    report = await bench.check(at_rest=case.at_rest, sample=None)
    seen = " ".join(rows(report, verdict.name) for verdict in report.verdicts if verdict.name in case.violates.split())
    name = bench.store.ids[case.names] if case.names else ""
    return violated(report), str(getattr(name, "hex", name)) in seen, report.failures, report.exit_code


async def test_no_code_enters_the_report(undone: Undone) -> None:
    """Not even when it is the offence."""
    await undone.execute(
        "UPDATE orders SET contact = 'CARD-one-0003-WXYZ'", "UPDATE code SET fingerprint = sha256('x') WHERE unit_id = {loose}"
    )
    report = await undone.check(sample=None)
    assert violated(report) == {"I22"}
    assert "CARD-" not in str(report.as_dict())


class TestTheTableIsComplete:
    def test_every_promise_that_sql_can_break_is_broken(self) -> None:
        broken: set[str] = set()
        for case in EVERYTHING:
            broken |= set(case.violates.split())
        elsewhere: dict[str, Any] = {"I6": "the gate", "I7": "history", "I12": "books", "I20": "books", "I21": "catalogue"}
        assert broken | set(elsewhere) == {f"I{n}" for n in range(1, 28)}
