"""From the outbox to webhooks: which events of the catalogue a row of the outbox means, and what they carry.

Read when the row is relayed, a second after its transaction: of orders, sales and imports only what no longer changes by then.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import asyncpg
import msgspec

from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.webhooks import catalogue
from tenants.webhooks.catalogue import KINDS

_SALES = {"sale.created": "sale.published", "sale.paused": "sale.paused", "sale.resumed": "sale.resumed", "sale.ended": "sale.ended"}
# The types that a topic may mean.
TYPES: dict[str, Callable[[dict[str, Any]], tuple[str, ...]]] = {
    "order.paid": lambda _: ("order.paid",),
    "order.delivered": lambda said: ("order.delivered",) if said.get("paid_before") else ("order.paid", "order.delivered"),
    "order.code_replaced": lambda _: ("order.code_replaced",),
    "order.ended": lambda said: (f"order.{said['state']}",),
    "order.refund_requested": lambda _: ("order.refund_requested",),
    # Of the latter two it is one: the refund's row says which.
    "refund.succeeded": lambda said: ("order.partly_refunded",) if said.get("part") else ("order.refunded", "payment.returned"),
    "sale.changed": lambda said: (_SALES.get(said.get("action", ""), "sale.changed"),),
    "vault.loaded": lambda _: ("vault.import_finished",),
    "vault.failed": lambda _: ("vault.import_failed",),
    "fulfilment.requested": lambda _: ("fulfilment.requested",),
    "entitlement.expired": lambda _: ("entitlement.expired",),
    "stock.low": lambda _: ("stock.low",),
    "exception.reported": lambda _: ("exception.reported",),
    "qualification.changed": lambda _: ("qualification.changed",),
}


class Event(NamedTuple):
    """Ready to be queued. The id follows from the outbox row and the type: told again, it is the same event."""

    id: UUID
    type: str
    body: str
    at: dt.datetime
    row_id: UUID | None = None  # of the outbox, unless it follows from the order's rows


class _Wanted(NamedTuple):
    row: asyncpg.Record
    said: dict[str, Any]
    type: str


async def events(tx: TenantTx, rows: Sequence[asyncpg.Record], types: set[str]) -> list[Event]:
    """The events of these outbox rows (id, topic, payload, created_at) that are among `types`, in the rows' order."""
    wanted = []
    for row in rows:
        if meaning := TYPES.get(row["topic"]):
            said = msgspec.json.decode(row["payload"])
            wanted += [_Wanted(row, said, type_) for type_ in meaning(said) if type_ in types]
    if not wanted:
        return []
    refunds = await _refunds(tx, {UUID(w.said["refund_id"]) for w in wanted if KINDS[w.type].data is catalogue.Refunded})
    orders = await read_orders(tx, {UUID(w.said["order_id"]) for w in wanted if KINDS[w.type].data is catalogue.Order})
    sales = await _sales(tx, {decode("sal", w.said["sale_id"]) for w in wanted if KINDS[w.type].data is catalogue.Sale})
    imports = await _imports(tx, {decode("bat", w.said["batch"]) for w in wanted if KINDS[w.type].data is catalogue.Import})
    found = []
    for row, said, type_ in wanted:
        data: msgspec.Struct
        match KINDS[type_].data:
            case catalogue.Order:
                data = orders[UUID(said["order_id"])]
            case catalogue.Sale:
                data = _sale(sales[decode("sal", said["sale_id"])], said.get("action", "sale.changed"))
            case catalogue.Import:
                data = imports[decode("bat", said["batch"])]
            case catalogue.Refunded:
                data = refunds[UUID(said["refund_id"])]
                if (data.reason == "requested") != (type_ != "payment.returned"):
                    continue
            case catalogue.Stock:
                data = msgspec.convert(said, catalogue.Stock)
            case catalogue.Qualification:
                data = msgspec.convert(said, catalogue.Qualification)
            case catalogue.Fulfilment:
                data = catalogue.Fulfilment(
                    fulfilment_id=encode("ful", UUID(said["fulfilment_id"])), order_id=encode("ord", UUID(said["order_id"])),
                    sku_id=encode("sku", UUID(said["sku_id"])), due_at=dt.datetime.fromisoformat(said["due_at"]),
                )  # fmt: skip
            case catalogue.Entitlement:
                data = catalogue.Entitlement(
                    entitlement_id=encode("ent", UUID(said["entitlement_id"])), order_id=encode("ord", UUID(said["order_id"]))
                )
            case _:
                data = catalogue.ExceptionReported(
                    exception_id=encode("exc", UUID(said["exception_id"])), kind=said["kind"], reference=said["reference"]
                )
        if isinstance(data, catalogue.Order) and catalogue.RESERVED in types:
            found.append(reserved(UUID(said["order_id"]), data))  # known already, unless nobody has looked since it was made
        at = row["created_at"]
        found.append(Event(uuid5(row["id"], type_), type_, catalogue.body(KINDS[type_], at, data), at, row["id"]))
    return found


def reserved(order_id: UUID, order: catalogue.Order) -> Event:
    """The first event of an order. Its id is the order's own, wherever it is told from."""
    first = msgspec.structs.replace(order, paid_at=None, delivered_at=None)
    return Event(order_id, catalogue.RESERVED, catalogue.body(KINDS[catalogue.RESERVED], order.created_at, first), order.created_at)


async def read_orders(tx: TenantTx, ids: set[UUID]) -> dict[UUID, catalogue.Order]:
    if not ids:
        return {}
    sql = "SELECT order_id, sale_id, sku_id, quantity, unit_price_minor FROM order_line WHERE tenant_id = $1 AND order_id = ANY($2)"
    lines: dict[UUID, list[catalogue.Line]] = {}
    for order_id, sale_id, sku_id, *rest in await tx.conn.fetch(sql, tx.tenant_id, list(ids)):
        lines.setdefault(order_id, []).append(catalogue.Line(encode("sal", sale_id), encode("sku", sku_id), *rest))
    sql = """SELECT id, amount_minor, currency, channel, created_at, paid_at, delivered_at FROM orders
             WHERE tenant_id = $1 AND id = ANY($2)"""
    return {
        row["id"]: catalogue.Order(order_id=encode("ord", row["id"]), lines=lines.get(row["id"], []), **dict(list(row.items())[1:]))
        for row in await tx.conn.fetch(sql, tx.tenant_id, list(ids))
    }


async def _sales(tx: TenantTx, ids: set[UUID]) -> dict[UUID, asyncpg.Record]:
    if not ids:
        return {}
    sql = """SELECT id, sku_id, name, price_minor, currency, starts_at, ends_at FROM sale WHERE tenant_id = $1 AND id = ANY($2)"""
    return {row["id"]: row for row in await tx.conn.fetch(sql, tx.tenant_id, list(ids))}


def _sale(row: asyncpg.Record, action: str) -> catalogue.Sale:
    """`action` is what the audit calls it: `sale.limit_changed` is the change `limit_changed`."""
    sale_id, sku_id, *_ = row
    rest = {name: row[name] for name in ("name", "price_minor", "currency", "starts_at", "ends_at")}
    return catalogue.Sale(sale_id=encode("sal", sale_id), sku_id=encode("sku", sku_id), change=action.partition(".")[2], **rest)


async def _refunds(tx: TenantTx, ids: set[UUID]) -> dict[UUID, catalogue.Refunded]:
    if not ids:
        return {}
    # By the order and then by the refund: there are few of an order.
    sql = """SELECT id, order_id, amount_minor, currency, reason, ARRAY(
                 SELECT unit_id FROM refund_unit
                 WHERE tenant_id = $1 AND order_id = refund.order_id AND refund_id = refund.id ORDER BY unit_id)
             FROM refund WHERE tenant_id = $1 AND id = ANY($2)"""
    return {
        refund_id: catalogue.Refunded(
            refund_id=encode("ref", refund_id),
            order_id=encode("ord", order_id),
            amount_minor=amount_minor,
            currency=currency,
            reason=reason,
            units=units,
        )
        for refund_id, order_id, amount_minor, currency, reason, units in await tx.conn.fetch(sql, tx.tenant_id, list(ids))
    }


async def _imports(tx: TenantTx, ids: set[UUID]) -> dict[UUID, catalogue.Import]:
    if not ids:
        return {}
    sql = """SELECT id, sku_id, loaded, duplicates_in_file + duplicates_in_vault AS duplicates, malformed FROM vault_batch
             WHERE tenant_id = $1 AND id = ANY($2)"""
    return {
        row["id"]: catalogue.Import(
            import_id=encode("bat", row["id"]),
            sku_id=encode("sku", row["sku_id"]),
            loaded=row["loaded"],
            duplicates=row["duplicates"],
            malformed=row["malformed"],
        )
        for row in await tx.conn.fetch(sql, tx.tenant_id, list(ids))
    }
