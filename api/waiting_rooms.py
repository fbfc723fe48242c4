"""The waiting room of a flash sale: what is said of a place, and HTTP for programs. The store's page ends in the same functions.

A process remembers for two seconds how a sale stands; where somebody stands is asked of Redis each time.
"""

import datetime as dt
import time
from typing import Any, Final, Literal
from uuid import UUID

from litestar import Controller, Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.guards import shopper, while_open
from api.memory import Memory
from api.pace import Pace
from api.process import Process
from api.wire import NOTHING, Nothing
from checkout_core.errors import Conflict, NotFound, Unavailable
from checkout_core.ids import decode
from checkout_core.intents import SaleKey
from checkout_core.resp import Closed, Unknown
from checkout_core.room import Place, Status
from checkout_core.tokens import Shopper
from tenants.db import tenant_tx

KNOWN_TTL_S: Final = 2.0
SALES_MAX: Final = 10_000
HELD_MAX: Final = 1000  # so far units on hold are counted
AGAIN_S: Final = (4.0, 30.0)  # between two looks: near the turn, and far from it; a third of what loses a place at most
NEAR: Final = 20  # places
ISSUED_MIN: Final = 5  # turns, before anybody says how fast the line moves


class Known(Struct, frozen=True):
    """What a process remembers of a sale with a waiting room; `held` of its units others have not paid yet."""

    names: dict[str, str]  # by language; "" is as it was written
    mode: str
    state: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    free: int
    held: int
    hold_s: int

    def name(self, locale: str) -> str:
        return self.names.get(locale, self.names[""])

    def is_over(self, now: dt.datetime) -> bool:
        return self.state == "ended" or (self.ends_at is not None and self.ends_at <= now)


Stands = Literal["draw", "turn", "waiting", "later", "gone", "full", "out", "ended"]


class PlaceInLine(Struct, frozen=True):
    """Where a shopper stands. `status`: draw (before the start) · turn · waiting · later (all that others have may be gone before) · gone
    · full · out · ended.

    `place` counts from 1, of `total`; `left_s` of a turn, or until the start. `estimate_s` is null as long as the line has hardly moved;
    `held` units others have not paid yet. Ask again after `again_s`: who is not seen for 90 seconds has no place any more."""

    status: Stands
    place: int = 0
    total: int = 0
    left_s: int = 0
    estimate_s: int | None = None
    held: int = 0
    again_s: float = AGAIN_S[0]


class Rooms:
    """Of one process."""

    def __init__(self, process: Process) -> None:
        async def look(key: tuple[UUID, UUID]) -> Known | None:
            # Counted no further than it is said, and not at all while some are free.
            sql = f"""SELECT waiting_room, state, starts_at, ends_at, allotted - committed,
                             CASE WHEN committed < allotted OR waiting_room = 'off' THEN 0 ELSE (SELECT count(*) FROM (
                                 SELECT 1 FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'held'
                                 LIMIT {HELD_MAX}) AS held) END, hold_s
                      FROM sale WHERE tenant_id = $1 AND id = $2"""
            names = """SELECT '', name FROM sale WHERE tenant_id = $1 AND id = $2
                       UNION ALL SELECT locale, name FROM translation WHERE tenant_id = $1 AND subject_id = $2"""
            async with tenant_tx(process.app_pool, key[0]) as tx:
                row = await tx.conn.fetchrow(sql, *key)
                return Known(dict(await tx.conn.fetch(names, *key)), *row) if row else None

        self._process = process
        self._sales: Memory[tuple[UUID, UUID], Known] = Memory(look, ttl_s=KNOWN_TTL_S, size=SALES_MAX)
        self._pace = Pace()

    async def find(self, tenant_id: UUID, sale_id: UUID) -> Known:
        """Raises `NotFound`, also for a sale without a waiting room."""
        known = await self._sales.get((tenant_id, sale_id))
        if known is None or known.mode == "off":
            raise NotFound("There is no such waiting room.")
        return known

    async def join(self, sale_id: UUID, who: Shopper) -> PlaceInLine:
        """Where he stands, with a place if he had none.

        Raises `NotFound`; `Conflict` (`ended`, `paused`, `not_started`, `sold_out`) when there is nothing to wait for; `Unavailable`
        without the gate.
        """
        known = await self.find(who.tenant_id, sale_id)
        now = dt.datetime.now(dt.UTC)
        early = known.starts_at > now
        if known.is_over(now):
            raise Conflict("The sale is over. There is nothing to wait for.", code="ended")
        if known.state != "open":
            raise Conflict("The merchant has paused the sale. Nobody waits meanwhile.", code="paused")
        if early and known.mode != "draw":
            raise Conflict("The sale has not started, and its line begins with it.", code="not_started")
        if not early and known.held <= 0 and known.free <= 0:
            raise Conflict("All is sold and paid. There is nothing to wait for.", code="sold_out")
        told = await self.stand(known, sale_id, who, join=True)
        if told.status == "out":
            raise Unavailable("There is no line at this moment. Press for the sale itself, or ask again.", retry_after_s=2)
        return told

    async def stand(self, known: Known, sale_id: UUID, who: Shopper | None, *, join: bool = False) -> PlaceInLine:
        """Where he stands; to ask keeps the place."""
        now = dt.datetime.now(dt.UTC)
        if known.is_over(now):
            return PlaceInLine("ended")
        if who is None:
            return PlaceInLine("out")
        try:
            place = await self._process.room.wait(SaleKey(who.tenant_id, sale_id), who.id, join=join)
        except (Closed, Unknown):
            return PlaceInLine("out")  # no line without Redis: the ordinary door says what follows
        return standing(known, place, now, self._pace.asked())

    async def leave(self, sale_id: UUID, who: Shopper) -> None:
        """Again, or without a place, is no error. Raises `NotFound`, and `Unavailable` without the gate."""
        await self.find(who.tenant_id, sale_id)
        try:
            await self._process.room.leave(SaleKey(who.tenant_id, sale_id), who.id)
        except (Closed, Unknown):
            raise Unavailable("There is no line at this moment. Ask the same again, or wait: a place that nobody asks for ends.") from None


def standing(known: Known, place: Place, now: dt.datetime, pace_s: float) -> PlaceInLine:
    """What is honestly said of a place: where it is, how fast the line moved, and whether there can be enough for those before."""
    if place.status in (Status.CLOSED, Status.OUT):
        return PlaceInLine("out")
    if place.status is Status.FULL:
        return PlaceInLine("full", total=place.total, held=known.held)
    if place.status is Status.TURN:
        return PlaceInLine("turn", left_s=place.left_ms // 1000)
    if known.starts_at > now:
        left_s = (known.starts_at - now).total_seconds()
        return PlaceInLine("draw", total=place.total, left_s=int(left_s), again_s=min(max(left_s, AGAIN_S[0]), AGAIN_S[1]))
    again_s = AGAIN_S[0] if place.place <= NEAR else min(max(pace_s, 2 * AGAIN_S[0]), AGAIN_S[1])
    passed_s = time.time() - place.since_ms / 1000
    moved = place.issued >= ISSUED_MIN and place.since_ms > 0
    estimate_s = int(place.place * passed_s / place.issued) if moved else None
    there = known.free + known.held
    status: Stands = "gone" if there <= 0 else "later" if place.place > there else "waiting"
    return PlaceInLine(status, place.place, place.total, 0, estimate_s, known.held, round(again_s, 1))


def rooms_of(request: Request[Any, Any, Any]) -> Rooms:
    found = request.app.state
    if getattr(found, "rooms", None) is None:
        found.rooms = Rooms(found.process)
    rooms: Rooms = found.rooms
    return rooms


class WaitingRoomController(Controller):
    path = "/waiting-rooms"
    tags = ("Checkout",)

    @post(
        "/{sale_id:str}",
        guards=[shopper, while_open],
        status_code=200,
        problems=[403, 404, 409],
        operation_id="joinWaitingRoom",
        summary="Take a place in the waiting room of a flash sale; again keeps it",
    )
    async def join(
        self, sale_id: FromPath[str], request: Request[Any, Any, Any], shopper: NamedDependency[Shopper], data: JSONBody[Nothing] = NOTHING
    ) -> PlaceInLine:
        return await rooms_of(request).join(decode("sal", sale_id), shopper)

    @get(
        "/{sale_id:str}",
        guards=[shopper, while_open],
        problems=[403],
        operation_id="getPlaceInLine",
        summary="Where the shopper stands; to ask keeps his place",
    )
    async def get(self, sale_id: FromPath[str], request: Request[Any, Any, Any], shopper: NamedDependency[Shopper]) -> PlaceInLine:
        rooms, sale = rooms_of(request), decode("sal", sale_id)
        known = await rooms.find(shopper.tenant_id, sale)
        return await rooms.stand(known, sale, shopper)

    @delete(
        "/{sale_id:str}",
        guards=[shopper],
        operation_id="leaveWaitingRoom",
        summary="Give up the place, or the turn; whoever is behind moves up",
    )
    async def leave(self, sale_id: FromPath[str], request: Request[Any, Any, Any], shopper: NamedDependency[Shopper]) -> None:
        await rooms_of(request).leave(decode("sal", sale_id), shopper)
