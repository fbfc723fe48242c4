"""HTTP for what staff do with orders: a mail sent again, and the same act on many."""

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.orders import Reason
from api.process import Process
from api.provide import ring_after
from api.wire import Mail, id_of
from checkout_core.errors import BadRequest
from checkout_core.ids import decode, encode
from tenants import stores
from tenants.db import TenantTx, tenant_tx
from tenants.orders import bulk, notices, release, tags

Act = Literal["tag", "untag", "cancel", "resend"]


class Resending(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the mail goes; null: to the contact that was left with the order."""

    mail: Mail | None = None


TO_THE_CONTACT = Resending()


class Resent(Struct, frozen=True):
    mail_id: str


class OrderAct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tag` and `untag` take a `tag_id`, `cancel` may say its `reason`."""

    act: Act
    order_ids: Annotated[list[Annotated[str, id_of("ord")]], Meta(min_length=1, max_length=bulk.AT_ONCE)]
    tag_id: Annotated[str, id_of("tag")] | None = None
    reason: Reason | None = None


class OrderResult(Struct, frozen=True):
    """What became of one order; `code` and `detail` say why it was refused."""

    order_id: str
    done: bool
    code: str | None
    detail: str | None


class OrderResults(Struct, frozen=True):
    """One for each order that was named, in their order."""

    results: list[OrderResult]


class OrderActController(Controller):
    path = "/orders"
    tags = ("Orders at work",)

    @post(
        "/{order_id:str}/resend",
        guards=[needs("orders:write")],
        while_suspended=True,
        status_code=202,
        problems=[409],
        operation_id="resendOrder",
        summary="Mail somebody again where his delivered order is found",
    )
    async def resend(
        self,
        order_id: FromPath[str],
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Resending] = TO_THE_CONTACT,
    ) -> Resent:
        if data.mail is not None:
            await process.limits.check(("order-mails", merchant.tenant_id.hex))
        shop = await _shop_url(process, tx)
        mail_id = await notices.resend(tx, decode("ord", order_id), shop_url=shop, actor=merchant.actor, to=data.mail)
        ring_after(request, "mail", mail_id)
        return Resent(encode("mai", mail_id))

    @post(
        "/acts",
        guards=[needs("orders:write")],
        status_code=200,
        operation_id="actOnOrders",
        summary="Tag, cancel or mail up to 500 orders, with a result for each",
    )
    async def act(self, data: JSONBody[OrderAct], process: NamedDependency[Process], merchant: NamedDependency[Merchant]) -> OrderResults:
        """Sent again it does again only what is not done yet; of mails no more than an order may have within the hour."""
        order_ids = [decode("ord", each) for each in data.order_ids]
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            shop = await _shop_url(process, tx)
        results = await bulk.each(process.app_pool, merchant.tenant_id, order_ids, _act(data, shop, merchant.actor))
        return OrderResults([OrderResult(encode("ord", r.order_id), r.done, r.code, r.detail) for r in results])


def _act(asked: OrderAct, shop: str, actor: str) -> bulk.Act:
    """Raises `BadRequest` for a tag or a reason that does not go with the act."""
    if (asked.act in ("tag", "untag")) != (asked.tag_id is not None):
        raise BadRequest("tag_id goes with the acts tag and untag, and with no other.")
    if asked.reason is not None and asked.act != "cancel":
        raise BadRequest("A reason goes with the act cancel alone.")
    tag_id = decode("tag", asked.tag_id) if asked.tag_id else UUID(int=0)
    acts: dict[Act, bulk.Act] = {
        "tag": lambda tx, order_id: tags.add(tx, order_id, tag_id, actor=actor),
        "untag": lambda tx, order_id: tags.take_off(tx, order_id, tag_id, actor=actor),
        "cancel": lambda tx, order_id: release.cancel(tx, order_id, actor=actor, reason=asked.reason),
        "resend": lambda tx, order_id: notices.resend(tx, order_id, shop_url=shop, actor=actor),
    }
    return acts[asked.act]


async def _shop_url(process: Process, tx: TenantTx) -> str:
    """Where shoppers find the store."""
    store = await process.directory.find("", (await stores.get(tx)).slug)
    return process.at(store.host, "")
