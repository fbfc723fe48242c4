"""How many orders there were: by the minute, and by sale and state. Counted where orders are indexed (`orders.index`), in its statement.

What a commit pays for it is nothing. An order counts as what it is indexed as; one that was made or changed since is among the notes,
and whoever asks counts those too, as the index will. With more than `TAIL_MAX` noted, in a rush, he is told of an earlier moment.
"""

import datetime as dt
from typing import Any, Final, NamedTuple
from uuid import UUID

from tenants.db import TenantTx

TAIL_MAX: Final = 2_000  # orders
INDEXED_AFTER = "interval '5 seconds'"  # a note is so old when it is due (migration 0025)

# Of rows with (at, state, old_state, amount_minor, currency, paid_at, delivered_at): what changed by the minute. An order is made once,
# paid once and delivered once: what it was indexed as says which of them are counted.
MINUTES = """
    SELECT date_trunc('minute', at) AS minute, currency, 1 AS made, 0 AS paid, 0::bigint AS paid_minor, 0 AS delivered FROM {changed}
    WHERE old_state IS NULL AND state <> 'refused'
    UNION ALL SELECT date_trunc('minute', paid_at), currency, 0, 1, amount_minor, 0 FROM {changed}
    WHERE paid_at IS NOT NULL AND (old_state IS NULL OR old_state IN ('awaiting', 'closing', 'expired', 'cancelled'))
    UNION ALL SELECT date_trunc('minute', delivered_at), currency, 0, 0, 0, 1 FROM {changed}
    WHERE delivered_at IS NOT NULL AND (old_state IS NULL OR old_state IN ('awaiting', 'closing', 'expired', 'cancelled', 'paid'))"""
# Of rows with (sale_id, state, old_state, quantity).
STATES = """
    SELECT sale_id, state, 1 AS orders, quantity AS units FROM {line} WHERE state IS DISTINCT FROM old_state
    UNION ALL SELECT sale_id, old_state, -1, -quantity FROM {line} WHERE state <> old_state"""

KEEP_MINUTES = f"""
    INSERT INTO order_minute AS kept (tenant_id, minute, currency, made, paid, paid_minor, delivered)
    SELECT $1, minute, currency, sum(made), sum(paid), sum(paid_minor), sum(delivered) FROM ({MINUTES}) AS counted
    GROUP BY minute, currency ORDER BY minute, currency
    ON CONFLICT (tenant_id, minute, currency) DO UPDATE
    SET made = kept.made + excluded.made, paid = kept.paid + excluded.paid,
        paid_minor = kept.paid_minor + excluded.paid_minor, delivered = kept.delivered + excluded.delivered"""
KEEP_TALLIES = f"""
    INSERT INTO sale_tally AS kept (tenant_id, sale_id, state, orders, units)
    SELECT $1, sale_id, state, sum(orders), sum(units) FROM ({STATES}) AS counted GROUP BY sale_id, state ORDER BY sale_id, state
    ON CONFLICT (tenant_id, sale_id, state) DO UPDATE SET orders = kept.orders + excluded.orders, units = kept.units + excluded.units"""

_KEEP_REFUNDS = """
    INSERT INTO order_minute AS kept (tenant_id, minute, currency, made, paid, paid_minor, delivered, refunds, refunded_minor)
    SELECT $1, date_trunc('minute', finished_at), currency, 0, 0, 0, 0, count(*), sum(amount_minor) FROM refund
    WHERE tenant_id = $1 AND id = ANY($2) AND state = 'succeeded' AND reason = 'requested' GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, minute, currency) DO UPDATE
    SET refunds = kept.refunds + excluded.refunds, refunded_minor = kept.refunded_minor + excluded.refunded_minor"""

# The orders of the notes, $2 at most none: as they are, and as they were indexed.
TAIL = """
    tail AS MATERIALIZED (
        SELECT o.*, e.state AS old_state FROM (
            SELECT id AS order_id, created_at AS at, state, amount_minor, currency, paid_at, delivered_at FROM orders
            WHERE tenant_id = $1 AND id = ANY(ARRAY(SELECT unnest(order_ids) FROM order_change WHERE tenant_id = $1 AND $2))) AS o
        LEFT JOIN LATERAL (
            SELECT state FROM order_entry WHERE tenant_id = $1 AND at = o.at AND order_id = o.order_id OFFSET 0) AS e ON true)"""
_NOTED = (
    f"""SELECT now(), coalesce(sum(cardinality(order_ids)), 0), min(next_try_at) - {INDEXED_AFTER} FROM order_change WHERE tenant_id = $1"""
)
_TALLIES = f"""
    WITH {TAIL},
    line AS MATERIALIZED (
        SELECT t.state, t.old_state, l.sale_id, l.quantity FROM tail AS t CROSS JOIN LATERAL (
            SELECT sale_id, quantity FROM order_line WHERE tenant_id = $1 AND order_id = t.order_id AND sale_id = $3 OFFSET 0) AS l)
    SELECT state, sum(orders)::bigint, sum(units)::bigint FROM (
        SELECT state, orders, units FROM sale_tally WHERE tenant_id = $1 AND sale_id = $3
        UNION ALL SELECT state, orders, units FROM ({STATES.format(line="line")}) AS fresh) AS known
    GROUP BY state HAVING sum(orders) <> 0"""


class Reach(NamedTuple):
    """Up to when all is counted; `tail`: with the orders that are not indexed yet."""

    as_of: dt.datetime
    tail: bool


class Tally(NamedTuple):
    """Orders of a sale by state, and their units; `as_of`: up to when all is counted."""

    states: dict[str, tuple[int, int]]
    as_of: dt.datetime


async def reach(tx: TenantTx) -> Reach:
    row: Any = await tx.conn.fetchrow(_NOTED, tx.tenant_id)
    now, orders, since = row
    return Reach(now, True) if orders <= TAIL_MAX else Reach(min(now, since or now), False)


async def refunded(tx: TenantTx, refund_ids: list[UUID]) -> None:
    """Count refunds that are done, each once: whoever relays that they are says so in the transaction that notes that he did."""
    await tx.conn.execute(_KEEP_REFUNDS, tx.tenant_id, refund_ids)


async def of_sale(tx: TenantTx, sale_id: UUID) -> Tally:
    at = await reach(tx)
    rows = await tx.conn.fetch(_TALLIES, tx.tenant_id, at.tail, sale_id)
    return Tally({state: (orders, units) for state, orders, units in rows}, at.as_of)


class Seconds(NamedTuple):
    """`seconds` are (begin, orders, units), oldest first, none for those without an order."""

    since: dt.datetime
    until: dt.datetime
    seconds: list[tuple[dt.datetime, int, int]]


SECONDS_ORDERS_MAX: Final = 20_000  # read for it
_LAST = "SELECT now(), max(created_at) FROM order_line WHERE tenant_id = $1 AND sale_id = $2"
_SECONDS = f"""
    WITH line AS MATERIALIZED (
        SELECT created_at, quantity FROM order_line WHERE tenant_id = $1 AND sale_id = $2 AND created_at >= $3
        ORDER BY created_at DESC LIMIT {SECONDS_ORDERS_MAX})
    SELECT date_trunc('second', created_at) AS at, count(*), sum(quantity)::bigint FROM line GROUP BY 1 ORDER BY 1"""


async def seconds(tx: TenantTx, sale_id: UUID, last_s: int) -> Seconds:
    """A sale's orders by the second, of `last_s` seconds up to now, or up to its last order when that is longer ago."""
    row: Any = await tx.conn.fetchrow(_LAST, tx.tenant_id, sale_id)
    now, last = row
    until = now if last is None or last > now - dt.timedelta(seconds=last_s) else last
    since = (until - dt.timedelta(seconds=last_s)).replace(microsecond=0)
    rows = [tuple(each) for each in await tx.conn.fetch(_SECONDS, tx.tenant_id, sale_id, since)]
    if sum(orders for _, orders, _ in rows) == SECONDS_ORDERS_MAX:
        rows = rows[1:]  # cut off in the middle
        since = rows[0][0] if rows else until
    return Seconds(since, until, rows)
