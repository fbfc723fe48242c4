"""Who watches stores through this process: one look at a store for all its viewers, a bounded queue for each of them.

What is watched is read from the store's list of events (`tenants.event_log`) when the relay says that there is something new, and unasked
every few seconds. Besides, once a second while a sale runs, one statement reads how far each has sold: a rush is told in numbers and not
order by order, and whoever commits knows nothing of viewers. Who may watch is asked again every second.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec

from api.callers import Callers
from api.directory import Directory, Suspended
from checkout_core.errors import TooMany, Unauthorized, Unavailable
from checkout_core.ids import encode
from tenants import event_log, overview
from tenants.db import Pool, tenant_tx
from tenants.webhooks.catalogue import KINDS, RESERVED

log = logging.getLogger(__name__)

VIEWERS_MAX = 200  # of a process
OF_TENANT_MAX = 20  # of them
QUEUE_MAX: Final = 256  # messages that wait for a viewer
AT_ONCE: Final = 300  # events of a store told in one look; of more, the newest
TICK_S: Final = 0.1
BETWEEN_S: Final = 0.25  # looks at a store
PROGRESS_S: Final = 1.0
UNASKED_S: Final = 3.0
AUTHORITY_S: Final = 1.0
STUCK_S: Final = 60.0  # so long a viewer may take nothing, not even a heartbeat

PROGRESS: Final = "sale.progress"
# What one must be permitted to see a type.
OF_NOUN: Final = {
    "order": "orders:read", "payment": "orders:read", "fulfilment": "orders:read", "entitlement": "orders:read",
    "exception": "orders:read", "sale": "sales:read", "vault": "vault:read", "stock": "vault:read", "qualification": "qualifications:write",
}  # fmt: skip
# `order.reserved` is told as progress of its sale.
TYPES: Final = {name: OF_NOUN[name.partition(".")[0]] for name in (*KINDS.keys() - {RESERVED}, PROGRESS)}

_encode = msgspec.json.Encoder().encode


class Progress(msgspec.Struct, frozen=True):
    """`reserved` is units taken since the last one, less those that came back; negative when more came back."""

    sale_id: str
    name: str
    state: str
    allotted: int
    committed: int
    available: int
    reserved: int
    at_ms: int


class Message(msgspec.Struct, frozen=True):
    """`text` is what is sent, whole; `seq` is 0 for what is no event of the list."""

    type: str
    seq: int
    text: bytes


def said(type_: str, data: object, *, id_: str | None = None) -> bytes:
    """As server-sent events are written."""
    first = f"id: {id_}\n" if id_ is not None else ""
    return f"{first}event: {type_}\ndata: {data if isinstance(data, str) else _encode(data).decode()}\n\n".encode()


class Viewer:
    """One open stream of `tenant_id`: the store of whoever shows `token`, which is his `home`, or its sandbox."""

    def __init__(self, tenant_id: UUID, token: str, wanted: frozenset[str], scopes: frozenset[str]) -> None:
        self.tenant_id = self.home = tenant_id
        self.token = token
        self.wanted = wanted
        self.woken = asyncio.Event()
        self.ended = ""
        self.missed = 0
        self.missed_up_to = 0
        self.taken_at = time.monotonic()
        self._queue: deque[Message] = deque()
        self._progress: dict[str, bytes] = {}
        self.permit(scopes)

    def permit(self, scopes: frozenset[str]) -> None:
        self.types = frozenset(type_ for type_ in self.wanted if TYPES[type_] in scopes)

    def tell(self, message: Message) -> None:
        if message.type not in self.types:
            return
        if len(self._queue) >= QUEUE_MAX:
            self.miss(len(self._queue), self._queue[-1].seq)
            self._queue.clear()
        self._queue.append(message)
        self.woken.set()

    def tell_progress(self, sale_id: str, text: bytes) -> None:
        """Of each sale only the newest waits: who is slow is told where it stands."""
        if PROGRESS in self.types:
            self._progress[sale_id] = text
            self.woken.set()

    def miss(self, count: int, up_to: int) -> None:
        self.missed, self.missed_up_to = self.missed + count, up_to
        self.woken.set()

    def end(self, why: str) -> None:
        self.ended = why
        self.woken.set()

    def take(self) -> bytes:
        """All that waits."""
        self.woken.clear()
        self.taken_at = time.monotonic()
        parts = []
        if self.missed:
            parts.append(said("gap", {"reason": "too_many", "missed": self.missed}, id_=str(self.missed_up_to)))
            self.missed = 0
        parts += [message.text for message in self._queue]
        parts += self._progress.values()
        self._queue.clear()
        self._progress.clear()
        return b"".join(parts)

    @property
    def stuck(self) -> bool:
        return time.monotonic() - self.taken_at > STUCK_S


class Feed:
    """A store that is watched. `seq` is the last event that its viewers were told of."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.viewers: set[Viewer] = set()
        self.look_at = 0.0
        self.progress_at = 0.0
        self.looked_at = 0.0
        self.sales: dict[UUID, overview.Selling] = {}

    @property
    def types(self) -> frozenset[str]:
        return frozenset().union(*(viewer.types for viewer in self.viewers))


class Hub:
    def __init__(self, pool: Pool, callers: Callers, directory: Directory) -> None:
        self._pool = pool
        self._callers = callers
        self._directory = directory
        self._feeds: dict[UUID, Feed] = {}
        self.count = 0
        self.stopping = False

    async def join(self, viewer: Viewer) -> int:
        """Begin to watch; the number of the event behind which the viewer's queue begins. Raises `TooMany`, `Suspended`, `Unauthorized`."""
        merchant = await self._callers.merchant(viewer.token)
        if merchant is None:
            raise Unauthorized("The API key or session was revoked just now.")
        viewer.home = merchant.tenant_id
        await self._directory.may_change(viewer.home)
        async with tenant_tx(self._pool, viewer.tenant_id) as tx:
            head = await event_log.head(tx)
        feed = self._feeds.get(viewer.tenant_id)
        if self.count >= VIEWERS_MAX or (feed is not None and len(feed.viewers) >= OF_TENANT_MAX):
            raise TooMany("Too many streams of events are open here. Close one, or try again.", code="busy", retry_after_s=5)
        if feed is None:
            feed = self._feeds[viewer.tenant_id] = Feed(head)
        feed.viewers.add(viewer)
        self.count += 1
        for sale in feed.sales.values():
            viewer.tell_progress(*_progress(sale, None))
        return feed.seq

    def leave(self, viewer: Viewer) -> None:
        feed = self._feeds.get(viewer.tenant_id)
        if feed is None or viewer not in feed.viewers:
            return
        feed.viewers.remove(viewer)
        self.count -= 1
        if not feed.viewers:
            del self._feeds[viewer.tenant_id]

    def wake(self, tenant_id: UUID) -> None:
        """There is something new of this store."""
        if feed := self._feeds.get(tenant_id):
            feed.look_at = 0.0

    async def run(self) -> None:
        """Look at what is watched, until cancelled."""
        asked_at = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            try:
                now = time.monotonic()
                if self.stopping:
                    self._end(self._viewers(), "stopping")
                if now >= asked_at + AUTHORITY_S:
                    asked_at = now
                    await self._ask_again()
                for tenant_id, feed in list(self._feeds.items()):
                    progress = now >= feed.progress_at
                    if feed.viewers and (progress or now >= max(feed.look_at, feed.looked_at + BETWEEN_S)):
                        await self._look(tenant_id, feed, progress=progress)
            except Unavailable as error:
                log.info("viewers wait: %s", error)
                await asyncio.sleep(1)
            except Exception:
                log.exception("a look for viewers failed")
                await asyncio.sleep(1)

    async def _look(self, tenant_id: UUID, feed: Feed, *, progress: bool) -> None:
        types, now = feed.types, time.monotonic()
        # Set before reading: who wakes us meanwhile is heard.
        feed.looked_at, feed.look_at = now, now + UNASKED_S
        async with tenant_tx(self._pool, tenant_id) as tx:
            head = await event_log.head(tx)
            part = await event_log.read(tx, feed.seq, head, limit=AT_ONCE, types=types - {PROGRESS}) if head > feed.seq else None
            sales = await overview.selling(tx) if progress and PROGRESS in types else None
        if part is not None:
            feed.seq = part.seq
            _tell(feed.viewers, part)
            if any(entry.type.startswith("sale.") for entry in part.entries):
                progress, feed.progress_at = False, 0.0
        if sales is not None:
            before, feed.sales = feed.sales, {sale.sale_id: sale for sale in sales}
            for sale in sales:
                if sale != (old := before.get(sale.sale_id)):
                    told = _progress(sale, old)
                    for viewer in feed.viewers:
                        viewer.tell_progress(*told)
        if progress:
            feed.progress_at = now + (PROGRESS_S if feed.sales else UNASKED_S)

    async def _ask_again(self) -> None:
        """Whether those who watch still may, and what they may see now."""
        for token in {viewer.token for viewer in self._viewers()}:
            self._callers.forget(token)
            merchant = await self._callers.merchant(token)
            for viewer in self._viewers():
                if viewer.token == token:
                    if merchant is None or merchant.tenant_id != viewer.home:
                        self._end([viewer], "revoked")
                    else:
                        viewer.permit(merchant.scopes)
        for home in {viewer.home for viewer in self._viewers()}:
            try:
                await self._directory.may_change(home, at_once=True)
            except Suspended:
                self._end([viewer for viewer in self._viewers() if viewer.home == home], "suspended")
        self._end([viewer for viewer in self._viewers() if viewer.stuck], "stuck")

    def _viewers(self) -> list[Viewer]:
        return [viewer for feed in self._feeds.values() for viewer in feed.viewers]

    def _end(self, viewers: Iterable[Viewer], why: str) -> None:
        for viewer in viewers:
            viewer.end(why)
            self.leave(viewer)


def texts(entries: list[event_log.Entry]) -> list[Message]:
    """Only the last of the events that share a number has it as its id: who is cut off between them is told both again."""
    last = {entry.seq: n for n, entry in enumerate(entries)}
    return [
        Message(entry.type, entry.seq, said(entry.type, entry.body, id_=str(entry.seq) if last[entry.seq] == n else None))
        for n, entry in enumerate(entries)
    ]


def _tell(viewers: Iterable[Viewer], part: event_log.Part) -> None:
    messages = texts(part.entries)
    for viewer in viewers:
        if part.missed:
            viewer.miss(part.missed, part.first - 1)
        for message in messages:
            viewer.tell(message)


def _progress(sale: overview.Selling, before: overview.Selling | None) -> tuple[str, bytes]:
    sale_id = encode("sal", sale.sale_id)
    reserved = sale.committed - before.committed if before else 0
    told = Progress(
        sale_id, sale.name, sale.state, sale.allotted, sale.committed, sale.allotted - sale.committed, reserved, int(time.time() * 1000)
    )
    return sale_id, said(PROGRESS, told)
