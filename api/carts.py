"""HTTP for carts: what several things cost together, an order of them, and the cart that a shopper keeps."""

import datetime as dt
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.guards import shopper, while_open
from api.idempotency import key_of
from api.orders import OrderView
from api.picks import PickName
from api.process import Process
from api.wire import id_of
from checkout_core.ids import decode, encode
from checkout_core.intents import order_id
from checkout_core.tokens import Shopper
from tenants import carts, stores
from tenants.coupons.reckon import TOGETHER_MAX
from tenants.db import TenantTx
from tenants.orders import lookup_hash, place
from tenants.orders.cart import LINES_MAX, Wanted
from tenants.orders.place import Quoted
from tenants.orders.weigh import Buyer

_encode = msgspec.msgpack.Encoder().encode


class CartLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a picked type each unit is named, in `picks`: as many as `quantity`, one of them twice for two of it."""

    sku_id: Annotated[str, id_of("sku")]
    quantity: Annotated[int, Meta(ge=1, le=100)]
    picks: Annotated[list[PickName], Meta(max_length=100)] = []


Lines = Annotated[list[CartLine], Meta(min_length=1, max_length=LINES_MAX)]


class NewOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is on the shelf, all of it or nothing. With a contact or a password the order can be looked up later.

    `coupons` are pieces that the shopper holds: null uses those that together take off most, an empty list none.
    """

    lines: Lines
    contact: Annotated[str, Meta(min_length=3, max_length=254)] | None = None
    lookup_password: Annotated[str, Meta(min_length=4, max_length=128)] | None = None
    coupons: Annotated[list[Annotated[str, id_of("cpg")]], Meta(max_length=TOGETHER_MAX)] | None = None


class NewCart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lines: Lines


class CartProblem(Struct, frozen=True):
    """Why a line cannot be had: `code` is the one that an order would be refused with."""

    code: str
    detail: str


class QuotedLine(Struct, frozen=True):
    """`amount_minor` is what the line costs this shopper, `base_minor` what everybody is asked; null for what has no price here. So many
    are `available`, of picks no more than are wanted."""

    sku_id: str
    quantity: int
    picks: list[str]
    name: str | None
    amount_minor: int | None
    base_minor: int | None
    available: int
    problem: CartProblem | None


class QuotedCoupon(Struct, frozen=True):
    """A piece that the shopper holds, or has named. It takes `discount_minor` off, or nothing for the reason in `why`: `threshold` (he
    lacks `missing_minor` of it), `out_of_scope`, `not_together` (with those that are used), `not_the_best` (these take off more without
    it), `not_yet`, `over`, `not_active`, `other_channel`, `other_currency`, `used_up`, `worth_nothing`."""

    id: str
    coupon_id: str
    name: str
    valid_until: dt.datetime | None
    discount_minor: int
    why: str | None
    missing_minor: int


class Quote(Struct, frozen=True):
    """As of this moment; nothing is reserved. `amount_minor` is what an order of the lines that can be had would cost: what they cost less
    `discount_minor`. Lines of one SKU are one."""

    lines: list[QuotedLine]
    amount_minor: int
    currency: str
    discount_minor: int
    coupons: list[QuotedCoupon]


class CartView(Quote, frozen=True):
    """`updated_at` is null for a cart that nothing was put into."""

    updated_at: dt.datetime | None


def wanted(lines: Sequence[CartLine]) -> list[Wanted]:
    return [Wanted(decode("sku", line.sku_id), line.quantity, tuple(line.picks)) for line in lines]


def new_order(process: Process, who: Shopper, wish: NewOrder, key: str, channel: str) -> place.NewOrder:
    """The order that a wish is to become; where it is asked from does not make it another wish."""
    order = order_id(process.keys.orders, who.tenant_id, who.id, key)
    lines = wanted(wish.lines)
    said: tuple[Any, ...] = (
        "cart", [(line.sku_id.bytes, line.quantity, line.picks) for line in lines], wish.contact, wish.lookup_password
    )  # fmt: skip
    named = _named(wish)
    if named is not None:
        said += (sorted(each.bytes for each in named),)
    lookup = lookup_hash(process.keys.lookups, order, wish.lookup_password) if wish.lookup_password else None
    body_hash = blake2b(_encode(said), digest_size=16).digest()
    return place.NewOrder(order, Buyer(who.id, channel), lines, body_hash, wish.contact, lookup, named)


class CartOrderController(Controller):
    path = "/orders"
    tags = ("Carts",)

    @post(
        "/",
        guards=[shopper, while_open],
        opt={"idempotency_key": True},
        problems=[403, 404, 409, 422, 429],
        operation_id="createOrder",
        summary="Reserve what is on the shelf, several things at once; 201 means that all of it is reserved",
    )
    async def create(self, data: JSONBody[NewOrder], request: Request[Any, Any, Any], process: NamedDependency[Process]) -> OrderView:
        """Sent again with its key it answers with the order. Refused, it leaves nothing behind, and says in `sku_id` for which line."""
        key = key_of(request, required=True)
        assert key is not None
        who: Shopper = request.auth
        await process.limits.check(("carts", who.id.hex), connection=request)
        order = new_order(process, who, data, key, who.channel or "api")
        return OrderView.of(await place.place(process.app_pool, who.tenant_id, order))


class QuoteController(Controller):
    path = "/quotes"
    tags = ("Carts",)

    @post(
        "/",
        guards=[shopper, while_open],
        status_code=200,
        problems=[403, 404, 409, 422, 429],
        operation_id="createQuote",
        summary="What an order would cost this shopper, and what keeps it from being reserved",
    )
    async def create(
        self, data: JSONBody[NewOrder], request: Request[Any, Any, Any], process: NamedDependency[Process], tx: NamedDependency[TenantTx]
    ) -> Quote:
        await process.limits.check(("carts", request.auth.id.hex), connection=request)
        return Quote(*await _quoted(tx, request.auth, wanted(data.lines), _named(data)))


class CartController(Controller):
    path = "/cart"
    tags = ("Carts",)

    @get("/", guards=[shopper], operation_id="getCart", summary="The shopper's cart, with prices and what can be had")
    async def get(self, shopper: NamedDependency[Shopper], tx: NamedDependency[TenantTx]) -> CartView:
        return await _shown(tx, shopper, await carts.get(tx, shopper.id))

    @put(
        "/",
        guards=[shopper, while_open],
        problems=[403, 404, 409, 422, 429],
        operation_id="putCart",
        summary="Keep a cart; what it holds is neither reserved nor promised",
    )
    async def put(
        self,
        data: JSONBody[NewCart],
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
        shopper: NamedDependency[Shopper],
        tx: NamedDependency[TenantTx],
    ) -> CartView:
        await process.limits.check(("carts", shopper.id.hex), connection=request)
        return await _shown(tx, shopper, await carts.put(tx, shopper.id, wanted(data.lines)))

    @delete("/", guards=[shopper], operation_id="removeCart", summary="Empty the cart")
    async def remove(self, shopper: NamedDependency[Shopper], tx: NamedDependency[TenantTx]) -> None:
        await carts.remove(tx, shopper.id)


def _named(wish: NewOrder) -> list[UUID] | None:
    return None if wish.coupons is None else list(dict.fromkeys(decode("cpg", each) for each in wish.coupons))


async def _quoted(
    tx: TenantTx, who: Shopper, lines: Sequence[Wanted], named: Sequence[UUID] | None = None
) -> tuple[list[QuotedLine], int, str, int, list[QuotedCoupon]]:
    quoted = await place.quote(tx, Buyer(who.id, who.channel or "api"), lines, named)
    amount = sum(each.amount_minor for each in quoted.lines if each.amount_minor is not None and each.problem is None)
    coupons = [
        QuotedCoupon(encode("cpg", each.grant_id), encode("cpn", each.coupon_id), each.name, each.valid_until, *each[4:])
        for each in quoted.coupons
    ]
    told = [_line(each) for each in quoted.lines]
    return told, amount - quoted.discount_minor, (await stores.get(tx)).currency, quoted.discount_minor, coupons


async def _shown(tx: TenantTx, who: Shopper, cart: carts.Cart) -> CartView:
    return CartView(*await _quoted(tx, who, cart.lines), cart.updated_at)


def _line(quoted: Quoted) -> QuotedLine:
    line, problem = quoted.wanted, quoted.problem
    return QuotedLine(
        encode("sku", line.sku_id), line.quantity, list(line.picks), quoted.name or None, quoted.amount_minor, quoted.base_minor,
        quoted.available, CartProblem(problem.code, problem.detail) if problem else None,
    )  # fmt: skip
