"""What a SKU of each type is told, and what goes on with its orders: enough to sell one."""

import datetime as dt
from typing import Any, NamedTuple
from uuid import uuid4

from tenants.types import TYPES
from tests.shop import Store
from tests.tenants.types import picked

TODAY = dt.datetime.now(dt.UTC).date()
MONTH = TODAY + dt.timedelta(30)
SESSION = {"pick": "gala.stalls", "starts_at": f"{MONTH}T19:00:00Z", "ends_at": f"{MONTH}T22:00:00Z"}

ACCOUNT = {"name": "account", "label": {"en": "Account"}}


class Recipe(NamedTuple):
    """`config` of the SKU; `units` says how those are made, with one of `each` that is named there; `input` is what a shopper gives, and
    what is `told` on completion."""

    config: dict[str, Any] = {}
    units: dict[str, Any] = {}
    each: int = 1
    input: dict[str, str] = {}
    told: list[dict[str, str]] = []


RECIPES = {
    "bundle": Recipe(input={"account": "deer-2026"}, told=[{"note": "Done."}]),  # of a code and of what somebody does
    "booking": Recipe({"fields": []}, {"span": {"first": f"{MONTH}", "last": f"{MONTH + dt.timedelta(1)}"}}, each=2),
    "chosen": Recipe(),
    "code": Recipe(),
    "licence": Recipe({"days": 30}),
    "manual": Recipe({"fields": [ACCOUNT]}, input={"account": "deer-2026"}, told=[{"note": "Done."}]),
    "membership": Recipe({"every": 1, "period": "month"}),
    "reusable": Recipe(),
    "ticket": Recipe({"venue": "Old Theatre", "classes": [{"id": "stalls", "label": "Stalls"}]}, {"picks": [SESSION]}),
    "topup": Recipe(
        {"credited": "100 元话费", "fields": [ACCOUNT | {"confirm": True}]},
        input={"account": "13800138000", "account_again": "13800138000"},
        told=[{"note": "Receipt 4711"}],
    ),
}


async def put_on_sale(store: Store, name: str, units: int) -> str:
    """A SKU of the type with so many units, all of them in a sale that is open; on the shelf, where shoppers choose, and a bundle."""
    if name == "bundle":
        return await _bundle(store, units)
    sku = await _stocked(store, name, units)
    return await _shelved(store, sku) if TYPES[name].picked else await store.sale(units, sku_id=sku)


async def _bundle(store: Store, units: int) -> str:
    skus = [await _stocked(store, name, units) for name in ("code", "manual")]
    for sku in skus:
        await _shelved(store, sku)
    return await _shelved(store, await store.sku(type="bundle", config={"parts": [{"sku_id": sku} for sku in skus]}, price_minor=101))


async def _shelved(store: Store, sku: str) -> str:
    return str((await store.ask("PUT", f"/v1/skus/{sku}/shelf", store.merchant, {"units": "all"}))["id"])


async def _stocked(store: Store, name: str, units: int) -> str:
    """A SKU of the type with so many units."""
    recipe = RECIPES[name]
    sku = await store.sku(type=name, config=recipe.config)
    if name in ("chosen", "code"):
        lines = "".join(f"{uuid4().hex}" + (f",lucky-{n}" if name == "chosen" else "") + "\n" for n in range(units))
        header = "code,label\n" if name == "chosen" else ""
        headers = store.merchant | {"Content-Type": "text/csv"}
        loaded = await store.client.post(f"/v1/vault/imports?sku_id={sku}", headers=headers, content=(header + lines).encode())
        assert (loaded.status_code, loaded.json().get("loaded")) == (201, units), loaded.text
    else:
        await store.ask("POST", f"/v1/skus/{sku}/units", store.merchant, {"quantity": units // recipe.each, **recipe.units})
    if name == "reusable":
        await store.ask("POST", "/v1/types/reusable/change", store.merchant, {"sku_id": sku, "code": uuid4().hex})
    return sku


async def wish(store: Store, sale: str, quantity: int) -> tuple[str, dict[str, Any]]:
    """Where units of the sale are asked for, and how: chosen ones by their picks, of what is free the first."""
    shown = await store.ask("GET", f"/v1/sales/{sale}", store.merchant)
    if shown["door"] != "shelf":
        return "/v1/checkouts", {"sale_id": sale, "quantity": quantity}
    line = {"sku_id": shown["sku_id"], "quantity": quantity}
    if TYPES[(await store.ask("GET", f"/v1/skus/{shown['sku_id']}", store.merchant))["type"]].picked:
        line["picks"] = await picked.offered(store, shown["sku_id"], quantity) or ["nothing left"] * quantity
    return "/v1/orders", {"lines": [line]}
