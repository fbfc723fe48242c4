"""Everything held about a shopper, as one JSON document and a CSV file for each kind of row.

Codes are not in it: who may see those sees them at the order, on record. Hashes and ciphertext say nothing to anybody and are left out.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from tenants import spreadsheets
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.keys import Keyring
from tenants.privacy import archives, find, requests
from tenants.privacy.requests import DataRequest

ROWS_MAX = 50_000  # of a kind

_MINE = "SELECT id FROM orders WHERE tenant_id = $1 AND shopper_id = $2"
QUERIES = {
    "orders": """SELECT id, state, amount_minor, currency, contact, channel, created_at, hold_until, paid_at, delivered_at
                 FROM orders WHERE tenant_id = $1 AND shopper_id = $2""",
    "order_lines": f"""SELECT order_id, sale_id, sku_id, quantity, unit_price_minor, amount_minor, created_at
                       FROM order_line
                       WHERE tenant_id = $1 AND order_id = ANY({_MINE})""",
    "payment_attempts": f"""SELECT id, order_id, out_trade_no, state, amount_minor, currency, pay_url, return_url, created_at, expires_at
                            FROM payment_attempt WHERE tenant_id = $1 AND order_id = ANY({_MINE})""",
    "payments": f"""SELECT id, order_id, txn_id, amount_minor, currency, disposition, paid_at FROM payment
                    WHERE tenant_id = $1 AND order_id = ANY({_MINE})""",
    "refunds": f"""SELECT id, order_id, out_refund_no, reason, amount_minor, currency, state, created_at, finished_at FROM refund
                   WHERE tenant_id = $1 AND order_id = ANY({_MINE})""",
    "refunded_units": f"""SELECT unit_id, refund_id, order_id, sale_id, amount_minor FROM refund_unit
                          WHERE tenant_id = $1 AND order_id = ANY({_MINE})""",
    "deliveries": f"""SELECT unit_id, order_id, sale_id, delivered_at, revealed_at FROM delivery
                      WHERE tenant_id = $1 AND order_id = ANY({_MINE})""",
    "cart": "SELECT lines, updated_at FROM cart WHERE tenant_id = $1 AND shopper_id = $2",
    "coupons": """SELECT id, coupon_id, source, state, order_id, valid_from, valid_until, created_at FROM coupon_grant
                  WHERE tenant_id = $1 AND shopper_id = $2""",
    "coupon_uses": f"""SELECT order_id, grant_id, coupon_id, state, discount_minor, created_at, ended_at FROM coupon_use
                       WHERE tenant_id = $1 AND order_id = ANY({_MINE})""",
    "notes": f"""SELECT id, order_id, words, created_at FROM order_note WHERE tenant_id = $1 AND order_id = ANY({_MINE})""",
    "mails": f"""SELECT id, order_id, elsewhere, created_at FROM order_mail WHERE tenant_id = $1 AND order_id = ANY({_MINE})""",
    "groups": """SELECT g.name, g.kind, m.since FROM group_member AS m CROSS JOIN LATERAL (
                     SELECT name, kind FROM buyer_group WHERE tenant_id = $1 AND id = m.group_id OFFSET 0) AS g
                 WHERE m.tenant_id = $1 AND m.shopper_id = $2""",
    "points": "SELECT seq, amount, kind, balance, order_id, note, at FROM points_entry WHERE tenant_id = $1 AND shopper_id = $2",
    "levels": "SELECT name, growth, at FROM points_level_change WHERE tenant_id = $1 AND shopper_id = $2",
    "audit": f"""SELECT id, at, actor, action, subject, detail FROM audit WHERE tenant_id = $1 AND subject = ANY(
                     SELECT 'ord_' || replace(id::text, '-', '') FROM ({_MINE}) mine
                     UNION ALL SELECT 'shp_' || replace($2::text, '-', ''))""",
}


async def carry_out(pool: Pool, keyring: Keyring, tenant_id: UUID, request: DataRequest) -> None:
    """Make the archive in one transaction: all of it is as of one moment, and a crash leaves nothing half made."""
    assert request.shopper_id is not None
    async with tenant_tx(pool, tenant_id) as tx:
        if await requests.lock_running(tx, request.id) is None:
            return
        tables = await _collect(tx, request.shopper_id)
        document = {"shopper": msgspec.to_builtins(await find.shopper(tx, request.shopper_id)), **tables}
        files = {"shopper.json": msgspec.json.format(msgspec.json.encode(document))}
        files |= {f"{name}.csv": _csv(rows) for name, rows in tables.items() if rows}
        for number, (name, content) in enumerate(files.items(), 1):
            await archives.add(tx, keyring, request.id, number, name, content)
        progress = {"rows": sum(map(len, tables.values())), "files": len(files)}
        await requests.finish(tx, request.id, progress, archive=True)


async def _collect(tx: TenantTx, shopper_id: UUID) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [dict(row) for row in await tx.conn.fetch(f"{sql} LIMIT {ROWS_MAX}", tx.tenant_id, shopper_id)]
        for name, sql in QUERIES.items()
    }


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    cells = [[_plain(value) for value in row.values()] for row in rows]
    return spreadsheets.BOM + spreadsheets.rows([rows[0].keys(), *cells])


def _plain(value: Any) -> str:
    return "" if value is None else value.hex if isinstance(value, UUID) else str(msgspec.to_builtins(value))
