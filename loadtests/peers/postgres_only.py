"""Postgres alone, as somebody skilled would write it: one transaction an order, units picked with SKIP LOCKED, no counter to queue for.

It sells out of the shop's own tables under forced row-level security, and takes three round trips: begin (with the tenant), one statement
that does everything, commit. The unique slot of a shopper and the order's primary key settle races. `sale.committed` is left alone, because
all orders of a sale would stand in line for that row: `settle` sets it when the race is over, before the checker looks. That is a favour.
"""

import asyncpg

from checkout_core.intents import Decision, Intent, Outcome, SaleKey

TRIES = 4
# As the shop's own sessions have it: for these statements a look-up by key is right however small a table is yet.
SESSION = {
    "application_name": "postgres-only",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}

# $1 tenant, $2 sale, $3 order, $4 intent, $5 shopper, $6 quantity, $7 body hash, $8 channel. The order, or no row when it may not be.
RESERVE = """
    WITH s AS (
        SELECT id, sku_id, price_minor, currency, limit_per_shopper, clock_timestamp() AS now,
               clock_timestamp() + hold_s * interval '1 s' AS hold_until
        FROM sale WHERE tenant_id = $1 AND id = $2 AND state = 'open' AND starts_at <= now() AND (ends_at IS NULL OR ends_at > now())
          AND NOT EXISTS (SELECT FROM orders WHERE tenant_id = $1 AND orders.id = $3)),
    places AS (
        SELECT slot, row_number() OVER (ORDER BY slot) AS n FROM s, generate_series(1, s.limit_per_shopper) AS slot
        WHERE NOT EXISTS (SELECT FROM unit u WHERE u.tenant_id = $1 AND u.sale_id = $2 AND u.shopper_id = $5 AND u.slot = slot.slot)
        ORDER BY slot LIMIT $6),
    picked AS (
        SELECT id, row_number() OVER (ORDER BY id) AS n FROM (
            SELECT id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'available'
              AND EXISTS (SELECT FROM s WHERE limit_per_shopper = 0 OR $6 <= (SELECT count(*) FROM places))
            ORDER BY rank LIMIT $6 FOR UPDATE SKIP LOCKED) AS free),
    fits AS (SELECT * FROM s WHERE $6 = (SELECT count(*) FROM picked)),
    made AS (
        INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, amount_minor, currency, body_hash, channel, created_at, hold_until,
                            next_try_at)
        SELECT $1, $3, $4, $5, 'awaiting', $6 * price_minor, currency, $7, $8, now, hold_until, hold_until FROM fits
        RETURNING amount_minor, currency, created_at, hold_until),
    lines AS (
        INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor)
        SELECT $1, $3, id, sku_id, $6, price_minor FROM fits),
    given AS (
        UPDATE unit SET state = 'held', order_id = $3, shopper_id = $5, slot = (SELECT slot FROM places WHERE places.n = picked.n)
        FROM picked WHERE EXISTS (SELECT FROM fits) AND unit.tenant_id = $1 AND unit.id = ANY(ARRAY(SELECT id FROM picked))
          AND unit.id = picked.id)
    SELECT amount_minor, currency, created_at, hold_until FROM made"""
# Why nothing was reserved: the order that the key stands for, if there is one, and whether the shopper has room.
WHY = """
    SELECT o.state, o.amount_minor, o.currency, o.created_at, o.hold_until, o.body_hash, s.state = 'open' AS is_open, now() AS now,
           s.limit_per_shopper > 0 AND $5 + (SELECT count(*) FROM unit u WHERE u.tenant_id = $1 AND u.sale_id = $2 AND u.shopper_id = $4)
               > s.limit_per_shopper AS is_limit
    FROM sale s LEFT JOIN orders o ON o.tenant_id = $1 AND o.id = $3 WHERE s.tenant_id = $1 AND s.id = $2"""
SETTLE = """
    UPDATE sale SET committed = (SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND order_id IS NOT NULL)
    WHERE tenant_id = $1 AND id = $2"""

_RACED = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


async def create_pool(dsn: str, size: int) -> asyncpg.Pool:
    """`size` connections that stay open, with nothing to reset between transactions."""

    async def leave_as_it_is(_: asyncpg.Connection) -> None: ...

    return await asyncpg.create_pool(
        dsn, min_size=size, max_size=size, max_inactive_connection_lifetime=0, reset=leave_as_it_is, server_settings=SESSION
    )


async def reserve(pool: asyncpg.Pool, sale: SaleKey, intent: Intent) -> Decision:
    """Decide one wish, durably. Raises `LookupError` for a sale that is not there."""
    for attempt in range(TRIES):
        try:
            return await _reserve_once(pool, sale, intent)
        except _RACED:
            if attempt == TRIES - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


async def settle(connection: asyncpg.Connection, sale: SaleKey) -> None:
    """Set the count that `reserve` left alone; `connection` is of a role that sees the tenant."""
    await connection.execute(SETTLE, *sale)


async def _reserve_once(pool: asyncpg.Pool, sale: SaleKey, intent: Intent) -> Decision:
    tenant_id, sale_id = sale
    order_id, quantity = intent.order_id, intent.quantity
    async with pool.acquire() as conn:
        await conn.execute(f"BEGIN; SELECT set_config('app.tenant_id', '{tenant_id.hex}', true)")
        try:
            row = await conn.fetchrow(
                RESERVE, tenant_id, sale_id, order_id, intent.intent_id, intent.shopper_id, quantity, intent.body_hash, intent.channel
            )
            why = None if row else await conn.fetchrow(WHY, tenant_id, sale_id, order_id, intent.shopper_id, quantity)
        except BaseException:
            await conn.execute("ROLLBACK")
            raise
        await conn.execute("COMMIT")
    if row:
        return Decision(Outcome.RESERVED, order_id, "awaiting", quantity, *row)
    if why is None:
        raise LookupError(f"there is no sale {sale_id}")
    return _refusal(intent, why)


def _refusal(intent: Intent, why: asyncpg.Record) -> Decision:
    if why["state"] is not None:
        outcome = Outcome.RESERVED if why["body_hash"] == intent.body_hash else Outcome.CONFLICT
        known = (why["state"], intent.quantity, why["amount_minor"], why["currency"], why["created_at"], why["hold_until"])
        return Decision(outcome, intent.order_id, *known)
    outcome = Outcome.SOLD_OUT if why["is_open"] else Outcome.ENDED
    if why["is_limit"]:
        outcome = Outcome.LIMIT
    return Decision(outcome, intent.order_id, "", intent.quantity, 0, "", why["now"], None)
