"""The provider's side: its books against our payments and refunds (I12, I20)."""

from collections.abc import Sequence

from tenants.invariants.books import Books, Merchant
from tenants.invariants.look import Look
from tenants.invariants.registry import invariant

# Its merchants that are accounts of ours; another shop may use the same sandbox.
_ACCOUNTS = "SELECT DISTINCT mch_id FROM provider_account WHERE provider = 'sandbox'"


async def _ours(look: Look, books: Books) -> dict[str, Merchant]:
    ours = {row[0] for row in await look.conn.fetch(_ACCOUNTS)}
    return {mch_id: merchant for mch_id, merchant in books.merchants.items() if mch_id in ours}


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Rows as one array a column, for `unnest`."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


@invariant("I12")
async def the_books_agree(look: Look) -> None:
    """What we knew at the snapshot must be in books read after it; what books read before it hold, we may learn until we are at rest."""
    store = look.store
    if store.books_after is None or store.books_before is None:
        return look.unchecked("our payments and refunds are the provider's", store.why_no_books)
    after, before = await _ours(look, store.books_after), await _ours(look, store.books_before)
    look.found("the provider's books agree with themselves", len(after), [{"fault": fault} for fault in store.books_after.self_check])
    await _our_payments_are_theirs(look, after)
    await _our_refunds_are_theirs(look, after)
    await _their_payments_are_ours(look, before)
    await _their_refunds_are_ours(look, before)
    return None


async def _our_payments_are_theirs(look: Look, merchants: dict[str, Merchant]) -> None:
    rows = [(m, p.out_trade_no, p.transaction_id, p.amount, p.currency) for m, books in merchants.items() for p in books.payments]
    await look.none(
        "every payment of ours is in the provider's books, to the minor unit",
        "payment",
        """SELECT payment.tenant_id AS tenant, payment.id AS payment, payment.amount_minor, theirs.amount AS provider_minor
           FROM payment
           JOIN provider_account account ON account.tenant_id = payment.tenant_id AND account.id = payment.account_id
           JOIN payment_attempt attempt ON attempt.tenant_id = payment.tenant_id AND attempt.id = payment.attempt_id
           LEFT JOIN unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])
             AS theirs (mch_id, out_trade_no, txn_id, amount, currency)
             ON theirs.mch_id = account.mch_id AND theirs.txn_id = payment.txn_id AND theirs.out_trade_no = attempt.out_trade_no
           WHERE account.provider = 'sandbox'
             AND (theirs.amount, theirs.currency) IS DISTINCT FROM (payment.amount_minor, payment.currency)""",
        *_columns(rows, 5),
    )


async def _our_refunds_are_theirs(look: Look, merchants: dict[str, Merchant]) -> None:
    rows = [(m, r.out_refund_no, r.transaction_id, r.amount, r.currency, r.status) for m, books in merchants.items() for r in books.refunds]
    await look.none(
        "every refund of ours that succeeded is in the provider's books, to the minor unit",
        "refund WHERE state = 'succeeded'",
        """SELECT refund.tenant_id AS tenant, refund.id AS refund, refund.amount_minor, theirs.amount AS provider_minor, theirs.status
           FROM refund
           JOIN payment ON payment.tenant_id = refund.tenant_id AND payment.id = refund.payment_id
           JOIN provider_account account ON account.tenant_id = payment.tenant_id AND account.id = payment.account_id
           LEFT JOIN unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[])
             AS theirs (mch_id, out_refund_no, txn_id, amount, currency, status)
             ON theirs.mch_id = account.mch_id AND theirs.out_refund_no = refund.out_refund_no AND theirs.txn_id = payment.txn_id
           WHERE refund.state = 'succeeded' AND account.provider = 'sandbox'
             AND (theirs.amount, theirs.currency, theirs.status) IS DISTINCT FROM (refund.amount_minor, refund.currency, 'SUCCESS')""",
        *_columns(rows, 6),
    )


async def _their_payments_are_ours(look: Look, merchants: dict[str, Merchant]) -> None:
    rows = [(m, p.out_trade_no, p.transaction_id, p.amount, p.currency) for m, books in merchants.items() for p in books.payments]
    await look.none(
        "every payment in the provider's books is one of ours, or waits for a person",
        len(rows),
        """SELECT theirs.mch_id, theirs.out_trade_no, theirs.txn_id, theirs.amount AS provider_minor, ours.amount_minor
           FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])
             AS theirs (mch_id, out_trade_no, txn_id, amount, currency)
           LEFT JOIN (SELECT mch_id, txn_id, amount_minor, currency
                      FROM payment JOIN provider_account account ON account.tenant_id = payment.tenant_id AND account.id = account_id
                      WHERE provider = 'sandbox') ours ON ours.mch_id = theirs.mch_id AND ours.txn_id = theirs.txn_id
           LEFT JOIN exception_case person ON person.reference = theirs.txn_id AND person.kind = 'payment_without_attempt'
           WHERE person.id IS NULL AND (ours.amount_minor, ours.currency) IS DISTINCT FROM (theirs.amount, theirs.currency)""",
        *_columns(rows, 5),
        at_rest=True,
    )


async def _their_refunds_are_ours(look: Look, merchants: dict[str, Merchant]) -> None:
    rows = [(m, r.out_refund_no, r.amount, r.currency) for m, books in merchants.items() for r in books.refunds if r.status == "SUCCESS"]
    await look.none(
        "every refund that left the provider is one of ours that succeeded",
        len(rows),
        """SELECT theirs.mch_id, theirs.out_refund_no, theirs.amount AS provider_minor, refund.amount_minor, refund.state
           FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS theirs (mch_id, out_refund_no, amount, currency)
           LEFT JOIN refund ON refund.out_refund_no = theirs.out_refund_no
           WHERE (refund.amount_minor, refund.currency, refund.state) IS DISTINCT FROM (theirs.amount, theirs.currency, 'succeeded')""",
        *_columns(rows, 4),
        at_rest=True,
    )


@invariant("I20")
async def references_come_first(look: Look) -> None:
    """Whatever books read before the snapshot hold was asked for by us, so the row with its number was committed before."""
    orders, refunds = "every order at the provider has its attempt", "every refund at the provider has its row"
    books = look.store.books_before
    if books is None:
        for sentence in (orders, refunds):
            look.unchecked(sentence, look.store.why_no_books)
        return
    merchants = await _ours(look, books)
    asked = [(m, o.out_trade_no, o.total, o.currency) for m, books in merchants.items() for o in books.orders]
    await look.none(
        orders + ", of the same amount",
        len(asked),
        """SELECT theirs.mch_id, theirs.out_trade_no, theirs.total AS provider_minor, attempt.amount_minor
           FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS theirs (mch_id, out_trade_no, total, currency)
           LEFT JOIN (SELECT mch_id, out_trade_no, amount_minor, currency
                      FROM payment_attempt JOIN provider_account account
                        ON account.tenant_id = payment_attempt.tenant_id AND account.id = account_id) attempt
             ON attempt.mch_id = theirs.mch_id AND attempt.out_trade_no = theirs.out_trade_no
           WHERE (attempt.amount_minor, attempt.currency) IS DISTINCT FROM (theirs.total, theirs.currency)""",
        *_columns(asked, 4),
    )
    given = [(m, r.out_refund_no, r.amount, r.currency) for m, books in merchants.items() for r in books.refunds]
    await look.none(
        refunds + ", of the same amount",
        len(given),
        """SELECT theirs.mch_id, theirs.out_refund_no, theirs.amount AS provider_minor, refund.amount_minor
           FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS theirs (mch_id, out_refund_no, amount, currency)
           LEFT JOIN refund ON refund.out_refund_no = theirs.out_refund_no
           WHERE (refund.amount_minor, refund.currency) IS DISTINCT FROM (theirs.amount, theirs.currency)""",
        *_columns(given, 4),
    )
