"""Orders as people see them."""

import datetime as dt
import hmac
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from checkout_core.secrets import mac128
from tenants.db import TenantTx

LIMIT_MAX = 100


class Line(msgspec.Struct, frozen=True):
    sale_id: UUID
    sku_id: UUID
    name: str
    quantity: int
    unit_price_minor: int


class Order(msgspec.Struct, frozen=True):
    id: UUID
    shopper_id: UUID
    state: str
    refusal: int | None
    amount_minor: int
    currency: str
    contact: str | None
    channel: str
    created_at: dt.datetime
    hold_until: dt.datetime | None
    paid_at: dt.datetime | None
    delivered_at: dt.datetime | None
    recoverable: bool  # a contact or a password was left with it, to look it up by
    lines: list[Line]


_COLUMNS = """id, shopper_id, state, refusal, amount_minor, currency, contact, channel, created_at, hold_until, paid_at, delivered_at,
              contact IS NOT NULL OR lookup_hash IS NOT NULL AS recoverable"""


async def get(tx: TenantTx, order_id: UUID, *, shopper_id: UUID | None = None) -> Order:
    """The order; with `shopper_id`, only if it is his. Raises `NotFound`, for a foreign order as for a missing one."""
    sql = f"SELECT {_COLUMNS} FROM orders WHERE tenant_id = $1 AND id = $2"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
    if row is None or (shopper_id is not None and row["shopper_id"] != shopper_id):
        raise NotFound("There is no such order.")
    return Order(**row, lines=(await _lines(tx, [order_id])).get(order_id, []))


async def latest(
    tx: TenantTx,
    *,
    state: str | None = None,
    shopper_id: UUID | None = None,
    limit: int = 20,
    before: tuple[dt.datetime, UUID] | None = None,
) -> list[Order]:
    """Orders, newest first, at most `limit` (≤ 100), older than the order `before` (its created_at and id)."""
    sql = f"""SELECT {_COLUMNS} FROM orders
              WHERE tenant_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::uuid IS NULL OR shopper_id = $3)
                AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5::uuid))
              ORDER BY created_at DESC, id DESC LIMIT $6"""
    at, last = before or (None, None)
    rows = await tx.conn.fetch(sql, tx.tenant_id, state, shopper_id, at, last, min(limit, LIMIT_MAX))
    lines = await _lines(tx, [row["id"] for row in rows])
    return [Order(**row, lines=lines.get(row["id"], [])) for row in rows]


async def look_up(tx: TenantTx, order_id: UUID, *, contact: str | None, lookup_hash: bytes | None) -> Order:
    """A guest's order by its number and what he gave with it. Raises `NotFound` alike for a wrong number and a wrong proof."""
    sql = "SELECT contact, lookup_hash FROM orders WHERE tenant_id = $1 AND id = $2"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
    stored_contact, stored_hash = (row["contact"], row["lookup_hash"]) if row else (None, None)
    # Where the order has a password, the password is the proof: a contact is easier to guess.
    wanted, given = (stored_hash, lookup_hash) if stored_hash else (_fold(stored_contact), _fold(contact))
    if not hmac.compare_digest(wanted or b"\0", given or b"\1"):
        raise NotFound("No order goes with this number and proof.")
    return await get(tx, order_id)


def lookup_hash(key: bytes, order_id: UUID, password: str) -> bytes:
    """A keyed hash bound to the order, so that equal passwords look different. The number itself has 128 random bits to guess first."""
    return mac128(key, order_id.bytes, password.encode())


def _fold(contact: str | None) -> bytes | None:
    return contact.strip().lower().encode() if contact else None


async def _lines(tx: TenantTx, order_ids: list[UUID]) -> dict[UUID, list[Line]]:
    sql = """SELECT l.order_id, l.sale_id, l.sku_id, s.name, l.quantity, l.unit_price_minor
             FROM order_line l JOIN sale s ON s.tenant_id = l.tenant_id AND s.id = l.sale_id
             WHERE l.tenant_id = $1 AND l.order_id = ANY($2) ORDER BY l.order_id, l.sale_id"""
    lines: dict[UUID, list[Line]] = {}
    for order_id, *line in await tx.conn.fetch(sql, tx.tenant_id, order_ids):
        lines.setdefault(order_id, []).append(Line(*line))
    return lines
