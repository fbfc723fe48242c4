"""HTTP for watches on stock: told when a SKU has few units left."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.paging import Page
from api.provide import ring_after
from api.strict import AnyRequest
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.vault import watches


class Threshold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    low_stock_at: Annotated[int, Meta(ge=1, le=100_000, description="So many units left, or fewer, is low.")]


class StockWatch(Struct, frozen=True):
    """`units` can still be sold, loose or in sales, as was seen at `looked_at`: exact up to `low_stock_at`, beyond it at least so many.
    `low_since`: since when they are no more than `low_stock_at`; null while they are more."""

    sku_id: str
    low_stock_at: int
    units: int | None
    low_since: dt.datetime | None
    looked_at: dt.datetime | None

    @classmethod
    def of(cls, watch: watches.Watch) -> "StockWatch":
        return cls(encode("sku", watch.id), watch.low_stock_at, watch.units, watch.low_since, watch.looked_at)


class StockWatches(Struct, frozen=True):
    items: list[StockWatch]
    next_cursor: str | None


class StockWatchController(Controller):
    path = "/vault/stock-watches"
    tags = ("Stock",)

    @get("/", guards=[needs("vault:read")], operation_id="listStockWatches", summary="SKUs whose stock is watched, and which are low")
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        stock: Annotated[Literal["low", "enough"] | None, QueryParameter(description="Only such.")] = None,
    ) -> StockWatches:
        found = await watches.all_of(tx, low=None if stock is None else stock == "low", limit=page.rows, after=page.after(UUID))
        return StockWatches(*page.cut([StockWatch.of(each) for each in found], [each.id for each in found]))

    @put(
        "/{sku_id:str}",
        guards=[needs("vault:write")],
        operation_id="watchStock",
        summary="Be told, by mail and webhook, when a SKU has as few units left",
    )
    async def put(
        self,
        sku_id: FromPath[str],
        request: AnyRequest,
        data: JSONBody[Threshold],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> StockWatch:
        watch = await watches.put(tx, decode("sku", sku_id), data.low_stock_at, actor=merchant.actor)
        ring_after(request, "stock_watch", watch.id)
        return StockWatch.of(watch)

    @delete("/{sku_id:str}", guards=[needs("vault:write")], operation_id="unwatchStock", summary="Watch a SKU's stock no longer")
    async def delete(self, sku_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await watches.delete(tx, decode("sku", sku_id), actor=merchant.actor)
