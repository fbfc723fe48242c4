"""HTTP for picks: what shoppers choose units by. What staff say of them, and what a visitor may choose."""

import datetime as dt
from typing import Annotated

from litestar import Controller, get, patch
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import anyone, needs, while_open
from api.offers import In
from api.paging import Page
from api.stores import LINE
from api.wire import MONEY_MAX, check_times
from checkout_core.ids import decode
from tenants import catalog, picks
from tenants.db import TenantTx

OfferedSince = Annotated[dt.datetime | None, QueryParameter(description="Only what can be chosen until this moment or later.")]
OfferedUntil = Annotated[dt.datetime | None, QueryParameter(description="Only what cannot be chosen from this moment on, or sooner.")]
PickName = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=LINE, description="What the unit says of itself: 2026-12-24, s1.stalls.")
]
PickLabel = Annotated[str, Meta(min_length=1, max_length=100, pattern=LINE)]
Surcharge = Annotated[int, Meta(ge=0, le=MONEY_MAX, description="For each unit, on top of its price; in minor units.")]


class PickChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is. With `is_on` false nobody can choose it any more."""

    pick: PickName
    label: PickLabel | None = None
    surcharge_minor: Surcharge | None = None
    is_on: bool


class PickChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    picks: Annotated[list[PickChange], Meta(min_length=1, max_length=1000)]


class OfferedPick(Struct, frozen=True):
    """`available` units of it are free at this moment, counted up to 100. It can be chosen until `offered_until`."""

    pick: str
    label: str
    surcharge_minor: int
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    offered_until: dt.datetime | None
    available: int

    @classmethod
    def of(cls, each: picks.Listed) -> "OfferedPick":
        return cls(*_of(each))


class PickView(Struct, frozen=True):
    """`available` units of it are free, whether a sale has them or not, counted up to 100."""

    pick: str
    label: str
    surcharge_minor: int
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    offered_until: dt.datetime | None
    available: int
    is_on: bool

    @classmethod
    def of(cls, each: picks.Listed) -> "PickView":
        return cls(*_of(each), each.pick.is_on)


def _of(each: picks.Listed) -> tuple[str, str, int, dt.datetime | None, dt.datetime | None, dt.datetime | None, int]:
    pick = each.pick
    return pick.name, pick.label, pick.surcharge_minor or 0, pick.starts_at, pick.ends_at, pick.offered_until, each.available


class Picks(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    picks: list[PickView]
    next_cursor: str | None


class OfferedPicks(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    picks: list[OfferedPick]
    next_cursor: str | None


class PickController(Controller):
    path = "/skus/{sku_id:str}/picks"
    tags = ("Picks",)

    @get(
        "/",
        guards=[needs("catalog:read")],
        operation_id="listPicks",
        summary="What a SKU's units are chosen by, what is offered longest last",
    )
    async def list(
        self,
        sku_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        since: OfferedSince = None,
        until: OfferedUntil = None,
    ) -> Picks:
        check_times(since, until)
        sku = await catalog.get_sku(tx, decode("sku", sku_id))
        after = page.after(tuple[dt.datetime, str])
        found = await picks.listed(tx, sku.id, limit=page.rows, after=after, since=since, until=until)
        return Picks(*page.cut([PickView.of(each) for each in found], [each.key for each in found]))

    @patch(
        "/",
        guards=[needs("catalog:write")],
        operation_id="changePicks",
        summary="Labels, surcharges, and whether they are offered; all of those that are named, or none",
    )
    async def change(
        self, sku_id: FromPath[str], data: JSONBody[PickChanges], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> Picks:
        sku = await catalog.get_sku(tx, decode("sku", sku_id), lock=True)
        given = [
            picks.Pick(name=each.pick, label=each.label or "", surcharge_minor=each.surcharge_minor, is_on=each.is_on)
            for each in data.picks
        ]
        await picks.change(tx, sku.id, given, actor=merchant.actor)
        return Picks([PickView.of(each) for each in await picks.named(tx, sku.id, [pick.name for pick in given])], None)


class OfferedPickController(Controller):
    path = "/storefront/skus/{sku_id:str}/picks"
    tags = ("Storefront",)
    cache_control = CacheControlHeader(private=True, max_age=1)

    @get(
        "/",
        guards=[anyone, while_open],
        problems=[403],
        operation_id="listOfferedPicks",
        summary="What a shopper may choose of a SKU, what is over soonest first",
    )
    async def list(
        self,
        sku_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        since: OfferedSince = None,
        until: OfferedUntil = None,
        channel: Annotated[str, In] = "api",
    ) -> OfferedPicks:
        check_times(since, until)
        after, sku = page.after(tuple[dt.datetime, str]), decode("sku", sku_id)
        found = await picks.offered(tx, sku, channel, limit=page.rows, after=after, since=since, until=until)
        return OfferedPicks(*page.cut([OfferedPick.of(each) for each in found], [each.key for each in found]))
