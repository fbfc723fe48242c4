"""SKUs whose units are chosen, with units made and sold: by their picks, from the shelf."""

import datetime as dt
from typing import Any
from uuid import uuid4

from checkout_core.ids import decode
from tenants import entitlements
from tenants.db import tenant_tx
from tests.paying import fulfil, pay
from tests.shop import Store

NOW = dt.datetime.now(dt.UTC)
HALL = {"venue": "Old Theatre", "classes": [{"id": "stalls", "label": "Stalls"}, {"id": "box", "label": "Box", "numbered": True}]}
NAME = {"name": "holder", "label": {"en": "Holder"}}


def at(hours: float) -> str:
    return (NOW + dt.timedelta(hours=hours)).isoformat()


def session(pick: str = "gala.stalls", begins: float = 1, ends: float = 4, **more: object) -> dict[str, object]:
    return {"pick": pick, "starts_at": at(begins), "ends_at": at(ends), **more}


async def ticket(store: Store, **config: object) -> str:
    return await store.sku(type="ticket", config=HALL | config)


async def room(store: Store, **config: object) -> str:
    return await store.sku(type="booking", config={"fields": [], **config})


def night(days: int) -> str:
    """So many days from today, as the store counts days."""
    return (dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date() + dt.timedelta(days=days)).isoformat()


async def make(store: Store, sku: str, quantity: int = 1, **about: object) -> Any:
    return await store.ask("POST", f"/v1/skus/{sku}/units", store.merchant, {"quantity": quantity, **about})


async def buy(store: Store, sku: str, units: int = 1, *, who: dict[str, str] | None = None) -> tuple[dict[str, str], str]:
    """A shopper and his order of so many units, paid and fulfilled: of what is offered first; of what nobody can choose any more, the
    next ones of a sale."""
    who = who or await store.guest()
    if chosen := await offered(store, sku, units):
        await store.ask("PUT", f"/v1/skus/{sku}/shelf", store.merchant, {"units": "all"})
        body = {"lines": [{"sku_id": sku, "quantity": units, "picks": chosen}]}
        order = str((await store.ask("POST", "/v1/orders", who | key(), body))["id"])
    else:
        order = await store.order(who, await store.sale(units, sku_id=sku), units)
    assert await pay(store, order) == "applied"
    assert set(await fulfil(store, order)) <= {"done"}
    return who, order


async def offered(store: Store, sku: str, units: int) -> list[str]:
    """Picks of so many units that a shopper could choose now, what is over soonest first; none when there are fewer."""
    shown = await store.ask("GET", f"/v1/skus/{sku}/picks?limit=100", store.merchant)
    open_ = [each for each in shown["picks"] if each["is_on"] and (each["offered_until"] or "9") > dt.datetime.now(dt.UTC).isoformat()]
    names = [each["pick"] for each in open_ for _ in range(each["available"])][:units]
    return names if len(names) == units else []


async def codes(store: Store, who: dict[str, str], order: str) -> list[Any]:
    return list((await store.ask("GET", f"/v1/orders/{order}/codes", who))["codes"])


async def picks(store: Store, sku: str) -> dict[str, int]:
    """What is free of each, as staff see it."""
    shown = await store.ask("GET", f"/v1/skus/{sku}/picks?limit=100", store.merchant)
    return {each["pick"]: each["available"] for each in shown["picks"]}


async def moved(store: Store, order: str, by: dt.timedelta) -> None:
    """As if what the order's units entitle to had begun, and ended, so much earlier."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """UPDATE entitlement SET valid_from = valid_from - $3::interval, valid_until = valid_until - $3::interval
                 WHERE tenant_id = $1 AND order_id = $2"""
        await tx.conn.execute(sql, tx.tenant_id, decode("ord", order), by)


async def entitled(store: Store, order: str, sku: str) -> list[entitlements.Entitlement]:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return await entitlements.of_order(tx, decode("ord", order), decode("sku", sku))


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}
