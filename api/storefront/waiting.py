"""The waiting room's page: a place, how it stands, and the turn. The script asks for a few numbers; without it the page comes anew."""

from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from api.headers import SECURITY_HEADERS
from api.storefront import visit as visits
from api.storefront.visit import AVisit, Visit
from api.waiting_rooms import Known, rooms_of
from checkout_core.errors import AppError, Conflict, NotFound, Unavailable
from checkout_core.ids import decode, encode
from checkout_core.tokens import Shopper

AT_STORE: Final = {"visit": visits.at_store}
INSTEAD: Final = ("sold_out", "waiting_room")  # refusals after which one may wait
_encode = msgspec.json.Encoder().encode


@get("/sales/{sale:str}/wait", dependencies=AT_STORE)
async def show(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    known = await _known(visit, sale)
    sale_id = decode("sal", sale)
    told = await rooms_of(visit.request).stand(known, sale_id, visit.shopper())
    if told.status in ("out", "ended"):
        return visit.go(f"/sales/{sale}")
    visit.page.path = f"/sales/{sale}/wait"
    return visit.render(
        "wait.html", standing=told, known=known, name=known.name(visit.locale), sale=encode("sal", sale_id), sale_id=sale_id
    )


@post("/sales/{sale:str}/wait", dependencies=AT_STORE, status_code=200)
async def join(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    await visit.form()
    await visit.at_open_store()
    shopper = await visit.shopper_or_guest()
    return await instead(visit, shopper, sale) or visit.go(f"/sales/{sale}")


@post("/sales/{sale:str}/wait/leave", dependencies=AT_STORE, status_code=200)
async def leave(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    """Also while the store is closed: whoever is behind moves up."""
    await visit.form()
    if shopper := visit.shopper():
        await rooms_of(visit.request).leave(decode("sal", sale), shopper)
    return visit.go(f"/sales/{sale}")


@get("/sales/{sale:str}/wait/state", dependencies=AT_STORE)
async def state(visit: AVisit, sale: FromPath[str]) -> Response[bytes]:
    """What the page's script asks for; to ask keeps the place."""
    known = await _known(visit, sale)
    told = await rooms_of(visit.request).stand(known, decode("sal", sale), visit.shopper())
    headers = SECURITY_HEADERS | {"Cache-Control": "no-store"}
    return Response(_encode(told), media_type="application/json", headers=headers)


async def instead(visit: Visit, shopper: Shopper | None, sale: str, error: AppError | None = None) -> Response[bytes] | None:
    """To the waiting room, with a place in it, if the sale has one and he may wait there; else None."""
    if shopper is None or (error is not None and error.code not in INSTEAD):
        return None
    try:
        await rooms_of(visit.request).join(decode("sal", sale), shopper)
    except (NotFound, Conflict, Unavailable):
        return None
    return visit.go(f"/sales/{sale}/wait")


async def _known(visit: Visit, sale: str) -> Known:
    """Raises `NotFound`, also for a sale without a waiting room."""
    store = await visit.at_open_store()
    return await rooms_of(visit.request).find(store.tenant_id, decode("sal", sale))
