"""Duties: rows that are due. Each is terminal (`next_try_at` NULL) or scheduled; nothing else remembers that work is left to do."""

import datetime as dt
import random
from typing import NamedTuple
from uuid import UUID

from tenants import exceptions
from tenants.db import Pool, tenant_tx

TABLES = (
    "orders", "payment_attempt", "payment_inbox", "refund", "sale", "outbox", "mail", "qualification", "store_domain", "webhook_endpoint",
    "webhook_event", "webhook_watch", "audit_unlinked", "data_request", "order_change", "fulfilment", "entitlement", "vault_batch",
    "key_rotation", "code_export", "stock_watch", "order_reminder", "product",
    "reminder_round", "coupon", "points_order", "points_account",
)  # fmt: skip
BY_TENANT = frozenset({"outbox", "order_change", "webhook_event", "audit_unlinked"})  # one call does all that is due of a tenant
BACKOFF_S = (1, 2, 5, 10, 30, 60, 300, 900)  # the last one repeats, for ever: a duty is never dropped


class Due(NamedTuple):
    tenant_id: UUID
    id: UUID
    next_try_at: dt.datetime


async def due(sweeper: Pool, table: str, limit: int) -> list[Due]:
    """What is due in `table`, of all tenants, longest due first. The role tessera_sweeper sees these columns of due rows, nothing else."""
    assert table in TABLES
    sql = f"SELECT tenant_id, id, next_try_at FROM {table} WHERE next_try_at <= now() ORDER BY next_try_at LIMIT $1"
    return [Due(*row) for row in await sweeper.fetch(sql, limit)]


STUCK_AFTER = 8  # tries; some minutes of them


async def postpone(pool: Pool, table: str, tenant_id: UUID, row_id: UUID, why: str) -> None:
    """Schedule a duty that failed for later: further apart each time, with jitter so that what failed together does not return together.

    One that keeps failing is tried on, and put into the exception queue with `why`.
    """
    assert table in TABLES
    sql = f"SELECT tries FROM {table} WHERE tenant_id = $1 AND id = $2 AND next_try_at IS NOT NULL FOR UPDATE"
    async with tenant_tx(pool, tenant_id) as tx:
        tries = await tx.conn.fetchval(sql, tenant_id, row_id)
        if tries is not None:
            delay_s = BACKOFF_S[min(tries, len(BACKOFF_S) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311  jitter, not a secret
            sql = f"""UPDATE {table} SET tries = tries + 1, next_try_at = now() + $3::float8 * interval '1 second'
                      WHERE tenant_id = $1 AND id = $2"""
            await tx.conn.execute(sql, tenant_id, row_id, delay_s)
            if tries >= STUCK_AFTER:
                await exceptions.report(tx, f"{table}_stuck", row_id.hex, why=why)
