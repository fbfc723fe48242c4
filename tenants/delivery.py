"""Delivery: the right to the codes, moved in the transaction that takes the money; and the reveal, which leaves evidence."""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode
from tenants import vault
from tenants.db import TenantTx
from tenants.keys import Keyring


class Revealed(msgspec.Struct, frozen=True):
    """One unit's content as the shopper gets it. Never cached, never logged."""

    unit: int
    sale_id: UUID
    content: vault.Code
    delivered_at: dt.datetime


class Undeliverable(Exception):
    """An order owns fewer units than it was promised. It cannot happen while the invariants hold, so nothing is papered over."""


async def deliver(tx: TenantTx, order_id: UUID, shopper_id: UUID, paid_at: dt.datetime) -> None:
    """held → sold, one delivery row a unit (UNIQUE for ever), the order delivered. The order's row is locked by the caller."""
    sql = """WITH line AS (SELECT sale_id, quantity FROM order_line WHERE tenant_id = $1 AND order_id = $2),
                  sold AS (UPDATE unit SET state = 'sold' FROM line
                           WHERE unit.tenant_id = $1 AND unit.sale_id = line.sale_id AND unit.shopper_id = $3
                             AND unit.order_id = $2 AND unit.state = 'held'
                           RETURNING unit.id, unit.sale_id),
                  given AS (INSERT INTO delivery (tenant_id, unit_id, order_id, sale_id)
                            SELECT $1, id, $2, sale_id FROM sold RETURNING unit_id),
                  done AS (UPDATE orders SET state = 'delivered', paid_at = $4, delivered_at = now(), next_try_at = NULL
                           WHERE tenant_id = $1 AND id = $2)
             SELECT (SELECT sum(quantity) FROM line), (SELECT count(*) FROM given)"""
    promised, given = await tx.conn.fetchrow(sql, tx.tenant_id, order_id, shopper_id, paid_at)
    if promised != given:
        raise Undeliverable(f"Order {encode('ord', order_id)} was promised {promised} units and owns {given}.")
    await tx.emit("order.delivered", {"order_id": order_id})


async def reveal(tx: TenantTx, keyring: Keyring, order_id: UUID, *, actor: str, shopper_id: UUID | None = None) -> list[Revealed]:
    """The codes of a delivered order, with an audit row in the same transaction.

    Raises `NotFound` for a foreign or missing order, `Conflict` (`not_delivered`) while there is nothing to show.
    """
    sql = "SELECT shopper_id, state FROM orders WHERE tenant_id = $1 AND id = $2"
    order = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
    if order is None or (shopper_id is not None and order["shopper_id"] != shopper_id):
        raise NotFound("There is no such order.")
    if order["state"] != "delivered":
        raise Conflict(f"The order is {order['state']}: there are no codes to show.", code="not_delivered", state=order["state"])
    sql = """UPDATE delivery SET revealed_at = coalesce(revealed_at, now()) WHERE tenant_id = $1 AND order_id = $2
             RETURNING unit_id, sale_id, delivered_at"""
    rows = sorted(await tx.conn.fetch(sql, tx.tenant_id, order_id))
    contents = await vault.reveal(tx, keyring, [row["unit_id"] for row in rows])
    await tx.audit(actor, "codes.revealed", encode("ord", order_id), units=[row["unit_id"] for row in rows])
    return [Revealed(row["unit_id"], row["sale_id"], code, row["delivered_at"]) for row, code in zip(rows, contents, strict=True)]
