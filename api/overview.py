"""HTTP for the console's first page: what a store does today, beside yesterday, and what waits for somebody."""

import datetime as dt
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.callers import Merchant
from api.guards import signed_in
from checkout_core.ids import encode
from tenants import overview
from tenants.db import TenantTx


class Figures(Struct, frozen=True):
    """`orders` were made, that is, held units; `paid` is by the provider's time, and `paid_minor` their amount; `delivered` completely;
    `refunds` that were asked for and are paid back, and what they paid."""

    currency: str
    orders: int
    paid: int
    paid_minor: int
    delivered: int
    refunds: int
    refunded_minor: int


class Hour(Struct, frozen=True):
    starts_at: dt.datetime
    orders: int
    paid: int


class Day(Struct, frozen=True):
    """`today` since midnight in the store's `zone`; `before` is the day before up to the same minute. A row for each currency, the store's
    own first. `hours` are the last 24, oldest first, the one that runs included. All is counted up to `as_of`: now, but in a rush."""

    date: dt.date
    zone: str
    as_of: dt.datetime
    today: list[Figures]
    before: list[Figures]
    hours: list[Hour]


class SellingSale(Struct, frozen=True):
    """`committed` of the `allotted` units are held or sold."""

    id: str
    name: str
    state: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    allotted: int
    committed: int


class Overview(Struct, frozen=True):
    """What takes a permission that the asker does not have is null. `day` and `open_exceptions` (1000: at least so many) take orders:read,
    `low_stock` (SKUs) vault:read, `sales` (open or paused, the newest 20) sales:read."""

    day: Day | None
    open_exceptions: int | None
    low_stock: int | None
    sales: list[SellingSale] | None


class OverviewController(Controller):
    path = "/overview"
    tags = ("Store",)

    @get("/", guards=[signed_in], operation_id="getOverview", summary="The store today, beside yesterday, and what waits")
    async def get(self, tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> Overview:
        may = merchant.scopes
        return Overview(
            await _day(tx) if "orders:read" in may else None,
            await overview.open_cases(tx) if "orders:read" in may else None,
            await overview.low_stock(tx) if "vault:read" in may else None,
            [_selling(sale) for sale in await overview.selling(tx)] if "sales:read" in may else None,
        )


async def _day(tx: TenantTx) -> Day:
    own = await overview.store(tx)
    found = await overview.day(tx, own=own)
    hours = [Hour(hour.starts_at, hour.made, hour.paid) for hour in found.hours]
    return Day(found.day, found.zone, found.as_of, _rows(found.today, own.currency), _rows(found.before, own.currency), hours)


def _rows(figures: dict[str, overview.Figures], own: str) -> list[Figures]:
    ordered = sorted(figures.items(), key=lambda each: (each[0] != own, each[0]))
    return [Figures(currency, f.made, f.paid, f.paid_minor, f.delivered, f.refunds, f.refunded_minor) for currency, f in ordered]


def _selling(sale: overview.Selling) -> SellingSale:
    sale_id: UUID
    sale_id, *rest = (getattr(sale, name) for name in overview.Selling.__struct_fields__)
    return SellingSale(encode("sal", sale_id), *rest)
