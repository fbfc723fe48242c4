"""Money that came and money that goes back, as people look through it."""

import datetime as dt
from typing import Final
from uuid import UUID

import msgspec

from tenants.db import NEWEST, TenantTx

DISPOSITIONS: Final = ("applied", "late", "double", "mismatch")
STATES: Final = ("requested", "succeeded", "failed")


class Payment(msgspec.Struct, frozen=True):
    """`disposition`: applied to its order; or late, double, mismatch, and then it goes back."""

    id: UUID
    order_id: UUID
    account_id: UUID
    provider: str
    mch_id: str
    txn_id: str
    amount_minor: int
    currency: str
    disposition: str
    paid_at: dt.datetime


class Refund(msgspec.Struct, frozen=True):
    """`reason`: requested by the store, or why money that was none of an order's own goes back. `units` are what it takes back."""

    id: UUID
    order_id: UUID
    payment_id: UUID
    out_refund_no: str
    reason: str
    amount_minor: int
    currency: str
    state: str
    tries: int
    units: list[int]
    created_at: dt.datetime
    finished_at: dt.datetime | None


# Not joined: on a young database a join may read all of a tenant's accounts, and keeps its plan.
_PAYMENT = """SELECT id, order_id, account_id,
                     (SELECT provider FROM provider_account WHERE tenant_id = $1 AND id = p.account_id),
                     (SELECT mch_id FROM provider_account WHERE tenant_id = $1 AND id = p.account_id),
                     txn_id, amount_minor, currency, disposition, paid_at FROM payment AS p WHERE tenant_id = $1"""
_REFUND = """SELECT id, order_id, payment_id, out_refund_no, reason, amount_minor, currency, state, tries,
                    ARRAY(SELECT unit_id FROM refund_unit WHERE tenant_id = $1 AND order_id = r.order_id AND refund_id = r.id
                          ORDER BY unit_id),
                    created_at, finished_at FROM refund AS r WHERE tenant_id = $1"""


async def payments(tx: TenantTx, *, disposition: str | None = None, limit: int, before: UUID | None = None) -> list[Payment]:
    """At most `limit`, newest first, older than `before`."""
    sql = f"{_PAYMENT} {_is('disposition', disposition, DISPOSITIONS)} AND id < $2 ORDER BY id DESC LIMIT $3"
    return [Payment(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, limit)]


async def payments_of(tx: TenantTx, order_id: UUID) -> list[Payment]:
    """Of an order, oldest first."""
    return [Payment(*row) for row in await tx.conn.fetch(f"{_PAYMENT} AND order_id = $2 ORDER BY id", tx.tenant_id, order_id)]


async def refunds(tx: TenantTx, *, state: str | None = None, limit: int, before: UUID | None = None) -> list[Refund]:
    """At most `limit`, newest first, older than `before`."""
    sql = f"{_REFUND} {_is('state', state, STATES)} AND id < $2 ORDER BY id DESC LIMIT $3"
    return [Refund(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, limit)]


async def refunds_of(tx: TenantTx, order_id: UUID) -> list[Refund]:
    """Of an order, oldest first."""
    return [Refund(*row) for row in await tx.conn.fetch(f"{_REFUND} AND order_id = $2 ORDER BY id", tx.tenant_id, order_id)]


def _is(column: str, wanted: str | None, known: tuple[str, ...]) -> str:
    """Written out, since a parameter proves no partial index."""
    if wanted is None:
        return ""
    assert wanted in known
    return f"AND {column} = '{wanted}'"
