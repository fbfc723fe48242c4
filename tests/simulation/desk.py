"""Who gets what, one wish after another: the decision of a commit, on the double's rows."""

import datetime as dt
from uuid import UUID

from checkout_core import safeties
from checkout_core.intents import Intent, Outcome
from tenants.db import TenantTx
from tenants.orders import hoarding
from tenants.orders.sale import Sale
from tests.simulation.postgres import Connection, Row


class Desk:
    """Decides wishes one after another, and remembers what it gave."""

    def __init__(self, tx: TenantTx, sale: Sale) -> None:
        self.tx, self.sale = tx, sale
        conn: Connection = tx.conn
        self.limit = sale.limit_per_shopper if safeties.on("unique_slot") else 0
        free = conn.select("unit", lambda u: u["sale_id"] == sale.id and u["state"] == "available" and u["rank"] > sale.last_unit)
        self.free = sorted(free, key=lambda u: u["rank"]) if sale.committed < sale.allotted else []
        self.slots: dict[UUID, set[int]] = {}
        for unit in conn.select("unit", lambda u: u["sale_id"] == sale.id and u["slot"] is not None):
            self.slots.setdefault(unit["shopper_id"], set()).add(unit["slot"])
        since = sale.now - max(hoarding.WINDOW, dt.timedelta(seconds=sale.hold_s))
        self.unpaid: dict[UUID, int] = {}
        self.lapsed: dict[UUID, int] = {}
        for order in conn.select("orders", lambda o: o["created_at"] > since):
            counts = {"awaiting": self.unpaid, "closing": self.unpaid, "expired": self.lapsed}.get(order["state"], {})
            counts[order["shopper_id"]] = counts.get(order["shopper_id"], 0) + 1
        self.wishes: dict[UUID, int] = {}  # that got past the cap, of this batch
        self.orders: list[Row] = []
        self.given: list[Row] = []
        self.lines: list[tuple[UUID, int]] = []

    def decide(self, intent: Intent) -> Row:
        outcome = self._hoards(intent.shopper_id)
        kept = self.sale.door == "gate" if outcome else True
        taken = self.slots.setdefault(intent.shopper_id, set())
        slots = [slot for slot in range(1, self.limit + 1) if slot not in taken][: intent.quantity]
        if outcome is None and self.limit and len(slots) < intent.quantity:
            outcome = Outcome.LIMIT
        if outcome is None and len(self.free) < intent.quantity:
            outcome = Outcome.SOLD_OUT
        row = self._row(intent, outcome)
        if kept:
            self.orders.append(row)
        if outcome is None:
            taken.update(slots)
            self.lines.append((intent.order_id, intent.quantity))
            for n in range(intent.quantity):
                unit = self.free.pop(0)
                changes = {"order_id": intent.order_id, "shopper_id": intent.shopper_id, "slot": slots[n] if slots else None}
                self.given.append(unit | {"state": "held"} | changes)
        return row

    def _hoards(self, shopper: UUID) -> Outcome | None:
        ahead = self.wishes.get(shopper, 0)
        unpaid = self.unpaid.get(shopper, 0) + (min(ahead, self.sale.limit_per_shopper) if self.sale.limit_per_shopper else ahead)
        if self.lapsed.get(shopper, 0) >= hoarding.LAPSED_MAX:
            return Outcome.COOL_DOWN
        if unpaid >= hoarding.UNPAID_MAX:
            return Outcome.UNPAID_CAP
        self.wishes[shopper] = ahead + 1
        return None

    def _row(self, intent: Intent, refusal: Outcome | None) -> Row:
        sale, won = self.sale, refusal is None
        hold_until = sale.now + dt.timedelta(seconds=sale.hold_s) if won else None
        return {
            "tenant_id": self.tx.tenant_id, "id": intent.order_id, "intent_id": intent.intent_id, "shopper_id": intent.shopper_id,
            "state": "awaiting" if won else "refused", "refusal": None if won else int(refusal),
            "amount_minor": intent.quantity * sale.price_minor if won else 0, "currency": sale.currency, "body_hash": intent.body_hash,
            "contact": intent.contact, "lookup_hash": intent.lookup_hash, "channel": intent.channel, "created_at": sale.now,
            "hold_until": hold_until, "paid_at": None, "delivered_at": None, "ends_as": "expired", "next_try_at": hold_until, "tries": 0,
            "epoch": intent.epoch, "ended_at": None,
        }  # fmt: skip

    async def write(self) -> None:
        tx, sale, conn = self.tx, self.sale, self.tx.conn
        for row in self.orders:
            conn.put("orders", (tx.tenant_id, row["id"]), row)
        for order_id, quantity in self.lines:
            line = {
                "order_id": order_id,
                "sale_id": sale.id,
                "sku_id": sale.sku_id,
                "quantity": quantity,
                "unit_price_minor": sale.price_minor,
                "amount_minor": None,
                "bundle_id": None,
                "bundle_quantity": None,
                "price_id": None,
                "input": None,
                "input_key_id": None,
                "created_at": conn.begun,
            }
            conn.put("order_line", (tx.tenant_id, order_id, sale.id), {"tenant_id": tx.tenant_id, **line})
        for unit in self.given:
            conn.put("unit", (tx.tenant_id, unit["id"]), unit)
        if self.given:
            row = await conn.lock("sale", (tx.tenant_id, sale.id))
            assert row is not None
            before = row["committed"] if safeties.on("allotment") else sale.committed
            changes = {"committed": before + len(self.given), "last_unit": max(row["last_unit"], self.given[-1]["rank"])}
            conn.put("sale", (tx.tenant_id, sale.id), row | changes)
