"""A store's events as they happen, as server-sent events: authorised, bounded, and resumed from where one was."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage
from msgspec import Struct

from api.auth import merchants_token
from api.callers import Merchant
from api.guards import signed_in
from api.process import Process
from api.strict import AnyRequest
from api.viewers import AT_ONCE, PROGRESS, TYPES, Viewer, said, texts
from checkout_core.errors import Unprocessable
from tenants import event_log, permissions
from tenants.db import tenant_tx

LASTS_S = 600  # then the browser connects again by itself, and is authorised again
HEARTBEAT_S = 15.0
RESUMED_MAX = 1_500  # events told again
RETRY_MS = 2_000
BREATH_S = 0.1  # between two messages to a viewer: what comes meanwhile goes with the second


class Opened(Struct, frozen=True):
    """The first event. `types` are those that will be told: what was asked for and the asker may see."""

    cursor: str
    types: list[str]
    heartbeat_s: float


class _Written(ServerSentEventMessage):
    """Written once for all viewers, several messages together."""

    def __init__(self, text: bytes) -> None:
        super().__init__()
        self.text = text

    def encode(self) -> bytes:
        return self.text


class EventController(Controller):
    path = "/events"
    tags = ("Webhooks",)

    @get(
        "/",
        guards=[signed_in],
        media_type="text/event-stream",
        operation_id="watchEvents",
        summary="The store's events as they happen",
        problems=[403, 422],
    )
    async def watch(
        self,
        request: AnyRequest,
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        types: Annotated[
            str | None, QueryParameter(max_length=1000, description="Only these types, with commas between; `order.*` is all of orders.")
        ] = None,
        last_event_id: Annotated[
            str | None, QueryParameter(max_length=32, description="The id of the last event seen; a header `Last-Event-ID` goes before.")
        ] = None,
        seconds: Annotated[int, QueryParameter(ge=1, le=LASTS_S)] = LASTS_S,
    ) -> ServerSentEvent:
        """Ends by itself after ten minutes, and within two seconds when the session or key is revoked or the store is suspended."""
        viewer = Viewer(merchant.tenant_id, merchants_token(request), _wanted(types, merchant.scopes), merchant.scopes)
        begins = await process.hub.join(viewer)
        after = request.headers.get("last-event-id") or last_event_id
        return ServerSentEvent(_stream(process, viewer, begins, after, seconds))


def _wanted(types: str | None, scopes: frozenset[str]) -> frozenset[str]:
    """Raises `Unprocessable` for a type there is not, `Forbidden` for one that is asked for by name and may not be seen."""
    if types is None:
        return frozenset(TYPES)
    wanted: set[str] = set()
    for name in types.split(","):
        found = {type_ for type_ in TYPES if type_ == name or (name.endswith(".*") and type_.startswith(name[:-1]))}
        if not found:
            raise Unprocessable(f"There is no event type {name[:64]!r} here.", code="unknown_event_type", event_types=sorted(TYPES))
        for type_ in found:
            permissions.need(TYPES[type_], scopes)
        wanted |= found
    return frozenset(wanted)


async def _stream(process: Process, viewer: Viewer, begins: int, after: str | None, seconds: int) -> AsyncIterator[ServerSentEventMessage]:
    until = time.monotonic() + seconds
    try:
        opened = Opened(str(begins), sorted(viewer.types), HEARTBEAT_S)
        if after is None:
            yield _Written(f"retry: {RETRY_MS}\n".encode() + said("open", opened, id_=opened.cursor))
        else:
            # Without its id: who is cut off before he has been told what he missed asks for it again.
            yield _Written(f"retry: {RETRY_MS}\n".encode() + said("open", opened))
            async for text in _missed(process, viewer, after, begins):
                yield _Written(text)
        while not viewer.ended and (left_s := until - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(viewer.woken.wait(), min(left_s, HEARTBEAT_S))
            except TimeoutError:
                viewer.take()
                yield _Written(b": still here\n\n")
                continue
            if text := viewer.take():
                yield _Written(text)
                await asyncio.sleep(BREATH_S)
        if viewer.ended:
            yield _Written(said("end", {"reason": viewer.ended}))
    finally:
        process.hub.leave(viewer)


async def _missed(process: Process, viewer: Viewer, after: str, begins: int) -> AsyncIterator[bytes]:
    """What happened behind the event `after` up to `begins`, where the viewer's queue begins; and a gap where it cannot be told."""
    known = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else -1
    if not 0 <= known <= begins:
        yield said("gap", {"reason": "unknown", "missed": None}, id_=str(begins))
        return
    at = max(known, begins - RESUMED_MAX)
    missed = at - known
    while at < begins:
        upto = min(at + AT_ONCE, begins)
        async with tenant_tx(process.app_pool, viewer.tenant_id) as tx:
            part = await event_log.read(tx, at, upto, limit=AT_ONCE, types=viewer.types - {PROGRESS})
        at, missed = upto, missed + part.missed
        if part.entries and missed:
            yield said("gap", {"reason": "too_old", "missed": missed}, id_=str(part.first - 1))
            missed = 0
        yield b"".join(message.text for message in texts(part.entries) if message.type in viewer.types)
    if missed:
        yield said("gap", {"reason": "too_old", "missed": missed}, id_=str(begins))
    else:
        yield said("resumed", {"cursor": str(begins)}, id_=str(begins))
