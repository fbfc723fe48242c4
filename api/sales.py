"""HTTP for sales. Each handler is one call into `tenants.sales`."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.callers import Merchant
from api.etags import Tagged
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from api.wire import NOTHING, Count, Name, Nothing, PriceMinor, WaitingRoom, id_of
from checkout_core.errors import Unprocessable
from checkout_core.ids import decode, encode
from tenants import reminders, sales
from tenants.db import TenantTx

SaleState = Literal["open", "paused", "ended"]
Instant = Annotated[dt.datetime, Meta(tz=True)]


class NewSale(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`price_minor` defaults to the SKU's, `starts_at` to now; a sale without `ends_at` runs until it is ended. A limit of 0 is none.
    Behind the door `gate` a crowd is turned away by Redis; `fallback_per_s` orders a second are taken while that is away. There
    `waiting_room` gives a place to who finds nothing left: `line` as they come, `draw` by lot among those who came before the start."""

    sku_id: Annotated[str, id_of("sku")]
    name: Name
    units: Count | Literal["all"]
    limit_per_shopper: Annotated[int, Meta(ge=0, le=1000)]
    price_minor: PriceMinor | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    hold_s: Annotated[int, Meta(ge=2, le=86_400)] = 900
    door: Literal["direct", "gate"] = "direct"
    fallback_per_s: Annotated[int, Meta(ge=0, le=1000)] = 0
    waiting_room: WaitingRoom = "off"


class StockChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of both."""

    add: Count | Literal["all"] | None = None
    withdraw: Count | None = None


class NewLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit_per_shopper: Annotated[int, Meta(ge=0, le=1000)]


class Sale(Struct, frozen=True):
    """`committed` of the `allotted` units are held or sold. Behind the door `shelf` orders with a cart buy, and `takes_new_stock` says that
    what is made or loaded of its SKU goes there; `price_minor` is then what the SKU cost when it was put there."""

    id: str
    sku_id: str
    name: str
    door: str
    state: str
    price_minor: int
    currency: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    limit_per_shopper: int
    hold_s: int
    fallback_per_s: int
    epoch: int
    allotted: int
    committed: int
    created_at: dt.datetime
    takes_new_stock: bool
    waiting_room: WaitingRoom


class Reminders(Struct, frozen=True):
    """How many wait to be told that the sale `start`s, or that it is `back`, and how many of them have not `confirmed` their address yet.
    `sent`: how many were told of either."""

    start: int
    back: int
    unconfirmed: int
    sent: int


class Sales(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    sales: list[Sale]
    next_cursor: str | None


def view(sale: sales.Sale) -> Sale:
    _, _, *rest = (getattr(sale, name) for name in sales.Sale.__struct_fields__)
    return Sale(encode("sal", sale.id), encode("sku", sale.sku_id), *rest)


def units_of(wanted: int | Literal["all"]) -> int | None:
    return None if wanted == "all" else wanted


class SaleController(Controller):
    path = "/sales"
    tags = ("Sales",)

    @post("/", guards=[needs("sales:write")], operation_id="createSale", summary="Open a sale")
    async def create(self, data: JSONBody[NewSale], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> Sale:
        async def create() -> Sale:
            sale = await sales.create(
                once.tx, sku_id=decode("sku", data.sku_id), name=data.name, units=units_of(data.units), price_minor=data.price_minor,
                limit_per_shopper=data.limit_per_shopper, starts_at=data.starts_at, ends_at=data.ends_at, hold_s=data.hold_s,
                door=data.door, fallback_per_s=data.fallback_per_s, waiting_room=data.waiting_room, actor=merchant.actor,
            )  # fmt: skip
            return view(sale)

        return await once(create())

    @get("/", guards=[needs("sales:read")], operation_id="listSales", summary="List sales, newest first, ended ones too")
    async def latest(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        sale_state: Annotated[SaleState | None, QueryParameter(name="state", description="Only those in this state.")] = None,
        sku_id: Annotated[str | None, QueryParameter(description="Only those of this SKU.")] = None,
    ) -> Sales:
        sku = decode("sku", sku_id) if sku_id is not None else None
        found = await sales.latest(tx, state=sale_state, sku_id=sku, limit=page.rows, before=page.after(UUID))
        return Sales(*page.cut([view(sale) for sale in found], [sale.id for sale in found]))

    @get("/{sale_id:str}/reminders", guards=[needs("sales:read")], operation_id="countSaleReminders", summary="How many wait for a sale")
    async def waiting(self, sale_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Reminders:
        sale = await sales.get(tx, decode("sal", sale_id))
        count = await reminders.waiting(tx, sale.id)
        return Reminders(count.start, count.back, count.unconfirmed, count.sent)

    @get("/{sale_id:str}", guards=[needs("sales:read")], operation_id="getSale", summary="Get a sale")
    async def get(self, sale_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Tagged[Sale]:
        return Tagged(view(await sales.get(tx, decode("sal", sale_id))))

    @post(
        "/{sale_id:str}/pause",
        guards=[needs("sales:write")],
        while_suspended=True,
        operation_id="pauseSale",
        summary="Pause a sale",
        status_code=200,
    )
    async def pause(
        self,
        sale_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Sale:
        return view(await sales.pause(tx, decode("sal", sale_id), actor=merchant.actor))

    @post("/{sale_id:str}/resume", guards=[needs("sales:write")], operation_id="resumeSale", summary="Resume a sale", status_code=200)
    async def resume(
        self,
        sale_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Sale:
        return view(await sales.resume(tx, decode("sal", sale_id), actor=merchant.actor))

    @post(
        "/{sale_id:str}/end",
        guards=[needs("sales:write")],
        while_suspended=True,
        operation_id="endSale",
        summary="End a sale for good",
        status_code=200,
    )
    async def end(
        self,
        sale_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Sale:
        return view(await sales.end(tx, decode("sal", sale_id), actor=merchant.actor))

    @post("/{sale_id:str}/limit", guards=[needs("sales:write")], operation_id="setSaleLimit", summary="Change the limit", status_code=200)
    async def limit(
        self, sale_id: FromPath[str], data: JSONBody[NewLimit], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> Sale:
        return view(await sales.set_limit(tx, decode("sal", sale_id), data.limit_per_shopper, actor=merchant.actor))

    @post(
        "/{sale_id:str}/stock",
        guards=[needs("sales:write")],
        operation_id="changeSaleStock",
        summary="Add or withdraw units",
        status_code=200,
    )
    async def stock(
        self, sale_id: FromPath[str], data: JSONBody[StockChange], once: NamedDependency[Once], merchant: NamedDependency[Merchant]
    ) -> Sale:
        if (data.add is None) == (data.withdraw is None):
            raise Unprocessable("Give either `add` or `withdraw`.", code="one_of_add_withdraw")

        async def change() -> Sale:
            sale = decode("sal", sale_id)
            if data.withdraw is not None:
                return view(await sales.withdraw_stock(once.tx, sale, data.withdraw, actor=merchant.actor))
            return view(await sales.add_stock(once.tx, sale, units_of(data.add or "all"), actor=merchant.actor))

        return await once(change(), status=200)
