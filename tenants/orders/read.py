"""Orders as people see them."""

import datetime as dt
import hmac
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import NotFound
from checkout_core.secrets import mac128
from tenants.db import TenantTx


class Line(msgspec.Struct, frozen=True):
    sale_id: UUID
    sku_id: UUID
    name: str
    quantity: int
    unit_price_minor: int
    amount_minor: int  # with surcharges, less what coupons take off
    bundle_id: UUID | None  # the SKU that it was bought as a part of
    bundle_quantity: int | None  # and how many of that
    discount_minor: int


class Coupon(msgspec.Struct, frozen=True):
    """A piece that the order used, and what it took off. `state`: locked, used; released, returned; borne by the merchant."""

    grant_id: UUID
    coupon_id: UUID
    name: str
    state: str
    discount_minor: int


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
    tag_ids: list[UUID]  # for the store's people alone
    refunded_minor: int  # of what was paid: went back, or is on its way
    coupons: list[Coupon]
    lines: list[Line]

    @property
    def discount_minor(self) -> int:
        return sum(each.discount_minor for each in self.coupons)


COLUMNS = (
    "id", "shopper_id", "state", "refusal", "amount_minor", "currency", "contact", "channel", "created_at", "hold_until", "paid_at",
    "delivered_at",
)  # fmt: skip
# What else is known of an `order`, the name a statement has for its row.
KNOWN = """{order}.contact IS NOT NULL OR {order}.lookup_hash IS NOT NULL AS recoverable,
           ARRAY(SELECT tag_id FROM order_tag WHERE tenant_id = $1 AND order_id = {order}.id ORDER BY tag_id) AS tag_ids,
           (SELECT coalesce(sum(amount_minor), 0)::bigint FROM refund
            WHERE tenant_id = $1 AND order_id = {order}.id AND reason = 'requested' AND state <> 'failed') AS refunded_minor,
           ARRAY(SELECT ROW(grant_id, coupon_id, (SELECT name FROM coupon WHERE tenant_id = $1 AND id = x.coupon_id), state, discount_minor)
                 FROM coupon_use AS x WHERE tenant_id = $1 AND order_id = {order}.id ORDER BY grant_id) AS coupons"""
_KNOWN = ("recoverable", "tag_ids", "refunded_minor", "coupons")
_COLUMNS = f"{', '.join(COLUMNS)}, {KNOWN.format(order='orders')}"


async def get(tx: TenantTx, order_id: UUID, *, shopper_id: UUID | None = None) -> Order:
    """The order; with `shopper_id`, only if it is his. Raises `NotFound`, for a foreign order as for a missing one."""
    sql = f"SELECT {_COLUMNS} FROM orders WHERE tenant_id = $1 AND id = $2"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
    if row is None or (shopper_id is not None and row["shopper_id"] != shopper_id):
        raise NotFound("There is no such order.")
    return _order(dict(row), (await _lines(tx, [order_id])).get(order_id, []))


async def must_exist(tx: TenantTx, order_id: UUID) -> None:
    """Raises `NotFound`."""
    if not await tx.conn.fetchval("SELECT 1 FROM orders WHERE tenant_id = $1 AND id = $2", tx.tenant_id, order_id):
        raise NotFound("There is no such order.")


async def look_up(tx: TenantTx, order_id: UUID, *, contact: str | None, lookup_hash: bytes | None) -> Order:
    """A guest's order by its number and what he gave with it. Raises `NotFound` alike for a wrong number and a wrong proof."""
    sql = "SELECT contact, lookup_hash FROM orders WHERE tenant_id = $1 AND id = $2"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
    stored_contact, stored_hash = (row["contact"], row["lookup_hash"]) if row else (None, None)
    # Where the order has a password, the password is the proof: a contact is easier to guess.
    wanted, given = (stored_hash, lookup_hash) if stored_hash else (_fold(stored_contact), _fold(contact))
    if not hmac.compare_digest(wanted or b"\0", given or b"\1"):
        raise no_match()
    return await get(tx, order_id)


def no_match() -> NotFound:
    """What everybody is told whose number and proof do not go together, whatever is wrong."""
    return NotFound("No order goes with this number and proof.")


def lookup_hash(key: bytes, order_id: UUID, password: str) -> bytes:
    """A keyed hash bound to the order, so that equal passwords look different. The number itself has 128 random bits to guess first."""
    return mac128(key, order_id.bytes, password.encode())


def _fold(contact: str | None) -> bytes | None:
    return contact.strip().lower().encode() if contact else None


async def with_lines(tx: TenantTx, rows: Sequence[asyncpg.Record]) -> list[Order]:
    """Orders of rows with `COLUMNS` and what is `KNOWN`, and the lines of them all."""
    lines = await _lines(tx, [row["id"] for row in rows]) if rows else {}
    return [_order({name: row[name] for name in (*COLUMNS, *_KNOWN)}, lines.get(row["id"], [])) for row in rows]


def _order(row: dict[str, Any], lines: list[Line]) -> Order:
    return Order(**row | {"coupons": [Coupon(*each) for each in row["coupons"]]}, lines=lines)


async def _lines(tx: TenantTx, order_ids: list[UUID]) -> dict[UUID, list[Line]]:
    # Not joined: on a young database a join may read all of a tenant's sales, and keeps its plan.
    sql = """SELECT order_id, sale_id, sku_id, (SELECT name FROM sale WHERE tenant_id = $1 AND id = l.sale_id), quantity, unit_price_minor,
                    coalesce(amount_minor, quantity * unit_price_minor), bundle_id, bundle_quantity,
                    (SELECT coalesce(sum(discount_minor), 0)::bigint FROM coupon_line
                     WHERE tenant_id = $1 AND order_id = l.order_id AND sale_id = l.sale_id)
             FROM order_line AS l WHERE tenant_id = $1 AND order_id = ANY($2) ORDER BY order_id, sale_id"""
    lines: dict[UUID, list[Line]] = {}
    for order_id, *line in await tx.conn.fetch(sql, tx.tenant_id, order_ids):
        lines.setdefault(order_id, []).append(Line(*line))
    return lines
