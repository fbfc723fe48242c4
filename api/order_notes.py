"""HTTP for what staff see of an order besides itself: notes, and what happened when."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.orders import notes, timeline


class NewNote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    words: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]


class Note(Struct, frozen=True):
    """`words` are null when the shopper was erased, and they with him."""

    id: str
    author: str
    words: str | None
    created_at: dt.datetime

    @classmethod
    def of(cls, note: notes.Note) -> "Note":
        return cls(encode("nte", note.id), note.author, note.words, note.created_at)


class NotePage(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[Note]
    next_cursor: str | None


class TimelineEntry(Struct, frozen=True):
    """`kind` is a word of docs/orders.md, which says what `detail` holds with each; `actor` is null for what nobody did."""

    at: dt.datetime
    kind: str
    entry_id: str
    actor: str | None
    detail: dict[str, Any]


class Timeline(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[TimelineEntry]
    next_cursor: str | None


class OrderHistoryController(Controller):
    path = "/orders/{order_id:str}"
    tags = ("Orders at work",)

    @post(
        "/notes", guards=[needs("orders:write")], problems=[409], operation_id="addOrderNote", summary="Write a note on an order, for good"
    )
    async def note(
        self, order_id: FromPath[str], data: JSONBody[NewNote], once: NamedDependency[Once], merchant: NamedDependency[Merchant]
    ) -> Note:
        return await once(_note(once.tx, order_id, data.words, merchant.actor))

    @get("/notes", guards=[needs("orders:read")], operation_id="listOrderNotes", summary="The notes on an order, newest first")
    async def notes(self, order_id: FromPath[str], tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> NotePage:
        found = await notes.latest(tx, decode("ord", order_id), limit=page.rows, before=page.after(UUID))
        return NotePage(*page.cut([Note.of(note) for note in found], [note.id for note in found]))

    @get("/timeline", guards=[needs("orders:read")], operation_id="getOrderTimeline", summary="What happened to an order, newest first")
    async def timeline(self, order_id: FromPath[str], tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> Timeline:
        found = await timeline.latest(tx, decode("ord", order_id), limit=page.limit, before=page.after(timeline.Place))
        entries = [TimelineEntry(each.at, each.kind, each.id, each.actor, each.detail) for each in found.entries]
        return Timeline(entries, page.turn(found.next))


async def _note(tx: TenantTx, order_id: str, words: str, author: str) -> Note:
    return Note.of(await notes.add(tx, decode("ord", order_id), words, author=author))
