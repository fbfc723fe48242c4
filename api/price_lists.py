"""HTTP for price lists, the prices on them, and a SKU's prices of all times. Each handler is one call into `tenants.prices`."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Request, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from api.callers import Merchant
from api.etags import Tagged, if_match
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from api.wire import END, MONEY_MAX, PriceMinor, id_of
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.prices import entries, lists

ENTRIES_BYTES_MAX = 256 * 1024  # a thousand prices
ListName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
GroupId = Annotated[str, id_of("grp")]
ListChannel = Annotated[str, Meta(pattern=f"^[a-z][a-z0-9_]{{0,14}}{END}", description="Only for orders of this channel.")]
ListState = Literal["on", "off"]
Least = Annotated[int, Meta(ge=1, le=1000, description="It is the price of each when so many are bought, or more.")]


class NewPriceList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`group_id` null is for everyone, `channel` null for all of them. Nothing is priced by it while it is `off`."""

    name: ListName
    group_id: GroupId | None = None
    channel: ListChannel | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    state: ListState = "off"


class PriceListChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is named is set, all else stays. Orders that were made keep their prices."""

    name: ListName | UnsetType = UNSET
    group_id: GroupId | UnsetType | None = UNSET
    channel: ListChannel | UnsetType | None = UNSET
    starts_at: dt.datetime | UnsetType | None = UNSET
    ends_at: dt.datetime | UnsetType | None = UNSET
    state: ListState | UnsetType = UNSET


class PriceList(Struct, frozen=True):
    id: str
    name: str
    group_id: str | None
    channel: str | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    state: str
    created_at: dt.datetime

    @classmethod
    def of(cls, found: lists.PriceList) -> "PriceList":
        group_id = encode("grp", found.group_id) if found.group_id else None
        return cls(
            encode("prl", found.id), found.name, group_id, found.channel, found.starts_at, found.ends_at, found.state, found.created_at
        )


class PriceLists(Struct, frozen=True):
    """All of the store's, by name."""

    price_lists: list[PriceList]


class NewPrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`unit_minor` is the price of each; null takes it off the list."""

    sku_id: Annotated[str, id_of("sku")]
    least_quantity: Least = 1
    unit_minor: Annotated[int, Meta(ge=1, le=MONEY_MAX)] | None


class NewPrices(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is not named stays on the list as it is."""

    entries: Annotated[list[NewPrice], Meta(min_length=1, max_length=entries.AT_ONCE_MAX)]


class SetPrices(Struct, frozen=True):
    """How many prices are new, how many were taken off, and how many were so already."""

    set: int
    ended: int
    unchanged: int


class ListedPrice(Struct, frozen=True):
    """The current price. Its id is that of this version: a new price has another."""

    id: str
    sku_id: str
    least_quantity: int
    unit_minor: int
    since: dt.datetime

    @classmethod
    def of(cls, each: entries.Entry) -> "ListedPrice":
        return cls(encode("pri", each.id), encode("sku", each.sku_id), each.least_quantity, each.unit_minor, each.since)


class ListedPrices(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    entries: list[ListedPrice]
    next_cursor: str | None


class PriceVersion(Struct, frozen=True):
    """A price as it was from `since` on; it holds while `ended_at` is null."""

    id: str
    list_id: str
    list_name: str
    least_quantity: int
    unit_minor: PriceMinor
    since: dt.datetime
    ended_at: dt.datetime | None

    @classmethod
    def of(cls, each: entries.Version) -> "PriceVersion":
        entry = each.entry
        ids = encode("pri", entry.id), encode("prl", entry.list_id)
        return cls(*ids, each.list_name, entry.least_quantity, entry.unit_minor, entry.since, entry.until)


class PriceHistory(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    prices: list[PriceVersion]
    next_cursor: str | None


def _named(data: Struct) -> dict[str, Any]:
    named = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    return named | ({"group_id": decode("grp", named["group_id"])} if named.get("group_id") is not None else {})


def _tagged(found: lists.PriceList) -> Tagged[PriceList]:
    return Tagged(PriceList.of(found), version=found.version)


class PriceListController(Controller):
    path = "/price-lists"
    tags = ("Prices",)

    @get("/", guards=[needs("prices:read")], operation_id="listPriceLists", summary="The store's price lists, by name")
    async def all_of(self, tx: NamedDependency[TenantTx]) -> PriceLists:
        return PriceLists([PriceList.of(each) for each in await lists.all_of(tx)])

    @post("/", guards=[needs("prices:write")], operation_id="createPriceList", summary="Create a price list, with no prices on it")
    async def create(self, data: JSONBody[NewPriceList], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> PriceList:
        async def create() -> PriceList:
            return PriceList.of(await lists.create(once.tx, **_named(data), actor=merchant.actor))

        return await once(create())

    @get("/{list_id:str}", guards=[needs("prices:read")], operation_id="getPriceList", summary="Get a price list, without its prices")
    async def one(self, list_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Tagged[PriceList]:
        return _tagged(await lists.get(tx, decode("prl", list_id)))

    @patch(
        "/{list_id:str}",
        guards=[needs("prices:write")],
        problems=[409, 412, 428],
        opt={"if_match": True},
        operation_id="changePriceList",
        summary="Change for whom, where and when a list holds; If-Match says which version was read",
    )
    async def change(
        self,
        list_id: FromPath[str],
        data: JSONBody[PriceListChange],
        request: Request[Any, Any, Any],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Tagged[PriceList]:
        version = if_match(request)
        return _tagged(await lists.change(tx, decode("prl", list_id), _named(data), version=version, actor=merchant.actor))

    @delete("/{list_id:str}", guards=[needs("prices:write")], operation_id="removePriceList", summary="Remove a price list; its prices end")
    async def remove(self, list_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await lists.remove(tx, decode("prl", list_id), actor=merchant.actor)

    @get("/{list_id:str}/entries", guards=[needs("prices:read")], operation_id="listPrices", summary="The prices on a list, by SKU")
    async def prices(self, list_id: FromPath[str], tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> ListedPrices:
        after = page.after(tuple[UUID, int])
        found = await entries.listed(tx, decode("prl", list_id), limit=page.rows, after=after)
        return ListedPrices(*page.cut([ListedPrice.of(each) for each in found], [(each.sku_id, each.least_quantity) for each in found]))

    @put(
        "/{list_id:str}/entries",
        guards=[needs("prices:write")],
        problems=[409],
        request_max_body_size=ENTRIES_BYTES_MAX,
        operation_id="putPrices",
        summary="Set up to 1,000 prices of a list, all of them or none",
    )
    async def put(
        self, list_id: FromPath[str], data: JSONBody[NewPrices], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> SetPrices:
        wanted = [entries.Wanted(decode("sku", each.sku_id), each.least_quantity, each.unit_minor) for each in data.entries]
        done = await entries.put(tx, decode("prl", list_id), wanted, actor=merchant.actor)
        return SetPrices(done.set, done.ended, done.unchanged)


class PriceHistoryController(Controller):
    path = "/skus/{sku_id:str}/prices"
    tags = ("Prices",)

    @get("/", guards=[needs("prices:read")], operation_id="listPriceVersions", summary="A SKU's prices on all lists, newest version first")
    async def history(self, sku_id: FromPath[str], tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> PriceHistory:
        found = await entries.history(tx, decode("sku", sku_id), limit=page.rows, before=page.after(UUID))
        return PriceHistory(*page.cut([PriceVersion.of(each) for each in found], [each.entry.id for each in found]))
