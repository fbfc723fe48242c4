"""What is in the simulated Postgres before the doors open: sales with their units, and some loose ones."""

import datetime as dt
from typing import Any, Final
from uuid import UUID

from checkout_core.intents import SaleKey
from tests.simulation.plan import Plan
from tests.simulation.postgres import Database

TENANT: Final = UUID(int=0x7E_0000 << 80 | 1 << 63 | 1)
PRICE_MINOR: Final = 9900


def sale_key(number: int) -> SaleKey:
    return SaleKey(TENANT, UUID(int=0x5A_0000 << 80 | 1 << 63 | number))


def lay_out(database: Database, plan: Plan) -> None:
    now, unit_id = database.now(), 100
    for number, offer in enumerate(plan.offers):
        key, sku_id = sale_key(number), UUID(int=0x5C_0000 << 80 | 1 << 63 | number)
        database.tables["sale"][tuple(key)] = {
            "tenant_id": TENANT, "id": key.sale_id, "sku_id": sku_id, "name": f"sale {number}", "door": offer.door, "state": "open",
            "price_minor": PRICE_MINOR, "currency": "CNY", "starts_at": now + dt.timedelta(seconds=offer.starts_s),
            "ends_at": None if offer.ends_s is None else now + dt.timedelta(seconds=offer.ends_s), "limit_per_shopper": offer.limit,
            "limit_since": now,
            "hold_s": offer.hold_s, "epoch": 1, "allotted": offer.units, "committed": 0, "last_unit": unit_id - 1, "give_seq": 0,
            "fallback_per_s": offer.fallback_per_s, "takes_new_stock": False, "created_at": now, "waiting_room": "off",
            "next_try_at": now if offer.door == "gate" else None, "tries": 0,
        }  # fmt: skip
        for n in range(offer.units + offer.loose):
            database.tables["unit"][TENANT, unit_id] = unit(unit_id, sku_id, key.sale_id if n < offer.units else None)
            unit_id += 1


def unit(unit_id: int, sku_id: UUID, sale_id: UUID | None) -> dict[str, Any]:
    return {
        "tenant_id": TENANT, "id": unit_id, "rank": unit_id, "sku_id": sku_id, "batch_id": sku_id, "state": "available", "sale_id": sale_id,
        "order_id": None, "shopper_id": None, "slot": None,
    }  # fmt: skip
