"""The protocol: what only its other parties can tell, clients and providers (I7, I19)."""

from tenants.invariants.history import RESERVED
from tenants.invariants.look import Look
from tenants.invariants.registry import invariant


@invariant("I7")
async def what_was_said_is_committed(look: Look) -> None:
    reserved, delivered = "whoever was told “reserved” has an order", "whoever was told “delivered” has a delivered order"
    history = look.store.history
    if history is None:
        for sentence in (reserved, delivered):
            look.unchecked(sentence, "it takes what clients were told (--history FILE)")
        return
    sql = """SELECT told.id AS "order", o.state FROM unnest($1::uuid[]) AS told (id) LEFT JOIN orders o USING (id)
             WHERE o.state IS NULL OR o.state = 'refused'"""
    await look.none(reserved, len(orders := history.orders(RESERVED)), sql, orders)
    sql = """SELECT told.id AS "order", o.state FROM unnest($1::uuid[]) AS told (id) LEFT JOIN orders o USING (id)
             WHERE o.state IS NULL OR o.state NOT IN ('delivered', 'refunding', 'refunded')"""
    await look.none(delivered, len(orders := history.orders(("delivered",))), sql, orders)


@invariant("I19")
async def events_have_one_effect(look: Look) -> None:
    await look.none(
        "a transaction of a provider is one payment, whichever account and tenant it reached",
        of="payment",
        sql="""SELECT min(payment.tenant_id::text)::uuid AS tenant, min(payment.id::text)::uuid AS payment,
                      max(payment.id::text)::uuid AS other_payment, txn_id, count(*) AS payments
               FROM payment JOIN provider_account account ON account.tenant_id = payment.tenant_id AND account.id = payment.account_id
               GROUP BY provider, mch_id, txn_id HAVING count(*) > 1""",
    )
    await look.none(
        "a notice of a provider is remembered once",
        of="payment_inbox",
        sql="""SELECT tenant_id AS tenant, account_id AS account, event_id, count(*) AS notices FROM payment_inbox
               GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    )
    await look.none(
        "a notice that is done says what came of it",
        of="payment_inbox WHERE state = 'done'",
        sql="SELECT tenant_id AS tenant, id AS notice FROM payment_inbox WHERE state = 'done' AND outcome IS NULL",
    )
