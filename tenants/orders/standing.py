"""How an order stands, unit by unit: what is held, delivered, refunded, and what still waits for somebody."""

import datetime as dt
from typing import Literal
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants.db import TenantTx

UnitState = Literal["held", "waiting", "delivered", "refunded", "replaced"]


class Unit(msgspec.Struct, frozen=True):
    """`paid_minor` is what its order pays for it, in minor units; of one that was replaced, 0."""

    unit: int
    state: UnitState
    paid_minor: int
    delivered_at: dt.datetime | None = None
    revealed_at: dt.datetime | None = None
    refund_id: UUID | None = None
    replaced_by: int | None = None


class Task(msgspec.Struct, frozen=True):
    """What is, or was, to be fulfilled of a line."""

    id: UUID
    state: str
    problem: str | None
    due_at: dt.datetime


class Line(msgspec.Struct, frozen=True):
    sale_id: UUID
    sku_id: UUID
    sku_name: str
    type: str
    quantity: int
    asks: bool  # it was told something: an account, a name
    task: Task | None
    units: list[Unit]


_LINES = """SELECT sale_id, sku_id, k.name, k.type, quantity, input IS NOT NULL,
                   ARRAY(SELECT ROW(id, state, coalesce(paid_minor, l.unit_price_minor)) FROM unit
                         WHERE tenant_id = $1 AND sale_id = l.sale_id AND shopper_id = $3 AND order_id = $2 ORDER BY id)
            FROM order_line AS l CROSS JOIN LATERAL (SELECT name, type FROM sku WHERE tenant_id = $1 AND id = l.sku_id OFFSET 0) AS k
            WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"""
_DELIVERED = "SELECT unit_id, sale_id, delivered_at, revealed_at, replaced_by FROM delivery WHERE tenant_id = $1 AND order_id = $2"
_REFUNDED = "SELECT unit_id, sale_id, refund_id, amount_minor FROM refund_unit WHERE tenant_id = $1 AND order_id = $2"
_TASKS = "SELECT sale_id, id, state, problem, due_at FROM fulfilment WHERE tenant_id = $1 AND order_id = $2"


async def of(tx: TenantTx, order_id: UUID) -> tuple[UUID, list[Line]]:
    """Whose order it is, and its lines. Raises `NotFound`."""
    shopper_id = await tx.conn.fetchval("SELECT shopper_id FROM orders WHERE tenant_id = $1 AND id = $2", tx.tenant_id, order_id)
    if shopper_id is None:
        raise NotFound("There is no such order.")
    # Unsorted: an index that has them in order may be the whole table's.
    delivered = {row["unit_id"]: row for row in await tx.conn.fetch(_DELIVERED, tx.tenant_id, order_id)}
    refunded = {row["unit_id"]: row for row in await tx.conn.fetch(_REFUNDED, tx.tenant_id, order_id)}
    tasks = {sale_id: Task(*task) for sale_id, *task in await tx.conn.fetch(_TASKS, tx.tenant_id, order_id)}
    lines = []
    for sale_id, sku_id, name, type_, quantity, asks, now in await tx.conn.fetch(_LINES, tx.tenant_id, order_id, shopper_id):
        own = {id_: (state, paid) for id_, state, paid in now}
        gone = {id_ for rows in (delivered, refunded) for id_, row in rows.items() if row["sale_id"] == sale_id}
        units = []
        for id_ in sorted(own.keys() | gone):
            given, back = delivered.get(id_), refunded.get(id_)
            state: UnitState
            if back is not None:
                state = "refunded"
            elif given is not None:
                state = "replaced" if given["replaced_by"] is not None else "delivered"
            else:
                state = "held" if own[id_][0] != "sold" else "waiting"
            paid = back["amount_minor"] if back else own[id_][1] if id_ in own else 0
            unit = Unit(id_, state, paid, refund_id=back["refund_id"] if back else None)
            if given:
                dates = {name: given[name] for name in ("delivered_at", "revealed_at", "replaced_by")}
                unit = msgspec.structs.replace(unit, **dates)
            units.append(unit)
        lines.append(Line(sale_id, sku_id, name, type_, quantity, asks, tasks.get(sale_id), units))
    return shopper_id, lines
