"""A store with price lists, asked as whoever sells asks."""

import datetime as dt
from typing import Any
from uuid import UUID

from checkout_core.ids import decode
from tenants import prices
from tenants.db import tenant_tx
from tests.shop import Store


async def listed(store: Store, *places: tuple[str, int, int], name: str = "", **about: Any) -> str:
    """A list that is on, with prices of (SKU, least quantity, price); its id."""
    body = {"name": name or f"list {len(places)} {dt.datetime.now(dt.UTC).isoformat()}", "state": "on", **about}
    made = (await store.ask("POST", "/v1/price-lists", store.merchant, body))["id"]
    if places:
        await put(store, made, *places)
    return str(made)


async def put(store: Store, price_list: str, *places: tuple[str, int, int | None]) -> dict[str, int]:
    entries = [{"sku_id": sku, "least_quantity": least, "unit_minor": minor} for sku, least, minor in places]
    done: dict[str, int] = await store.ask("PUT", f"/v1/price-lists/{price_list}/entries", store.merchant, {"entries": entries})
    return done


async def group(store: Store, *shoppers: UUID, name: str = "Gold") -> str:
    made = (await store.ask("POST", "/v1/buyer-groups", store.merchant, {"name": name, "kind": "level"}))["id"]
    for shopper in shoppers:
        await store.ask("PUT", f"/v1/buyer-groups/{made}/members/shp_{shopper.hex}", store.merchant)
    return str(made)


async def asked(store: Store, *asks: tuple[str, int], shopper: UUID | None = None, channel: str = "web") -> list[prices.Price]:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return await prices.of(tx, shopper, channel, [prices.Ask(decode("sku", sku), quantity) for sku, quantity in asks])


async def paid(store: Store, sku: str, quantity: int = 1, **who: Any) -> int:
    """What one costs."""
    return (await asked(store, (sku, quantity), **who))[0].unit_minor
