"""Attempts to pay: a row with its number is committed before the provider hears of it, so that a lost answer can be asked for again."""

import datetime as dt
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode, new_id
from tenants import capabilities, inputs, types
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import release
from tenants.payments import accounts
from tenants.payments.accounts import Providers
from tenants.payments.confirm import Receipt, confirm
from tenants.payments.provider import PaymentAttempt, Provider, ProviderPayment, ProviderRefused

QUERY_AFTER_S = (30, 60, 80)  # when a payment that no notice told of is asked for; the last one repeats, so none waits for 90 s
CREATE_AGAIN_S = 5


class Attempt(msgspec.Struct, frozen=True):
    id: UUID
    order_id: UUID
    account_id: UUID
    out_trade_no: str
    state: str
    amount_minor: int
    currency: str
    pay_url: str | None
    notify_url: str
    return_url: str
    expires_at: dt.datetime
    tries: int


_COLUMNS = ", ".join(Attempt.__struct_fields__)
# The attempt that is there already, and the account a new one would go to: the latest active one. One row, whatever there is.
_THERE_OR_ACCOUNT = f"""
SELECT a.*, p.*, EXISTS (SELECT FROM order_line AS l WHERE tenant_id = $1 AND order_id = $2 AND input IS NULL
                         AND (SELECT type FROM sku WHERE tenant_id = $1 AND id = l.sku_id) = ANY($4)) FROM (VALUES (0)) AS one
LEFT JOIN LATERAL (SELECT {_COLUMNS} FROM payment_attempt WHERE tenant_id = $1 AND order_id = $2 AND state IN ('creating', 'open')
                   ORDER BY created_at DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT id, provider FROM provider_account
                   WHERE tenant_id = $1 AND state = 'active' AND ($3::text IS NULL OR provider = $3)
                   ORDER BY created_at DESC LIMIT 1) p ON true"""


def provider_expiry(created_at: dt.datetime, hold_until: dt.datetime) -> dt.datetime:
    """When the provider must stop taking money: hold − min(60 s, hold/4), so that it has closed before the hold ends."""
    hold = hold_until - created_at
    return hold_until - min(dt.timedelta(seconds=60), hold / 4)


async def start(
    pool: Pool, providers: Providers, tenant_id: UUID, order_id: UUID, *,
    notify_base: str, return_url: str, shopper_id: UUID | None = None, provider: str | None = None,
) -> Attempt:  # fmt: skip
    """An open attempt to pay the order, with its `pay_url`. Asked again, the one that is open already.

    Raises `NotFound`, `Conflict` (`not_payable`, `input_missing`, `no_payment_account`, `payments_not_permitted`, `payment_refused`), and
    `ProviderUnavailable` when the provider does not answer; the attempt is kept then, and finished by the next call or the sweep.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        order = await release.lock(tx, order_id)
        if shopper_id is not None and order["shopper_id"] != shopper_id:
            raise NotFound("There is no such order.")
        if order["state"] != "awaiting":
            raise Conflict(f"The order is {order['state']} and cannot be paid.", code="not_payable", state=order["state"])
        expires_at = provider_expiry(order["created_at"], order["hold_until"])
        if order["now"] >= expires_at:
            raise Conflict("The time to pay this order is over.", code="not_payable", state=order["state"])
        *there, account_id, account_provider, asks = await tx.conn.fetchrow(
            _THERE_OR_ACCOUNT, tenant_id, order_id, provider, types.that_ask()
        )
        if asks:
            await inputs.must_be_complete(tx, order_id)
        if there[0] is not None:
            attempt = Attempt(*there)
        elif account_id is None:
            raise Conflict("This store has no payment account yet. The reservation is kept; ask the merchant.", code="no_payment_account")
        elif not await capabilities.may_take_money(tx, account_provider):
            raise Conflict(
                "This store may not take payments now. The reservation is kept; ask the merchant.", code="payments_not_permitted"
            )
        else:
            url = accounts.notify_url(notify_base, account_provider, tenant_id, account_id)
            attempt = await _insert(tx, order, account_id, url, return_url, expires_at)
    if attempt.state == "open":
        return attempt
    adapter = await providers.get(tenant_id, attempt.account_id)
    try:
        pay_url = await _create(adapter, attempt)
    except ProviderRefused as error:
        async with tenant_tx(pool, tenant_id) as tx:
            await _finish(tx, attempt.id, "failed")
        raise Conflict(
            "The payment provider refused. Your reservation is kept; try again or ask the merchant.", code="payment_refused"
        ) from error
    async with tenant_tx(pool, tenant_id) as tx:
        await _opened(tx, attempt, pay_url)
    return msgspec.structs.replace(attempt, state="open", pay_url=pay_url)


async def inquire(pool: Pool, providers: Providers, tenant_id: UUID, attempt_id: UUID) -> None:
    """The duty of an attempt: create it if that was left undone, else ask the provider what became of it."""
    async with tenant_tx(pool, tenant_id) as tx:
        # The claim is a lease: whoever comes meanwhile finds it scheduled, and a crash only delays.
        sql = f"""UPDATE payment_attempt SET next_try_at = now() + interval '10 seconds', tries = tries + 1
                  WHERE tenant_id = $1 AND id = $2 AND next_try_at <= now() RETURNING {_COLUMNS}"""
        row = await tx.conn.fetchrow(sql, tenant_id, attempt_id)
        if row is None:
            return
        attempt = Attempt(*row)
        order_state = await tx.conn.fetchval("SELECT state FROM orders WHERE tenant_id = $1 AND id = $2", tenant_id, attempt.order_id)
    adapter = await providers.get(tenant_id, attempt.account_id)
    answer = await adapter.query(attempt.out_trade_no)
    # Not found: our request was lost. Open: its answer was, and the same request again gets the same page.
    if attempt.state == "creating" and answer.state in ("not_found", "open") and order_state == "awaiting":
        try:
            pay_url = await _create(adapter, attempt)
        except ProviderRefused:
            async with tenant_tx(pool, tenant_id) as tx:
                await _finish(tx, attempt.id, "failed")
            return
        async with tenant_tx(pool, tenant_id) as tx:
            await _opened(tx, attempt, pay_url)
        return
    async with tenant_tx(pool, tenant_id) as tx:
        await settle(tx, attempt, answer)


async def settle(tx: TenantTx, attempt: Attempt, answer: ProviderPayment) -> None:
    """Act on what the provider says of an attempt: confirm what was paid, end what was closed, ask again about what is open."""
    if answer.state == "paid":
        assert answer.txn_id is not None
        assert answer.paid_at is not None
        await confirm(
            tx,
            Receipt(attempt.account_id, attempt.out_trade_no, answer.txn_id, answer.amount_minor, answer.currency, answer.paid_at),
        )
    elif answer.state == "closed" or (answer.state == "not_found" and await _final(tx, attempt)):
        await _finish(tx, attempt.id, "closed")
    else:
        delay = QUERY_AFTER_S[min(attempt.tries, len(QUERY_AFTER_S) - 1)]
        # One more look just after the provider's own deadline, when "open" must have become "paid" or "closed".
        sql = """UPDATE payment_attempt SET next_try_at =
                     CASE WHEN now() < expires_at THEN least(now() + $3::integer * interval '1 second', expires_at + interval '1 second')
                          ELSE now() + interval '10 seconds' END
                 WHERE tenant_id = $1 AND id = $2 AND next_try_at IS NOT NULL"""
        await tx.conn.execute(sql, tx.tenant_id, attempt.id, delay)


async def _final(tx: TenantTx, attempt: Attempt) -> bool:
    """Whether "not found" will stay true: our request to create may still be on its way, until the provider's deadline refuses it."""
    sql = "SELECT $1::timestamptz + interval '5 seconds' < clock_timestamp()"
    return attempt.state != "creating" or bool(await tx.conn.fetchval(sql, attempt.expires_at))


async def open_ones(tx: TenantTx, order_id: UUID) -> list[Attempt]:
    # Asked to sort by id, Postgres on a young database would read all attempts of the tenant in that order, and keep the plan.
    sql = f"SELECT {_COLUMNS} FROM payment_attempt WHERE tenant_id = $1 AND order_id = $2 AND state IN ('creating', 'open')"
    return sorted((Attempt(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, order_id)), key=lambda attempt: attempt.id)


async def _insert(
    tx: TenantTx, order: asyncpg.Record, account_id: UUID, notify_url: str, return_url: str, expires_at: dt.datetime
) -> Attempt:
    attempt_id = new_id()
    attempt = Attempt(
        id=attempt_id,
        order_id=order["id"],
        account_id=account_id,
        out_trade_no=attempt_id.hex,
        state="creating",
        amount_minor=order["amount_minor"],
        currency=order["currency"],
        pay_url=None,
        notify_url=notify_url,
        return_url=return_url,
        expires_at=expires_at,
        tries=0,
    )
    sql = """INSERT INTO payment_attempt (tenant_id, id, order_id, account_id, out_trade_no, amount_minor, currency,
                                          notify_url, return_url, expires_at, next_try_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + $11::integer * interval '1 second')"""
    await tx.conn.execute(
        sql, tx.tenant_id, attempt.id, attempt.order_id, attempt.account_id, attempt.out_trade_no, attempt.amount_minor,
        attempt.currency, attempt.notify_url, attempt.return_url, attempt.expires_at, CREATE_AGAIN_S,
    )  # fmt: skip
    return attempt


async def _create(adapter: Provider, attempt: Attempt) -> str:
    created = await adapter.create(
        PaymentAttempt(
            out_trade_no=attempt.out_trade_no,
            description=encode("ord", attempt.order_id),
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            expires_at=attempt.expires_at,
            notify_url=attempt.notify_url,
            return_url=attempt.return_url or None,
        )
    )
    return created.pay_url


async def _opened(tx: TenantTx, attempt: Attempt, pay_url: str) -> None:
    sql = """UPDATE payment_attempt SET state = 'open', pay_url = $3, tries = 0,
                    next_try_at = least(now() + $4::integer * interval '1 second', expires_at + interval '1 second')
             WHERE tenant_id = $1 AND id = $2 AND state = 'creating'"""
    await tx.conn.execute(sql, tx.tenant_id, attempt.id, pay_url, QUERY_AFTER_S[0])


async def _finish(tx: TenantTx, attempt_id: UUID, state: str) -> None:
    sql = """UPDATE payment_attempt SET state = CASE WHEN state IN ('creating', 'open') THEN $3 ELSE state END, next_try_at = NULL
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, attempt_id, state)
