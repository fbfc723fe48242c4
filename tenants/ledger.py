"""The double-entry ledger: immutable transactions whose entries sum to zero. A debit is positive, a credit negative (minor units)."""

from uuid import UUID

import msgspec

from checkout_core.ids import new_id
from tenants.db import TenantTx

CLEARING = "clearing"  # an asset: money of ours at the payment provider
REVENUE = "revenue"  # earned with delivered orders
UNAPPLIED = "unapplied"  # a debt: money that came for no live order and is on its way back


class Balance(msgspec.Struct, frozen=True):
    account: str
    currency: str
    balance_minor: int


async def book(tx: TenantTx, kind: str, reference: UUID, currency: str, amount_minor: int, *, debit: str, credit: str) -> None:
    """Move `amount_minor` > 0 from `credit` to `debit` for `reference` (a payment or a refund). UNIQUE: each is booked once."""
    assert amount_minor > 0
    assert debit != credit
    sql = """WITH booked AS (INSERT INTO ledger_tx (tenant_id, id, kind, reference, currency) VALUES ($1, $2, $3, $4, $5))
             INSERT INTO ledger_entry (tenant_id, tx_id, account, amount_minor) VALUES ($1, $2, $6, $8), ($1, $2, $7, -$8::bigint)"""
    await tx.conn.execute(sql, tx.tenant_id, new_id(), kind, reference, currency, debit, credit, amount_minor)


async def balances(tx: TenantTx) -> list[Balance]:
    """Each account's balance, summed from its entries."""
    sql = """SELECT e.account, t.currency, sum(e.amount_minor)::bigint FROM ledger_entry e
             JOIN ledger_tx t ON t.tenant_id = e.tenant_id AND t.id = e.tx_id
             WHERE e.tenant_id = $1 GROUP BY e.account, t.currency ORDER BY e.account, t.currency"""
    return [Balance(*row) for row in await tx.conn.fetch(sql, tx.tenant_id)]
