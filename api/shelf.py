"""HTTP for the shelf: a SKU on it, and off it again. Each handler is one call into `tenants.shelf`."""

from typing import Annotated, Literal

from litestar import Controller, delete, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.sales import Sale, units_of, view
from checkout_core.ids import decode
from tenants import shelf
from tenants.db import TenantTx


class Shelved(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At least so many `units` are to be free there; what is missing is taken of the loose stock, or all of it. A limit of 0 is none. With
    `takes_new_stock` units that are made or loaded later go there by themselves."""

    units: Annotated[int, Meta(ge=0, le=10_000_000)] | Literal["all"]
    limit_per_shopper: Annotated[int, Meta(ge=0, le=1000)] = 0
    hold_s: Annotated[int, Meta(ge=2, le=86_400)] = 900
    takes_new_stock: bool = False


class ShelfController(Controller):
    path = "/skus/{sku_id:str}/shelf"
    tags = ("Sales",)

    @put(
        "/",
        guards=[needs("sales:write")],
        problems=[409],  # not enough stock
        operation_id="putOnShelf",
        summary="Put a SKU on the shelf, where orders with a cart buy; or change how it is there",
    )
    async def put(
        self, sku_id: FromPath[str], data: JSONBody[Shelved], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> Sale:
        sale = await shelf.put(
            tx, decode("sku", sku_id), units=units_of(data.units), limit_per_shopper=data.limit_per_shopper, hold_s=data.hold_s,
            takes_new_stock=data.takes_new_stock, actor=merchant.actor,
        )  # fmt: skip
        return view(sale)

    @delete(
        "/",
        guards=[needs("sales:write")],
        while_suspended=True,
        operation_id="takeOffShelf",
        summary="Take a SKU off the shelf: its sale there ends for good",
    )
    async def take_off(self, sku_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await shelf.take_off(tx, decode("sku", sku_id), actor=merchant.actor)
