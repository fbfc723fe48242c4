"""Delivery: the right to what was bought, moved in the transaction that takes the money; and the reveal, which leaves evidence.

What a type delivers by the payment itself is delivered here. For each other line a fulfilment begins (`tenants.fulfilments`), and the
order stays paid until the last of them is done.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode
from tenants import types, vault
from tenants.db import TenantTx
from tenants.keys import Keyring, fulfilment_place
from tenants.orders import index
from tenants.types import Shown


class Revealed(msgspec.Struct, frozen=True):
    """One unit's content as the shopper gets it. Never cached, never logged."""

    unit: int
    sale_id: UUID
    content: Shown
    delivered_at: dt.datetime
    usage_note: str  # of its SKU, as it is now


class Undeliverable(Exception):
    """An order owns fewer units than it was promised. It cannot happen while the invariants hold, so nothing is papered over."""


async def deliver(tx: TenantTx, order_id: UUID, shopper_id: UUID, paid_at: dt.datetime) -> None:
    """held → sold, and what can be is delivered: one delivery row a unit (UNIQUE for ever). The order's row is locked by the caller."""
    sql = f"""WITH line AS (SELECT sale_id, sku_id, quantity,
                                   coalesce((SELECT type FROM sku WHERE tenant_id = $1 AND id = sku_id) = ANY($5), false) AS at_once
                            FROM order_line WHERE tenant_id = $1 AND order_id = $2),
                  sold AS (UPDATE unit SET state = 'sold' FROM line
                           WHERE unit.tenant_id = $1 AND unit.sale_id = line.sale_id AND unit.shopper_id = $3
                             AND unit.order_id = $2 AND unit.state = 'held'
                           RETURNING unit.id, unit.sale_id, at_once),
                  given AS (INSERT INTO delivery (tenant_id, unit_id, order_id, sale_id)
                            SELECT $1, id, $2, sale_id FROM sold WHERE at_once),
                  begun AS (INSERT INTO fulfilment (tenant_id, order_id, sale_id, sku_id)
                            SELECT $1, $2, sale_id, sku_id FROM line WHERE NOT at_once),
                  done AS (UPDATE orders SET paid_at = $4, next_try_at = NULL,
                                             state = CASE WHEN (SELECT bool_and(at_once) FROM line) THEN 'delivered' ELSE 'paid' END,
                                             delivered_at = CASE WHEN (SELECT bool_and(at_once) FROM line) THEN now() END
                           WHERE tenant_id = $1 AND id = $2),
                  noted AS ({index.NOTE} VALUES ($1, ARRAY[$2]))
             SELECT (SELECT sum(quantity) FROM line), (SELECT count(*) FROM sold), (SELECT bool_and(at_once) FROM line)"""
    promised, sold, complete = await tx.conn.fetchrow(sql, tx.tenant_id, order_id, shopper_id, paid_at, types.at_once())
    if promised != sold:
        raise Undeliverable(f"Order {encode('ord', order_id)} was promised {promised} units and owns {sold}.")
    await tx.emit("order.delivered" if complete else "order.paid", {"order_id": order_id})


async def finish(tx: TenantTx, order_id: UUID, sale_id: UUID, units: Sequence[int]) -> None:
    """A line that took longer is delivered; with the last one the order is. Its row is locked by the caller."""
    sql = "INSERT INTO delivery (tenant_id, unit_id, order_id, sale_id) SELECT $1, unit, $2, $3 FROM unnest($4::bigint[]) AS unit"
    await tx.conn.execute(sql, tx.tenant_id, order_id, sale_id, list(units))
    await complete(tx, order_id)


async def complete(tx: TenantTx, order_id: UUID) -> None:
    """A paid order none of whose lines waits any more is delivered: they are done, or were refunded. Its row is locked by the caller, and
    something of it is still the shopper's."""
    # Not asked for what is pending: a young database would read the whole queue.
    sql = """UPDATE orders SET state = 'delivered', delivered_at = now() WHERE tenant_id = $1 AND id = $2 AND state = 'paid'
               AND NOT EXISTS (SELECT FROM fulfilment WHERE tenant_id = $1 AND order_id = $2
                               AND state NOT IN ('done', 'failed', 'revoked'))"""
    if await tx.conn.execute(sql, tx.tenant_id, order_id) == "UPDATE 1":
        await index.note(tx, [order_id])
        await tx.emit("order.delivered", {"order_id": order_id, "paid_before": True})


async def reveal(tx: TenantTx, keyring: Keyring, order_id: UUID, *, actor: str, shopper_id: UUID | None = None) -> list[Revealed]:
    """What an order has delivered so far and was not refunded, with an audit row in the same transaction.

    Raises `NotFound` for a foreign or missing order, `Conflict` (`not_delivered`) while there is nothing to show.
    """
    sql = "SELECT shopper_id, state FROM orders WHERE tenant_id = $1 AND id = $2"
    order = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
    if order is None or (shopper_id is not None and order["shopper_id"] != shopper_id):
        raise NotFound("There is no such order.")
    rows = []
    if order["state"] in ("delivered", "paid"):
        sql = """UPDATE delivery SET revealed_at = coalesce(revealed_at, now())
                 WHERE tenant_id = $1 AND order_id = $2 AND replaced_by IS NULL
                   AND unit_id <> ALL(ARRAY(SELECT unit_id FROM refund_unit WHERE tenant_id = $1 AND order_id = $2))
                 RETURNING unit_id, sale_id, delivered_at"""
        rows = sorted(await tx.conn.fetch(sql, tx.tenant_id, order_id))
    if not rows:
        raise Conflict(f"The order is {order['state']}: there are no codes to show.", code="not_delivered", state=order["state"])
    shown = {each.unit: each for line in await _lines(tx, order_id) for each in await _show(tx, keyring, order_id, line, rows)}
    # Not joined: on a young database a join may read all of a tenant's SKUs, and keeps its plan.
    sql = """SELECT id, (SELECT usage_note FROM sku WHERE tenant_id = $1 AND id = sale.sku_id)
             FROM sale WHERE tenant_id = $1 AND id = ANY($2)"""
    notes = dict(await tx.conn.fetch(sql, tx.tenant_id, list({row["sale_id"] for row in rows})))
    await tx.audit(actor, "codes.revealed", encode("ord", order_id), units=[row["unit_id"] for row in rows])
    return [Revealed(row["unit_id"], row["sale_id"], shown[row["unit_id"]], row["delivered_at"], notes[row["sale_id"]]) for row in rows]


class _Line(NamedTuple):
    sale_id: UUID
    type: str
    fulfilment_id: UUID | None
    key_id: int | None
    sealed: bytes | None


async def _lines(tx: TenantTx, order_id: UUID) -> list[_Line]:
    # Not joined: on a young database a join may read all of a tenant's rows, and keeps its plan.
    sql = """SELECT sale_id, (SELECT type FROM sku WHERE tenant_id = $1 AND id = l.sku_id), f.id, f.key_id, f.sealed
             FROM order_line AS l LEFT JOIN LATERAL (
                 SELECT id, key_id, sealed FROM fulfilment
                 WHERE tenant_id = $1 AND order_id = $2 AND sale_id = l.sale_id OFFSET 0) AS f ON true
             WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"""
    return [_Line(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, order_id)]


async def _show(tx: TenantTx, keyring: Keyring, order_id: UUID, line: _Line, rows: Sequence[dict[str, object]]) -> list[Shown]:
    """The units among `rows` that are the line's."""
    units = [int(str(row["unit_id"])) for row in rows if row["sale_id"] == line.sale_id]
    told: list[vault.Content] = []
    if line.sealed is not None and line.fulfilment_id is not None and line.key_id is not None:
        keys = await keyring.to_open(tx, line.key_id)
        told = vault.unpack_all(keys.open_(line.key_id, line.sealed, fulfilment_place(tx.tenant_id, line.fulfilment_id)))
    if len(told) > 1:
        told = await _each(tx, order_id, line, units, told)
    return await types.of(line.type).show(tx, keyring, units, told) if units else []


async def _each(tx: TenantTx, order_id: UUID, line: _Line, units: Sequence[int], told: list[vault.Content]) -> list[vault.Content]:
    """What was told of each of `units`: it was told of all the line had then, and since then some were replaced or refunded."""
    sql = "SELECT unit_id, replaced_by FROM delivery WHERE tenant_id = $1 AND order_id = $2 AND sale_id = $3"
    followed: dict[int, int | None] = dict(sorted(await tx.conn.fetch(sql, tx.tenant_id, order_id, line.sale_id)))
    first = [unit for unit in followed if unit not in set(followed.values())]
    if len(first) != len(told):
        return told
    said: dict[int, vault.Content] = {}
    for unit, content in zip(first, told, strict=True):
        at: int | None = unit
        while at is not None:
            said[at] = content
            at = followed[at]
    return [said[unit] for unit in units]
