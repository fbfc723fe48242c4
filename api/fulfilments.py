"""HTTP for what waits to be fulfilled by the merchant: the queue, and its two ends."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct, structs

from api.callers import Merchant
from api.guards import needs
from api.paging import Page
from api.process import Process
from checkout_core.ids import decode, encode
from tenants import fulfilments
from tenants.db import TenantTx
from tenants.types.topup.acts import CLAIM
from tenants.vault import Content

Text = Annotated[str, Meta(min_length=1, max_length=512, pattern=r"\S")]


class Fulfilment(Struct, frozen=True):
    """`state` is pending, done, failed (the line is refunded) or revoked (by a refund)."""

    id: str
    order_id: str
    sale_id: str
    sku_id: str
    state: str
    problem: str | None
    due_at: dt.datetime
    created_at: dt.datetime
    finished_at: dt.datetime | None

    @classmethod
    def of(cls, row: fulfilments.Fulfilment) -> "Fulfilment":
        ids = (encode("ful", row.id), encode("ord", row.order_id), encode("sal", row.sale_id), encode("sku", row.sku_id))
        return cls(*ids, row.state, row.problem, row.due_at, row.created_at, row.finished_at)


class WaitingFulfilment(Fulfilment, frozen=True):
    """One of the queue: what was bought, and who is at it (`claimed_by`) until when, of a type with such a word."""

    sku_name: str
    type: str
    quantity: int
    claimed_by: str | None
    claimed_until: dt.datetime | None

    @classmethod
    def waiting(cls, found: fulfilments.Waiting) -> "WaitingFulfilment":
        shown, at = Fulfilment.of(found.fulfilment), found.claimed_at
        claimed = (found.by, at + CLAIM) if found.by and at else (None, None)
        return cls(
            **structs.asdict(shown), sku_name=found.sku_name, type=found.type, quantity=found.quantity,
            claimed_by=claimed[0], claimed_until=claimed[1],
        )  # fmt: skip


class FulfilmentTask(Struct, frozen=True):
    """`input` is what the shopper said, by field."""

    fulfilment: Fulfilment
    sku_name: str
    quantity: int
    input: dict[str, str]


class Fulfilments(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[WaitingFulfilment]
    next_cursor: str | None


class Told(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the shopper is told: a code (with its secret), or a note, or both."""

    code: Text | None = None
    secret: Text | None = None
    valid_until: Text | None = None
    note: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None


class Completion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing, one for the whole line, or one for each unit."""

    contents: Annotated[list[Told], Meta(max_length=1000)] = []


class Failure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it cannot be done, for your own records."""

    problem: Annotated[str, Meta(min_length=1, max_length=500)]


class FulfilmentController(Controller):
    path = "/fulfilments"
    tags = ("Orders",)

    @get("/", guards=[needs("orders:read")], operation_id="listFulfilments", summary="Paid lines that wait, what is due first on top")
    async def list(self, tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> Fulfilments:
        found = await fulfilments.pending(tx, limit=page.rows, after=page.after(tuple[dt.datetime, UUID]))
        keys = [(each.fulfilment.due_at, each.fulfilment.id) for each in found]
        return Fulfilments(*page.cut([WaitingFulfilment.waiting(each) for each in found], keys))

    @get(
        "/{fulfilment_id:str}",
        guards=[needs("orders:write")],
        operation_id="getFulfilment",
        summary="What is to be done, with what the shopper said; each look at that is recorded",
    )
    async def get(
        self,
        fulfilment_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
    ) -> Response[FulfilmentTask]:
        task = await fulfilments.get(tx, process.keyring, decode("ful", fulfilment_id), actor=merchant.actor)
        shown = FulfilmentTask(Fulfilment.of(task.fulfilment), task.sku_name, task.quantity, task.input)
        return Response(shown, headers={"Cache-Control": "no-store"})

    @post(
        "/{fulfilment_id:str}/complete",
        guards=[needs("orders:write")],
        while_suspended=True,
        status_code=200,
        problems=[409],
        operation_id="completeFulfilment",
        summary="It is done: the line is delivered, and the shopper is told",
    )
    async def complete(
        self,
        fulfilment_id: FromPath[str],
        data: JSONBody[Completion],
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
    ) -> Fulfilment:
        told = [Content(each.code or "", each.secret, each.valid_until, None, each.note) for each in data.contents]
        return Fulfilment.of(await fulfilments.complete(tx, process.keyring, decode("ful", fulfilment_id), told, actor=merchant.actor))

    @post(
        "/{fulfilment_id:str}/fail",
        guards=[needs("payments:write")],
        while_suspended=True,
        status_code=200,
        problems=[409],
        operation_id="failFulfilment",
        summary="It cannot be done: the shopper gets the money back",
    )
    async def fail(
        self,
        fulfilment_id: FromPath[str],
        data: JSONBody[Failure],
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
    ) -> Fulfilment:
        return Fulfilment.of(await fulfilments.fail(tx, process.keyring, decode("ful", fulfilment_id), data.problem, actor=merchant.actor))
