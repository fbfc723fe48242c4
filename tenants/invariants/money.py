"""Money: the ledger follows from payments and refunds, and what was paid is delivered or goes back (I10, I11, I14, I15)."""

from tenants.invariants.look import Look
from tenants.invariants.registry import invariant

PAID_WAITS_S = 15 * 60  # then a paid order is refunded instead
REFUND_WAITS_S = 24 * 3600


@invariant("I10")
async def transactions_sum_to_zero(look: Look) -> None:
    await look.none(
        "the entries of a ledger transaction sum to zero, and it has some",
        of="ledger_tx",
        sql="""SELECT tx.tenant_id AS tenant, tx.id AS ledger_tx, count(entry.tx_id) AS entries,
                      coalesce(sum(entry.amount_minor), 0) AS sum_minor
               FROM ledger_tx tx LEFT JOIN ledger_entry entry ON entry.tenant_id = tx.tenant_id AND entry.tx_id = tx.id
               GROUP BY 1, 2 HAVING count(entry.tx_id) < 2 OR sum(entry.amount_minor) <> 0""",
    )
    await look.none(
        "an entry belongs to a ledger transaction",
        of="ledger_entry",
        sql="""SELECT entry.tenant_id AS tenant, entry.tx_id AS ledger_tx, entry.account AS ledger_account
               FROM ledger_entry entry LEFT JOIN ledger_tx tx ON tx.tenant_id = entry.tenant_id AND tx.id = entry.tx_id
               WHERE tx.id IS NULL""",
    )
    await look.none(
        "the application may add to the ledger, the payments and the deliveries, and change or remove nothing there",
        of="(VALUES ('ledger_tx'), ('ledger_entry'), ('payment'), ('delivery')) AS kept",
        sql="""SELECT name AS "table" FROM (VALUES ('ledger_tx'), ('ledger_entry'), ('payment'), ('delivery')) AS kept (name)
               WHERE has_table_privilege('tessera_app', name, 'UPDATE, DELETE, TRUNCATE')
                  OR (name <> 'delivery' AND has_any_column_privilege('tessera_app', name, 'UPDATE'))""",
    )


@invariant("I11")
async def the_ledger_follows_from_the_payments(look: Look) -> None:
    await look.none(
        "the ledger holds one transaction for each payment and each refund that succeeded, with their entries, and nothing else",
        of="ledger_entry",
        sql=f"""WITH expected AS ({_EXPECTED}), booked AS (
                    SELECT tx.tenant_id, tx.reference, tx.currency, entry.account, sum(entry.amount_minor) AS amount_minor,
                           count(*) AS copies
                    FROM ledger_tx tx JOIN ledger_entry entry ON entry.tenant_id = tx.tenant_id AND entry.tx_id = tx.id
                    GROUP BY 1, 2, 3, 4)
                SELECT coalesce(booked.tenant_id, expected.tenant_id) AS tenant,
                       coalesce(booked.reference, expected.reference) AS reference,
                       coalesce(booked.account, expected.account) AS ledger_account, booked.amount_minor AS booked_minor,
                       expected.amount_minor AS expected_minor
                FROM expected FULL JOIN booked ON booked.tenant_id = expected.tenant_id AND booked.reference = expected.reference
                                              AND booked.account = expected.account AND booked.currency = expected.currency
                WHERE booked.amount_minor IS DISTINCT FROM expected.amount_minor OR booked.copies > 1""",
    )
    await look.none(
        "clearing = payments − refunds; revenue and unapplied are what they came for",
        of="(SELECT DISTINCT tenant_id, account FROM ledger_entry) AS accounts",
        sql=f"""SELECT tenant_id AS tenant, account AS ledger_account, currency, sum(booked_minor) AS balance_minor,
                       sum(expected_minor) AS expected_minor
                FROM (SELECT tenant_id, account, currency, 0 AS booked_minor, amount_minor AS expected_minor FROM ({_EXPECTED}) expected
                      UNION ALL
                      SELECT tx.tenant_id, entry.account, tx.currency, entry.amount_minor, 0
                      FROM ledger_tx tx JOIN ledger_entry entry ON entry.tenant_id = tx.tenant_id AND entry.tx_id = tx.id) both_sides
                GROUP BY 1, 2, 3 HAVING sum(booked_minor) <> sum(expected_minor)""",
    )


# What the ledger must say, made from the payments and refunds alone: (tenant, reference, currency, account, amount). Debits are positive.
_EXPECTED = """
    SELECT moved.tenant_id, moved.reference, moved.currency, entry.account, entry.sign * moved.amount_minor AS amount_minor
    FROM (SELECT tenant_id, id AS reference, currency, amount_minor, disposition FROM payment
          UNION ALL
          SELECT refund.tenant_id, refund.id, refund.currency, -refund.amount_minor, payment.disposition
          FROM refund JOIN payment ON payment.tenant_id = refund.tenant_id AND payment.id = refund.payment_id
          WHERE refund.state = 'succeeded') moved
    CROSS JOIN LATERAL (VALUES ('clearing', 1), (CASE moved.disposition WHEN 'applied' THEN 'revenue' ELSE 'unapplied' END, -1))
        AS entry (account, sign)"""


@invariant("I14")
async def refunds_go_back_once(look: Look) -> None:
    await look.none(
        "the refunds of a payment are at most the payment, in its currency, for its order",
        of="refund",
        sql="""SELECT refund.tenant_id AS tenant, refund.payment_id AS payment, min(refund.id::text)::uuid AS refund,
                      sum(refund.amount_minor) AS refunds_minor, payment.amount_minor AS payment_minor
               FROM refund LEFT JOIN payment ON payment.tenant_id = refund.tenant_id AND payment.id = refund.payment_id
               GROUP BY 1, 2, payment.amount_minor, payment.currency, payment.order_id
               HAVING payment.amount_minor IS NULL
                   OR sum(refund.amount_minor) FILTER (WHERE refund.state <> 'failed') > payment.amount_minor
                   OR bool_or(refund.currency <> payment.currency) OR bool_or(refund.order_id <> payment.order_id)""",
    )
    await look.none(
        "money that came for no live order, twice or in a wrong amount has exactly one refund, of all of it",
        of="payment WHERE disposition <> 'applied'",
        sql="""SELECT payment.tenant_id AS tenant, payment.id AS payment, payment.order_id AS "order", disposition,
                      payment.amount_minor, count(refund.id) AS refunds, coalesce(sum(refund.amount_minor), 0) AS refunds_minor
               FROM payment LEFT JOIN refund ON refund.tenant_id = payment.tenant_id AND refund.payment_id = payment.id
               WHERE disposition <> 'applied'
               GROUP BY 1, 2, 3, 4, 5 HAVING count(refund.id) <> 1 OR sum(refund.amount_minor) <> payment.amount_minor""",
    )
    await look.none(
        "money that paid for an order goes back only when the order is being refunded",
        of="payment WHERE disposition = 'applied'",
        sql="""SELECT refund.tenant_id AS tenant, refund.id AS refund, payment.id AS payment, o.id AS "order", o.state
               FROM refund JOIN payment ON payment.tenant_id = refund.tenant_id AND payment.id = refund.payment_id
               JOIN orders o ON o.tenant_id = payment.tenant_id AND o.id = payment.order_id
               WHERE disposition = 'applied' AND o.state NOT IN ('refunding', 'refunded')""",
    )


# A person has time to do what was paid for, and a duty until it is tried again.
_WAITING = """SELECT FROM fulfilment f WHERE f.tenant_id = orders.tenant_id AND f.order_id = orders.id AND f.state IN ('pending', 'failed')
              AND (f.next_try_at > now() - interval '60 s' OR f.state = 'failed')"""


@invariant("I15")
async def paid_is_delivered_or_refunded(look: Look) -> None:
    await look.none(
        "an order whose payment was accepted is paid, delivered or on its way back",
        of="payment WHERE disposition = 'applied'",
        sql="""SELECT payment.tenant_id AS tenant, o.id AS "order", o.state, payment.id AS payment
               FROM payment LEFT JOIN orders o ON o.tenant_id = payment.tenant_id AND o.id = payment.order_id
               WHERE disposition = 'applied' AND (o.state IS NULL OR o.state NOT IN ('paid', 'delivered', 'refunding', 'refunded'))""",
    )
    # The provider closes before the hold ends, and is asked before the units return: whatever it took until then is known by then.
    await look.none(
        "money that came before the provider's deadline was not too late, unless the shopper had cancelled",
        of="payment WHERE disposition = 'late'",
        sql="""SELECT payment.tenant_id AS tenant, o.id AS "order", o.state, payment.id AS payment, payment.paid_at, o.hold_until
               FROM payment JOIN orders o ON o.tenant_id = payment.tenant_id AND o.id = payment.order_id
               JOIN payment_attempt attempt ON attempt.tenant_id = payment.tenant_id AND attempt.id = payment.attempt_id
               WHERE disposition = 'late' AND o.ends_as = 'expired' AND o.state <> 'cancelled'
                 AND payment.paid_at < least(attempt.expires_at, o.hold_until)""",
    )
    await look.none(
        "an order being refunded has a refund under way, a refunded one has it done",
        of="orders WHERE state IN ('refunding', 'refunded')",
        sql="""SELECT o.tenant_id AS tenant, o.id AS "order", o.state
               FROM orders o
               LEFT JOIN (SELECT tenant_id, order_id, bool_or(state = 'succeeded') AS done FROM refund GROUP BY 1, 2) refunds
                 ON refunds.tenant_id = o.tenant_id AND refunds.order_id = o.id
               WHERE (o.state = 'refunding' AND refunds.done IS NULL) OR (o.state = 'refunded' AND refunds.done IS NOT TRUE)""",
    )
    await look.none(
        f"no order is paid for longer than {PAID_WAITS_S // 60} min unless a line waits to be fulfilled, or being refunded for longer than "
        f"{REFUND_WAITS_S // 3600} h",
        of="orders WHERE state IN ('paid', 'refunding')",
        sql=f"""SELECT tenant_id AS tenant, id AS "order", state, paid_at FROM orders
                WHERE (state = 'paid' AND coalesce(paid_at, created_at) < now() - interval '{PAID_WAITS_S} s'
                       AND NOT EXISTS ({_WAITING}))
                   OR (state = 'refunding' AND coalesce(paid_at, created_at) < now() - interval '{REFUND_WAITS_S} s')""",
    )
    await look.none(
        "no order is paid and waiting, unless for a line that is to be fulfilled later",
        of="orders WHERE state IN ('paid', 'delivered', 'refunded')",
        sql=f"""SELECT tenant_id AS tenant, id AS "order", state, paid_at FROM orders WHERE state = 'paid' AND NOT EXISTS ({_WAITING})""",
        at_rest=True,
    )
