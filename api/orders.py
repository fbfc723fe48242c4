"""HTTP for orders: the shopper's own, and the merchant's list."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.callers import Merchant
from api.directory import Store
from api.guards import needs, shopper, shopper_or, unless_suspended
from api.paging import Page
from api.process import Process
from api.strict import AnyRequest
from api.wire import Since, Until, check_times
from checkout_core.errors import NotFound
from checkout_core.ids import decode, encode
from checkout_core.intents import SaleKey
from checkout_core.journal import Entry
from checkout_core.tokens import Shopper
from tenants import delivery, inputs, orders
from tenants.db import TenantTx, tenant_tx
from tenants.orders import Order
from tenants.payments import attempts
from tenants.search import QUESTION_MAX
from tenants.types.fields import GIVEN_MAX, VALUE_MAX, Field

CHANNEL_MAX = 40
Q = "How an order's number begins, or words of its contact or of the names of what was bought."
OrderState = Literal["awaiting", "closing", "expired", "cancelled", "paid", "delivered", "refunding", "refunded", "refused"]


class OrderLine(Struct, frozen=True):
    """`amount_minor` is what its units cost together, with surcharges, less the `discount_minor` of coupons. `bundle_id` is the SKU that it
    was bought as a part of, and `bundle_quantity` how many of that were."""

    sale_id: str
    sku_id: str
    name: str
    quantity: int
    unit_price_minor: int
    amount_minor: int
    bundle_id: str | None
    bundle_quantity: int | None
    discount_minor: int


class OrderCoupon(Struct, frozen=True):
    """A piece of a coupon that the order has `locked` or `used`; it was `released` when the order ended unpaid, `returned` when it was
    refunded. One that is `borne` had gone elsewhere when the money came, and was taken off all the same."""

    id: str
    coupon_id: str
    name: str
    state: str
    discount_minor: int


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
    tag_ids: list[str]  # the store's people see them, a shopper none
    refunded_minor: int  # of what was paid: went back, or is on its way
    discount_minor: int  # what coupons took off; `amount_minor` is less it
    coupons: list[OrderCoupon]

    @classmethod
    def of(cls, order: Order, *, for_staff: bool = False) -> "OrderView":
        lines = [
            OrderLine(
                encode("sal", line.sale_id), encode("sku", line.sku_id), line.name, line.quantity, line.unit_price_minor,
                line.amount_minor, encode("sku", line.bundle_id) if line.bundle_id else None, line.bundle_quantity,
                line.discount_minor,
            )
            for line in order.lines
        ]  # fmt: skip
        return cls(
            encode("ord", order.id), order.state, order.amount_minor, order.currency, order.contact, order.channel,
            order.created_at, order.hold_until, order.paid_at, order.delivered_at, lines,
            [encode("tag", each) for each in order.tag_ids] if for_staff else [], order.refunded_minor, order.discount_minor,
            [
                OrderCoupon(encode("cpg", each.grant_id), encode("cpn", each.coupon_id), each.name, each.state, each.discount_minor)
                for each in order.coupons
            ],
        )  # fmt: skip


class OrderPage(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last. A page of a search may be short, or empty, and not the last."""

    items: list[OrderView]
    next_cursor: str | None


Reason = Literal["shopper_asked", "no_payment", "mistake", "fraud", "other"]


class Cancellation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why; more words belong into a note."""

    reason: Reason | None = None


NO_REASON = Cancellation()


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
    """What a unit is to its buyer: a code, a note, or the mere fact that it was delivered."""

    unit: int
    sale_id: str
    code: str | None
    secret: str | None
    valid_until: str | None
    face_value: str | None
    note: str | None
    delivered_at: dt.datetime
    usage_note: str


class Codes(Struct, frozen=True):
    codes: list[CodeView]


class FormView(Struct, frozen=True):
    """What is asked of a line before it can be paid."""

    sale_id: str
    sku_id: str
    fields: list[Field]
    given: bool


class Forms(Struct, frozen=True):
    forms: list[FormView]


class Said(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By the names of the fields; of one that is to be confirmed a second time, as `{name}_again`."""

    values: Annotated[dict[Annotated[str, Meta(max_length=32)], Annotated[str, Meta(max_length=VALUE_MAX)]], Meta(max_length=GIVEN_MAX)]


def owner(request: AnyRequest) -> UUID | None:
    """The shopper whose orders alone may be seen; None for a merchant, who sees all of his store's."""
    return None if isinstance(request.auth, Merchant) else request.auth.id


def actor(request: AnyRequest) -> str:
    return request.auth.actor if isinstance(request.auth, Merchant) else encode("shp", request.auth.id)


class OrderController(Controller):
    path = "/orders"
    tags = ("Orders",)

    @get(
        "/",
        guards=[needs("orders:read")],
        problems=[422],  # words of a shopper
        operation_id="listOrders",
        summary="A store's orders, newest first, by what is asked of them",
    )
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        q: Annotated[str | None, QueryParameter(min_length=1, max_length=QUESTION_MAX, description=Q)] = None,
        order_state: Annotated[OrderState | None, QueryParameter(name="state", description="Only those in this state.")] = None,
        channel: Annotated[str | None, QueryParameter(max_length=CHANNEL_MAX, description="Only those from this channel.")] = None,
        sale_id: Annotated[str | None, QueryParameter(description="Only those with a line of this sale.")] = None,
        tag_id: Annotated[str | None, QueryParameter(description="Only those with this tag.")] = None,
        shopper_id: Annotated[str | None, QueryParameter(description="Only those of this shopper; not together with `q`.")] = None,
        since: Since = None,
        until: Until = None,
    ) -> OrderPage:
        check_times(since, until)
        asked = orders.Asked(
            q=q, state=order_state, channel=channel, since=since, until=until,
            sale_id=decode("sal", sale_id) if sale_id is not None else None,
            tag_id=decode("tag", tag_id) if tag_id is not None else None,
            shopper_id=decode("shp", shopper_id) if shopper_id is not None else None,
        )  # fmt: skip
        found = await orders.latest(tx, asked, limit=page.limit, before=page.after(tuple[dt.datetime, UUID]))
        return OrderPage([OrderView.of(order, for_staff=True) for order in found.orders], page.turn(found.next))

    @get("/{order_id:str}", guards=[shopper_or("orders:read")], operation_id="getOrder", summary="An order and its state")
    async def read(
        self,
        order_id: FromPath[str],
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
        sale_id: Annotated[str | None, QueryParameter()] = None,
    ) -> OrderView:
        """With `sale_id`, an order whose commit is under way is shown as `admitted`; `order_lost` says that there is none any more."""
        tenant_id, order, for_staff = request.auth.tenant_id, decode("ord", order_id), isinstance(request.auth, Merchant)
        if sale_id is None:
            return OrderView.of(await order_of(process, tenant_id, order, owner(request)), for_staff=for_staff)
        sale = SaleKey(tenant_id, decode("sal", sale_id))
        # The journal first: what leaves it was committed before.
        entry = await process.doors.undecided(sale, order, owner(request))
        try:
            return OrderView.of(await order_of(process, tenant_id, order, owner(request)), for_staff=for_staff)
        except NotFound:
            if entry is None or entry.intent is None:
                raise NotFound("The wish was lost before it was decided. Press again with the same key.", code="order_lost") from None
            return admitted(order, entry)

    @post(
        "/{order_id:str}/cancel",
        guards=[shopper_or("orders:write")],
        while_suspended=True,
        status_code=200,
        operation_id="cancelOrder",
        summary="End an unpaid order; its units return",
    )
    async def cancel(
        self,
        order_id: FromPath[str],
        request: Request[Any, Any, Any],
        tx: NamedDependency[TenantTx],
        data: JSONBody[Cancellation] = NO_REASON,
    ) -> Cancelled:
        """The store's people may say why, which goes on record; a shopper need not."""
        by_merchant = isinstance(request.auth, Merchant)
        state = await orders.cancel(
            tx, decode("ord", order_id), shopper_id=owner(request), actor=request.auth.actor if by_merchant else None, reason=data.reason
        )
        return Cancelled(state)

    @post(
        "/{order_id:str}/payments",
        guards=[shopper, unless_suspended],
        operation_id="startPayment",
        summary="Start to pay; asked again, the payment that is open",
    )
    async def pay(
        self,
        order_id: FromPath[str],
        data: JSONBody[NewPayment],
        process: NamedDependency[Process],
        shopper: NamedDependency[Shopper],
        store: NamedDependency[Store],
    ) -> PaymentView:
        attempt = await attempts.start(
            process.app_pool,
            process.providers,
            shopper.tenant_id,
            decode("ord", order_id),
            notify_base=process.settings.public_url,
            return_url=process.at(store.host, f"/orders/{order_id}?back=pay"),
            shopper_id=shopper.id,
            provider=data.provider,
        )
        return PaymentView(encode("att", attempt.id), attempt.out_trade_no, attempt.pay_url, attempt.expires_at)

    @get(
        "/{order_id:str}/inputs",
        guards=[shopper],
        operation_id="listInputs",
        summary="What is asked of an order's lines before it can be paid",
    )
    async def forms(self, order_id: FromPath[str], tx: NamedDependency[TenantTx], shopper: NamedDependency[Shopper]) -> Forms:
        order = await orders.get(tx, decode("ord", order_id), shopper_id=shopper.id)
        asked = await inputs.forms(tx, order.id)
        return Forms([FormView(encode("sal", f.sale_id), encode("sku", f.sku_id), list(f.fields), f.given) for f in asked])

    @put(
        "/{order_id:str}/inputs/{sale_id:str}",
        guards=[shopper],
        status_code=204,
        problems=[409, 422],
        operation_id="giveInput",
        summary="Say what a line asks for; said again, it replaces what was said",
    )
    async def give(
        self,
        order_id: FromPath[str],
        sale_id: FromPath[str],
        data: JSONBody[Said],
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        shopper: NamedDependency[Shopper],
    ) -> None:
        order, sale = decode("ord", order_id), decode("sal", sale_id)
        await inputs.give(tx, process.keyring, order, sale, data.values, shopper_id=shopper.id)

    @get(
        "/{order_id:str}/codes",
        guards=[shopper_or("codes:reveal")],
        problems=[409],  # not delivered yet
        operation_id="revealCodes",
        summary="What an order has delivered so far; each look is recorded",
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
                r.content.note,
                r.delivered_at,
                r.usage_note,
            )
            for r in revealed
        ]
        return Response(Codes(codes), headers={"Cache-Control": "no-store"})


class OwnOrderController(Controller):
    path = "/my-orders"
    tags = ("Orders",)

    @get("/", guards=[shopper], operation_id="listMyOrders", summary="The shopper's own orders, newest first")
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        shopper: NamedDependency[Shopper],
        order_state: Annotated[OrderState | None, QueryParameter(name="state", description="Only those in this state.")] = None,
    ) -> OrderPage:
        asked = orders.Asked(shopper_id=shopper.id, state=order_state)
        found = await orders.latest(tx, asked, limit=page.limit, before=page.after(tuple[dt.datetime, UUID]))
        return OrderPage([OrderView.of(order) for order in found.orders], page.turn(found.next))


def admitted(order_id: UUID, entry: Entry) -> OrderView:
    """How an order looks before it is one."""
    at = dt.datetime.fromtimestamp(entry.admitted_ms / 1000, dt.UTC)
    channel = entry.intent.channel if entry.intent else ""
    return OrderView(encode("ord", order_id), "admitted", 0, "", None, channel, at, None, None, None, [], [], 0, 0, [])


async def order_of(process: Process, tenant_id: UUID, order_id: UUID, shopper_id: UUID | None) -> Order:
    """A shopper's own order in a transaction of its own. Raises `NotFound`."""
    async with tenant_tx(process.app_pool, tenant_id) as tx:
        return await orders.get(tx, order_id, shopper_id=shopper_id)
