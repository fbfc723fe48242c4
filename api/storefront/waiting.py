"""The waiting room's page: a place, how it stands, and the turn. The script asks for a few numbers; without it the page comes anew."""

import datetime as dt
import time
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from api.headers import SECURITY_HEADERS
from api.memory import Memory
from api.process import Process
from api.storefront import visit as visits
from api.storefront.pace import Pace
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import AppError, NotFound
from checkout_core.ids import decode, encode
from checkout_core.intents import SaleKey
from checkout_core.resp import Closed, Unknown
from checkout_core.room import Place, Status
from checkout_core.tokens import Shopper
from tenants.db import tenant_tx

AT_STORE: Final = {"visit": visits.at_store}
KNOWN_TTL_S: Final = 2.0
SALES_MAX: Final = 10_000
HELD_MAX: Final = 1000  # so far units on hold are counted
AGAIN_S: Final = (4.0, 30.0)  # between two looks: near the turn, and far from it; a third of what loses a place at most
NEAR: Final = 20  # places
ISSUED_MIN: Final = 5  # turns, before anybody says how fast the line moves
INSTEAD: Final = ("sold_out", "waiting_room")  # refusals after which one may wait
_encode = msgspec.json.Encoder().encode


class Known(msgspec.Struct, frozen=True):
    """What a process remembers of a sale with a waiting room; `held` of its units others have not paid yet."""

    name: str
    mode: str
    state: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    free: int
    held: int
    hold_s: int


class Standing(msgspec.Struct, frozen=True):
    """`status`: draw (before the start) · turn · waiting · later (all that others have may be gone before) · gone · full · out · ended."""

    status: str
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
            sql = f"""SELECT name, waiting_room, state, starts_at, ends_at, allotted - committed,
                             CASE WHEN committed < allotted OR waiting_room = 'off' THEN 0 ELSE (SELECT count(*) FROM (
                                 SELECT 1 FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'held'
                                 LIMIT {HELD_MAX}) AS held) END, hold_s
                      FROM sale WHERE tenant_id = $1 AND id = $2"""
            async with tenant_tx(process.app_pool, key[0]) as tx:
                row = await tx.conn.fetchrow(sql, *key)
            return Known(*row) if row else None

        self.sales: Memory[tuple[UUID, UUID], Known] = Memory(look, ttl_s=KNOWN_TTL_S, size=SALES_MAX)
        self.pace = Pace()


@get("/sales/{sale:str}/wait", dependencies=AT_STORE)
async def show(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    return await _page(visit, sale, join=False)


@post("/sales/{sale:str}/wait", dependencies=AT_STORE, status_code=200)
async def join(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    await visit.form()
    await visit.at_open_store()
    shopper = await visit.shopper_or_guest()
    return await instead(visit, shopper, sale) or visit.go(f"/sales/{sale}")


@get("/sales/{sale:str}/wait/state", dependencies=AT_STORE)
async def state(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    """What the page's script asks for; to ask keeps the place."""
    known = await _known(visit, sale)
    told = await _stand(visit, known, sale, visit.shopper(), join=False)
    headers = SECURITY_HEADERS | {"Cache-Control": "no-store"}
    return Response(_encode(told), media_type="application/json", headers=headers)


async def instead(visit: Visit, shopper: Shopper | None, sale: str, error: AppError | None = None) -> Response[bytes] | None:
    """To the waiting room, with a place in it, if the sale has one and he may wait there; else None."""
    if shopper is None or (error is not None and error.code not in INSTEAD):
        return None
    try:
        known = await _known(visit, sale)
    except NotFound:
        return None
    early = known.starts_at > dt.datetime.now(dt.UTC)
    if known.state != "open" or (early and known.mode != "draw"):
        return None
    if not early and known.held <= 0 and known.free <= 0:
        return None  # gone: there is nothing to wait for
    told = await _stand(visit, known, sale, shopper, join=True)
    return None if told.status in ("out", "ended") else visit.go(f"/sales/{sale}/wait")


async def _page(visit: Visit, sale: str, *, join: bool) -> Response[bytes]:
    known = await _known(visit, sale)
    told = await _stand(visit, known, sale, visit.shopper(), join=join)
    if told.status in ("out", "ended"):
        return visit.go(f"/sales/{sale}")
    visit.page.path = f"/sales/{sale}/wait"
    sale_id = decode("sal", sale)
    return visit.render("wait.html", standing=told, known=known, sale=encode("sal", sale_id), sale_id=sale_id)


async def _known(visit: Visit, sale: str) -> Known:
    """Raises `NotFound`, also for a sale without a waiting room."""
    store = await visit.at_open_store()
    known = await rooms_of(visit.request).sales.get((store.tenant_id, decode("sal", sale)))
    if known is None or known.mode == "off":
        raise NotFound("There is no such waiting room.")
    return known


async def _stand(visit: Visit, known: Known, sale: str, shopper: Shopper | None, *, join: bool) -> Standing:
    now = dt.datetime.now(dt.UTC)
    if known.state == "ended" or (known.ends_at is not None and known.ends_at <= now):
        return Standing("ended")
    if shopper is None:
        return Standing("out")
    try:
        place = await visit.process.room.wait(SaleKey(shopper.tenant_id, decode("sal", sale)), shopper.id, join=join)
    except (Closed, Unknown):
        return Standing("out")  # no line without Redis: the ordinary door says what follows
    return standing(known, place, now, rooms_of(visit.request).pace.asked())


def standing(known: Known, place: Place, now: dt.datetime, pace_s: float) -> Standing:
    """What is honestly said of a place: where it is, how fast the line moved, and whether there can be enough for those before."""
    if place.status in (Status.CLOSED, Status.OUT):
        return Standing("out")
    if place.status is Status.FULL:
        return Standing("full", total=place.total, held=known.held)
    if place.status is Status.TURN:
        return Standing("turn", left_s=place.left_ms // 1000)
    if known.starts_at > now:
        left_s = (known.starts_at - now).total_seconds()
        return Standing("draw", total=place.total, left_s=int(left_s), again_s=min(max(left_s, AGAIN_S[0]), AGAIN_S[1]))
    again_s = AGAIN_S[0] if place.place <= NEAR else min(max(pace_s, 2 * AGAIN_S[0]), AGAIN_S[1])
    passed_s = time.time() - place.since_ms / 1000
    moved = place.issued >= ISSUED_MIN and place.since_ms > 0
    estimate_s = int(place.place * passed_s / place.issued) if moved else None
    there = known.free + known.held
    status = "gone" if there <= 0 else "later" if place.place > there else "waiting"
    return Standing(status, place.place, place.total, 0, estimate_s, known.held, round(again_s, 1))


def rooms_of(request: Request[Any, Any, Any]) -> Rooms:
    found = request.app.state
    if getattr(found, "rooms", None) is None:
        found.rooms = Rooms(found.process)
    rooms: Rooms = found.rooms
    return rooms
