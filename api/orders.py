"""HTTP for orders: the shopper's own, and the merchant's list."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import anyone, needs, shopper, shopper_or
from api.limits import address
from api.process import Process
from api.provide import AnyRequest
from checkout_core import tokens
from checkout_core.errors import BadRequest, NotFound
from checkout_core.ids import decode, encode
from checkout_core.intents import SaleKey
from checkout_core.journal import Entry
from checkout_core.tokens import Shopper
from tenants import delivery, orders
from tenants.db import TenantTx, tenant_tx
from tenants.orders import Order
from tenants.payments import attempts, refunds

PAGE_DEFAULT = 20


class OrderLine(Struct, frozen=True):
    sale_id: str
    sku_id: str
    name: str
    quantity: int
    unit_price_minor: int


class OrderView(Struct, frozen=True):
    id: str
    state: str
    amount_minor: int
    currency: str
    contact: str | None
    channel: str
    created_at: dt.datetime
    expires_at: dt.datetime | None
    paid_at: dt.datetime | None
    delivered_at: dt.datetime | None
    lines: list[OrderLine]

    @classmethod
    def of(cls, order: Order) -> "OrderView":
        lines = [
            OrderLine(encode("sal", li.sale_id), encode("sku", li.sku_id), li.name, li.quantity, li.unit_price_minor) for li in order.lines
        ]
        return cls(
            encode("ord", order.id), order.state, order.amount_minor, order.currency, order.contact, order.channel,
            order.created_at, order.hold_until, order.paid_at, order.delivered_at, lines,
        )  # fmt: skip


class OrderPage(Struct, frozen=True):
    items: list[OrderView]
    next_cursor: str | None


class Cancelled(Struct, frozen=True):
    """`cancelled`, or `closing` while the payment provider is asked to close."""

    state: str


class PaymentView(Struct, frozen=True):
    id: str
    out_trade_no: str
    pay_url: str | None
    expires_at: dt.datetime


class NewPayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    provider: Annotated[str, Meta(max_length=32)] | None = None


class CodeView(Struct, frozen=True):
    unit: int
    sale_id: str
    code: str
    secret: str | None
    valid_until: str | None
    face_value: str | None
    delivered_at: dt.datetime


class Codes(Struct, frozen=True):
    codes: list[CodeView]


class Lookup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order's number, and the password or contact that was given with it."""

    order_id: Annotated[str, Meta(max_length=64)]
    lookup_password: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    contact: Annotated[str, Meta(min_length=1, max_length=254)] | None = None


class Found(Struct, frozen=True):
    """The order, and a token with which its owner may go on."""

    order: OrderView
    access_token: str


def owner(request: AnyRequest) -> UUID | None:
    """The shopper whose orders alone may be seen; None for a merchant, who sees all of his store's."""
    return None if isinstance(request.auth, Merchant) else request.auth.id


def actor(request: AnyRequest) -> str:
    return request.auth.actor if isinstance(request.auth, Merchant) else encode("shp", request.auth.id)


class OrderController(Controller):
    path = "/orders"
    tags = ("Orders",)

    @get("/", guards=[needs("orders:read")], operation_id="listOrders", summary="A store's orders, newest first")
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        order_state: Annotated[str | None, QueryParameter(name="state")] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=orders.read.LIMIT_MAX)] = PAGE_DEFAULT,
        cursor: Annotated[str | None, QueryParameter()] = None,
    ) -> OrderPage:
        found = await orders.latest(tx, state=order_state, limit=limit, before=_cursor(cursor))
        last = found[-1] if len(found) == limit else None
        after = f"{last.created_at.isoformat()}~{last.id.hex}" if last else None
        return OrderPage([OrderView.of(order) for order in found], after)

    @get("/{order_id:str}", guards=[shopper_or("orders:read")], operation_id="getOrder", summary="An order and its state")
    async def read(
        self,
        order_id: FromPath[str],
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
        sale_id: Annotated[str | None, QueryParameter()] = None,
    ) -> OrderView:
        """With `sale_id`, an order whose commit is under way is shown as `admitted`; `order_lost` says that there is none any more."""
        tenant_id, order = request.auth.tenant_id, decode("ord", order_id)
        if sale_id is None:
            return OrderView.of(await order_of(process, tenant_id, order, owner(request)))
        sale = SaleKey(tenant_id, decode("sal", sale_id))
        # The journal first: what leaves it was committed before.
        entry = await process.doors.undecided(sale, order, owner(request))
        try:
            return OrderView.of(await order_of(process, tenant_id, order, owner(request)))
        except NotFound:
            if entry is None or entry.intent is None:
                raise NotFound("The wish was lost before it was decided. Press again with the same key.", code="order_lost") from None
            return admitted(order, entry)

    @post(
        "/{order_id:str}/cancel",
        guards=[shopper_or("orders:write")],
        status_code=200,
        operation_id="cancelOrder",
        summary="End an unpaid order; its units return",
    )
    async def cancel(self, order_id: FromPath[str], request: Request[Any, Any, Any], tx: NamedDependency[TenantTx]) -> Cancelled:
        return Cancelled(await orders.cancel(tx, decode("ord", order_id), shopper_id=owner(request)))

    @post(
        "/{order_id:str}/payments",
        guards=[shopper],
        operation_id="startPayment",
        summary="Start to pay; asked again, the payment that is open",
    )
    async def pay(
        self,
        order_id: FromPath[str],
        data: JSONBody[NewPayment],
        process: NamedDependency[Process],
        shopper: NamedDependency[Shopper],
    ) -> PaymentView:
        attempt = await attempts.start(
            process.app_pool,
            process.providers,
            shopper.tenant_id,
            decode("ord", order_id),
            notify_base=process.settings.public_url,
            return_url="",
            shopper_id=shopper.id,
            provider=data.provider,
        )
        return PaymentView(encode("att", attempt.id), attempt.out_trade_no, attempt.pay_url, attempt.expires_at)

    @post(
        "/{order_id:str}/refund",
        guards=[needs("payments:write")],
        status_code=202,
        operation_id="refundOrder",
        summary="Refund a delivered order, whole; its codes are quarantined",
    )
    async def refund(self, order_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> OrderView:
        await refunds.request(tx, decode("ord", order_id), actor=merchant.actor)
        return OrderView.of(await orders.get(tx, decode("ord", order_id)))

    @get(
        "/{order_id:str}/codes",
        guards=[shopper_or("codes:reveal")],
        problems=[409],  # not delivered yet
        operation_id="revealCodes",
        summary="The codes of a delivered order; each look is recorded",
    )
    async def codes(
        self, order_id: FromPath[str], request: Request[Any, Any, Any], tx: NamedDependency[TenantTx], process: NamedDependency[Process]
    ) -> Response[Codes]:
        order = decode("ord", order_id)
        revealed = await delivery.reveal(tx, process.keyring, order, actor=actor(request), shopper_id=owner(request))
        codes = [
            CodeView(
                r.unit,
                encode("sal", r.sale_id),
                r.content.code,
                r.content.secret,
                r.content.valid_until,
                r.content.face_value,
                r.delivered_at,
            )
            for r in revealed
        ]
        return Response(Codes(codes), headers={"Cache-Control": "no-store"})


class LookupController(Controller):
    path = "/order-lookups"
    tags = ("Orders",)

    @post("/", guards=[anyone], status_code=200, operation_id="lookUpOrder", summary="A guest's order by number and proof")
    async def look_up(
        self, data: JSONBody[Lookup], request: Request[Any, Any, Any], process: NamedDependency[Process], tx: NamedDependency[TenantTx]
    ) -> Found:
        process.limits.check("order-lookups", address(request), per_minute=10, burst=10)
        order = await find_for_guest(process, tx, data)
        token, _ = tokens.issue(process.keys.shoppers, tx.tenant_id, shopper_id=order.shopper_id)
        return Found(OrderView.of(order), token)


async def find_for_guest(process: Process, tx: TenantTx, asked: Lookup) -> Order:
    """Raises `BadRequest` without a proof, `NotFound` alike for a wrong number and a wrong proof."""
    if asked.lookup_password is None and asked.contact is None:
        raise BadRequest("Send the lookup password or the contact that was given with the order.")
    order_id = decode("ord", asked.order_id)
    hashed = orders.lookup_hash(process.keys.lookups, order_id, asked.lookup_password) if asked.lookup_password else None
    return await orders.look_up(tx, order_id, contact=asked.contact, lookup_hash=hashed)


def admitted(order_id: UUID, entry: Entry) -> OrderView:
    """How an order looks before it is one."""
    at = dt.datetime.fromtimestamp(entry.admitted_ms / 1000, dt.UTC)
    channel = entry.intent.channel if entry.intent else ""
    return OrderView(encode("ord", order_id), "admitted", 0, "", None, channel, at, None, None, None, [])


async def order_of(process: Process, tenant_id: UUID, order_id: UUID, shopper_id: UUID | None) -> Order:
    """A shopper's own order in a transaction of its own. Raises `NotFound`."""
    async with tenant_tx(process.app_pool, tenant_id) as tx:
        return await orders.get(tx, order_id, shopper_id=shopper_id)


def _cursor(text: str | None) -> tuple[dt.datetime, UUID] | None:
    if text is None:
        return None
    at, _, digits = text.partition("~")
    try:
        return dt.datetime.fromisoformat(at), UUID(hex=digits)
    except ValueError:
        raise BadRequest("The cursor is not one of ours. Take it from `next_cursor`.", code="bad_cursor") from None
